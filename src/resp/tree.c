/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/tree.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* The bytes of a whole reply, which the reader has found in order: nothing is judged here. */
struct cursor {
    const char *at;
};

/* One aggregate that is being filled. */
struct frame {
    struct resp_item *next;
    size_t left;
};

struct builder {
    struct cursor cursor;
    struct resp_item *unused; /* the items that nothing has taken so far */
    struct frame frames[RESP_TREE_DEPTH_MAX + 1];
    unsigned depth;
};

static struct str take_line(struct cursor *cursor)
{
    const char *from = cursor->at;
    const char *cr = from;

    while (*cr != '\r')
        cr++;
    cursor->at = cr + 2;
    return (struct str){from, (size_t)(cr - from)};
}

static struct str take_bytes(struct cursor *cursor, size_t len)
{
    const char *from = cursor->at;

    cursor->at += len + 2;
    return (struct str){from, len};
}

static int64_t number_of(struct str line)
{
    uint64_t number = 0;

    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] >= '0' && line.ptr[i] <= '9')
            number = number * 10 + (uint64_t)(line.ptr[i] - '0');
    /* Negated as unsigned, for the lowest integer has no positive twin. */
    return (int64_t)(line.ptr[0] == '-' ? 0 - number : number);
}

static void take_bulk(struct cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    const int64_t len = number_of(take_line(cursor));

    *item = (struct resp_item){.kind = len < 0 ? RESP_NULL : kind, .text = STR("")};
    if (len >= 0)
        item->text = take_bytes(cursor, (size_t)len);
}

static void take_header(struct cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    const int64_t count = number_of(take_line(cursor));

    *item = (struct resp_item){.kind = count < 0 ? RESP_NULL : kind, .text = STR("")};
    if (count >= 0)
        item->count = (size_t)count * (kind == RESP_MAP ? 2 : 1);
}

static void take_text(struct cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    *item = (struct resp_item){.kind = kind, .text = take_line(cursor)};
    if (kind == RESP_INTEGER)
        item->number = number_of(item->text);
    else if (kind == RESP_BOOLEAN)
        item->number = item->text.ptr[0] == 't';
    if (kind == RESP_INTEGER || kind == RESP_BOOLEAN || kind == RESP_NULL)
        item->text = STR("");
}

/* Takes an item, of an aggregate its header alone. Returns false for an attribute, which is none:
 * `count` then says how much it has. */
static bool take_item(struct cursor *cursor, struct resp_item *item)
{
    const char type = *cursor->at++;

    switch (type) {
    case '+':
        take_text(cursor, item, RESP_SIMPLE);
        break;
    case '-':
        take_text(cursor, item, RESP_ERROR);
        break;
    case ':':
        take_text(cursor, item, RESP_INTEGER);
        break;
    case '_':
        take_text(cursor, item, RESP_NULL);
        break;
    case '#':
        take_text(cursor, item, RESP_BOOLEAN);
        break;
    case ',':
        take_text(cursor, item, RESP_DOUBLE);
        break;
    case '(':
        take_text(cursor, item, RESP_BIG_NUMBER);
        break;
    case '!':
        take_bulk(cursor, item, RESP_ERROR);
        break;
    case '$':
    case '=':
        take_bulk(cursor, item, RESP_BULK);
        break;
    case '*':
        take_header(cursor, item, RESP_ARRAY);
        break;
    case '~':
        take_header(cursor, item, RESP_SET);
        break;
    case '>':
        take_header(cursor, item, RESP_PUSH);
        break;
    default:
        assert(type == '%' || type == '|');
        take_header(cursor, item, RESP_MAP);
    }
    return type != '|';
}

/* All items of the reply, those of attributes with them. */
static size_t count_items(const struct resp_tree *tree)
{
    struct cursor cursor = {tree->bytes};
    struct resp_item item;
    size_t items = 0;

    for (; cursor.at < tree->bytes + tree->len; items++)
        take_item(&cursor, &item);
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
        const bool is_item = take_item(&builder.cursor, item);
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
