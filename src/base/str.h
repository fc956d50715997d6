/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * str: bytes that somebody else owns.
 *
 * A view, not terminated, of any content. Text from the wire is borrowed from a receive buffer and
 * is valid until the function that it was handed to returns.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

/* A view of a string literal. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

/* The number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline struct str str_of(const char *text)
{
    return (struct str){text, strlen(text)};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static inline bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

/* What ends the sentence that ends in these words. */
static inline const char *str_full_stop(struct str words)
{
    return words.len && words.ptr[words.len - 1] == '.' ? "" : ".";
}

#endif
