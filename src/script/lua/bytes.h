/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes: a buffer that grows, and keeps its memory from use to use unless it is large.
 */
#ifndef SCRIPT_LUA_BYTES_H
#define SCRIPT_LUA_BYTES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { BYTES_FIRST = 256, BYTES_KEPT = 16384 };

/* A zeroed one is empty. */
struct bytes {
    char *ptr; /* owned */
    size_t len, room;
};

static inline void bytes_deinit(struct bytes *bytes)
{
    free(bytes->ptr);
    *bytes = (struct bytes){0};
}

static inline void bytes_clear(struct bytes *bytes)
{
    bytes->len = 0;
    if (bytes->room > BYTES_KEPT)
        bytes_deinit(bytes);
}

/* Makes room for `more` bytes at the end, which it returns. */
static inline char *bytes_reserve(struct bytes *bytes, size_t more)
{
    if (bytes->room - bytes->len < more) {
        const size_t needed = bytes->len + more;

        bytes->room = bytes->room ? 2 * bytes->room : BYTES_FIRST;
        if (bytes->room < needed)
            bytes->room = needed;
        bytes->ptr = mem_resize(bytes->ptr, bytes->room, 1);
    }
    return bytes->ptr + bytes->len;
}

static inline void bytes_add(struct bytes *bytes, struct str text)
{
    char *at = bytes_reserve(bytes, text.len);

    if (text.len)
        memcpy(at, text.ptr, text.len);
    bytes->len += text.len;
}

static inline struct str bytes_view(const struct bytes *bytes)
{
    return (struct str){bytes->len ? bytes->ptr : "", bytes->len};
}

#endif
