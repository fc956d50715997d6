/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command_table: what must be known of a command that somebody else has written, to route it in a
 * cluster: where its first key stands, and whether it changes anything.
 *
 * Commands that are not in the table are taken to have their key behind their name, as nearly all
 * do, and to change something. Source: https://valkey.io/commands/
 */
#ifndef LOAD_COMMAND_TABLE_H
#define LOAD_COMMAND_TABLE_H

#include <stdbool.h>

#include "base/str.h"

/* What a command is for a cluster. */
struct command_facts {
    int slot;   /* that of its first key; TEMPLATE_NO_SLOT: it has none */
    bool reads; /* it changes nothing */
    bool opens; /* it begins a transaction, whose commands are for one connection */
};

/* `bytes`: one command as the writer makes them, a RESP array of bulk strings; not judged. */
struct command_facts command_facts_of(struct str bytes);

/* How many bytes the first of the commands in `bytes` has. */
size_t command_length(struct str bytes);

#endif
