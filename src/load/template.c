/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/template.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resp/slot.h"
#include "resp/writer.h"

enum {
    CHUNK = 32,      /* what is copied is mostly shorter, and then copied as if it were this long */
    HEADER_MAX = 15, /* "$<length>" and a line end, for a length below a thousand million */
    NAME_ROOM = CHUNK + CHUNK / 2, /* at least KEYSPACE_NAME_MAX */
};

static_assert((int)NAME_ROOM >= (int)KEYSPACE_NAME_MAX, "a name is copied with its room");

/* What stands before a key, for one length of it. */
struct header {
    char text[HEADER_MAX];
    uint8_t bytes;
};

/* A part of a command: a text, then a length that depends on the key, then the key. */
struct piece {
    size_t text_bytes;
    struct header *headers; /* owned; by the length of the key; NULL: none */
    bool key;
};

struct template
{
    struct piece *pieces; /* owned */
    unsigned piece_count;
    char *text; /* owned: that of all pieces, in their order; CHUNK bytes longer */
    size_t text_bytes;
    size_t text_room;
    size_t bytes_max;
    struct str *route; /* owned: the first argument with a key; a piece without bytes is a key */
    unsigned route_pieces; /* 0: no argument has one */
};

/* The piece that a text, a length or a key can be added to. */
static struct piece *open_piece(struct template *template, bool for_text)
{
    struct piece *last =
        template->piece_count ? &template->pieces[template->piece_count - 1] : NULL;

    if (last && !last->key && !(for_text && last->headers))
        return last;
    template->pieces =
        mem_resize(template->pieces, template->piece_count + 1, sizeof *template->pieces);
    last = &template->pieces[template->piece_count++];
    *last = (struct piece){0};
    return last;
}

/* Neighbours become one piece, so that a render copies as few as there can be. */
static void add_text(struct template *template, struct str text)
{
    if (text.len == 0)
        return;
    if (template->text_bytes + text.len + CHUNK > template->text_room) {
        template->text_room = 2 * template->text_room + text.len + CHUNK;
        template->text = mem_resize(template->text, template->text_room, 1);
    }
    memcpy(template->text + template->text_bytes, text.ptr, text.len);
    memset(template->text + template->text_bytes + text.len, 0, CHUNK);
    template->text_bytes += text.len;
    template->bytes_max += text.len;
    open_piece(template, true)->text_bytes += text.len;
}

static void add_number(struct template *template, uint64_t number)
{
    char digits[RESP_NUMBER_MAX];
    const char *end = resp_write_number(digits, number);

    add_text(template, (struct str){digits, (size_t)(end - digits)});
}

/* The length of an argument of `bytes` and `keys` keys beside them: written out once for every
 * length that a key can have. */
static void add_headers(struct template *template, size_t bytes, unsigned keys)
{
    struct piece *piece = open_piece(template, false);

    assert(resp_number_digits(bytes + (size_t)keys * KEYSPACE_NAME_MAX) + 2 <= HEADER_MAX);
    piece->headers = mem_zalloc(KEYSPACE_NAME_MAX + 1, sizeof *piece->headers);
    for (size_t name_bytes = 0; name_bytes <= KEYSPACE_NAME_MAX; name_bytes++) {
        struct header *header = &piece->headers[name_bytes];
        char *end = resp_write_number(header->text, bytes + keys * name_bytes);

        memcpy(end, "\r\n", 2);
        header->bytes = (uint8_t)(end + 2 - header->text);
    }
    template->bytes_max += piece->headers[KEYSPACE_NAME_MAX].bytes;
}

static void add_length(struct template *template, size_t bytes, unsigned keys)
{
    add_text(template, STR("$"));
    if (keys) {
        add_headers(template, bytes, keys);
    } else {
        add_number(template, bytes);
        add_text(template, STR("\r\n"));
    }
}

static void add_key(struct template *template)
{
    open_piece(template, false)->key = true;
    template->bytes_max += KEYSPACE_NAME_MAX;
}

enum part { PART_TEXT, PART_KEY, PART_DATA };

/* Takes a placeholder, or the text before the next one, off the front of `argument`. */
static enum part take_part(struct str *argument, struct str *text)
{
    const struct str key = STR("__key__");
    const struct str data = STR("__data__");
    enum part part = PART_TEXT;
    size_t used = 0;

    if (str_starts(*argument, key)) {
        part = PART_KEY;
        used = key.len;
    } else if (str_starts(*argument, data)) {
        part = PART_DATA;
        used = data.len;
    }
    *text = (struct str){argument->ptr, 0};
    while (part == PART_TEXT && used < argument->len) {
        const struct str rest = {argument->ptr + used, argument->len - used};

        if (str_starts(rest, key) || str_starts(rest, data))
            break;
        text->len = ++used;
    }
    *argument = (struct str){argument->ptr + used, argument->len - used};
    return part;
}

static void add_route_piece(struct template *template, struct str text)
{
    char *copy = mem_zalloc(text.len, 1);

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    template->route =
        mem_resize(template->route, template->route_pieces + 1, sizeof *template->route);
    template->route[template->route_pieces++] = (struct str){copy, text.len};
}

/* Keeps the parts of the argument that says where a request belongs. */
static void add_route(struct template *template, struct str argument, struct str value)
{
    struct str text;

    while (argument.len) {
        const enum part part = take_part(&argument, &text);
        const struct str bytes = part == PART_DATA ? value : text;

        if (part == PART_KEY || bytes.len)
            add_route_piece(template, part == PART_KEY ? STR("") : bytes);
    }
}

/* The length comes first, so the parts are taken twice: to measure them, and to add them. */
static void add_argument(struct template *template, struct str argument, struct str value)
{
    size_t bytes = 0;
    unsigned keys = 0;
    struct str text;

    for (struct str rest = argument; rest.len;) {
        const enum part part = take_part(&rest, &text);

        keys += part == PART_KEY;
        bytes += part == PART_DATA ? value.len : text.len;
    }
    if (keys && template->route_pieces == 0)
        add_route(template, argument, value);
    add_length(template, bytes, keys);
    for (struct str rest = argument; rest.len;) {
        const enum part part = take_part(&rest, &text);

        if (part == PART_KEY)
            add_key(template);
        else
            add_text(template, part == PART_DATA ? value : text);
    }
    add_text(template, STR("\r\n"));
}

int template_create(struct template **out, const struct str *arguments, unsigned count,
                    struct str value, struct err *err)
{
    if (count == 0)
        return err_set(err, "A command must have at least one word.");

    struct template *template = mem_zalloc(1, sizeof *template);
    add_text(template, STR("*"));
    add_number(template, count);
    add_text(template, STR("\r\n"));
    for (unsigned i = 0; i < count; i++)
        add_argument(template, arguments[i], value);
    *out = template;
    return 0;
}

void template_destroy(struct template **slot)
{
    struct template *template = *slot;

    if (!template)
        return;
    for (unsigned i = 0; i < template->piece_count; i++)
        free(template->pieces[i].headers);
    for (unsigned i = 0; i < template->route_pieces; i++)
        free((char *)template->route[i].ptr);
    free(template->route);
    free(template->pieces);
    free(template->text);
    free(template);
    *slot = NULL;
}

size_t template_bytes_max(const struct template *template)
{
    return template->bytes_max;
}

size_t template_room(const struct template *template)
{
    return template->bytes_max + CHUNK + NAME_ROOM;
}

/* Short texts are copied with what lies behind them, which is written over: a copy whose length is
 * known when this is compiled is a few instructions. */
static char *copy_text(char *at, const char *text, size_t bytes)
{
    if (bytes <= CHUNK)
        memcpy(at, text, CHUNK);
    else
        memcpy(at, text, bytes);
    return at + bytes;
}

size_t template_render(const struct template *template, const struct keyspace *keyspace,
                       const struct request *request, char *at)
{
    char name[NAME_ROOM] = {0};
    const size_t name_bytes = keyspace_write(keyspace, request, name);
    const struct piece *const last = template->pieces + template->piece_count;
    const char *text = template->text;
    char *end = at;

    for (const struct piece *piece = template->pieces; piece < last; piece++) {
        end = copy_text(end, text, piece->text_bytes);
        text += piece->text_bytes;
        if (piece->headers) {
            const struct header *header = &piece->headers[name_bytes];

            memcpy(end, header->text, HEADER_MAX);
            end += header->bytes;
        }
        if (piece->key) {
            memcpy(end, name, NAME_ROOM);
            end += name_bytes;
        }
    }
    return (size_t)(end - at);
}

/* What is hashed of a key that is written like that: no name of a key has a brace in it. */
static struct str hashed_part(struct str argument)
{
    const char *open = argument.len ? memchr(argument.ptr, '{', argument.len) : NULL;
    const char *end = argument.ptr + argument.len;
    const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;

    if (!close || close == open + 1)
        return argument;
    return (struct str){open + 1, (size_t)(close - open) - 1};
}

static bool holds_key(struct str argument)
{
    struct str text;

    while (argument.len)
        if (take_part(&argument, &text) == PART_KEY)
            return true;
    return false;
}

bool template_has_one_slot(const struct str *arguments, unsigned count)
{
    const struct str *first = NULL;

    for (unsigned i = 0; i < count; i++) {
        if (!holds_key(arguments[i]))
            continue;
        if (!first)
            first = &arguments[i];
        if (!str_equal(hashed_part(*first), hashed_part(arguments[i])))
            return false;
    }
    return true;
}

int template_slot(const struct template *template, const struct keyspace *keyspace,
                  const struct request *request)
{
    char name[NAME_ROOM];
    struct slot_hash hash = {0};

    if (template->route_pieces == 0)
        return TEMPLATE_NO_SLOT;
    const struct str key = {name, keyspace_write(keyspace, request, name)};
    for (unsigned i = 0; i < template->route_pieces; i++)
        slot_hash_add(&hash, template->route[i].len ? template->route[i] : key);
    return slot_hash_end(&hash);
}
