/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_reply: the replies of GLIDE's library as the RESP that a server would have sent.
 *
 * Whoever looks into replies knows one form of them, RESP. The library makes replies of the types
 * that a command is known to have, also in RESP2; here they are written as those of RESP3.
 */
#ifndef CLIENT_GLIDE_REPLY_H
#define CLIENT_GLIDE_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "client/glide_abi.h"
#include "stats/outcome.h"

/* Zeroed, it is empty. Used again. */
struct glide_replies {
    char *bytes; /* owned */
    size_t len, room;
    enum outcome outcome; /* of the first reply that is an error, or OK */
};

/* Forgets what was written. */
void glide_replies_clear(struct glide_replies *replies);

/* Adds a reply. */
void glide_replies_add(struct glide_replies *replies, const struct glide_reply *reply);

/* Adds the elements of the reply to a batch, each a reply. */
void glide_replies_add_batch(struct glide_replies *replies, const struct glide_reply *batch);

/* Adds an error reply, of one line. */
void glide_replies_add_error(struct glide_replies *replies, struct str line);

void glide_replies_deinit(struct glide_replies *replies);

#endif
