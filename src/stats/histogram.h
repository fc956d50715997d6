/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram: how often each latency occurred, to three digits, in constant memory.
 *
 * High dynamic range buckets (Gil Tene's HdrHistogram): 1 ns to 60 s, a bucket is never wider than
 * 1/1024 of its values. Larger values are counted in the bucket of 60 s and as `clamped`.
 *
 * Recording: one writer, any number of readers in other threads or processes. Counts are cumulative
 * and never reset; readers copy and subtract. The writer stores with relaxed atomics, so that a
 * record costs what a plain one does. `low`..`high` is the range of buckets ever touched: readers
 * look at nothing else, since to read an untouched page of a shared mapping is to allocate it.
 *
 * A zeroed histogram is an empty one.
 */
#ifndef STATS_HISTOGRAM_H
#define STATS_HISTOGRAM_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_MAX_NS UINT64_C(60000000000)

enum {
    HISTOGRAM_HALF_BITS = 10, /* 1024 buckets an octave */
    HISTOGRAM_HALF = 1 << HISTOGRAM_HALF_BITS,
    HISTOGRAM_BUCKETS = 27 * HISTOGRAM_HALF, /* (36 - 10 + 1) halves: up to 2^36 ns > 60 s */
};

/* The writer's side; lies in shared memory. */
struct histogram {
    _Atomic uint64_t clamped; /* values above the range, which stand in the bucket of 60 s too */
    _Atomic uint64_t sum_ns;  /* exact, of the values as they came */
    _Atomic uint64_t min_ns;  /* exact; stored as its complement, so that zero means "none yet" */
    _Atomic uint64_t max_ns;  /* exact, also above the range */
    _Atomic uint32_t low;     /* HISTOGRAM_BUCKETS - the lowest bucket touched; 0: none yet */
    _Atomic uint32_t high;    /* the highest bucket touched */
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

/*
 * The reader's side: a copy, a difference or a sum of histograms. Its own memory; plain numbers,
 * which always agree: min <= each percentile <= max, min <= mean <= max.
 */
struct distribution {
    uint64_t total; /* the sum of counts[low..high] */
    uint64_t clamped;
    uint64_t sum_ns;
    uint64_t min_ns; /* UINT64_MAX when empty */
    uint64_t max_ns;
    uint32_t low;     /* the lowest bucket with a count; low > high: empty */
    uint32_t high;    /* the highest one */
    uint64_t *counts; /* owned; HISTOGRAM_BUCKETS, zero outside low..high */
};

/* The bucket of a value. */
static inline unsigned histogram_bucket(uint64_t value_ns)
{
    const uint64_t clipped = value_ns < HISTOGRAM_MAX_NS ? value_ns : HISTOGRAM_MAX_NS;
    const unsigned bits = 64U - (unsigned)__builtin_clzll(clipped | (2 * HISTOGRAM_HALF - 1));
    const unsigned shift = bits - (HISTOGRAM_HALF_BITS + 1);

    return (shift << HISTOGRAM_HALF_BITS) + (unsigned)(clipped >> shift);
}

/* The lowest and the highest value that share a bucket. */
uint64_t histogram_lowest_ns(unsigned bucket);
uint64_t histogram_highest_ns(unsigned bucket);

/* Adds to a counter that this thread alone writes: a plain add that readers never see torn. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* The rare part of a record: widens the touched range and the extremes, counts a clamped value. */
void histogram_stretch(struct histogram *histogram, uint64_t value_ns, unsigned bucket);

/* Counts one value. */
static inline void histogram_record(struct histogram *histogram, uint64_t value_ns)
{
    const unsigned bucket = histogram_bucket(value_ns);

    assert(bucket < HISTOGRAM_BUCKETS);
    if (~value_ns > atomic_load_explicit(&histogram->min_ns, memory_order_relaxed) ||
        value_ns > atomic_load_explicit(&histogram->max_ns, memory_order_relaxed) ||
        value_ns > HISTOGRAM_MAX_NS)
        histogram_stretch(histogram, value_ns, bucket);
    counter_add(&histogram->counts[bucket], 1);
    counter_add(&histogram->sum_ns, value_ns);
}

void distribution_init(struct distribution *distribution);
void distribution_deinit(struct distribution *distribution);

/* Makes it empty; keeps the memory. */
void distribution_clear(struct distribution *distribution);

/*
 * Adds what a histogram holds now. Its writer may go on meanwhile: the total is that of the counts
 * that were read and never falls from one copy to the next; extremes and sum are exact at rest,
 * else to a bucket's width.
 */
void distribution_add_histogram(struct distribution *to, struct histogram *from);

/* Adds another distribution. */
void distribution_add(struct distribution *to, const struct distribution *from);

/*
 * Sets `to`, which is neither of the others, to what `now` holds beyond `before`, an earlier copy
 * of the same histograms. The sum is exact when both were copied at rest, else right to a bucket's
 * width. The extremes are those of the outer buckets, but never beyond those of `now`: where values
 * were clamped, the largest of `now` stands for the largest.
 */
void distribution_subtract(struct distribution *to, const struct distribution *now,
                           const struct distribution *before);

/*
 * The smallest value v with count(<= v) >= ceil(percent/100 x total): the highest value of its
 * bucket, but never beyond the extremes, which 0 % and 100 % return. Among clamped values all but
 * the largest come out as 60 s. `percent_micro` is in millionths of a per cent (99.9 % is
 * 99900000), so that no rounding decides the rank. 0 when empty.
 */
uint64_t distribution_percentile_ns(const struct distribution *distribution,
                                    uint64_t percent_micro);

/* How many values are at or below `value_ns`, to a bucket's width; all from the largest on. */
uint64_t distribution_count_to(const struct distribution *distribution, uint64_t value_ns);

/* The mean, 0 when empty. */
double distribution_mean_ns(const struct distribution *distribution);

#endif
