/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/template.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resp/writer.h"

enum piece_kind {
    PIECE_TEXT,   /* the next `bytes` of the text */
    PIECE_LENGTH, /* the length of an argument: `bytes`, and `keys` keys beside them */
    PIECE_KEY,
};

struct piece {
    enum piece_kind kind;
    unsigned keys;
    size_t bytes;
};

struct template
{
    struct piece *pieces; /* owned */
    unsigned piece_count;
    char *text; /* owned: that of all PIECE_TEXT, in their order */
    size_t text_bytes;
    size_t text_room;
    size_t bytes_max;
};

static struct piece *add_piece(struct template *template, enum piece_kind kind)
{
    template->pieces =
        mem_resize(template->pieces, template->piece_count + 1, sizeof *template->pieces);

    struct piece *piece = &template->pieces[template->piece_count++];
    *piece = (struct piece){.kind = kind};
    return piece;
}

/* Neighbours become one piece, so that a render copies as few as there can be. */
static void add_text(struct template *template, struct str text)
{
    if (text.len == 0)
        return;
    if (template->text_bytes + text.len > template->text_room) {
        template->text_room = 2 * template->text_room + text.len;
        template->text = mem_resize(template->text, template->text_room, 1);
    }
    memcpy(template->text + template->text_bytes, text.ptr, text.len);
    template->text_bytes += text.len;
    template->bytes_max += text.len;

    struct piece *last =
        template->piece_count ? &template->pieces[template->piece_count - 1] : NULL;
    if (!last || last->kind != PIECE_TEXT)
        last = add_piece(template, PIECE_TEXT);
    last->bytes += text.len;
}

static void add_number(struct template *template, uint64_t number)
{
    char digits[RESP_NUMBER_MAX];
    const char *end = resp_write_number(digits, number);

    add_text(template, (struct str){digits, (size_t)(end - digits)});
}

static void add_length(struct template *template, size_t bytes, unsigned keys)
{
    add_text(template, STR("$"));
    if (keys) {
        struct piece *piece = add_piece(template, PIECE_LENGTH);
        piece->bytes = bytes;
        piece->keys = keys;
        template->bytes_max += resp_number_digits(bytes + (size_t)keys * KEYSPACE_NAME_MAX);
    } else {
        add_number(template, bytes);
    }
    add_text(template, STR("\r\n"));
}

static void add_key(struct template *template)
{
    add_piece(template, PIECE_KEY);
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
    free(template->pieces);
    free(template->text);
    free(template);
    *slot = NULL;
}

size_t template_bytes_max(const struct template *template)
{
    return template->bytes_max;
}

size_t template_render(const struct template *template, const struct keyspace *keyspace,
                       const struct request *request, char *at)
{
    char name[KEYSPACE_NAME_MAX];
    const size_t name_bytes = keyspace_write(keyspace, request, name);
    const char *text = template->text;
    char *end = at;

    for (unsigned i = 0; i < template->piece_count; i++) {
        const struct piece *piece = &template->pieces[i];

        switch (piece->kind) {
        case PIECE_TEXT:
            memcpy(end, text, piece->bytes);
            text += piece->bytes;
            end += piece->bytes;
            break;
        case PIECE_LENGTH:
            end = resp_write_number(end, piece->bytes + piece->keys * name_bytes);
            break;
        case PIECE_KEY:
            memcpy(end, name, name_bytes);
            end += name_bytes;
            break;
        }
    }
    return (size_t)(end - at);
}
