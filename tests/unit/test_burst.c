/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"
#include "stats/burst.h"

#define START UINT64_C(123456789)
#define MS    ((uint64_t)CLOCK_NS_PER_MS)

static void assert_counts(const struct burst *burst, uint64_t bins, uint64_t sum, uint64_t squares)
{
    assert_int_equal(burst->counts.bins, bins);
    assert_int_equal(burst->counts.sum, sum);
    assert_int_equal(burst->counts.squares, squares);
}

static double ratio(const struct burst_counts *counts)
{
    struct burst_spread spread = {0};

    burst_merge(&spread, counts);
    return burst_ratio(&spread);
}

static void assert_near(double value, double want, double margin)
{
    assert_true(value >= want - margin && value <= want + margin);
}

static void test_bins(void **state)
{
    static const struct {
        uint64_t at_ns[6]; /* from the start on, ended by UINT64_MAX */
        uint64_t end_ns;
        uint64_t bins, sum, squares;
    } cases[] = {
        {{UINT64_MAX}, 0, 0, 0, 0},
        {{UINT64_MAX}, MS - 1, 0, 0, 0}, /* part of a millisecond, with nothing in it */
        {{UINT64_MAX}, MS, 1, 0, 0},
        {{UINT64_MAX}, 1000 * MS, 1000, 0, 0},
        {{0, UINT64_MAX}, 0, 1, 1, 1},
        {{0, MS - 1, UINT64_MAX}, MS, 1, 2, 4},
        {{0, MS, UINT64_MAX}, 2 * MS, 2, 2, 2}, /* the end of one is the begin of the next */
        {{0, 2 * MS - 1, UINT64_MAX}, 2 * MS, 2, 2, 2},
        {{0, 2 * MS, UINT64_MAX}, 3 * MS, 3, 2, 2},
        {{0, 1, 2, 5 * MS, UINT64_MAX}, 10 * MS, 10, 4, 10},
        {{0, 1, 2, 5 * MS, UINT64_MAX}, 5 * MS, 6, 4, 10}, /* the last one is open, and not empty */
        {{7 * MS, 7 * MS, UINT64_MAX}, 7 * MS + 1, 8, 2, 4},
        {{3 * MS, 2 * MS, UINT64_MAX}, 4 * MS, 4, 2, 4}, /* a time that goes back */
        {{2 * MS, UINT64_MAX}, MS, 3, 1, 1},             /* an end that has gone by */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct burst burst;

        burst_start(&burst, START);
        for (const uint64_t *at = cases[i].at_ns; *at != UINT64_MAX; at++) {
            const struct burst_counts before = burst.counts;
            const bool told = burst_add(&burst, START + *at);
            assert_int_equal(told, before.bins != burst.counts.bins);
        }
        burst_end(&burst, START + cases[i].end_ns);
        assert_counts(&burst, cases[i].bins, cases[i].sum, cases[i].squares);
    }
}

/* A gap of a century is closed at once. */
static void test_a_long_gap(void **state)
{
    const uint64_t gap_ms = UINT64_C(3200000000000);
    struct burst burst;

    (void)state;
    burst_start(&burst, START);
    burst_add(&burst, START);
    burst_add(&burst, START + gap_ms * MS);
    burst_end(&burst, START + (gap_ms + 1) * MS);
    assert_counts(&burst, gap_ms + 1, 2, 2);
}

static void test_ratios(void **state)
{
    static const struct {
        struct burst_counts counts;
        double want;
    } cases[] = {
        {{0, 0, 0}, 0},
        {{10, 0, 0}, 0},
        {{10, 100, 1000}, 0},                                           /* ten in each */
        {{2, 10, 100}, 5},                                              /* all ten in one of two */
        {{1000, 10000, 10 * 1000 * 1000}, 990},                         /* a thousand each 100 ms */
        {{1000, 1, 1}, 0.999},                                          /* one of a thousand */
        {{2, 3, 5}, 0.25 / 1.5},                                        /* one, two */
        {{UINT64_C(1) << 40, UINT64_C(1) << 50, UINT64_C(1) << 60}, 0}, /* beyond 64 bits */
        {{10, 100, 999}, 0}, /* torn: no number of requests has fewer squares */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_near(ratio(&cases[i].counts), cases[i].want, 1e-9);
}

static void test_schedules_are_even(void **state)
{
    struct burst burst;

    (void)state;
    burst_start(&burst, START);
    for (uint64_t k = 0; k < 100000; k++)
        burst_add(&burst, START + k * MS / 10 + 40000);
    burst_end(&burst, START + 10000 * MS);
    assert_counts(&burst, 10000, 100000, 1000000);
    assert_near(ratio(&burst.counts), 0, 0);
}

/* Uniform times are a Poisson process: the ratio of many milliseconds is close to 1. */
static void test_chance_is_one(void **state)
{
    enum { BINS = 20000, EACH = 5 };
    struct burst burst;

    (void)state;
    burst_start(&burst, START);
    for (uint64_t bin = 0; bin < BINS; bin++) {
        /* The number of 100 draws, each with a chance of 1 in 20, is binomial: 0.95 of Poisson. */
        for (uint64_t draw = 0; draw < 100; draw++)
            if (rng_mix(bin * 100 + draw) % 20 == 0)
                burst_add(&burst, START + bin * MS + draw);
    }
    burst_end(&burst, START + BINS * MS);
    assert_int_equal(burst.counts.bins, BINS);
    assert_near((double)burst.counts.sum / BINS, EACH, 0.1);
    assert_near(ratio(&burst.counts), 0.95, 0.05);
}

/* Two workers of which one is even: variances add, and so do means. */
static void test_merge(void **state)
{
    const struct burst_counts even = {10, 100, 1000}, bursts = {10, 100, 10000};
    struct burst_spread spread = {0};

    (void)state;
    assert_near(burst_ratio(&spread), 0, 0);
    burst_merge(&spread, &even);
    burst_merge(&spread, &bursts);
    assert_near(spread.mean, 20, 1e-9);
    assert_near(spread.variance, 900, 1e-9);
    assert_near(burst_ratio(&spread), 45, 1e-9);
    burst_merge(&spread, &(struct burst_counts){0});
    assert_near(burst_ratio(&spread), 45, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),          cmocka_unit_test(test_a_long_gap),
        cmocka_unit_test(test_ratios),        cmocka_unit_test(test_schedules_are_even),
        cmocka_unit_test(test_chance_is_one), cmocka_unit_test(test_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
