/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_words: rendered commands as the arguments that GLIDE's library takes.
 *
 * Sources render RESP, arrays of bulk strings, which this takes apart again. The bytes are our own:
 * they are not judged.
 */
#ifndef CLIENT_GLIDE_WORDS_H
#define CLIENT_GLIDE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "client/glide_abi.h"

/* Zeroed, it is empty. Grows with the longest request, and is used again. */
struct glide_words {
    uintptr_t *starts; /* owned; of the arguments of all commands: none is NULL */
    unsigned long *lens;
    size_t count, room; /* of arguments */
    /* Of more than one command, each. Owned, as is the list of all of them. */
    struct glide_command *commands;
    const struct glide_command **list;
    size_t commands_room;
};

/* Takes `commands` of them, one behind the other; the arguments are borrowed from `bytes`. */
void glide_words_take(struct glide_words *words, const char *bytes, size_t commands);

void glide_words_deinit(struct glide_words *words);

#endif
