/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/cursor.h"

#include <assert.h>

static struct str take_line(struct resp_cursor *cursor)
{
    const char *from = cursor->at;
    const char *cr = from;

    while (*cr != '\r')
        cr++;
    cursor->at = cr + 2;
    return (struct str){from, (size_t)(cr - from)};
}

static struct str take_bytes(struct resp_cursor *cursor, size_t len)
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

static void take_bulk(struct resp_cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    const int64_t len = number_of(take_line(cursor));

    *item = (struct resp_item){.kind = len < 0 ? RESP_NULL : kind, .text = STR("")};
    if (len >= 0)
        item->text = take_bytes(cursor, (size_t)len);
}

static void take_header(struct resp_cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    const int64_t count = number_of(take_line(cursor));

    *item = (struct resp_item){.kind = count < 0 ? RESP_NULL : kind, .text = STR("")};
    if (count >= 0)
        item->count = (size_t)count * (kind == RESP_MAP ? 2 : 1);
}

static void take_text(struct resp_cursor *cursor, struct resp_item *item, enum resp_kind kind)
{
    *item = (struct resp_item){.kind = kind, .text = take_line(cursor)};
    if (kind == RESP_INTEGER)
        item->number = number_of(item->text);
    else if (kind == RESP_BOOLEAN)
        item->number = item->text.ptr[0] == 't';
    if (kind == RESP_INTEGER || kind == RESP_BOOLEAN || kind == RESP_NULL)
        item->text = STR("");
}

bool resp_cursor_take(struct resp_cursor *cursor, struct resp_item *item)
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
