/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "run/pacer.h"

#define NEVER CLOCK_NEVER

static void test_deadlines(void **state)
{
    static const struct {
        int mode;
        uint64_t due, other; /* the time is 1000, the margin 50 */
        uint64_t want;
    } cases[] = {
        {PACE_SLEEP, 2000, 3000, 2000},
        {PACE_SLEEP, 3000, 2000, 2000},
        {PACE_SLEEP, NEVER, 2000, 2000},
        {PACE_SLEEP, 1001, 2000, 1001}, /* however close */
        {PACE_SLEEP, 900, 2000, 900},
        {PACE_HYBRID, 2000, 3000, 1950},
        {PACE_HYBRID, 3000, 2000, 2000},
        {PACE_HYBRID, 2000, 1950, 1950},
        {PACE_HYBRID, 2000, 1949, 1949}, /* no margin before what is no request */
        {PACE_HYBRID, 1051, 3000, 1001},
        {PACE_HYBRID, 1050, 3000, 0},
        {PACE_HYBRID, 1050, 1010, 0}, /* who polls comes by all other deadlines */
        {PACE_HYBRID, 1001, 3000, 0},
        {PACE_HYBRID, 1000, 3000, 0},
        {PACE_HYBRID, 900, 3000, 0},
        {PACE_HYBRID, 10, 3000, 0},       /* before the clock began */
        {PACE_HYBRID, NEVER, 2000, 2000}, /* a closed loop, or all slots taken */
        {PACE_HYBRID, NEVER, 1001, 1001},
        {PACE_HYBRID, NEVER, 900, 900},
        {PACE_HYBRID, NEVER, NEVER, NEVER - 50},
        {PACE_SPIN, 2000, 3000, 0},
        {PACE_SPIN, NEVER, 2000, 0},
        {PACE_SPIN, NEVER, NEVER, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pacer pacer = {.mode = cases[i].mode, .margin_ns = 50};
        const uint64_t deadline = pacer_deadline_ns(&pacer, 1000, cases[i].due, cases[i].other);

        assert_int_equal(deadline, cases[i].want);
    }
}

/* Lags from 1 to `count` times `step_ns`, in no order. */
static uint64_t margin_of(unsigned count, uint64_t step_ns)
{
    uint64_t lags[PACER_SAMPLES];

    for (unsigned i = 0; i < count; i++)
        lags[i * 7 % count] = (i + 1) * step_ns;
    return pacer_margin_ns(lags, count);
}

static void test_margins(void **state)
{
    (void)state;
    assert_int_equal(margin_of(200, 500), 198 * 500);
    assert_int_equal(margin_of(100, 500), 99 * 500);
    assert_int_equal(margin_of(10, 5000), 10 * 5000);
    assert_int_equal(margin_of(1, 12345), 12345);
    assert_int_equal(margin_of(200, 1), PACER_MARGIN_MIN_NS);
    assert_int_equal(margin_of(200, 1000000), PACER_MARGIN_MAX_NS);
    assert_int_equal(margin_of(0, 1), PACER_MARGIN_MAX_NS);
}

/* An engine whose waits end late by as much as they are told, on a clock of its own. The time that
 * its turns return is the deadline: an engine may have looked no later. */
struct late_loop {
    struct loop loop;
    uint64_t lag_ns;
    unsigned early; /* so many turns end at once, as those of a loop that is woken */
    unsigned turns;
};

static uint64_t late_turn(struct loop *head, uint64_t deadline_ns)
{
    struct late_loop *loop = (struct late_loop *)head;

    if (++loop->turns <= loop->early)
        return deadline_ns - 1;
    head->awake_ns = deadline_ns + loop->lag_ns;
    return deadline_ns;
}

static const struct loop_ops late_ops = {.name = "late", .turn = late_turn};

static void test_calibration(void **state)
{
    static const struct {
        uint64_t lag_ns;
        unsigned early;
        unsigned turns_min, turns_max;
        uint64_t margin_ns;
    } cases[] = {
        {63000, 0, PACER_SAMPLES, PACER_SAMPLES, 63000},
        {63000, 5, PACER_SAMPLES + 5, PACER_SAMPLES + 5, 63000}, /* those say nothing */
        {10, 0, PACER_SAMPLES, PACER_SAMPLES, PACER_MARGIN_MIN_NS},
        {800000, 0, 99, 100, 800000}, /* 1 ms each: the time is up */
        {90000000, 0, 2, 2, PACER_MARGIN_MAX_NS},
        {0, 1000000, 499, 501, PACER_MARGIN_MAX_NS}, /* never let sleep */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct late_loop loop = {{.ops = &late_ops}, cases[i].lag_ns, cases[i].early, 0};
        struct pacer pacer = {.mode = PACE_HYBRID};

        pacer_calibrate(&pacer, &loop.loop);
        assert_in_range(loop.turns, cases[i].turns_min, cases[i].turns_max);
        assert_int_equal(pacer.margin_ns, cases[i].margin_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_calibration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
