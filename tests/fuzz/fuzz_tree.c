/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as one reply, whole and byte by byte: both must end at the same place, and every item
 * of the tree must lie within what it was made of.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "resp/tree.h"

enum { BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static bool same(const struct resp_item *a, const struct resp_item *b)
{
    if (a->kind != b->kind || a->number != b->number || a->count != b->count ||
        !str_equal(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same(&a->items[i], &b->items[i]))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resp_tree whole, cut;
    enum resp_status status = RESP_MORE;
    size_t used, used_cut = 0, one = 0;

    resp_tree_init(&whole, BYTES_MAX);
    resp_tree_init(&cut, BYTES_MAX);
    const enum resp_status status_whole =
        resp_tree_feed(&whole, (struct str){(const char *)data, size}, &used);
    for (size_t i = 0; i < size && status == RESP_MORE; i++) {
        status = resp_tree_feed(&cut, (struct str){(const char *)data + i, 1}, &one);
        used_cut += one;
    }
    require(used <= size && status == status_whole);
    require((status == RESP_REPLY) == (resp_tree_root(&whole) != NULL));
    if (status == RESP_REPLY)
        require(used == used_cut && same(resp_tree_root(&whole), resp_tree_root(&cut)));
    resp_tree_deinit(&whole);
    resp_tree_deinit(&cut);
    return 0;
}
