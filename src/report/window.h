/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * window: what happened between two snapshots, for sinks that print a line an interval.
 *
 * Windows touch: each begins where the one before ended, so their counts add up to those of the
 * last snapshot.
 */
#ifndef REPORT_WINDOW_H
#define REPORT_WINDOW_H

#include <stdint.h>

#include "stats/snapshot.h"

struct window {
    uint64_t from_ns, to_ns;
    struct snapshot counted;       /* what happened in it */
    struct distribution responses; /* the response times of that, all commands together */
    struct snapshot seen;          /* all that had happened at `to_ns` */
};

void window_init(struct window *window);
void window_deinit(struct window *window);

/* Makes it an empty one at the start of the run. */
void window_start(struct window *window, uint64_t start_ns);

/* Makes it the next one: from where it ended until `now` was taken. */
void window_advance(struct window *window, const struct snapshot *now);

/* `count` a second over `elapsed_ns`; 0 when no time has passed. */
double window_rate(uint64_t count, uint64_t elapsed_ns);

#endif
