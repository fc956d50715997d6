/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/burst.h"

#include "base/clock.h"
#include "base/wide.h"

enum { BIN_NS = CLOCK_NS_PER_MS };

void burst_start(struct burst *burst, uint64_t start_ns)
{
    *burst = (struct burst){.bin_end_ns = start_ns + BIN_NS};
}

static void close_bin(struct burst *burst)
{
    burst->counts.bins++;
    burst->counts.sum += burst->in_bin;
    burst->counts.squares += burst->in_bin * burst->in_bin;
    burst->bin_end_ns += BIN_NS;
    burst->in_bin = 0;
}

void burst_advance(struct burst *burst, uint64_t now_ns)
{
    close_bin(burst);
    if (now_ns < burst->bin_end_ns)
        return;
    const uint64_t empty = (now_ns - burst->bin_end_ns) / BIN_NS + 1;
    burst->counts.bins += empty;
    burst->bin_end_ns += empty * BIN_NS;
}

void burst_end(struct burst *burst, uint64_t end_ns)
{
    if (end_ns >= burst->bin_end_ns)
        burst_advance(burst, end_ns);
    if (burst->in_bin)
        close_bin(burst);
}

/*
 * The workers' milliseconds are counted apart, so that none has to ask another what it sent, and
 * the variance of the whole has to come from theirs: that of a sum of independent counts is the sum
 * of the variances, as its mean is the sum of the means. Workers that share one schedule fill each
 * other's gaps, so the whole is, if anything, more even than this says.
 */
void burst_merge(struct burst_spread *spread, const struct burst_counts *counts)
{
    const double bins = (double)counts->bins;
    /* In whole numbers: as a difference of two averages little would be left of it. */
    const wide_uint all = (wide_uint)counts->bins * counts->squares;
    const wide_uint even = (wide_uint)counts->sum * counts->sum;

    if (counts->bins == 0)
        return;
    spread->mean += (double)counts->sum / bins;
    /* Numbers of a worker that still counts may not be of the same moment. */
    if (all > even)
        spread->variance += (double)(all - even) / bins / bins;
}

double burst_ratio(const struct burst_spread *spread)
{
    return spread->mean > 0 ? spread->variance / spread->mean : 0;
}
