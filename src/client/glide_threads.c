/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"

enum { TEXT_MAX = 96 };

/* Reads the start of a small file. Returns whether there was something in it. */
static bool read_file(const char *thread, const char *name, char *text)
{
    char path[TEXT_MAX];

    snprintf(path, sizeof path, "/proc/self/task/%.16s/%s", thread, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t got = read(fd, text, TEXT_MAX - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static bool is_of_library(const char *thread)
{
    char name[TEXT_MAX];

    return read_file(thread, "comm", name) && (str_starts(str_of(name), STR("Valkey-GLIDE")) ||
                                               str_starts(str_of(name), STR("glide-")));
}

/* "<ns on a core> <ns on a run queue> <times>" */
static uint64_t read_cpu_ns(const char *thread)
{
    char text[TEXT_MAX];
    uint64_t ran_ns;

    if (!read_file(thread, "schedstat", text) || sscanf(text, "%" SCNu64, &ran_ns) != 1)
        return 0;
    return ran_ns;
}

void glide_threads_read(struct glide_threads *threads)
{
    DIR *folder = opendir("/proc/self/task");

    *threads = (struct glide_threads){0};
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !is_of_library(entry->d_name))
            continue;
        threads->count++;
        threads->cpu_ns += read_cpu_ns(entry->d_name);
    }
    closedir(folder);
}
