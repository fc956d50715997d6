/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command: what a place of a custom command wants to have sent: commands as the bytes that they
 * are.
 *
 * Where requests are dictated, a request is one step of an execution, its `n` is the place of that
 * execution, and what it consists of stands in a table by place. Whoever writes there keeps the
 * bytes until the replies are there, so that a request can be rendered again.
 */
#ifndef LOAD_COMMAND_H
#define LOAD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct command {
    struct str bytes; /* RESP arrays of bulk strings, `count` of them, one behind the other */
    uint32_t count;   /* commands, so replies: at least one */
    int16_t slot;     /* of the cluster; TEMPLATE_NO_SLOT: any node can carry it */
    bool reads;       /* changes nothing, so that a replica can carry it */
};

#endif
