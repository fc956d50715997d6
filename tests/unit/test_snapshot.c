/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "stats/snapshot.h"

/* Records `count` values of one size into a series. */
static void record(struct snapshot *snapshot, const char *name, enum measure measure,
                   unsigned count)
{
    struct histogram *histogram = mem_zalloc(1, sizeof *histogram);

    for (unsigned i = 0; i < count; i++)
        histogram_record(histogram, 1000);
    distribution_add_histogram(&snapshot_series(snapshot, name, measure)->values, histogram);
    free(histogram);
}

/* The values of a series, which must be there already. */
static uint64_t total(struct snapshot *snapshot, const char *name, enum measure measure)
{
    const unsigned count = snapshot->series_count;
    const uint64_t values = snapshot_series(snapshot, name, measure)->values.total;

    assert_int_equal(snapshot->series_count, count);
    return values;
}

static void test_series_by_name_and_measure(void **state)
{
    struct snapshot snapshot;

    (void)state;
    snapshot_init(&snapshot);
    record(&snapshot, "get", MEASURE_RESPONSE, 3);
    record(&snapshot, "get", MEASURE_SERVICE, 4);
    record(&snapshot, "set", MEASURE_RESPONSE, 5);
    record(&snapshot, "get", MEASURE_RESPONSE, 6);
    assert_int_equal(snapshot.series_count, 3);
    assert_int_equal(total(&snapshot, "get", MEASURE_RESPONSE), 9);
    assert_int_equal(total(&snapshot, "get", MEASURE_SERVICE), 4);
    assert_int_equal(total(&snapshot, "set", MEASURE_RESPONSE), 5);
    assert_string_equal(snapshot.series[0].name, "get");
    assert_string_equal(snapshot.series[2].name, "set");
    snapshot_deinit(&snapshot);
    assert_int_equal(snapshot.series_count, 0);
    snapshot_deinit(&snapshot);
}

static void test_long_names_are_cut(void **state)
{
    struct snapshot snapshot;
    char name[SNAPSHOT_NAME_MAX + 10];

    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    snapshot_init(&snapshot);
    record(&snapshot, name, MEASURE_RESPONSE, 1);
    record(&snapshot, name, MEASURE_RESPONSE, 1);
    name[SNAPSHOT_NAME_MAX] = '\0';
    record(&snapshot, name, MEASURE_RESPONSE, 1);
    assert_string_equal(snapshot.series[0].name, name);
    assert_int_equal(total(&snapshot, name, MEASURE_RESPONSE), 3);
    name[SNAPSHOT_NAME_MAX - 1] = '\0';
    record(&snapshot, name, MEASURE_RESPONSE, 1);
    assert_int_equal(snapshot.series_count, 2);
    snapshot_deinit(&snapshot);
}

static void test_too_many_series_share_the_others(void **state)
{
    struct snapshot snapshot;

    (void)state;
    snapshot_init(&snapshot);
    for (unsigned i = 0; i < 2 * SNAPSHOT_SERIES_MAX; i++) {
        char name[16];

        snprintf(name, sizeof name, "node %u", i / 2);
        snapshot_series(&snapshot, name, i % 2 ? MEASURE_SERVICE : MEASURE_RESPONSE)
            ->values.total++;
    }
    for (int measure = 0; measure < MEASURE_KINDS; measure++)
        snapshot_series(&snapshot, "late", (enum measure)measure)->values.total++;

    uint64_t sum = 0;
    for (unsigned i = 0; i < snapshot.series_count; i++)
        sum += snapshot.series[i].values.total;
    assert_int_equal(sum, 2 * SNAPSHOT_SERIES_MAX + MEASURE_KINDS);
    assert_int_equal(snapshot.series_count, SNAPSHOT_SERIES_MAX);
    assert_int_equal(total(&snapshot, "node 0", MEASURE_RESPONSE), 1);
    assert_int_equal(total(&snapshot, SNAPSHOT_OTHER, MEASURE_SEND_LAG), 1);
    assert_int_equal(total(&snapshot, SNAPSHOT_OTHER, MEASURE_RESPONSE),
                     SNAPSHOT_SERIES_MAX - (SNAPSHOT_SERIES_MAX - MEASURE_KINDS + 1) / 2 + 1);
    snapshot_deinit(&snapshot);
}

/* Two moments of a run: the second holds all of the first. */
static void fill_before(struct snapshot *snapshot)
{
    snapshot_init(snapshot);
    snapshot->time_ns = 1000;
    snapshot->issued = 100;
    snapshot->errors[OUTCOME_TIMEOUT] = 7;
    snapshot->events[EVENT_MOVED] = 2;
    record(snapshot, "set", MEASURE_RESPONSE, 50);
    record(snapshot, "lag", MEASURE_SEND_LAG, 20);
}

static void fill_now(struct snapshot *snapshot)
{
    snapshot_init(snapshot);
    snapshot->time_ns = 3000;
    snapshot->issued = 250;
    snapshot->errors[OUTCOME_TIMEOUT] = 9;
    snapshot->errors[OUTCOME_OTHER] = 1;
    snapshot->events[EVENT_MOVED] = 2;
    snapshot->events[EVENT_MISS] = 4;
    record(snapshot, "get", MEASURE_RESPONSE, 60); /* another order than before */
    record(snapshot, "set", MEASURE_RESPONSE, 80);
    record(snapshot, "set", MEASURE_SERVICE, 80);
    record(snapshot, "lag", MEASURE_SEND_LAG, 20);
}

static void check_difference(struct snapshot *difference)
{
    assert_int_equal(difference->time_ns, 3000);
    assert_int_equal(difference->issued, 150);
    assert_int_equal(difference->errors[OUTCOME_TIMEOUT], 2);
    assert_int_equal(difference->errors[OUTCOME_OTHER], 1);
    assert_int_equal(difference->events[EVENT_MOVED], 0);
    assert_int_equal(difference->events[EVENT_MISS], 4);
    assert_int_equal(difference->series_count, 4);
    assert_int_equal(total(difference, "get", MEASURE_RESPONSE), 60);
    assert_int_equal(total(difference, "set", MEASURE_RESPONSE), 30);
    assert_int_equal(total(difference, "set", MEASURE_SERVICE), 80);
    assert_int_equal(total(difference, "lag", MEASURE_SEND_LAG), 0);
    assert_int_equal(snapshot_ok(difference), 90);
    assert_int_equal(snapshot_failed(difference), 3);
}

static void test_subtract(void **state)
{
    struct snapshot before, now, difference;

    (void)state;
    fill_before(&before);
    fill_now(&now);
    snapshot_init(&difference);
    snapshot_subtract(&difference, &now, &before);
    check_difference(&difference);
    snapshot_subtract(&difference, &now, &before);
    check_difference(&difference);

    /* What it held of other series is gone, and their memory used again. */
    record(&difference, "x", MEASURE_SLOT_WAIT, 8);
    snapshot_subtract(&difference, &before, &before);
    assert_int_equal(difference.series_count, 2);
    assert_string_equal(difference.series[0].name, "set");
    assert_int_equal(difference.series[1].measure, MEASURE_SEND_LAG);
    assert_int_equal(snapshot_ok(&difference), 0);
    snapshot_subtract(&difference, &now, &before);
    check_difference(&difference);
    snapshot_deinit(&before);
    snapshot_deinit(&now);
    snapshot_deinit(&difference);
}

static void test_differences_add_up(void **state)
{
    struct snapshot before, now, sum, difference;

    (void)state;
    fill_before(&before);
    fill_now(&now);
    snapshot_init(&sum);
    snapshot_init(&difference);
    snapshot_subtract(&difference, &now, &before);
    snapshot_add(&sum, &difference);
    snapshot_add(&sum, &before);
    assert_int_equal(sum.time_ns, now.time_ns);
    assert_int_equal(sum.issued, now.issued);
    assert_memory_equal(sum.errors, now.errors, sizeof sum.errors);
    assert_memory_equal(sum.events, now.events, sizeof sum.events);
    assert_int_equal(sum.series_count, now.series_count);
    for (unsigned i = 0; i < now.series_count; i++)
        assert_int_equal(total(&sum, now.series[i].name, now.series[i].measure),
                         now.series[i].values.total);
    snapshot_deinit(&before);
    snapshot_deinit(&now);
    snapshot_deinit(&sum);
    snapshot_deinit(&difference);
}

static void test_accounts(void **state)
{
    struct snapshot now;

    (void)state;
    fill_now(&now);
    assert_int_equal(snapshot_ok(&now), 140);
    assert_int_equal(snapshot_failed(&now), 10);
    assert_int_equal(snapshot_unanswered(&now), 100);
    now.issued = 149; /* copied a moment before the counts that it should cover */
    assert_int_equal(snapshot_unanswered(&now), 0);
    snapshot_deinit(&now);
}

static void test_merge_measure(void **state)
{
    struct snapshot now;
    struct distribution merged;

    (void)state;
    fill_now(&now);
    distribution_init(&merged);
    snapshot_merge_measure(&now, MEASURE_RESPONSE, &merged);
    assert_int_equal(merged.total, snapshot_ok(&now));
    snapshot_merge_measure(&now, MEASURE_SERVICE, &merged);
    assert_int_equal(merged.total, 80);
    snapshot_merge_measure(&now, MEASURE_SLOT_WAIT, &merged);
    assert_int_equal(merged.total, 0);
    distribution_deinit(&merged);
    snapshot_deinit(&now);
}

static void test_clear_keeps_series(void **state)
{
    struct snapshot now;

    (void)state;
    fill_now(&now);
    const struct series *series = now.series;
    const uint64_t *counts = now.series[0].values.counts;
    snapshot_clear(&now);
    assert_ptr_equal(now.series, series);
    assert_ptr_equal(now.series[0].values.counts, counts);
    assert_int_equal(now.series_count, 4);
    assert_int_equal(now.time_ns, 0);
    assert_int_equal(now.issued, 0);
    assert_int_equal(snapshot_ok(&now), 0);
    assert_int_equal(snapshot_failed(&now), 0);
    assert_int_equal(now.events[EVENT_MISS], 0);
    assert_int_equal(total(&now, "lag", MEASURE_SEND_LAG), 0);
    snapshot_deinit(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series_by_name_and_measure),
        cmocka_unit_test(test_long_names_are_cut),
        cmocka_unit_test(test_too_many_series_share_the_others),
        cmocka_unit_test(test_subtract),
        cmocka_unit_test(test_differences_add_up),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_merge_measure),
        cmocka_unit_test(test_clear_keeps_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
