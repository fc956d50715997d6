/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/str.h"
#include "load/schedule.h"

#define MICRO  UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define NEVER  UINT64_MAX

static struct schedule make(struct rate_config config)
{
    struct schedule schedule;
    struct err err;

    assert_int_equal(schedule_init(&schedule, &config, &err), 0);
    return schedule;
}

static struct schedule constant(uint64_t qps_micro)
{
    return make((struct rate_config){.qps_micro = qps_micro});
}

/* Rates in whole requests a second. */
static struct schedule linear(uint64_t start, uint64_t end, uint64_t change, uint64_t interval_s)
{
    return make((struct rate_config){.start_micro = start * MICRO,
                                     .end_micro = end * MICRO,
                                     .change_micro = change * MICRO,
                                     .interval_ns = interval_s * SECOND});
}

static struct schedule exponential(uint64_t start, uint64_t end, uint64_t factor_micro,
                                   uint64_t interval_s)
{
    return make((struct rate_config){.start_micro = start * MICRO,
                                     .end_micro = end * MICRO,
                                     .factor_micro = factor_micro,
                                     .interval_ns = interval_s * SECOND,
                                     .mode = RAMP_EXPONENTIAL});
}

/* By a cursor of its own, which jumps from the start to k. */
static uint64_t due(const struct schedule *schedule, uint64_t k)
{
    struct schedule_cursor cursor;

    schedule_cursor_init(&cursor, schedule);
    return schedule_due_ns(schedule, &cursor, k);
}

enum { SHAPES = 9 };

static void make_shapes(struct schedule shapes[SHAPES])
{
    shapes[0] = constant(7 * MICRO);
    shapes[1] = constant(333333);
    shapes[2] = constant(999999999999);
    shapes[3] = linear(100, 300, 100, 10);
    shapes[4] = linear(3, 5000, 7, 1);
    shapes[5] = linear(5000, 3, 11, 1);
    shapes[6] = exponential(100, 1000, 2 * MICRO, 5);
    shapes[7] = exponential(1000, 1, 1100001, 1);
    shapes[8] = linear(40, 40, 1, 1);
}

static void test_constant(void **state)
{
    static const struct {
        uint64_t qps_micro, k, due_ns;
    } cases[] = {
        {7 * MICRO, 0, 0},
        {7 * MICRO, 1, 142857142},
        {7 * MICRO, 6, 857142857},
        {7 * MICRO, 7, SECOND},
        {7 * MICRO, UINT64_C(10000000000), UINT64_C(1428571428571428571)},
        {7 * MICRO, UINT64_C(1000000000000), NEVER},
        {333333, 1, UINT64_C(3000003000)},
        {333333, 2, UINT64_C(6000006000)},
        {333333, 333333, UINT64_C(1000000000000000)},
        {333333, UINT64_C(1000000000), UINT64_C(3000003000003000003)},
        {3 * MICRO, 1, 333333333},
        {3 * MICRO, 2, 666666666},
        {3 * MICRO, 3, SECOND},
        {3 * MICRO, UINT64_C(10000000000), UINT64_C(3333333333333333333)},
        {MICRO * MICRO, 1, 1000},
        {MICRO * MICRO, UINT64_C(1000000000000), UINT64_C(1000000000000000)},
        {UINT64_C(999999999999), 1, 1000},
        {UINT64_C(999999999999), UINT64_C(999999999), UINT64_C(999999999000)},
        {UINT64_C(999999999999), UINT64_C(1000000000), UINT64_C(1000000000001)},
        {UINT64_C(999999999999), UINT64_C(999999999999), UINT64_C(1000000000000000)},
        {UINT64_C(999999999999), UINT64_C(1000000000000), UINT64_C(1000000000001000)},
        {1, 1, UINT64_C(1000000000000000)},
        {1, 18446, UINT64_C(18446000000000000000)},
        {1, 18447, NEVER},
        {1, UINT64_MAX, NEVER},
        {UINT64_MAX, UINT64_MAX, UINT64_C(1000000000000000)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct schedule schedule = constant(cases[i].qps_micro);

        assert_int_equal(due(&schedule, cases[i].k), cases[i].due_ns);
    }
}

static void test_no_drift(void **state)
{
    const struct schedule schedule = constant(3 * MICRO);
    struct schedule_cursor cursor;

    (void)state;
    schedule_cursor_init(&cursor, &schedule);
    for (uint64_t k = 0; k < 300000; k++)
        assert_int_equal(schedule_due_ns(&schedule, &cursor, k),
                         k / 3 * SECOND + k % 3 * 333333333);
}

static void test_steps(void **state)
{
    const struct schedule up = linear(100, 300, 100, 10);
    const struct schedule up_cut = linear(100, 250, 100, 10);
    const struct schedule down = linear(300, 100, 100, 10);
    const struct schedule down_cut = linear(300, 150, 100, 10);
    const struct schedule doubled = exponential(100, 1000, 2 * MICRO, 5);
    const struct schedule thirds = exponential(1000, 100, 3 * MICRO, 5);
    const struct {
        const struct schedule *schedule;
        uint64_t k, due_ns;
    } cases[] = {
        {&up, 0, 0},
        {&up, 1, 10000000},
        {&up, 999, 9990000000},
        {&up, 1000, 10000000000},
        {&up, 1001, 10005000000},
        {&up, 2999, 19995000000},
        {&up, 3000, 20000000000},
        {&up, 3001, 20003333333},
        {&up, 6000, 30000000000},
        {&up, 6001, 30003333333},
        {&up_cut, 3000, 20000000000},
        {&up_cut, 3001, 20004000000},
        {&up_cut, 3250, 21000000000},
        {&down, 1, 3333333},
        {&down, 2999, 9996666666},
        {&down, 3000, 10000000000},
        {&down, 3001, 10005000000},
        {&down, 4999, 19995000000},
        {&down, 5000, 20000000000},
        {&down, 5001, 20010000000},
        {&down, 5100, 21000000000},
        {&down_cut, 5000, 20000000000},
        {&down_cut, 5001, 20006666666},
        {&down_cut, 5150, 21000000000},
        {&doubled, 500, 5000000000},
        {&doubled, 501, 5005000000},
        {&doubled, 1500, 10000000000},
        {&doubled, 1501, 10002500000},
        {&doubled, 3500, 15000000000},
        {&doubled, 3501, 15001250000},
        {&doubled, 7500, 20000000000},
        {&doubled, 7501, 20001000000},
        {&doubled, 8500, 21000000000},
        /* Here the rates are 1000, 333.333333, 111.111111 and 100. */
        {&thirds, 1, 1000000},
        {&thirds, 5000, 5000000000},
        {&thirds, 5001, 5003000000},
        {&thirds, 6666, 9998000004},
        {&thirds, 6667, 10003000015},
        {&thirds, 7222, 14998000019},
        {&thirds, 7223, 15007777800},
        {&thirds, 7322, 15997777800},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(due(cases[i].schedule, cases[i].k), cases[i].due_ns);
}

static void test_rates(void **state)
{
    const struct schedule up = linear(100, 250, 100, 10);
    const struct schedule down = linear(300, 150, 100, 10);
    const struct schedule doubled = exponential(100, 1000, 2 * MICRO, 5);
    const struct schedule thirds = exponential(1000, 100, 3 * MICRO, 5);
    const struct schedule halves = exponential(10, 1000, 1500000, 1);
    const struct schedule back = exponential(1000, 100, 1500000, 1);
    const struct {
        const struct schedule *schedule;
        uint64_t rates[5];
    } cases[] = {
        {&up, {100000000, 200000000, 250000000, 250000000, 250000000}},
        {&down, {300000000, 200000000, 150000000, 150000000, 150000000}},
        {&doubled, {100000000, 200000000, 400000000, 800000000, 1000000000}},
        {&thirds, {1000000000, 333333333, 111111111, 100000000, 100000000}},
        {&halves, {10000000, 15000000, 22500000, 33750000, 50625000}},
        {&back, {1000000000, 666666667, 444444444, 296296296, 197530864}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const uint64_t *rates = cases[i].rates;

        for (uint64_t step = 0; step < COUNT(cases[i].rates); step++)
            assert_int_equal(schedule_rate_micro(cases[i].schedule, step), rates[step]);
    }
    assert_int_equal(schedule_rate_micro(&up, UINT64_MAX), 250000000);
    assert_int_equal(schedule_rate_micro(&down, UINT64_MAX), 150000000);
    assert_int_equal(schedule_rate_micro(&doubled, UINT64_MAX), 1000000000);
    assert_int_equal(schedule_rate_micro(&thirds, UINT64_MAX), 100000000);
}

static void test_walking_equals_jumping(void **state)
{
    struct schedule shapes[SHAPES];

    (void)state;
    make_shapes(shapes);
    for (size_t i = 0; i < SHAPES; i++) {
        struct schedule_cursor cursor;

        schedule_cursor_init(&cursor, &shapes[i]);
        for (uint64_t draw = 0, k = 0; draw < 2000; draw++) {
            assert_int_equal(schedule_due_ns(&shapes[i], &cursor, k), due(&shapes[i], k));
            k += rng_below(rng_draw(i, RNG_KEY, draw), 3000);
        }
    }
}

static void test_union_of_workers(void **state)
{
    enum { REQUESTS = 20000 };
    struct schedule shapes[SHAPES];
    static uint64_t seen[REQUESTS];

    (void)state;
    make_shapes(shapes);
    for (size_t i = 0; i < SHAPES; i++)
        for (uint64_t workers = 1; workers <= 7; workers++) {
            memset(seen, 0, sizeof seen);
            for (uint64_t worker = 0; worker < workers; worker++) {
                struct schedule_cursor cursor;

                schedule_cursor_init(&cursor, &shapes[i]);
                for (uint64_t k = worker; k < REQUESTS; k += workers)
                    seen[k] = schedule_due_ns(&shapes[i], &cursor, k) + 1;
            }
            struct schedule_cursor whole;
            schedule_cursor_init(&whole, &shapes[i]);
            for (uint64_t k = 0; k < REQUESTS; k++)
                assert_int_equal(seen[k], schedule_due_ns(&shapes[i], &whole, k) + 1);
        }
}

static void test_count_agrees_with_due(void **state)
{
    struct schedule shapes[SHAPES];

    (void)state;
    make_shapes(shapes);
    for (size_t i = 0; i < SHAPES; i++)
        for (uint64_t draw = 0; draw < 3000; draw++) {
            const uint64_t range = draw % 2 ? UINT64_C(2000000) : 2000;
            const uint64_t k = rng_below(rng_draw(i, RNG_START, draw), range);
            const uint64_t due_ns = due(&shapes[i], k);

            assert_true(schedule_count(&shapes[i], due_ns) <= k);
            assert_true(schedule_count(&shapes[i], due_ns + 1) >= k + 1);
        }
}

static void test_count(void **state)
{
    const struct schedule seven = constant(7 * MICRO);
    const struct schedule million = constant(MICRO * MICRO);
    const struct schedule fastest = constant(UINT64_MAX);
    const struct schedule up = linear(100, 250, 100, 10);
    const struct schedule doubled = exponential(100, 1000, 2 * MICRO, 5);
    const struct {
        const struct schedule *schedule;
        uint64_t time_ns, count;
    } cases[] = {
        {&seven, 0, 0},
        {&seven, 1, 1},
        {&seven, 142857142, 1}, /* request 1 is due at this very nanosecond, not before it */
        {&seven, 142857143, 2},
        {&seven, SECOND, 7},
        {&seven, SECOND + 1, 8},
        {&million, UINT64_C(1000000000000000), UINT64_C(1000000000000)},
        {&fastest, UINT64_MAX, UINT64_MAX},
        {&up, 10000000000, 1000},
        {&up, 10000000001, 1001},
        {&up, 20000000000, 3000},
        {&up, 21000000000, 3250},
        {&up, UINT64_C(1000020000000000), UINT64_C(250003000)},
        {&doubled, 20000000000, 7500},
        {&doubled, 21000000001, 8501},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(schedule_count(cases[i].schedule, cases[i].time_ns), cases[i].count);
}

static void test_many_tiny_steps(void **state)
{
    const uint64_t high = UINT64_C(1000000001);
    const struct schedule up = make((struct rate_config){
        .start_micro = 1, .end_micro = high, .change_micro = 1, .interval_ns = 1});
    const struct schedule down = make((struct rate_config){
        .start_micro = high, .end_micro = 1, .change_micro = 1, .interval_ns = 1});

    (void)state;
    /* 1 + 2 + ... + 10^9 = 500000000500000000, in 1e-15 of a request */
    assert_int_equal(schedule_count(&up, SECOND), 501);
    assert_int_equal(schedule_count(&up, 2 * SECOND), 1501);
    assert_int_equal(due(&up, 1), 44721359);
    /* 1000000001 + ... + 2 = 500000001500000000 */
    assert_int_equal(schedule_count(&down, SECOND), 501);
    assert_int_equal(schedule_count(&down, UINT64_MAX), 501 + 18446);
}

static void test_ends_of_time(void **state)
{
    const struct schedule whole = make((struct rate_config){
        .start_micro = 1, .end_micro = 3, .change_micro = 1, .interval_ns = UINT64_MAX});
    const struct schedule halves = make((struct rate_config){
        .start_micro = 1, .end_micro = 3, .change_micro = 1, .interval_ns = UINT64_MAX / 2 + 2});

    (void)state;
    assert_int_equal(due(&whole, 18446), UINT64_C(18446000000000000000));
    assert_int_equal(due(&whole, 18447), NEVER);
    assert_int_equal(due(&whole, UINT64_MAX), NEVER);
    assert_int_equal(schedule_count(&whole, UINT64_MAX), 18447);

    assert_int_equal(due(&halves, 9223), UINT64_C(9223000000000000000));
    assert_int_equal(due(&halves, 9224), UINT64_C(9223686018427387904));
    assert_int_equal(schedule_count(&halves, UINT64_MAX), 27671);
    assert_int_equal(due(&halves, 27671), NEVER);
    assert_int_equal(due(&halves, UINT64_MAX), NEVER);
}

static void test_share(void **state)
{
    (void)state;
    for (uint64_t stride = 1; stride <= 5; stride++)
        for (uint64_t first = 0; first < stride; first++)
            for (uint64_t count = 0, share = 0; count < 40; count++) {
                assert_int_equal(schedule_share(count, first, stride), share);
                share += count % stride == first;
            }
    assert_int_equal(schedule_share(UINT64_MAX, 0, 1), UINT64_MAX);
    assert_int_equal(schedule_share(UINT64_MAX, 0, UINT64_MAX), 1);
}

static void test_wanted(void **state)
{
    const struct rate_config given[] = {
        {.qps_micro = 1},   {.start_micro = 1},  {.end_micro = 1},           {.change_micro = 1},
        {.interval_ns = 1}, {.factor_micro = 1}, {.mode = RAMP_EXPONENTIAL},
    };

    (void)state;
    assert_false(schedule_wanted(&(struct rate_config){0}));
    for (size_t i = 0; i < COUNT(given); i++)
        assert_true(schedule_wanted(&given[i]));
}

static void test_refusals(void **state)
{
    static const struct {
        struct rate_config config;
        const char *sentence;
    } cases[] = {
        {{.qps_micro = 1, .start_micro = 1},
         "--qps is a constant rate and excludes --start-qps, which is part of a ramp."},
        {{.qps_micro = 1, .mode = RAMP_EXPONENTIAL},
         "--qps is a constant rate and excludes --qps-ramp-mode, which is part of a ramp."},
        {{.start_micro = 1},
         "The ramp of --start-qps needs --end-qps, --qps-change-interval and --qps-change too."},
        {{.start_micro = 1, .change_micro = 1},
         "The ramp of --start-qps needs --end-qps and --qps-change-interval too."},
        {{.end_micro = 1, .interval_ns = 1, .change_micro = 1},
         "The ramp of --end-qps needs --start-qps too."},
        {{.interval_ns = 1},
         "The ramp of --qps-change-interval needs --start-qps, --end-qps and --qps-change too."},
        {{.change_micro = 1},
         "The ramp of --qps-change needs --start-qps, --end-qps and --qps-change-interval too."},
        {{.start_micro = 1, .end_micro = 2, .interval_ns = 1},
         "The ramp of --start-qps needs --qps-change too."},
        {{.start_micro = 1, .end_micro = 2, .interval_ns = 1, .factor_micro = 2000000},
         "The ramp of --start-qps needs --qps-change too; --qps-ramp-factor is for "
         "--qps-ramp-mode exponential."},
        {{.mode = RAMP_EXPONENTIAL},
         "The ramp of --qps-ramp-mode needs --start-qps, --end-qps, --qps-change-interval and "
         "--qps-ramp-factor too."},
        {{.start_micro = 1, .end_micro = 2, .interval_ns = 1, .mode = RAMP_EXPONENTIAL},
         "The ramp of --start-qps needs --qps-ramp-factor too."},
        {{.start_micro = 1,
          .end_micro = 2,
          .interval_ns = 1,
          .change_micro = 1,
          .mode = RAMP_EXPONENTIAL},
         "The ramp of --start-qps needs --qps-ramp-factor too; --qps-change is for "
         "--qps-ramp-mode linear."},
        {{.start_micro = 1,
          .end_micro = 2,
          .interval_ns = 1,
          .factor_micro = 1000000,
          .mode = RAMP_EXPONENTIAL},
         "--qps-ramp-factor must be above 1, not 1."},
        {{.start_micro = 2,
          .end_micro = 1,
          .interval_ns = 1,
          .factor_micro = 500000,
          .mode = RAMP_EXPONENTIAL},
         "--qps-ramp-factor must be above 1, not 0.5."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schedule schedule;
        struct err err = {""};

        assert_true(schedule_init(&schedule, &cases[i].config, &err) < 0);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void read_option(const char *name, const char *text, struct rate_config *config)
{
    struct err err;

    for (const struct option_spec *spec = rate_options; spec->name; spec++)
        if (strcmp(spec->name, name) == 0) {
            assert_int_equal(spec->read(spec, (char *)config + spec->offset, text, &err), 0);
            return;
        }
    fail_msg("there is no option %s", name);
}

static void test_options(void **state)
{
    struct rate_config config = {0};

    (void)state;
    read_option("qps", "1.5k", &config);
    read_option("start-qps", "0.5", &config);
    read_option("end-qps", "20", &config);
    read_option("qps-change", "3", &config);
    read_option("qps-change-interval", "250ms", &config);
    read_option("qps-ramp-factor", "1.25", &config);
    read_option("qps-ramp-mode", "Exponential", &config);
    assert_int_equal(config.qps_micro, 1500000000);
    assert_int_equal(config.start_micro, 500000);
    assert_int_equal(config.end_micro, 20000000);
    assert_int_equal(config.change_micro, 3000000);
    assert_int_equal(config.interval_ns, 250000000);
    assert_int_equal(config.factor_micro, 1250000);
    assert_int_equal(config.mode, RAMP_EXPONENTIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_walking_equals_jumping),
        cmocka_unit_test(test_union_of_workers),
        cmocka_unit_test(test_count_agrees_with_due),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_many_tiny_steps),
        cmocka_unit_test(test_ends_of_time),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
