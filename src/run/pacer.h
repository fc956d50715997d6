/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pacer: how a worker waits until a request is due.
 *
 * A kernel wakes whoever sleeps a little after the time asked for, and the more so the deeper the
 * processor sleeps. A worker can leave it at that (sleep), wake early by a margin and poll for the
 * rest (hybrid), or never sleep at all (spin). The margin is that of this thread on this machine,
 * measured before the run.
 *
 * The pacer says what deadline to give to the loop; it neither waits nor reads a clock.
 */
#ifndef RUN_PACER_H
#define RUN_PACER_H

#include <stdint.h>

#include "io/loop.h"

enum pace { PACE_SLEEP, PACE_HYBRID, PACE_SPIN };

/* The words for --pace, in this order. */
#define PACE_CHOICES "sleep|hybrid|spin"

enum {
    PACER_SAMPLES = 200,
    PACER_MARGIN_MIN_NS = 5 * 1000,
    PACER_MARGIN_MAX_NS = 1000 * 1000,
};

struct pacer {
    int mode;           /* enum pace */
    uint64_t margin_ns; /* hybrid: how early it stops sleeping */
};

/*
 * The deadline for the loop's next turn: 0 is to look and not to wait. `due_ns` is when a request
 * is to be sent next (CLOCK_NEVER: none is, or no slot is free), `else_ns` when something else is
 * to be done, for which sleeping is good enough.
 */
static inline uint64_t pacer_deadline_ns(const struct pacer *pacer, uint64_t now_ns,
                                         uint64_t due_ns, uint64_t else_ns)
{
    uint64_t until_ns = due_ns;

    if (__builtin_expect(pacer->mode != PACE_SLEEP, 0)) {
        if (pacer->mode == PACE_SPIN)
            return 0;
        until_ns = due_ns > pacer->margin_ns ? due_ns - pacer->margin_ns : 0;
        if (until_ns <= now_ns)
            return 0;
    }
    return until_ns < else_ns ? until_ns : else_ns;
}

/* The margin for `count` lags of wake-ups, which it sorts: their p99, within the bounds above.
 * Without any: the upper bound. */
uint64_t pacer_margin_ns(uint64_t *lags_ns, unsigned count);

/*
 * Measures the lag of PACER_SAMPLES wake-ups of a loop that has no channel to tell of, and sets the
 * margin. Takes 40 ms where nothing disturbs it; begins no sample that is to end after 100 ms.
 */
void pacer_calibrate(struct pacer *pacer, struct loop *loop);

#endif
