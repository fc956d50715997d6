/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * headers: the public headers, for files that are compiled on the fly. The build makes headers.c
 * from include/valkey_polyglot.
 */
#ifndef SCRIPT_C_HEADERS_H
#define SCRIPT_C_HEADERS_H

#include <stddef.h>

#define HEADERS_FOLDER "valkey_polyglot"

struct header {
    const char *name;
    const unsigned char *bytes;
    size_t len;
};

enum { HEADERS = 2 };

extern const struct header headers[HEADERS];

#endif
