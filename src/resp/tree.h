/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree: one whole reply, kept: for the few replies that somebody looks into.
 *
 * A tree takes bytes that are cut anywhere, as the reader does, by which it knows where the reply
 * ends and that it is RESP. It keeps them all, up to a bound, and then lays the items over them: no
 * text is copied a second time and nothing recurses. Pushes and attributes are left out.
 */
#ifndef RESP_TREE_H
#define RESP_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "resp/cursor.h"
#include "resp/reader.h"

/* Aggregates within aggregates, the outermost among them; a reply that is deeper is RESP_BAD. */
enum { RESP_TREE_DEPTH_MAX = 16 };

/* The fields are the tree's own. */
struct resp_tree {
    struct resp_reader reader;
    char *bytes; /* owned */
    size_t len, room, max;
    struct resp_item *items; /* owned; the first is the reply; NULL: it is not whole */
    bool bad;
};

/* Nothing was read yet; a reply may have `bytes_max` bytes. */
void resp_tree_init(struct resp_tree *tree, size_t bytes_max);
void resp_tree_deinit(struct resp_tree *tree);

/* Forgets what was read, for the next reply; keeps memory. */
void resp_tree_clear(struct resp_tree *tree);

/*
 * Reads from `in` until the reply is whole or the bytes are used up; sets `*used` to how many were.
 * RESP_BAD: this is not RESP, or the reply is beyond the bounds. After RESP_REPLY and RESP_BAD
 * nothing is used until the tree is cleared.
 */
enum resp_status resp_tree_feed(struct resp_tree *tree, struct str in, size_t *used);

/* The reply, until the tree is cleared; NULL while it is not whole. */
const struct resp_item *resp_tree_root(const struct resp_tree *tree);

#endif
