/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/crowding.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t read_cpu_ns(void)
{
    struct timespec ran;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran);
    return (uint64_t)ran.tv_sec * CLOCK_NS_PER_S + (uint64_t)ran.tv_nsec;
}

/* "<ns on a core> <ns on a run queue> <times>"; all zero when the kernel does not count. */
static uint64_t read_queued_ns(void)
{
    const int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    char text[96] = "";
    uint64_t ran_ns, queued_ns;

    if (fd < 0)
        return UINT64_MAX;
    const ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0 || sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &queued_ns) != 2)
        return UINT64_MAX;
    return ran_ns > 0 ? queued_ns : UINT64_MAX;
}

void crowding_read(struct crowding *crowding)
{
    crowding->queued_ns = read_queued_ns();
    crowding->cpu_ns = read_cpu_ns();
}

uint64_t crowding_since_ns(const struct crowding *start, uint64_t worked_ns)
{
    struct crowding now;

    crowding_read(&now);
    if (start->queued_ns != UINT64_MAX && now.queued_ns != UINT64_MAX)
        return now.queued_ns - start->queued_ns;
    const uint64_t cpu_ns = now.cpu_ns - start->cpu_ns;
    return worked_ns > cpu_ns ? worked_ns - cpu_ns : 0;
}
