/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_end(void *block)
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
    return or_end(calloc(count ? count : 1, size));
}

void *mem_resize(void *block, size_t count, size_t size)
{
    if (count > SIZE_MAX / size)
        return or_end(NULL);
    return or_end(realloc(block, count ? count * size : 1));
}

char *mem_copy_text(const char *text)
{
    return or_end(strdup(text));
}
