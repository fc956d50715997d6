/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "resp/writer.h"
#include "script/c/plugin_place.h"

enum { ERROR_BYTES_MAX = 1000 };

static struct plugin_place *place_of(const struct vpb_client *client)
{
    return (struct plugin_place *)(uintptr_t)client;
}

/* Where `bytes` more can be written. */
static char *reserve(struct plugin_commands *commands, size_t bytes)
{
    const size_t needed = commands->len + bytes;

    if (needed > commands->room) {
        commands->room = 2 * commands->room > needed ? 2 * commands->room : needed;
        commands->bytes = mem_resize(commands->bytes, commands->room, 1);
    }
    return commands->bytes + commands->len;
}

static void append(struct vpb_client *client, size_t argc, const char *const *argv,
                   const size_t *lens)
{
    struct plugin_commands *commands = &place_of(client)->commands;
    char *end = resp_write_array(reserve(commands, RESP_HEADER_MAX), argc);

    for (size_t i = 0; i < argc; i++) {
        const struct str argument = lens ? (struct str){argv[i], lens[i]} : str_of(argv[i]);

        commands->len = (size_t)(end - commands->bytes);
        end = resp_write_bulk(reserve(commands, argument.len + RESP_BULK_EXTRA), argument);
    }
    commands->len = (size_t)(end - commands->bytes);
    commands->count++;
    commands->refused |= argc == 0;
}

void plugin_place_note_error(struct plugin_place *place)
{
    const struct plugin_replies *replies = &place->script->replies;

    for (size_t i = replies->count; i-- > 0;) {
        const struct vpb_reply *reply = &replies->items[i];
        const size_t len = reply->len < ERROR_BYTES_MAX ? reply->len : ERROR_BYTES_MAX;

        if (reply->type != VPB_ERROR)
            continue;
        place->error = mem_resize(place->error, len + 1, 1);
        memcpy(place->error, reply->text, len);
        place->error[len] = '\0';
        return;
    }
}

static void refuse_commands(struct plugin_place *place)
{
    struct plugin_commands *commands = &place->commands;

    plugin_replies_fail(&place->script->replies, commands->count, VPB_REFUSED,
                        STR("Nothing was sent, for there was a command without arguments."));
    plugin_place_note_error(place);
    commands->len = 0;
    commands->count = 0;
    commands->refused = false;
}

static const struct vpb_reply *flush(struct vpb_client *client, size_t *count)
{
    static const struct vpb_reply none = {.type = VPB_NULL, .text = ""};
    struct plugin_place *place = place_of(client);
    const uint32_t commands = place->commands.count;

    if (count)
        *count = commands;
    if (commands == 0)
        return &none;
    if (place->commands.refused)
        refuse_commands(place);
    else
        fiber_yield(place->fiber);
    return place->script->replies.items;
}

static const struct vpb_reply *call(struct vpb_client *client, size_t argc, const char *const *argv,
                                    const size_t *lens)
{
    size_t count;

    append(client, argc, argv, lens);
    const struct vpb_reply *replies = flush(client, &count);
    return &replies[count - 1];
}

static const char *key(struct vpb_client *client)
{
    struct plugin_place *place = place_of(client);

    if (place->key[0] == '\0') {
        const unsigned len = keyspace_write(&place->script->keyspace, &place->request, place->key);

        place->key[len] = '\0';
    }
    return place->key;
}

static uint64_t draw(const struct vpb_client *client, uint32_t stream, uint64_t range)
{
    const uint64_t seed = rng_draw(client->config->seed, RNG_SCRIPT, client->index);
    /* From the far end, as the streams of the other languages, which also draw without one. */
    const uint64_t bits = rng_draw(seed, RNG_SCRIPT, UINT64_MAX - 1 - stream);

    return range ? rng_below(bits, range) : bits;
}

static const char *last_error(const struct vpb_client *client)
{
    const char *error = place_of(client)->error;

    return error ? error : "";
}

/* Replaces an owned text, which may be among the arguments. */
static __attribute__((format(printf, 2, 0))) void print_text(char **text, const char *format,
                                                             va_list args)
{
    char *old = *text;

    if (vasprintf(text, format, args) < 0)
        *text = mem_copy_text(format);
    free(old);
}

static __attribute__((format(printf, 2, 0))) void fail(struct vpb_client *client,
                                                       const char *format, va_list args)
{
    print_text(&place_of(client)->failure, format, args);
}

static __attribute__((format(printf, 2, 0))) void refuse(const struct vpb_config *config,
                                                         const char *format, va_list args)
{
    struct script *script = (struct script *)(uintptr_t)config;

    print_text(&script->refusal, format, args);
}

const struct vpb_calls plugin_calls = {
    .call = call,
    .append = append,
    .flush = flush,
    .key = key,
    .random = draw,
    .error = last_error,
    .note_failure = fail,
    .note_refusal = refuse,
};
