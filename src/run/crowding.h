/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowding: how long a thread had work and no core to do it on.
 *
 * By the clock, a loop that waits for its turn on a core is as busy as one that works. The kernel
 * counts what the first did (/proc/PID/schedstat: the time on a run queue); where it does not, the
 * thread's CPU time tells, if less well: it may lack what the kernel does for it in interrupts.
 */
#ifndef RUN_CROWDING_H
#define RUN_CROWDING_H

#include <stdint.h>

/* What has been counted of a thread so far. */
struct crowding {
    uint64_t queued_ns; /* UINT64_MAX: not counted here */
    uint64_t cpu_ns;
};

/* Reads the counts of the calling thread. System calls: not for the hot path. */
void crowding_read(struct crowding *crowding);

/* How long the calling thread has had no core since `start` was read; `worked_ns` is how long it
 * has not been waiting for anything else. */
uint64_t crowding_since_ns(const struct crowding *start, uint64_t worked_ns);

#endif
