/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reader of a histogram sees while its writer is at work. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "stats/histogram.h"

#define SECOND_NS UINT64_C(1000000000)

static struct histogram *new_histogram(void)
{
    return mem_zalloc(1, sizeof(struct histogram));
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

/* A copy between two stores of the writer claims extremes and sums that the counts refute. */
static void test_copies_of_a_half_made_record_agree(void **state)
{
    static const struct {
        uint64_t sum_ns, min_ns, max_ns;
    } claims[] = {
        {0, UINT64_MAX, 0},          {UINT64_MAX, 0, UINT64_MAX},       {0, 0, 0},
        {10 * SECOND_NS, 500, 1000}, {1, 9 * SECOND_NS, 9 * SECOND_NS},
    };
    static const uint64_t values[] = {0, 1000000, HISTOGRAM_MAX_NS};

    (void)state;
    for (size_t i = 0; i < COUNT(claims) * COUNT(values) * 2; i++) {
        struct histogram *histogram = new_histogram();
        struct distribution distribution;

        histogram_record(histogram, values[i % COUNT(values)]);
        histogram_record(histogram, i % 2 ? 4000000 : values[i % COUNT(values)]);
        histogram->sum_ns = claims[i / COUNT(values) / 2].sum_ns;
        histogram->min_ns = ~claims[i / COUNT(values) / 2].min_ns;
        histogram->max_ns = claims[i / COUNT(values) / 2].max_ns;
        histogram->clamped = 3;
        distribution_init(&distribution);
        distribution_add_histogram(&distribution, histogram);
        assert_true(distribution.min_ns <= distribution.max_ns);
        assert_true(distribution.clamped <=
                    distribution.counts[histogram_bucket(HISTOGRAM_MAX_NS)]);
        check_order(&distribution);
        distribution_deinit(&distribution);
        free(histogram);
    }
}

static size_t count_resident(void *mapping, size_t size)
{
    unsigned char pages[256];
    const size_t count = (size + (size_t)getpagesize() - 1) / (size_t)getpagesize();
    size_t resident = 0;

    assert_true(count <= sizeof pages);
    assert_int_equal(mincore(mapping, size, pages), 0);
    for (size_t i = 0; i < count; i++)
        resident += pages[i] & 1;
    return resident;
}

static void test_a_copy_allocates_no_shared_pages(void **state)
{
    struct histogram *histogram = mmap(NULL, sizeof *histogram, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct distribution distribution;

    (void)state;
    assert_true(histogram != MAP_FAILED);
    histogram_record(histogram, 1000000);
    histogram_record(histogram, 1000100);
    const size_t before = count_resident(histogram, sizeof *histogram);
    distribution_init(&distribution);
    distribution_add_histogram(&distribution, histogram);
    assert_int_equal(distribution.total, 2);
    assert_int_equal(count_resident(histogram, sizeof *histogram), before);
    distribution_deinit(&distribution);
    munmap(histogram, sizeof *histogram);
}

enum { RACE_VALUES = 400000, RACE_PARTS = 8 };

struct race {
    struct histogram *histogram;
    _Atomic unsigned copies; /* made by the reader so far */
    _Atomic bool finished;
};

/* Spreads out in both directions, so that range and extremes change all the time. */
static uint64_t spreading(uint64_t i)
{
    const uint64_t far = i * i / 4;

    return i % 2 ? 1000000 + far : 1000000 - (i < 1000000 ? i : 1000000);
}

static void *write_values(void *argument)
{
    struct race *race = argument;

    for (unsigned i = 0; i < RACE_VALUES; i++) {
        /* Neither thread is done before the other has begun: copies fall in between. */
        while (i % (RACE_VALUES / RACE_PARTS) == 0 && race->copies < i / (RACE_VALUES / RACE_PARTS))
            sched_yield();
        histogram_record(race->histogram, spreading(i));
    }
    race->finished = true;
    return NULL;
}

/* One copy; what it holds beyond the last one; and the copy becomes the last one. */
static void copy_once(struct race *race, struct distribution *last)
{
    struct distribution now, difference;

    distribution_init(&now);
    distribution_init(&difference);
    distribution_add_histogram(&now, race->histogram);
    race->copies++;
    distribution_subtract(&difference, &now, last);
    assert_true(now.total >= last->total);
    assert_int_equal(difference.total, now.total - last->total);
    check_order(&now);
    check_order(&difference);
    distribution_clear(last);
    distribution_add(last, &now);
    distribution_deinit(&now);
    distribution_deinit(&difference);
}

static void fill_exact(struct distribution *distribution)
{
    struct histogram *histogram = new_histogram();

    for (unsigned i = 0; i < RACE_VALUES; i++)
        histogram_record(histogram, spreading(i));
    distribution_init(distribution);
    distribution_add_histogram(distribution, histogram);
    free(histogram);
}

static void test_reader_beside_writer(void **state)
{
    struct race race = {.histogram = new_histogram()};
    struct distribution last, exact;
    pthread_t writer;

    (void)state;
    distribution_init(&last);
    assert_int_equal(pthread_create(&writer, NULL, write_values, &race), 0);
    while (!race.finished)
        copy_once(&race, &last);
    pthread_join(writer, NULL);
    copy_once(&race, &last);

    fill_exact(&exact);
    assert_int_equal(last.total, RACE_VALUES);
    assert_int_equal(last.sum_ns, exact.sum_ns);
    assert_int_equal(last.clamped, exact.clamped);
    assert_memory_equal(last.counts, exact.counts, HISTOGRAM_BUCKETS * sizeof *last.counts);
    assert_int_equal(last.min_ns, exact.min_ns);
    assert_int_equal(last.max_ns, exact.max_ns);
    distribution_deinit(&last);
    distribution_deinit(&exact);
    free(race.histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_of_a_half_made_record_agree),
        cmocka_unit_test(test_a_copy_allocates_no_shared_pages),
        cmocka_unit_test(test_reader_beside_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
