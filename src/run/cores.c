/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/cores.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { GROUP_MAX = 1024 };

static unsigned affinity_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* The cores of "<quota> <period>", rounded up; UINT_MAX for "max" or what cannot be read. */
static unsigned quota_cores(const char *directory)
{
    char path[GROUP_MAX + 32];
    unsigned long quota, period;
    unsigned cores = UINT_MAX;

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", directory);
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT_MAX;
    if (fscanf(file, "%lu %lu", &quota, &period) == 2 && period > 0)
        cores = (unsigned)((quota + period - 1) / period);
    fclose(file);
    return cores ? cores : 1;
}

/* The path of this process's group in the one hierarchy of version 2: the line "0::<path>". */
static void own_group(char path[GROUP_MAX])
{
    char line[GROUP_MAX];
    FILE *file = fopen("/proc/self/cgroup", "re");

    path[0] = '\0';
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::", 3) != 0)
            continue;
        line[3 + strcspn(line + 3, "\n")] = '\0';
        memcpy(path, line + 3, strlen(line + 3) + 1);
        break;
    }
    fclose(file);
}

/* A group has no more than any of those above it. */
static unsigned group_cores(void)
{
    char path[GROUP_MAX];
    unsigned cores = UINT_MAX;

    own_group(path);
    for (;;) {
        const unsigned here = quota_cores(path);
        char *last = strrchr(path, '/');

        if (here < cores)
            cores = here;
        if (!last)
            return cores;
        *last = '\0';
    }
}

unsigned cores_usable(void)
{
    const unsigned by_affinity = affinity_cores();
    const unsigned by_quota = group_cores();
    const unsigned cores = by_quota < by_affinity ? by_quota : by_affinity;

    return cores ? cores : 1;
}
