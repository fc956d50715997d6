/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a redirect: what is one says all that is needed to follow it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "cluster/redirect.h"
#include "resp/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str line = {(const char *)data, size};
    struct redirect redirect;

    if (!redirect_parse(line, &redirect))
        return 0;
    if (redirect.slot >= SLOT_COUNT || redirect.port == 0)
        abort();
    if (redirect.host.ptr < line.ptr || redirect.host.ptr + redirect.host.len > line.ptr + line.len)
        abort();
    return 0;
}
