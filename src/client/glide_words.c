/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_words.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* The number behind a type, and over its CR LF. */
static size_t take_number(const char **at)
{
    size_t number = 0;

    for (++*at; **at != '\r'; ++*at)
        number = number * 10 + (size_t)(**at - '0');
    *at += 2;
    return number;
}

const char *glide_words_take(struct glide_words *words, const char *command)
{
    assert(*command == '*');
    words->count = take_number(&command);
    assert(words->count > 0);
    if (words->count > words->room) {
        words->room = words->count;
        words->starts = mem_resize(words->starts, words->room, sizeof *words->starts);
        words->lens = mem_resize(words->lens, words->room, sizeof *words->lens);
    }
    for (size_t i = 0; i < words->count; i++) {
        assert(*command == '$');
        words->lens[i] = take_number(&command);
        words->starts[i] = (uintptr_t)command;
        command += words->lens[i] + 2;
    }
    return command;
}

void glide_words_deinit(struct glide_words *words)
{
    free(words->starts);
    free(words->lens);
    *words = (struct glide_words){0};
}
