/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/cores.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GROUP_MAX = 1024 };

/* A machine of more than CPU_SETSIZE CPUs has no room for its mask in a set: all of it is used. */
static unsigned affinity_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

/* Rounded up; UINT_MAX without a quota. */
static unsigned whole_cores(long long quota_us, long long period_us)
{
    if (quota_us <= 0 || period_us <= 0)
        return UINT_MAX;
    const long long cores = (quota_us + period_us - 1) / period_us;
    return cores < UINT_MAX ? (unsigned)cores : UINT_MAX;
}

/* Reads up to two numbers at the beginning of a file of /sys/fs/cgroup. Returns how many. */
static int read_numbers(const char *directory, const char *name, long long numbers[2])
{
    char path[GROUP_MAX + 64];

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const int count = fscanf(file, "%lld %lld", &numbers[0], &numbers[1]);
    fclose(file);
    return count < 0 ? 0 : count;
}

/* Version 2: "<quota> <period>" or "max <period>". */
static unsigned quota_of_two(const char *directory)
{
    long long numbers[2];

    if (read_numbers(directory, "cpu.max", numbers) < 2)
        return UINT_MAX;
    return whole_cores(numbers[0], numbers[1]);
}

/* Version 1: a file each; a quota of -1 is none. */
static unsigned quota_of_one(const char *directory)
{
    long long quota[2], period[2];

    if (read_numbers(directory, "cpu.cfs_quota_us", quota) < 1 ||
        read_numbers(directory, "cpu.cfs_period_us", period) < 1)
        return UINT_MAX;
    return whole_cores(quota[0], period[0]);
}

/* Whether "cpu" is in a list such as "cpu,cpuacct". */
static bool has_cpu(const char *list, size_t len)
{
    for (const char *end = list + len; list < end;) {
        const size_t word = strcspn(list, ",:");
        if (word == 3 && memcmp(list, "cpu", 3) == 0)
            return true;
        list += word + 1;
    }
    return false;
}

/* Finds this process's group among the lines "<number>:<controllers>:<path>": in the one hierarchy
 * of version 2, which names no controllers, or in that of version 1 with the controller cpu. Sets
 * `directory` to its place below /sys/fs/cgroup, whose first `root` bytes are the hierarchy's. */
static void find_group(bool two, char directory[GROUP_MAX], size_t *root)
{
    char line[GROUP_MAX];
    FILE *file = fopen("/proc/self/cgroup", "re");

    *root = (size_t)snprintf(directory, GROUP_MAX, "%s", two ? "" : "/cpu");
    while (file && fgets(line, sizeof line, file)) {
        const char *controllers = strchr(line, ':');
        const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        const size_t len = (size_t)(path - controllers) - 1;
        if (two ? len > 0 : !has_cpu(controllers + 1, len))
            continue;
        snprintf(directory + *root, GROUP_MAX - *root, "%.*s", (int)strcspn(path + 1, "\n"),
                 path + 1);
        break;
    }
    if (file)
        fclose(file);
}

/* A group has no more than any of those above it. In a container the path may be the host's, and
 * lead nowhere; its own group is then at the top. */
static unsigned group_cores(bool two)
{
    char directory[GROUP_MAX];
    unsigned cores = UINT_MAX;
    size_t root;

    find_group(two, directory, &root);
    for (;;) {
        const unsigned here = two ? quota_of_two(directory) : quota_of_one(directory);
        char *last = strrchr(directory + root, '/');

        if (here < cores)
            cores = here;
        if (!last)
            return cores;
        *last = '\0';
    }
}

static unsigned quota_cores(void)
{
    const unsigned one = group_cores(false), two = group_cores(true);

    return one < two ? one : two;
}

int cores_check(const struct cpu_list *cpus, struct err *err)
{
    cpu_set_t set;

    if (cpus->count == 0 || sched_getaffinity(0, sizeof set, &set) < 0)
        return 0;
    for (unsigned i = 0; i < cpus->count; i++)
        if (!CPU_ISSET(cpus->cpus[i], &set))
            return err_set(err, "--cpus names CPU %u, which this process may not use.",
                           (unsigned)cpus->cpus[i]);
    return 0;
}

unsigned cores_usable(const struct cpu_list *cpus)
{
    const unsigned listed = cpus->count ? cpus->count : affinity_cores();
    const unsigned by_quota = quota_cores();
    const unsigned cores = by_quota < listed ? by_quota : listed;

    return cores ? cores : 1;
}
