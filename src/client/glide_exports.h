/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_exports: which version of valkey-GLIDE's library a file holds, by what it exports.
 *
 * The library has no way to tell its version, and its interface is not stable; but each minor
 * release so far has brought functions. A library that exports something unknown is newer than what
 * was verified, whatever else it has.
 */
#ifndef CLIENT_GLIDE_EXPORTS_H
#define CLIENT_GLIDE_EXPORTS_H

#include "base/err.h"

/* Minor versions of 2 that the program knows how to drive. */
enum { GLIDE_MINOR_FIRST = 4, GLIDE_MINOR_LAST = 6 };

/*
 * The minor version of a library that dlopen() has loaded. A negative errno and a sentence when it
 * is none of those above; `path` is for the sentence.
 */
int glide_exports_minor(void *library, const char *path, struct err *err);

#endif
