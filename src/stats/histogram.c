/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wide.h"

/* The counters are shared by processes: no lock of one of them may stand behind an access. */
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be free of locks");

#define WHOLE_MICRO UINT64_C(100000000) /* 100 % */

/* A share of a distribution, its counts aside, and the sums between which its values can lie. */
struct tally {
    struct distribution part; /* without counts */
    uint64_t topmost;         /* how many of its values are in the topmost bucket */
    wide_uint least_ns;
    wide_uint most_ns;
};

static uint64_t load(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t beyond(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static uint64_t clip(uint64_t value, uint64_t least, uint64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

static wide_uint clip_wide(wide_uint value, wide_uint least, wide_uint most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

static unsigned octave(unsigned bucket)
{
    return bucket < HISTOGRAM_HALF ? 0 : (bucket >> HISTOGRAM_HALF_BITS) - 1;
}

uint64_t histogram_lowest_ns(unsigned bucket)
{
    assert(bucket < HISTOGRAM_BUCKETS);
    const unsigned shift = octave(bucket);

    return (uint64_t)(bucket - (shift << HISTOGRAM_HALF_BITS)) << shift;
}

uint64_t histogram_highest_ns(unsigned bucket)
{
    return histogram_lowest_ns(bucket) + (UINT64_C(1) << octave(bucket)) - 1;
}

/* The bucket that clamped values share with the last ones in range. */
static unsigned topmost_bucket(void)
{
    return histogram_bucket(HISTOGRAM_MAX_NS);
}

/* The highest value that can stand in a bucket, the clamped ones included. */
static uint64_t ceiling_ns(unsigned bucket)
{
    return bucket == topmost_bucket() ? UINT64_MAX : histogram_highest_ns(bucket);
}

void histogram_stretch(struct histogram *histogram, uint64_t value_ns, unsigned bucket)
{
    const uint32_t depth = HISTOGRAM_BUCKETS - bucket;

    if (depth > atomic_load_explicit(&histogram->low, memory_order_relaxed))
        atomic_store_explicit(&histogram->low, depth, memory_order_relaxed);
    if (bucket > atomic_load_explicit(&histogram->high, memory_order_relaxed))
        atomic_store_explicit(&histogram->high, bucket, memory_order_relaxed);
    if (~value_ns > load(&histogram->min_ns))
        atomic_store_explicit(&histogram->min_ns, ~value_ns, memory_order_relaxed);
    if (value_ns > load(&histogram->max_ns))
        atomic_store_explicit(&histogram->max_ns, value_ns, memory_order_relaxed);
    if (value_ns > HISTOGRAM_MAX_NS)
        counter_add(&histogram->clamped, 1);
}

/* Everything but the counts. */
static void make_empty(struct distribution *distribution)
{
    distribution->total = 0;
    distribution->clamped = 0;
    distribution->sum_ns = 0;
    distribution->min_ns = UINT64_MAX;
    distribution->max_ns = 0;
    distribution->low = HISTOGRAM_BUCKETS;
    distribution->high = 0;
}

void distribution_init(struct distribution *distribution)
{
    make_empty(distribution);
    distribution->counts = mem_zalloc(HISTOGRAM_BUCKETS, sizeof *distribution->counts);
}

void distribution_deinit(struct distribution *distribution)
{
    free(distribution->counts);
    distribution->counts = NULL;
    make_empty(distribution);
}

void distribution_clear(struct distribution *distribution)
{
    const uint32_t low = distribution->low;

    /* The rest is zero, and most of it has never been touched: that takes no memory. */
    if (low <= distribution->high)
        memset(&distribution->counts[low], 0,
               (distribution->high - low + 1) * sizeof *distribution->counts);
    make_empty(distribution);
}

/* Joins all but the counts. */
static void join(struct distribution *to, const struct distribution *part)
{
    to->total += part->total;
    to->clamped += part->clamped;
    to->sum_ns += part->sum_ns;
    to->min_ns = part->min_ns < to->min_ns ? part->min_ns : to->min_ns;
    to->max_ns = part->max_ns > to->max_ns ? part->max_ns : to->max_ns;
    to->low = part->low < to->low ? part->low : to->low;
    to->high = part->high > to->high ? part->high : to->high;
}

static struct tally start_tally(void)
{
    struct tally tally = {.topmost = 0};

    make_empty(&tally.part);
    return tally;
}

/* Adds the count of one bucket; buckets come in rising order. */
static void take(struct distribution *to, struct tally *tally, unsigned bucket, uint64_t count)
{
    if (count == 0)
        return;
    to->counts[bucket] += count;
    tally->part.total += count;
    if (tally->part.low == HISTOGRAM_BUCKETS)
        tally->part.low = bucket;
    tally->part.high = bucket;
    tally->topmost = bucket == topmost_bucket() ? count : 0;
    tally->least_ns += (wide_uint)histogram_lowest_ns(bucket) * count;
    tally->most_ns += (wide_uint)ceiling_ns(bucket) * count;
}

/*
 * Joins a part whose extremes and sum are claims: of a writer that has changed them a moment before
 * or after the counts, or of a longer time than the counts are of. The counts decide, and the
 * claims are moved as far as they demand, so that min <= every percentile <= max and min <= mean <=
 * max.
 */
static void settle(struct distribution *to, struct tally *tally)
{
    struct distribution *part = &tally->part;

    if (part->total == 0)
        return;
    part->max_ns = clip(part->max_ns, histogram_lowest_ns(part->high), ceiling_ns(part->high));
    part->min_ns = clip(part->min_ns, histogram_lowest_ns(part->low), ceiling_ns(part->low));
    if (part->min_ns > part->max_ns)
        part->min_ns = part->max_ns;
    part->clamped = clip(part->clamped, 0, tally->topmost);

    const wide_uint by_bucket = clip_wide(part->sum_ns, tally->least_ns, tally->most_ns);
    const wide_uint sum = clip_wide(by_bucket, (wide_uint)part->min_ns * part->total,
                                    (wide_uint)part->max_ns * part->total);
    part->sum_ns = (uint64_t)clip_wide(sum, 0, UINT64_MAX);
    join(to, part);
}

void distribution_add_histogram(struct distribution *to, struct histogram *from)
{
    /*
     * The range first: what it does not hold yet is left for the next copy. All loads are relaxed.
     * The total is made of the counts that were read, each of which can only have grown since the
     * copy before, so totals never fall; what the rest says too early or too late is settled.
     */
    const uint32_t depth = atomic_load_explicit(&from->low, memory_order_relaxed);
    const uint32_t high = atomic_load_explicit(&from->high, memory_order_relaxed);
    struct tally tally = start_tally();

    for (unsigned bucket = HISTOGRAM_BUCKETS - depth; bucket <= high; bucket++)
        take(to, &tally, bucket, load(&from->counts[bucket]));
    tally.part.clamped = load(&from->clamped);
    tally.part.sum_ns = load(&from->sum_ns);
    tally.part.min_ns = ~load(&from->min_ns);
    tally.part.max_ns = load(&from->max_ns);
    settle(to, &tally);
}

void distribution_add(struct distribution *to, const struct distribution *from)
{
    for (unsigned bucket = from->low; bucket <= from->high; bucket++)
        to->counts[bucket] += from->counts[bucket];
    join(to, from);
}

void distribution_subtract(struct distribution *to, const struct distribution *now,
                           const struct distribution *before)
{
    assert(to != now && to != before);
    struct tally tally = start_tally();

    distribution_clear(to);
    for (unsigned bucket = now->low; bucket <= now->high; bucket++)
        take(to, &tally, bucket, beyond(now->counts[bucket], before->counts[bucket]));
    tally.part.clamped = beyond(now->clamped, before->clamped);
    tally.part.sum_ns = beyond(now->sum_ns, before->sum_ns);
    tally.part.min_ns = now->min_ns;
    tally.part.max_ns = now->max_ns;
    settle(to, &tally);
}

uint64_t distribution_percentile_ns(const struct distribution *distribution, uint64_t percent_micro)
{
    if (distribution->total == 0)
        return 0;
    const wide_uint rank =
        ((wide_uint)percent_micro * distribution->total + WHOLE_MICRO - 1) / WHOLE_MICRO;
    if (rank == 0)
        return distribution->min_ns;
    if (rank >= distribution->total)
        return distribution->max_ns;

    unsigned bucket = distribution->low;
    for (uint64_t seen = distribution->counts[bucket]; seen < rank;)
        seen += distribution->counts[++bucket];
    return clip(histogram_highest_ns(bucket), distribution->min_ns, distribution->max_ns);
}

uint64_t distribution_count_to(const struct distribution *distribution, uint64_t value_ns)
{
    if (value_ns >= distribution->max_ns)
        return distribution->total;
    if (value_ns < distribution->min_ns)
        return 0;
    const unsigned bucket = histogram_bucket(value_ns);
    if (bucket == topmost_bucket())
        return distribution->total - distribution->clamped;

    uint64_t count = 0;
    for (unsigned b = distribution->low; b <= bucket; b++)
        count += distribution->counts[b];
    return count;
}

double distribution_mean_ns(const struct distribution *distribution)
{
    const uint64_t total = distribution->total;

    if (total == 0)
        return 0;
    /* In two parts, since a sum of more than 53 bits would be rounded before it is divided. */
    const uint64_t whole = distribution->sum_ns / total;
    const uint64_t rest = distribution->sum_ns % total;

    return (double)whole + (double)rest / (double)total;
}
