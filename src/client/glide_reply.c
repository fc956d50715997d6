/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/glide_failure.h"

enum { LINE_MAX = 64, KEPT_MAX = 64 * 1024 };

static void put(struct glide_replies *replies, struct str bytes)
{
    if (replies->room - replies->len < bytes.len) {
        replies->room = 2 * replies->room + bytes.len;
        replies->bytes = mem_resize(replies->bytes, replies->room, 1);
    }
    memcpy(replies->bytes + replies->len, bytes.ptr, bytes.len);
    replies->len += bytes.len;
}

__attribute__((format(printf, 2, 3))) static void put_line(struct glide_replies *replies,
                                                           const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(replies, (struct str){line, (size_t)len});
    put(replies, STR("\r\n"));
}

static void put_bulk(struct glide_replies *replies, const struct glide_reply *reply)
{
    put_line(replies, "$%ld", reply->text_len);
    if (reply->text_len > 0)
        put(replies, (struct str){reply->text, (size_t)reply->text_len});
    put(replies, STR("\r\n"));
}

void glide_replies_add_error(struct glide_replies *replies, struct str line)
{
    put(replies, STR("-"));
    put(replies, line);
    for (size_t at = replies->len - line.len; at < replies->len; at++)
        if (replies->bytes[at] == '\r' || replies->bytes[at] == '\n')
            replies->bytes[at] = ' ';
    put(replies, STR("\r\n"));
}

/* An error in a reply is told in the words of a failure. */
static enum outcome put_error(struct glide_replies *replies, const struct glide_reply *reply)
{
    char message[GLIDE_FAILURE_TEXT_MAX], text[GLIDE_FAILURE_TEXT_MAX];
    snprintf(message, sizeof message, "%.*s", (int)reply->text_len,
             reply->text_len ? reply->text : "");
    bool said;
    const enum outcome outcome = glide_failure_read(GLIDE_UNSPECIFIED, message, text, &said);

    glide_replies_add_error(replies, str_of(text));
    return outcome;
}

static void put_real(struct glide_replies *replies, double real)
{
    if (real != real)
        put_line(replies, ",nan");
    else if (real - real != 0)
        put_line(replies, real > 0 ? ",inf" : ",-inf");
    else
        put_line(replies, ",%.17g", real);
}

static enum outcome put_reply(struct glide_replies *replies, const struct glide_reply *reply);

static void put_all(struct glide_replies *replies, char type, const struct glide_reply *elements,
                    long count)
{
    put_line(replies, "%c%ld", type, count);
    for (long i = 0; i < count; i++)
        put_reply(replies, &elements[i]);
}

static void put_map(struct glide_replies *replies, const struct glide_reply *map)
{
    put_line(replies, "%%%ld", map->array_len);
    for (long i = 0; i < map->array_len; i++) {
        put_reply(replies, map->array[i].map_key);
        put_reply(replies, map->array[i].map_value);
    }
}

/* The outcome is that of the reply itself: errors within it are part of it. */
static enum outcome put_reply(struct glide_replies *replies, const struct glide_reply *reply)
{
    switch ((enum glide_reply_type)reply->type) {
    case GLIDE_INT:
        put_line(replies, ":%" PRId64, reply->number);
        break;
    case GLIDE_FLOAT:
        put_real(replies, reply->real);
        break;
    case GLIDE_BOOL:
        put_line(replies, reply->boolean ? "#t" : "#f");
        break;
    case GLIDE_STRING:
        put_bulk(replies, reply);
        break;
    case GLIDE_ARRAY:
        put_all(replies, '*', reply->array, reply->array_len);
        break;
    case GLIDE_MAP:
        put_map(replies, reply);
        break;
    case GLIDE_SET:
        put_all(replies, '~', reply->set, reply->set_len);
        break;
    case GLIDE_OK:
        put(replies, STR("+OK\r\n"));
        break;
    case GLIDE_ERROR:
        return put_error(replies, reply);
    case GLIDE_NULL:
    default:
        put(replies, STR("_\r\n"));
    }
    return OUTCOME_OK;
}

void glide_replies_add(struct glide_replies *replies, const struct glide_reply *reply)
{
    const enum outcome outcome = put_reply(replies, reply);

    if (replies->outcome == OUTCOME_OK)
        replies->outcome = outcome;
}

void glide_replies_add_batch(struct glide_replies *replies, const struct glide_reply *batch)
{
    for (long i = 0; i < batch->array_len; i++)
        glide_replies_add(replies, &batch->array[i]);
}

void glide_replies_clear(struct glide_replies *replies)
{
    if (replies->room > KEPT_MAX)
        glide_replies_deinit(replies);
    replies->len = 0;
    replies->outcome = OUTCOME_OK;
}

void glide_replies_deinit(struct glide_replies *replies)
{
    free(replies->bytes);
    *replies = (struct glide_replies){0};
}
