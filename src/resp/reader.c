/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reader.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resp/syntax.h"
#include "resp/whole.h"

/* There is one a connection, and a connection is to be small. */
static_assert(sizeof(struct resp_reader) <= 96, "the reader has grown");

/* What is expected next. */
enum state {
    TYPE, /* the byte that begins an item */
    TEXT,
    NUMBER,
    SYNTAX, /* a line whose form is looked at and no more */
    LINE_LF,
    BODY, /* the bytes of a bulk, of which there may be none */
    BODY_CR,
    BODY_LF,
    BAD,
};

/* Of nineteen digits each number is below 2^64. */
enum { DIGITS_MAX = 19 };

/* The bytes that one call of resp_reader_feed was given, and what it found in them. */
struct cursor {
    const char *at, *end;
    struct str text; /* of the outermost item */
};

/*
 * The flat count of what is pending. An item takes one off and an aggregate adds its elements; an
 * attribute adds its own and takes none off, as the item that it describes is still to come. So the
 * outermost item is the one that is begun with one pending, however many attributes were before.
 */

static bool is_outermost(const struct resp_reader *reader)
{
    return reader->unnamed && reader->pending == 1;
}

static void end_item(struct resp_reader *reader, enum resp_kind kind, int64_t number)
{
    if (is_outermost(reader)) {
        reader->unnamed = false;
        reader->reply_kind = (uint8_t)kind;
        reader->reply_number = number;
    }
    reader->pending--;
    reader->state = TYPE;
}

static bool add_pending(struct resp_reader *reader, uint64_t items)
{
    if (items > UINT64_MAX - reader->pending)
        return false;
    reader->pending += items;
    return true;
}

static bool begin_aggregate(struct resp_reader *reader, enum resp_kind kind, uint64_t each)
{
    if (reader->sign || reader->number > RESP_ELEMENTS_MAX)
        return false;

    const uint64_t elements = reader->number;

    end_item(reader, kind, (int64_t)elements);
    return add_pending(reader, elements * each);
}

static bool begin_attribute(struct resp_reader *reader)
{
    if (reader->sign || reader->number > RESP_ELEMENTS_MAX)
        return false;
    reader->state = TYPE;
    return add_pending(reader, reader->number * 2);
}

static bool begin_body(struct resp_reader *reader)
{
    if (reader->sign || reader->number > RESP_BULK_MAX)
        return false;
    reader->skip = reader->number;
    reader->state = BODY;
    return true;
}

static bool end_integer(struct resp_reader *reader)
{
    const bool negative = reader->sign == '-';

    if (reader->number > (uint64_t)INT64_MAX + negative)
        return false;
    /* Negated as unsigned, for the lowest integer has no positive twin. */
    end_item(reader, RESP_INTEGER, (int64_t)(negative ? 0 - reader->number : reader->number));
    return true;
}

/* RESP2's "-1" in the place of a length; no other length has a sign. */
static bool is_null(const struct resp_reader *reader)
{
    return reader->sign == '-' && reader->digits == 1 && reader->number == 1;
}

static bool end_null(struct resp_reader *reader)
{
    end_item(reader, RESP_NULL, 0);
    return true;
}

/* The LF of a line was read. Returns whether the line is one that a server may send. */
static bool end_line(struct resp_reader *reader)
{
    switch (reader->type) {
    case ':':
        return end_integer(reader);
    case '$':
        return is_null(reader) ? end_null(reader) : begin_body(reader);
    case '!':
    case '=':
        return begin_body(reader);
    case '*':
        return is_null(reader) ? end_null(reader) : begin_aggregate(reader, RESP_ARRAY, 1);
    case '%':
        return begin_aggregate(reader, RESP_MAP, 2);
    case '~':
        return begin_aggregate(reader, RESP_SET, 1);
    case '>':
        return begin_aggregate(reader, RESP_PUSH, 1);
    case '|':
        return begin_attribute(reader);
    case '_':
        return end_null(reader);
    case '#':
        end_item(reader, RESP_BOOLEAN, reader->number != 0);
        return true;
    case ',':
        end_item(reader, RESP_DOUBLE, 0);
        return true;
    case '(':
        end_item(reader, RESP_BIG_NUMBER, 0);
        return true;
    default:
        end_item(reader, reader->type == '+' ? RESP_SIMPLE : RESP_ERROR, 0);
        return true;
    }
}

/* Keeps the piece of a text that ends where the bytes at hand do. */
static void collect(struct resp_reader *reader, const char *piece, size_t len)
{
    const size_t room = RESP_TEXT_MAX - (size_t)reader->text_len;

    if (len > room)
        len = room;
    if (len == 0)
        return;
    if (!reader->text)
        reader->text = mem_zalloc(RESP_TEXT_MAX, 1);
    memcpy(reader->text + reader->text_len, piece, len);
    reader->text_len = (uint16_t)(reader->text_len + len);
}

/*
 * The states. Each reads what it can of the bytes at hand, of which there is at least one, and
 * stops before the first byte that cannot be there.
 */

static void begin_line(struct resp_reader *reader, char type)
{
    reader->type = (uint8_t)type;
    reader->number = 0;
    reader->digits = 0;
    reader->sign = 0;
    reader->text_len = 0;
    switch (type) {
    case '+':
    case '-':
        reader->state = TEXT;
        return;
    case '_':
        reader->state = SYNTAX;
        reader->place = SYNTAX_ENDING;
        return;
    case '#':
        reader->state = SYNTAX;
        reader->place = SYNTAX_BOOLEAN;
        return;
    case ',':
        reader->state = SYNTAX;
        reader->place = SYNTAX_DOUBLE;
        return;
    case '(':
        reader->state = SYNTAX;
        reader->place = SYNTAX_BIG;
        return;
    default:
        reader->state = memchr(":$*!=%~>|", type, 9) ? NUMBER : BAD;
        return;
    }
}

static void read_type(struct resp_reader *reader, struct cursor *cursor)
{
    struct resp_reply item;
    const size_t len =
        whole_read((struct str){cursor->at, (size_t)(cursor->end - cursor->at)}, &item);

    if (reader->pending == 0) {
        reader->pending = 1;
        reader->unnamed = true;
    }
    if (len > 0) {
        if (is_outermost(reader))
            cursor->text = item.text;
        end_item(reader, item.kind, item.number);
        cursor->at += len;
        return;
    }
    begin_line(reader, *cursor->at);
    cursor->at += reader->state != BAD;
}

static void read_text(struct resp_reader *reader, struct cursor *cursor)
{
    const char *const from = cursor->at;
    const size_t left = (size_t)(cursor->end - from);
    const char *const cr = memchr(from, '\r', left);
    const size_t len = cr ? (size_t)(cr - from) : left;
    const char *const lf = memchr(from, '\n', len);

    if (lf) {
        cursor->at = lf;
        reader->state = BAD;
        return;
    }
    if (is_outermost(reader))
        collect(reader, from, len);
    cursor->at += len;
    if (!cr)
        return;
    cursor->at++;
    reader->state = LINE_LF;
}

static void read_number(struct resp_reader *reader, struct cursor *cursor)
{
    for (; cursor->at < cursor->end; cursor->at++) {
        const char byte = *cursor->at;

        if (byte >= '0' && byte <= '9' && reader->digits < DIGITS_MAX) {
            reader->number = reader->number * 10 + (uint64_t)(byte - '0');
            reader->digits++;
        } else if ((byte == '-' || byte == '+') && reader->digits == 0 && !reader->sign) {
            reader->sign = byte;
        } else {
            reader->state = byte == '\r' && reader->digits > 0 ? LINE_LF : BAD;
            cursor->at += reader->state != BAD;
            return;
        }
    }
}

static void read_syntax(struct resp_reader *reader, struct cursor *cursor)
{
    while (cursor->at < cursor->end) {
        const enum syntax_place place = syntax_next(reader->place, *cursor->at);

        if (place == SYNTAX_NOWHERE) {
            reader->state = BAD;
            return;
        }
        cursor->at++;
        if (place == SYNTAX_ENDED) {
            reader->number = reader->place == SYNTAX_TRUE;
            reader->state = LINE_LF;
            return;
        }
        reader->place = (uint8_t)place;
    }
}

static void read_line_lf(struct resp_reader *reader, struct cursor *cursor)
{
    if (*cursor->at != '\n' || !end_line(reader))
        reader->state = BAD;
    else
        cursor->at++;
}

/* A text that lies whole in the bytes at hand, to the CR LF, is handed out from there. */
static bool read_whole_text(struct resp_reader *reader, struct cursor *cursor)
{
    const uint64_t left = (uint64_t)(cursor->end - cursor->at);

    if (reader->skip != reader->number || reader->skip > left)
        return false;

    const char *const end = cursor->at + reader->skip;

    if (!whole_line_end(end, cursor->end))
        return false;
    cursor->text = whole_cut_text(cursor->at, (size_t)reader->skip);
    cursor->at = end + 2;
    end_item(reader, RESP_ERROR, 0);
    return true;
}

static void read_body(struct resp_reader *reader, struct cursor *cursor)
{
    const uint64_t left = (uint64_t)(cursor->end - cursor->at);
    const uint64_t len = reader->skip < left ? reader->skip : left;

    if (reader->type == '!' && is_outermost(reader)) {
        if (read_whole_text(reader, cursor))
            return;
        collect(reader, cursor->at, (size_t)len);
    }
    cursor->at += len;
    reader->skip -= len;
    if (reader->skip == 0)
        reader->state = BODY_CR;
}

static void read_body_cr(struct resp_reader *reader, struct cursor *cursor)
{
    reader->state = *cursor->at == '\r' ? BODY_LF : BAD;
    cursor->at += reader->state != BAD;
}

static void read_body_lf(struct resp_reader *reader, struct cursor *cursor)
{
    if (*cursor->at != '\n') {
        reader->state = BAD;
        return;
    }
    cursor->at++;
    if (reader->type == '!')
        end_item(reader, RESP_ERROR, 0);
    else
        end_item(reader, RESP_BULK, (int64_t)reader->number);
}

static void read_some(struct resp_reader *reader, struct cursor *cursor)
{
    switch ((enum state)reader->state) {
    case TYPE:
        read_type(reader, cursor);
        return;
    case TEXT:
        read_text(reader, cursor);
        return;
    case NUMBER:
        read_number(reader, cursor);
        return;
    case SYNTAX:
        read_syntax(reader, cursor);
        return;
    case LINE_LF:
        read_line_lf(reader, cursor);
        return;
    case BODY:
        read_body(reader, cursor);
        return;
    case BODY_CR:
        read_body_cr(reader, cursor);
        return;
    case BODY_LF:
        read_body_lf(reader, cursor);
        return;
    case BAD:
        return;
    }
}

/* The reply is whole: says what is known of it. */
static void describe(const struct resp_reader *reader, struct str text, struct resp_reply *reply)
{
    reply->kind = (enum resp_kind)reader->reply_kind;
    reply->number = reader->reply_number;
    reply->text = text;
    if (text.ptr)
        return;

    const bool collected = reply->kind == RESP_SIMPLE || reply->kind == RESP_ERROR;

    reply->text = STR("");
    if (collected && reader->text_len > 0)
        reply->text = (struct str){reader->text, reader->text_len};
}

static enum resp_status read_reply(struct resp_reader *reader, struct str in, size_t *used,
                                   struct resp_reply *reply)
{
    struct cursor cursor = {in.ptr, in.ptr + in.len, {NULL, 0}};
    enum resp_status status = RESP_MORE;

    while (status == RESP_MORE && cursor.at < cursor.end) {
        read_some(reader, &cursor);
        if (reader->state == BAD)
            status = RESP_BAD;
        else if (reader->pending == 0)
            status = RESP_REPLY;
    }
    *used = (size_t)(cursor.at - in.ptr);
    if (status == RESP_REPLY)
        describe(reader, cursor.text, reply);
    return status;
}

void resp_reader_init(struct resp_reader *reader)
{
    *reader = (struct resp_reader){.state = TYPE};
}

void resp_reader_deinit(struct resp_reader *reader)
{
    free(reader->text);
    reader->text = NULL;
}

enum resp_status resp_reader_feed(struct resp_reader *reader, struct str in, size_t *used,
                                  struct resp_reply *reply)
{
    *used = 0;
    if (reader->state == BAD)
        return RESP_BAD;
    if (in.len == 0)
        return RESP_MORE;
    if (reader->pending == 0) {
        *used = whole_read(in, reply);
        if (*used > 0)
            return RESP_REPLY;
    }
    return read_reply(reader, in, used, reply);
}

bool resp_reader_idle(const struct resp_reader *reader)
{
    return reader->pending == 0 && reader->state != BAD;
}
