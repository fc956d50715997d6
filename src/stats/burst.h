/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * burst: how evenly requests were sent.
 *
 * Counts what a worker sends in each millisecond from its start on, empty ones included. The
 * variance of these counts over their mean is 0 when every millisecond holds the same number, 1
 * when requests come at random (a Poisson process), more when they come in bursts.
 *
 * A millisecond is closed once time has gone past it, and then belongs to the counts. Nothing here
 * reads a clock.
 */
#ifndef STATS_BURST_H
#define STATS_BURST_H

#include <stdbool.h>
#include <stdint.h>

/* Of the milliseconds that are closed: how many, the requests in them, the sum of their squares. */
struct burst_counts {
    uint64_t bins, sum, squares;
};

struct burst {
    struct burst_counts counts;
    uint64_t bin_end_ns; /* of the millisecond that is open */
    uint64_t in_bin;     /* the requests in it */
};

/* What several workers' counts come to. Zeroed, it holds none. */
struct burst_spread {
    double variance, mean;
};

/* Begins at `start_ns`. */
void burst_start(struct burst *burst, uint64_t start_ns);

/* Closes the millisecond that is open and those up to `now_ns`, which lies behind it. */
void burst_advance(struct burst *burst, uint64_t now_ns);

/* Counts a request. Returns whether `counts` has changed. A time before the last one is fine. */
static inline bool burst_add(struct burst *burst, uint64_t now_ns)
{
    const bool over = now_ns >= burst->bin_end_ns;

    if (__builtin_expect(over, 0))
        burst_advance(burst, now_ns);
    burst->in_bin++;
    return over;
}

/* Ends at `end_ns`: the millisecond that it falls into counts if something was sent in it. */
void burst_end(struct burst *burst, uint64_t end_ns);

/* Adds a worker. */
void burst_merge(struct burst_spread *spread, const struct burst_counts *counts);

/* Variance over mean; 0 when nothing was sent. */
double burst_ratio(const struct burst_spread *spread);

#endif
