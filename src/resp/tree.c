/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/tree.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* One aggregate that is being filled. */
struct frame {
    struct resp_item *next;
    size_t left;
};

struct builder {
    struct resp_cursor cursor;
    struct resp_item *unused; /* the items that nothing has taken so far */
    struct frame frames[RESP_TREE_DEPTH_MAX + 1];
    unsigned depth;
};

/* All items of the reply, those of attributes with them. */
static size_t count_items(const struct resp_tree *tree)
{
    struct resp_cursor cursor = {tree->bytes};
    struct resp_item item;
    size_t items = 0;

    for (; cursor.at < tree->bytes + tree->len; items++)
        resp_cursor_take(&cursor, &item);
    return items;
}

/* Begins the items of an aggregate. Returns whether they are not too deep. */
static bool push(struct builder *builder, const struct resp_item *item)
{
    if (builder->depth > RESP_TREE_DEPTH_MAX)
        return false;
    builder->frames[builder->depth++] = (struct frame){builder->unused, item->count};
    builder->unused += item->count;
    return true;
}

static bool build(struct resp_tree *tree)
{
    struct builder builder = {.cursor = {tree->bytes}};
    struct resp_item attribute;

    tree->items = mem_zalloc(count_items(tree), sizeof *tree->items);
    builder.unused = tree->items;
    push(&builder, &(struct resp_item){.count = 1});
    while (builder.depth > 0) {
        struct frame *frame = &builder.frames[builder.depth - 1];

        if (frame->left == 0) {
            builder.depth--;
            continue;
        }
        struct resp_item *item = frame->next;
        const bool is_item = resp_cursor_take(&builder.cursor, item);
        if (!is_item)
            attribute = *item;
        else
            frame->next++, frame->left--;
        const struct resp_item *parent = is_item ? item : &attribute;
        if (parent->count == 0)
            continue;
        if (is_item)
            item->items = builder.unused;
        if (!push(&builder, parent))
            return false;
    }
    return true;
}

void resp_tree_init(struct resp_tree *tree, size_t bytes_max)
{
    *tree = (struct resp_tree){.max = bytes_max};
    resp_reader_init(&tree->reader);
}

void resp_tree_deinit(struct resp_tree *tree)
{
    resp_reader_deinit(&tree->reader);
    free(tree->items);
    free(tree->bytes);
    tree->items = NULL;
    tree->bytes = NULL;
}

void resp_tree_clear(struct resp_tree *tree)
{
    resp_reader_deinit(&tree->reader);
    resp_reader_init(&tree->reader);
    free(tree->items);
    tree->items = NULL;
    tree->len = 0;
    tree->bad = false;
}

/* Returns whether there was room. */
static bool keep(struct resp_tree *tree, const char *bytes, size_t len)
{
    if (len > tree->max - tree->len)
        return false;
    if (tree->len + len > tree->room) {
        tree->room = 2 * tree->room + len;
        tree->bytes = mem_resize(tree->bytes, tree->room, 1);
    }
    memcpy(tree->bytes + tree->len, bytes, len);
    tree->len += len;
    return true;
}

static enum resp_status fail(struct resp_tree *tree)
{
    free(tree->items);
    tree->items = NULL;
    tree->bad = true;
    return RESP_BAD;
}

enum resp_status resp_tree_feed(struct resp_tree *tree, struct str in, size_t *used)
{
    struct resp_reply reply;
    size_t taken;

    *used = 0;
    if (tree->bad)
        return RESP_BAD;
    if (tree->items)
        return RESP_REPLY;
    while (in.len > *used) {
        const char *from = in.ptr + *used;
        const enum resp_status status =
            resp_reader_feed(&tree->reader, (struct str){from, in.len - *used}, &taken, &reply);

        *used += taken;
        if (status == RESP_BAD || !keep(tree, from, taken))
            return fail(tree);
        if (status == RESP_MORE)
            return RESP_MORE;
        if (reply.kind != RESP_PUSH)
            return build(tree) ? RESP_REPLY : fail(tree);
        tree->len = 0;
    }
    return RESP_MORE;
}

const struct resp_item *resp_tree_root(const struct resp_tree *tree)
{
    return tree->items;
}
