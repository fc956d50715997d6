/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *mem_check(void *block)
{
    static const char sentence[] = "Out of memory.\n";

    if (block)
        return block;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
        _exit(1);
    _exit(1);
}

void *mem_zalloc(size_t count, size_t size)
{
    return mem_check(calloc(count ? count : 1, size));
}

void *mem_resize(void *block, size_t count, size_t size)
{
    if (count > SIZE_MAX / size)
        return mem_check(NULL);
    return mem_check(realloc(block, count ? count * size : 1));
}

char *mem_copy_text(const char *text)
{
    return mem_check(strdup(text));
}
