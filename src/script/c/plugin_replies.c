/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/c/plugin_replies.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resp/cursor.h"

enum { KEPT_ITEMS = 4096 };

/* One aggregate that is being filled. */
struct frame {
    struct vpb_reply *next;
    size_t left;
};

struct layout {
    struct resp_cursor cursor;
    struct vpb_reply *unused; /* the items that nothing has taken so far */
};

void plugin_replies_deinit(struct plugin_replies *replies)
{
    free(replies->items);
    *replies = (struct plugin_replies){0};
}

static void reserve(struct plugin_replies *replies, size_t items)
{
    if (items <= replies->room)
        return;
    free(replies->items);
    replies->items = mem_zalloc(items, sizeof *replies->items);
    replies->room = items;
}

/* Takes items until `left` of them and all that is in them are gone; returns how many they were. */
static size_t skip(struct resp_cursor *cursor, size_t left)
{
    struct resp_item item;
    size_t items = 0;

    while (left > 0) {
        const bool is_item = resp_cursor_take(cursor, &item);

        left += item.count;
        left -= is_item;
        items += is_item;
    }
    return items;
}

static void set_text(struct vpb_reply *reply, enum vpb_type type, struct str text)
{
    reply->type = type;
    reply->text = text.ptr;
    reply->len = text.len;
}

static void set_number(struct vpb_reply *reply, enum vpb_type type, int64_t number)
{
    reply->type = type;
    reply->integer = number;
}

static void set_items(struct vpb_reply *reply, enum vpb_type type, size_t count)
{
    reply->type = type;
    reply->count = count;
}

static void set_bulk(struct vpb_reply *reply, char type, struct str text)
{
    const size_t format = 4; /* "txt:" */

    if (type == '=' && text.len >= format)
        text = (struct str){text.ptr + format, text.len - format};
    set_text(reply, type == '=' ? VPB_VERBATIM : VPB_STRING, text);
}

/* Of an aggregate all but its items. */
static void set_reply(struct vpb_reply *reply, const struct resp_item *item, char type)
{
    *reply = (struct vpb_reply){.type = VPB_NULL, .text = ""};
    switch (item->kind) {
    case RESP_SIMPLE:
        set_text(reply, VPB_STATUS, item->text);
        break;
    case RESP_ERROR:
        set_text(reply, VPB_ERROR, item->text);
        reply->error_kind = VPB_SERVER;
        break;
    case RESP_BULK:
        set_bulk(reply, type, item->text);
        break;
    case RESP_BIG_NUMBER:
        set_text(reply, VPB_BIG_NUMBER, item->text);
        break;
    case RESP_DOUBLE:
        set_text(reply, VPB_DOUBLE, item->text);
        /* The text is not terminated, but the line end behind it is no part of a number. */
        reply->number = strtod(item->text.ptr, NULL);
        break;
    case RESP_INTEGER:
        set_number(reply, VPB_INTEGER, item->number);
        break;
    case RESP_BOOLEAN:
        set_number(reply, VPB_BOOL, item->number);
        break;
    case RESP_ARRAY:
    case RESP_PUSH:
        set_items(reply, VPB_ARRAY, item->count);
        break;
    case RESP_SET:
        set_items(reply, VPB_SET, item->count);
        break;
    case RESP_MAP:
        set_items(reply, VPB_MAP, item->count);
        break;
    case RESP_NULL:
        break;
    }
}

/* Takes the next item, over attributes; of an aggregate its header alone. */
static void take(struct resp_cursor *cursor, struct vpb_reply *reply)
{
    struct resp_item item;
    char type = *cursor->at;

    while (!resp_cursor_take(cursor, &item)) {
        skip(cursor, item.count);
        type = *cursor->at;
    }
    set_reply(reply, &item, type);
}

static struct vpb_reply error_reply(enum vpb_error_kind kind, struct str text)
{
    return (struct vpb_reply){
        .type = VPB_ERROR, .error_kind = kind, .text = text.ptr, .len = text.len};
}

/* Takes what is left of a reply that is nested too deep. */
static void give_up(struct layout *layout, const struct frame *frames, size_t left)
{
    for (unsigned i = 0; i < PLUGIN_REPLIES_DEPTH_MAX; i++)
        left += frames[i].left;
    skip(&layout->cursor, left);
}

/* Lays out what is in `root`, an aggregate. Returns whether it is not nested too deep. */
static bool lay_out_items(struct layout *layout, struct vpb_reply *root)
{
    struct frame frames[PLUGIN_REPLIES_DEPTH_MAX];
    struct vpb_reply *parent = root;
    unsigned depth = 0;

    for (;;) {
        if (parent->count > 0) {
            if (depth == PLUGIN_REPLIES_DEPTH_MAX) {
                give_up(layout, frames, parent->count);
                return false;
            }
            parent->items = layout->unused;
            frames[depth++] = (struct frame){layout->unused, parent->count};
            layout->unused += parent->count;
        }
        while (depth > 0 && frames[depth - 1].left == 0)
            depth--;
        if (depth == 0)
            return true;
        parent = frames[depth - 1].next++;
        frames[depth - 1].left--;
        take(&layout->cursor, parent);
    }
}

void plugin_replies_read(struct plugin_replies *replies, struct str bytes, size_t count)
{
    struct layout layout = {.cursor = {bytes.ptr}};

    assert(count > 0 && bytes.len > 0);
    replies->count = count;
    if (count == 1 && replies->room > 0) {
        /* Most often that is all. */
        take(&layout.cursor, &replies->items[0]);
        if (replies->items[0].count == 0)
            return;
        layout.cursor.at = bytes.ptr;
    }
    reserve(replies, skip(&layout.cursor, count));
    layout.cursor.at = bytes.ptr;
    layout.unused = replies->items + count;
    for (size_t i = 0; i < count; i++) {
        take(&layout.cursor, &replies->items[i]);
        if (!lay_out_items(&layout, &replies->items[i]))
            replies->items[i] = error_reply(VPB_REFUSED, STR("The reply is nested too deep."));
    }
}

void plugin_replies_fail(struct plugin_replies *replies, size_t count, enum vpb_error_kind kind,
                         struct str text)
{
    reserve(replies, count);
    replies->count = count;
    for (size_t i = 0; i < count; i++)
        replies->items[i] = error_reply(kind, text);
}

void plugin_replies_clear(struct plugin_replies *replies)
{
    replies->count = 0;
    if (replies->room > KEPT_ITEMS)
        plugin_replies_deinit(replies);
}
