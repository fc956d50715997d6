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

/* Zeroed, it is empty. Grows with the longest command, and is used again. */
struct glide_words {
    uintptr_t *starts; /* owned; of the arguments: none is NULL */
    unsigned long *lens;
    size_t count, room;
};

/* Takes one command; the arguments are borrowed from it. Returns where the next one begins. */
const char *glide_words_take(struct glide_words *words, const char *command);

void glide_words_deinit(struct glide_words *words);

#endif
