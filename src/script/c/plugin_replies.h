/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin_replies: replies as a plugin sees them, laid over the bytes that came.
 *
 * No text is copied, and the memory of the items serves all executions of a worker, one after the
 * other: replies are there only while the execution that asked for them runs.
 */
#ifndef SCRIPT_C_PLUGIN_REPLIES_H
#define SCRIPT_C_PLUGIN_REPLIES_H

#include <stddef.h>

#include "base/str.h"
#include "valkey_polyglot/custom_command.h"

/* Aggregates within aggregates, the outermost among them. It also bounds the recursion of those who
 * walk over a reply on a small stack. */
enum { PLUGIN_REPLIES_DEPTH_MAX = 32 };

/* All zero: none. The first `count` items are the replies. */
struct plugin_replies {
    struct vpb_reply *items; /* owned */
    size_t room;             /* items that there is memory for */
    size_t count;
};

void plugin_replies_deinit(struct plugin_replies *replies);

/* Lays out `count` replies, which lie whole in `bytes`; attributes are left out. One that is nested
 * too deep becomes an error. */
void plugin_replies_read(struct plugin_replies *replies, struct str bytes, size_t count);

/* Makes `count` errors. Borrows `text`. */
void plugin_replies_fail(struct plugin_replies *replies, size_t count, enum vpb_error_kind kind,
                         struct str text);

/* Forgets the replies, and gives back memory if it is much. */
void plugin_replies_clear(struct plugin_replies *replies);

#endif
