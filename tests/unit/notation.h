/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * notation: replies as a test writes them: "[0 5460 ['127.0.0.1' 7000 'id' []]]" are arrays of
 * integers and bulk strings; _ is a null, {} a map, -'text' an error.
 */
#ifndef TESTS_NOTATION_H
#define TESTS_NOTATION_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/tree.h"

/* How many items are up to the end of the list that `at` is in. */
static inline unsigned notation_count(const char *at)
{
    unsigned count = 0, depth = 0;

    for (; depth > 0 || (*at != ']' && *at != '}' && *at); at++) {
        if (*at == '[' || *at == '{')
            count += depth++ == 0;
        else if (*at == ']' || *at == '}')
            depth--;
        else if (*at == '\'')
            count += depth == 0, at = strchr(at + 1, '\'');
        else if (!isspace((unsigned char)*at) && *at != '-' && depth == 0)
            count++, at += strcspn(at, " []{}") - 1;
    }
    return count;
}

/* Writes RESP to `wire`, which must have the room, and returns its length. */
static inline size_t notation_write(const char *at, char *wire)
{
    char *end = wire;

    for (; *at; at++) {
        if (*at == '[')
            end += sprintf(end, "*%u\r\n", notation_count(at + 1));
        else if (*at == '{')
            end += sprintf(end, "%%%u\r\n", notation_count(at + 1) / 2);
        else if (*at == '_')
            end += sprintf(end, "$-1\r\n");
        else if (*at == '\'' || (*at == '-' && at[1] == '\'')) {
            const char *from = *at == '-' ? at + 2 : at + 1;
            const int len = (int)strcspn(from, "'");

            end += *at == '-' ? sprintf(end, "-%.*s\r\n", len, from)
                              : sprintf(end, "$%d\r\n%.*s\r\n", len, len, from);
            at = from + len;
        } else if (isdigit((unsigned char)*at) || *at == '-') {
            char *rest;
            end += sprintf(end, ":%lld\r\n", strtoll(at, &rest, 10));
            at = rest - 1;
        }
    }
    return (size_t)(end - wire);
}

/* The tree of a reply; `tree` must be initialised. */
static inline const struct resp_item *notation_read(struct resp_tree *tree, const char *notation)
{
    char wire[4096];
    const size_t len = notation_write(notation, wire);
    size_t used;

    assert_int_equal(resp_tree_feed(tree, (struct str){wire, len}, &used), RESP_REPLY);
    assert_int_equal(used, len);
    return resp_tree_root(tree);
}

#endif
