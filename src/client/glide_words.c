/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_words.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static_assert(sizeof(uintptr_t) == sizeof(const uint8_t *) &&
                  sizeof(unsigned long) == sizeof(size_t),
              "the library has two ways to say the same");

/* The number behind a type, and over its CR LF. */
static size_t take_number(const char **at)
{
    size_t number = 0;

    for (++*at; **at != '\r'; ++*at)
        number = number * 10 + (size_t)(**at - '0');
    *at += 2;
    return number;
}

/* Adds the arguments of one command. Returns where the next one begins. */
static const char *take_command(struct glide_words *words, const char *command)
{
    assert(*command == '*');
    const size_t end = words->count + take_number(&command);

    assert(end > words->count);
    if (end > words->room) {
        words->room = 2 * end;
        words->starts = mem_resize(words->starts, words->room, sizeof *words->starts);
        words->lens = mem_resize(words->lens, words->room, sizeof *words->lens);
    }
    while (words->count < end) {
        assert(*command == '$');
        const size_t len = take_number(&command);

        words->lens[words->count] = len;
        words->starts[words->count++] = (uintptr_t)command;
        command += len + 2;
    }
    return command;
}

static void make_room(struct glide_words *words, size_t commands)
{
    if (commands <= words->commands_room)
        return;
    words->commands_room = commands;
    words->commands = mem_resize(words->commands, commands, sizeof *words->commands);
    words->list = mem_resize(words->list, commands, sizeof(struct glide_command *));
}

void glide_words_take(struct glide_words *words, const char *bytes, size_t commands)
{
    size_t taken = 0;

    words->count = 0;
    if (commands == 1) {
        take_command(words, bytes);
        return;
    }
    make_room(words, commands);
    for (size_t i = 0; i < commands; i++) {
        const size_t first = words->count;

        bytes = take_command(words, bytes);
        words->commands[i] =
            (struct glide_command){.type = GLIDE_CUSTOM_COMMAND, .count = words->count - first};
        words->list[i] = &words->commands[i];
    }
    for (size_t i = 0; i < commands; i++) { /* which have moved meanwhile */
        words->commands[i].arguments = (const uint8_t *const *)(words->starts + taken);
        words->commands[i].lens = words->lens + taken;
        taken += words->commands[i].count;
    }
}

void glide_words_deinit(struct glide_words *words)
{
    free(words->starts);
    free(words->lens);
    free(words->commands);
    free(words->list);
    *words = (struct glide_words){0};
}
