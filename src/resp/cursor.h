/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cursor: walks over the items of replies that are whole, in the order in which they came.
 *
 * The reader has found the bytes to be RESP before: nothing is judged here, and nothing is copied.
 * It is for those who build something of their own from a reply; a tree is the ready-made one.
 */
#ifndef RESP_CURSOR_H
#define RESP_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "resp/reader.h"

/* Everything in it is borrowed from where the bytes lie, `items` from the tree that it is of. */
struct resp_item {
    enum resp_kind kind;
    int64_t number; /* INTEGER: the value; BOOLEAN: 0 or 1 */
    /* SIMPLE, ERROR, BULK, DOUBLE, BIG_NUMBER: as it came; of a verbatim string with its "txt:".
     * Otherwise it is empty, but there. */
    struct str text;
    const struct resp_item *items; /* of an aggregate; of a MAP keys and values in turn */
    size_t count;
};

struct resp_cursor {
    const char *at; /* where the next item begins */
};

/*
 * Takes the next item, of an aggregate its header alone: `count` items follow, and `items` is NULL.
 * Returns false for an attribute, which is none: `count` says how many items of it follow.
 */
bool resp_cursor_take(struct resp_cursor *cursor, struct resp_item *item);

#endif
