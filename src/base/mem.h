/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mem: allocation that cannot fail.
 *
 * A load generator that has run out of memory has nothing left to measure: the process ends here,
 * in one place, with one sentence, and no caller carries a path for it.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* `count` zeroed objects of `size` bytes; never NULL, also for none. Release with free(). */
void *mem_zalloc(size_t count, size_t size);

/* Resizes an owned block (NULL: a new one) to `count` objects; what is added is not zeroed. */
void *mem_resize(void *block, size_t count, size_t size);

/* An owned copy of a string. */
char *mem_copy_text(const char *text);

/* What a library has allocated; its NULL, for want of memory, ends the process. */
void *mem_check(void *block);

#endif
