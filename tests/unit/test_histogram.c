/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "stats/histogram.h"

/* Fields follow one another without holes: two compilers agree on what lies in shared memory. */
static_assert(offsetof(struct histogram, low) == 4 * sizeof(uint64_t), "no hole before low");
static_assert(offsetof(struct histogram, counts) == 5 * sizeof(uint64_t), "no hole before counts");
static_assert(sizeof(struct histogram) == (5 + HISTOGRAM_BUCKETS) * sizeof(uint64_t), "no tail");

static const uint64_t percents_micro[] = {0,        50000000, 90000000, 95000000, 99000000,
                                          99900000, 99990000, 99999000, 100000000};

#define SECOND_NS UINT64_C(1000000000)

static struct histogram *new_histogram(void)
{
    return mem_zalloc(1, sizeof(struct histogram));
}

/* The value sets: value i of a set. */
typedef uint64_t value_fn(uint64_t i);

static uint64_t uniform(uint64_t i)
{
    return rng_below(rng_draw(1, RNG_KEY, i), 5000000);
}

/* The octave is binomial, the place in it uniform: a bell over the logarithm of the value. */
static uint64_t bell(uint64_t i)
{
    const uint64_t bits = rng_draw(2, RNG_KEY, i);
    const uint64_t octave = UINT64_C(64) << __builtin_popcountll(bits & 0xfffff);

    return octave + rng_below(rng_mix(bits), octave);
}

static uint64_t constant(uint64_t i)
{
    (void)i;
    return 123456789;
}

static uint64_t counting(uint64_t i)
{
    return i + 1;
}

/* 2^k - 1, 2^k, 2^k + 1 for k from 0. */
static uint64_t around_powers(uint64_t i)
{
    return (UINT64_C(1) << (i / 3)) + i % 3 - 1;
}

static uint64_t zero(uint64_t i)
{
    (void)i;
    return 0;
}

/* One in sixteen is beyond the range, the first at its very end; not in rising order. */
static uint64_t partly_beyond(uint64_t i)
{
    return i % 16 == 0 ? HISTOGRAM_MAX_NS + i * 7919 % 1600 * SECOND_NS : uniform(i);
}

static uint64_t all_beyond(uint64_t i)
{
    return 100 * SECOND_NS + i;
}

static const struct {
    const char *name;
    value_fn *value;
    size_t count;
} sets[] = {
    {"uniform", uniform, 100000},
    {"bell", bell, 100000},
    {"constant", constant, 1000},
    {"one value", uniform, 1},
    {"two values", uniform, 2},
    {"three values", bell, 3},
    {"1..99", counting, 99},
    {"1..100", counting, 100},
    {"1..2048", counting, 2048},
    {"around powers of two", around_powers, 3 * 36},
    {"zero", zero, 10},
    {"zero and one", around_powers, 2},
    {"partly beyond the range", partly_beyond, 1000},
    {"all beyond the range", all_beyond, 10},
};

/* A distribution of values first..end-1 of a set. */
static void fill(struct distribution *distribution, value_fn *value, size_t first, size_t end)
{
    struct histogram *histogram = new_histogram();

    for (size_t i = first; i < end; i++)
        histogram_record(histogram, value(i));
    distribution_init(distribution);
    distribution_add_histogram(distribution, histogram);
    free(histogram);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t *sort_values(value_fn *value, size_t count)
{
    uint64_t *values = mem_zalloc(count, sizeof *values);

    for (size_t i = 0; i < count; i++)
        values[i] = value(i);
    qsort(values, count, sizeof *values, compare);
    return values;
}

/* The order statistic of the definition, by counting up to its rank. */
static uint64_t exact_percentile(const uint64_t *sorted, size_t count, uint64_t percent_micro)
{
    size_t rank = 1;

    while (rank < count && rank * UINT64_C(100000000) < percent_micro * count)
        rank++;
    return sorted[rank - 1];
}

static bool is_near(uint64_t got, uint64_t exact)
{
    const uint64_t in_range = exact < HISTOGRAM_MAX_NS ? exact : HISTOGRAM_MAX_NS;

    return got >= in_range && got <= exact + in_range / 1024;
}

static void check_against_sorting(value_fn *value, size_t count)
{
    uint64_t *sorted = sort_values(value, count);
    struct distribution distribution;
    uint64_t sum = 0;
    uint64_t clamped = 0;

    for (size_t i = 0; i < count; i++) {
        sum += sorted[i];
        clamped += sorted[i] > HISTOGRAM_MAX_NS;
    }
    fill(&distribution, value, 0, count);
    assert_int_equal(distribution.total, count);
    assert_int_equal(distribution.clamped, clamped);
    assert_int_equal(distribution.sum_ns, sum);
    assert_int_equal(distribution.min_ns, sorted[0]);
    assert_int_equal(distribution.max_ns, sorted[count - 1]);
    assert_int_equal(distribution_percentile_ns(&distribution, 0), sorted[0]);
    assert_int_equal(distribution_percentile_ns(&distribution, 100000000), sorted[count - 1]);
    for (size_t i = 0; i < COUNT(percents_micro); i++)
        assert_true(is_near(distribution_percentile_ns(&distribution, percents_micro[i]),
                            exact_percentile(sorted, count, percents_micro[i])));
    distribution_deinit(&distribution);
    free(sorted);
}

static void test_percentiles_equal_exact_sorting(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        print_message("%s\n", sets[i].name);
        check_against_sorting(sets[i].value, sets[i].count);
    }
}

/* Whatever else holds, a report's columns must not decrease, nor leave the extremes. */
static void check_order(const struct distribution *distribution)
{
    uint64_t last = distribution->min_ns;

    if (distribution->total == 0)
        return;
    for (uint64_t percent = 0; percent <= 100000000; percent += 390625) {
        const uint64_t value = distribution_percentile_ns(distribution, percent);

        assert_true(value >= last);
        last = value;
    }
    assert_int_equal(last, distribution->max_ns);
    assert_true(distribution_mean_ns(distribution) >= (double)distribution->min_ns);
    assert_true(distribution_mean_ns(distribution) <= (double)distribution->max_ns);
}

static void test_percentiles_never_decrease(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct distribution distribution;

        fill(&distribution, sets[i].value, 0, sets[i].count);
        check_order(&distribution);
        distribution_deinit(&distribution);
    }
}

static void test_rank_is_rounded_up(void **state)
{
    static const struct {
        size_t count;
        uint64_t percent_micro;
        uint64_t value;
    } cases[] = {
        {99, 99000000, 99}, {100, 99000000, 99}, {101, 99000000, 100},  {100, 98000001, 99},
        {2, 50000000, 1},   {3, 50000000, 2},    {1000, 99900000, 999}, {1000, 99900001, 1000},
        {7, 1, 1},          {7, 200000000, 7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct distribution distribution;

        fill(&distribution, counting, 0, cases[i].count);
        assert_int_equal(distribution_percentile_ns(&distribution, cases[i].percent_micro),
                         cases[i].value);
        distribution_deinit(&distribution);
    }
}

static void test_buckets_tile_the_range(void **state)
{
    const unsigned topmost = histogram_bucket(HISTOGRAM_MAX_NS);

    (void)state;
    assert_int_equal(histogram_lowest_ns(0), 0);
    assert_true(topmost < HISTOGRAM_BUCKETS);
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        const uint64_t lowest = histogram_lowest_ns(bucket);
        const uint64_t highest = histogram_highest_ns(bucket);

        /* Above the range the buckets go on, but all values stand in the one of 60 s. */
        assert_int_equal(histogram_bucket(lowest), bucket < topmost ? bucket : topmost);
        assert_int_equal(histogram_bucket(highest), bucket < topmost ? bucket : topmost);
        assert_true(highest == lowest || (highest - lowest + 1) * 1024 <= lowest);
        if (bucket + 1 < HISTOGRAM_BUCKETS)
            assert_int_equal(histogram_lowest_ns(bucket + 1), highest + 1);
    }
    assert_true(histogram_highest_ns(HISTOGRAM_BUCKETS - 1) > HISTOGRAM_MAX_NS);
    assert_int_equal(histogram_bucket(UINT64_MAX), topmost);
}

static void test_empty(void **state)
{
    struct histogram *histogram = new_histogram();
    struct distribution distribution;

    (void)state;
    distribution_init(&distribution);
    distribution_add_histogram(&distribution, histogram);
    assert_int_equal(distribution.total, 0);
    assert_int_equal(distribution.min_ns, UINT64_MAX);
    assert_int_equal(distribution.max_ns, 0);
    assert_true(distribution.low > distribution.high);
    assert_int_equal(distribution_percentile_ns(&distribution, 99000000), 0);
    assert_int_equal(distribution_count_to(&distribution, UINT64_MAX), 0);
    assert_true(distribution_mean_ns(&distribution) == 0);
    distribution_deinit(&distribution);
    distribution_deinit(&distribution);
    free(histogram);
}

static void assert_same_counts(const struct distribution *a, const struct distribution *b)
{
    assert_int_equal(a->total, b->total);
    assert_int_equal(a->clamped, b->clamped);
    assert_int_equal(a->sum_ns, b->sum_ns);
    assert_int_equal(a->low, b->low);
    assert_int_equal(a->high, b->high);
    assert_memory_equal(a->counts, b->counts, HISTOGRAM_BUCKETS * sizeof *a->counts);
}

static void test_merge_equals_recording_into_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        const size_t cut = sets[i].count / 3;
        struct distribution whole, merged, part;

        fill(&whole, sets[i].value, 0, sets[i].count);
        fill(&merged, sets[i].value, 0, cut);
        fill(&part, sets[i].value, cut, sets[i].count);
        distribution_add(&merged, &part);
        assert_same_counts(&merged, &whole);
        assert_int_equal(merged.min_ns, whole.min_ns);
        assert_int_equal(merged.max_ns, whole.max_ns);

        /* A cleared one is as good as new. */
        distribution_clear(&merged);
        distribution_clear(&part);
        assert_same_counts(&merged, &part);
        distribution_add(&merged, &whole);
        assert_same_counts(&merged, &whole);
        distribution_deinit(&whole);
        distribution_deinit(&merged);
        distribution_deinit(&part);
    }
}

static void check_difference(const struct distribution *got, const struct distribution *later)
{
    assert_same_counts(got, later);
    if (later->total == 0)
        return;
    assert_true(got->min_ns <= later->min_ns && got->max_ns >= later->max_ns);
    if (later->clamped == 0) {
        assert_int_equal(histogram_bucket(got->min_ns), histogram_bucket(later->min_ns));
        assert_int_equal(histogram_bucket(got->max_ns), histogram_bucket(later->max_ns));
    }
    check_order(got);
}

static void test_subtract_equals_recording_the_later_part(void **state)
{
    struct distribution difference;

    (void)state;
    fill(&difference, bell, 0, 1000); /* what it held before must not matter */
    for (size_t i = 0; i < COUNT(sets); i++) {
        const size_t cuts[] = {0, 1, sets[i].count / 2, sets[i].count - 1, sets[i].count};

        for (size_t j = 0; j < COUNT(cuts); j++) {
            struct distribution now, before, later;

            fill(&now, sets[i].value, 0, sets[i].count);
            fill(&before, sets[i].value, 0, cuts[j]);
            fill(&later, sets[i].value, cuts[j], sets[i].count);
            distribution_subtract(&difference, &now, &before);
            check_difference(&difference, &later);
            distribution_deinit(&now);
            distribution_deinit(&before);
            distribution_deinit(&later);
        }
    }
    distribution_deinit(&difference);
}

static void test_difference_keeps_within_cumulative_extremes(void **state)
{
    struct distribution now, before, difference;

    (void)state;
    fill(&before, constant, 0, 3);
    fill(&now, constant, 0, 5);
    distribution_init(&difference);
    distribution_subtract(&difference, &now, &before);
    assert_int_equal(difference.min_ns, constant(0));
    assert_int_equal(difference.max_ns, constant(0));
    assert_true(distribution_mean_ns(&difference) == (double)constant(0));
    distribution_deinit(&now);
    distribution_deinit(&before);
    distribution_deinit(&difference);
}

static void test_count_to(void **state)
{
    struct distribution distribution;

    (void)state;
    fill(&distribution, counting, 0, 2000); /* a bucket a value */
    for (uint64_t value = 0; value <= 2100; value++)
        assert_int_equal(distribution_count_to(&distribution, value), value < 2000 ? value : 2000);
    distribution_deinit(&distribution);

    fill(&distribution, constant, 0, 3);
    assert_int_equal(distribution_count_to(&distribution, constant(0) - 1), 0);
    assert_int_equal(distribution_count_to(&distribution, constant(0)), 3);
    distribution_deinit(&distribution);

    fill(&distribution, partly_beyond, 0, 1600); /* 100 at 60 s and more, one at 60 s */
    assert_int_equal(distribution.clamped, 99);
    assert_int_equal(distribution_count_to(&distribution, 59 * SECOND_NS), 1500);
    assert_int_equal(distribution_count_to(&distribution, HISTOGRAM_MAX_NS), 1501);
    assert_int_equal(distribution_count_to(&distribution, distribution.max_ns), 1600);
    assert_int_equal(distribution_count_to(&distribution, UINT64_MAX), 1600);
    distribution_deinit(&distribution);
}

static void test_mean_of_large_sums(void **state)
{
    struct histogram *histogram = new_histogram();
    struct distribution distribution;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        histogram_record(histogram, (UINT64_C(1) << 52) - 1);
    distribution_init(&distribution);
    distribution_add_histogram(&distribution, histogram);
    assert_true(distribution_mean_ns(&distribution) == (double)((UINT64_C(1) << 52) - 1));
    distribution_deinit(&distribution);
    free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles_equal_exact_sorting),
        cmocka_unit_test(test_percentiles_never_decrease),
        cmocka_unit_test(test_rank_is_rounded_up),
        cmocka_unit_test(test_buckets_tile_the_range),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_merge_equals_recording_into_one),
        cmocka_unit_test(test_subtract_equals_recording_the_later_part),
        cmocka_unit_test(test_difference_keeps_within_cumulative_extremes),
        cmocka_unit_test(test_count_to),
        cmocka_unit_test(test_mean_of_large_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
