/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * err: the sentence that tells a user what went wrong.
 *
 * A function that can fail takes a `struct err *` as its last argument, fills it and returns a
 * negative errno; the caller hands both up. Only main prints the sentence. A sentence names the
 * option, file or address at fault and says what it should have been.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
    char text[512]; /* a whole sentence or two, without a newline; longer ones are cut */
};

/* Fills `err` and returns -EINVAL. */
int err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills `err` with the words, ": ", the text of `errno` and a period; returns -errno. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
