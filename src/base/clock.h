/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock: the two clocks of a run.
 *
 * All times are CLOCK_MONOTONIC in nanoseconds; it is one clock for all processes of a host. The
 * wall clock is read for timestamps that a person sees, never for a difference.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_NS_PER_US = 1000, CLOCK_NS_PER_MS = 1000000, CLOCK_NS_PER_S = 1000000000 };

/* "Never", as a deadline. */
#define CLOCK_NEVER UINT64_MAX

static inline uint64_t clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_unix_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
