-- SPDX-License-Identifier: BSD-3-Clause
-- One SET an execution, as the built-in test sends it.
function execute(client)
    return client:call("SET", client:key(), client:value())
end
