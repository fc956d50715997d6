-- SPDX-License-Identifier: BSD-3-Clause
-- A choice of commands, one an execution:
--   valkey-polyglot -t custom --custom-command-file examples/custom_command.lua \
--       --custom-command-args mset -r 100000
-- --custom-command-args is set (as without it), mset, hset, lpush or lpush_keyspace.

options = {
    { name = "items", default = "10", value = "N", help = "keys of an mset, fields of an hset" },
}

local commands = {}
local items, command

-- The same as the built-in test.
function commands.set(client)
    return client:call("SET", client:key(), client:value())
end

-- Several keys at once. A {tag} keeps them in one slot of a cluster.
function commands.mset(client)
    local key, arguments = client:key(), { "MSET" }
    for i = 1, items do
        arguments[2 * i] = "{" .. key .. "}:" .. i
        arguments[2 * i + 1] = client:value()
    end
    return client:call(unpack(arguments))
end

-- A hash with several fields.
function commands.hset(client)
    local arguments = { "HSET", client:key() }
    for i = 1, items do
        arguments[2 * i + 1] = "field:" .. i
        arguments[2 * i + 2] = client:value()
    end
    return client:call(unpack(arguments))
end

-- One list for all.
function commands.lpush(client)
    return client:call("LPUSH", "custom:list", client:value())
end

-- A list for each key of the keyspace (-r or --sequential).
function commands.lpush_keyspace(client)
    return client:call("LPUSH", client:key(), client:value())
end

function init(config)
    items = tonumber(config.options.items)
    if not items or items < 1 or items % 1 ~= 0 then
        return false, "--items must be a whole number of at least 1"
    end
    local name = config.custom_command_args or "set"
    command = commands[name]
    if not command then
        return false, "no command of this name: " .. name
    end
end

-- A call returns nil and a message when it fails: handed on, that fails the request.
function execute(client)
    return command(client)
end
