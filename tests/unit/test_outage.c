/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "stats/outage.h"

#define START_NS UINT64_C(7000000000)
#define MS       UINT64_C(1000000)

enum { STEPS = 8, CLIENTS = 10 };

/* Looks that see the same: what each of them has that the one before had not. */
struct step {
    unsigned looks;
    unsigned ok;
    unsigned failed;
    enum outcome kind;
    unsigned events;
    enum event event;
    bool idle;       /* nothing is outstanding */
    unsigned gap_ms; /* between the looks; 0: 100 */
};

struct want {
    unsigned from_ms, to_ms, silent_ms;
    unsigned failed, retried;
};

struct run {
    struct outages outages;
    struct outage_look look;
};

static void begin(struct run *run, uint64_t usual_ms)
{
    memset(run, 0, sizeof *run);
    outage_start(&run->outages, START_NS);
    run->look =
        (struct outage_look){.time_ns = START_NS, .usual_ns = usual_ms * MS, .clients = CLIENTS};
}

static void go(struct run *run, const struct step *step)
{
    struct outage_look *look = &run->look;

    for (unsigned i = 0; i < step->looks; i++) {
        look->time_ns += (step->gap_ms ? step->gap_ms : 100) * MS;
        look->ok += step->ok;
        if (step->ok)
            look->last_ok_ns = look->time_ns;
        look->errors[step->kind] += step->failed;
        look->events[step->event] += step->events;
        look->outstanding = !step->idle;
        outage_look(&run->outages, look);
    }
}

static void assert_window(const struct outage *outage, const struct want *want)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        failed += (unsigned)outage->failed[i];
    assert_int_equal(outage->from_ns, want->from_ms * MS);
    assert_int_equal(outage->to_ns, want->to_ms * MS);
    assert_int_equal(outage->silent_ns, want->silent_ms * MS);
    assert_int_equal(failed, want->failed);
    assert_int_equal(outage->retried, want->retried);
}

static const struct {
    const char *name;
    struct step steps[STEPS];
    unsigned usual_ms;
    unsigned count;
    struct want want[2];
} cases[] = {
    {"all is well", {{.looks = 50, .ok = 100}}, 1, 0, {{0}}},
    {"one in a hundred fails, as a node that is gone would make it fail",
     {{.looks = 600, .ok = 990, .failed = 10, .kind = OUTCOME_TIMEOUT}},
     1,
     0,
     {{0}}},
    {"so, and its connection is closed",
     {{.looks = 600, .ok = 990, .failed = 10, .kind = OUTCOME_TIMEOUT, .events = 10}},
     1,
     0,
     {{0}}},
    {"one in a hundred is refused",
     {{.looks = 600, .ok = 99, .failed = 1, .kind = OUTCOME_OOM}},
     1,
     0,
     {{0}}},
    {"half of all is refused by a server that is there",
     {{.looks = 600, .ok = 50, .failed = 50, .kind = OUTCOME_OOM}},
     1,
     0,
     {{0}}},
    {"too few to tell",
     {{.looks = 50, .ok = 1, .failed = 4, .kind = OUTCOME_TIMEOUT}},
     1,
     0,
     {{0}}},
    {"a fifth fails",
     {{.looks = 10, .ok = 40},
      {.looks = 5, .ok = 40, .failed = 10, .kind = OUTCOME_LOADING},
      {.looks = 20, .ok = 40}},
     1,
     1,
     {{1000, 1500, 0, 50, 0}}},
    {"less than a fifth fails",
     {{.looks = 10, .ok = 40},
      {.looks = 5, .ok = 41, .failed = 10, .kind = OUTCOME_LOADING},
      {.looks = 20, .ok = 40}},
     1,
     0,
     {{0}}},
    {"all is refused: nothing succeeds",
     {{.looks = 10, .ok = 100},
      {.looks = 20, .failed = 100, .kind = OUTCOME_OOM},
      {.looks = 20, .ok = 100}},
     1,
     1,
     {{1000, 3000, 2000, 2000, 0}}},
    {"silence",
     {{.looks = 10, .ok = 100}, {.looks = 10}, {.looks = 20, .ok = 100}},
     1,
     1,
     {{1000, 2000, 1000, 0, 0}}},
    {"silence that is too short",
     {{.looks = 10, .ok = 100}, {.looks = 4}, {.looks = 20, .ok = 100}},
     1,
     0,
     {{0}}},
    {"silence that is usual",
     {{.looks = 10, .ok = 100}, {.looks = 39}, {.looks = 20, .ok = 100}},
     1000,
     0,
     {{0}}},
    {"silence that is not usual even so",
     {{.looks = 10, .ok = 100}, {.looks = 40}, {.looks = 20, .ok = 100}},
     1000,
     1,
     {{1000, 5000, 4000, 0, 0}}},
    {"silence with nothing outstanding",
     {{.looks = 10, .ok = 100}, {.looks = 30, .idle = true}, {.looks = 20, .ok = 100}},
     1,
     0,
     {{0}}},
    {"all is refused at once: nothing is outstanding when it is looked for",
     {{.looks = 10, .ok = 100},
      {.looks = 20, .failed = 4, .kind = OUTCOME_OOM, .idle = true},
      {.looks = 20, .ok = 100}},
     1,
     1,
     {{1000, 3000, 2000, 80, 0}}},
    {"nothing has ever succeeded", {{.looks = 50}}, 0, 0, {{0}}},
    {"this program was held up",
     {{.looks = 10, .ok = 100}, {.looks = 1, .gap_ms = 5000}, {.looks = 20, .ok = 100}},
     1,
     0,
     {{0}}},
    {"half of the clients are lost",
     {{.looks = 10, .ok = 1000},
      {.looks = 1,
       .ok = 1000,
       .failed = 3,
       .kind = OUTCOME_DISCONNECT,
       .events = 5,
       .event = EVENT_DISCONNECT},
      {.looks = 20, .ok = 1000}},
     1,
     1,
     {{1000, 1100, 0, 3, 0}}},
    {"clients are lost around a look",
     {{.looks = 10, .ok = 1000},
      {.looks = 1,
       .ok = 1000,
       .failed = 3,
       .kind = OUTCOME_DISCONNECT,
       .events = 3,
       .event = EVENT_DISCONNECT},
      {.looks = 1,
       .ok = 1000,
       .failed = 7,
       .kind = OUTCOME_DISCONNECT,
       .events = 7,
       .event = EVENT_DISCONNECT},
      {.looks = 20, .ok = 1000}},
     1,
     1,
     {{1000, 1200, 0, 10, 0}}},
    {"less than half of the clients are lost",
     {{.looks = 10, .ok = 1000},
      {.looks = 1,
       .ok = 1000,
       .failed = 4,
       .kind = OUTCOME_DISCONNECT,
       .events = 4,
       .event = EVENT_DISCONNECT},
      {.looks = 20, .ok = 1000}},
     1,
     0,
     {{0}}},
    {"clients are closed after garbage",
     {{.looks = 10,
       .ok = 1000,
       .failed = 9,
       .kind = OUTCOME_PROTOCOL,
       .events = 9,
       .event = EVENT_DISCONNECT}},
     1,
     0,
     {{0}}},
    {"dials fail that never succeeded",
     {{.looks = 50, .ok = 100, .events = 3, .event = EVENT_DIAL_FAILURE}},
     1,
     0,
     {{0}}},
    {"dials fail after a client was lost, while others succeed",
     {{.looks = 10, .ok = 100},
      {.looks = 1, .ok = 100, .events = 1, .event = EVENT_DISCONNECT},
      {.looks = 10, .ok = 100, .events = 1, .event = EVENT_DIAL_FAILURE},
      {.looks = 20, .ok = 100}},
     1,
     1,
     {{1000, 2100, 0, 0, 0}}},
    {"requests are kept back",
     {{.looks = 10, .ok = 40},
      {.looks = 5, .ok = 40, .events = 10, .event = EVENT_RETRY},
      {.looks = 20, .ok = 40}},
     1,
     1,
     {{1000, 1500, 0, 0, 50}}},
    {"a crash: errors, silence, and late errors of another kind",
     {{.looks = 10, .ok = 100},
      {.looks = 1,
       .failed = 10,
       .kind = OUTCOME_DISCONNECT,
       .events = 10,
       .event = EVENT_DISCONNECT},
      {.looks = 10, .events = 10, .event = EVENT_DIAL_FAILURE},
      {.looks = 2, .failed = 20, .kind = OUTCOME_LOADING},
      {.looks = 20, .ok = 100}},
     1,
     1,
     {{1000, 2300, 1300, 50, 0}}},
    {"calm for less than a second is part of it",
     {{.looks = 10, .ok = 40},
      {.looks = 1, .failed = 10, .kind = OUTCOME_TIMEOUT},
      {.looks = 9, .ok = 40, .failed = 1, .kind = OUTCOME_OOM},
      {.looks = 1, .failed = 10, .kind = OUTCOME_TIMEOUT},
      {.looks = 20, .ok = 40}},
     1,
     1,
     {{1000, 2100, 0, 29, 0}}},
    {"two windows; what fails between them is of neither",
     {{.looks = 10, .ok = 40},
      {.looks = 1, .failed = 10, .kind = OUTCOME_TIMEOUT},
      {.looks = 10, .ok = 40, .failed = 1, .kind = OUTCOME_OOM},
      {.looks = 2, .failed = 11, .kind = OUTCOME_TIMEOUT},
      {.looks = 20, .ok = 40}},
     1,
     2,
     {{1000, 1100, 0, 10, 0}, {2100, 2300, 0, 22, 0}}},
    {"errors before silence is told are its own; a window that goes on to the end",
     {{.looks = 10, .ok = 100, .failed = 1, .kind = OUTCOME_OOM},
      {.looks = 10, .failed = 1, .kind = OUTCOME_OOM}},
     1,
     1,
     {{1000, 2000, 1000, 11, 0}}}, /* one more, of the look that saw the last success */
};

static void test_windows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run run;

        begin(&run, cases[i].usual_ms);
        for (size_t k = 0; k < STEPS; k++)
            go(&run, &cases[i].steps[k]);
        outage_end(&run.outages, &run.look);
        if (run.outages.count != cases[i].count)
            fail_msg("%s: %u windows", cases[i].name, run.outages.count);
        for (unsigned k = 0; k < cases[i].count; k++)
            assert_window(&run.outages.kept[k], &cases[i].want[k]);
    }
}

/* A window does not end before something succeeds: with slow requests one silence is one window. */
static void test_no_overlap(void **state)
{
    const struct step steps[] = {{.looks = 10, .ok = 40},
                                 {.looks = 1, .failed = 10, .kind = OUTCOME_TIMEOUT},
                                 {.looks = 50},
                                 {.looks = 20, .ok = 40}};
    struct run run;

    (void)state;
    begin(&run, 1000);
    for (size_t i = 0; i < COUNT(steps); i++)
        go(&run, &steps[i]);
    outage_end(&run.outages, &run.look);
    assert_int_equal(run.outages.count, 1);
    assert_window(&run.outages.kept[0], &(struct want){1000, 6100, 5100, 10, 0});
}

/* Looks in between change nothing, but the last one counts. */
static void test_close_looks(void **state)
{
    struct run run;

    (void)state;
    begin(&run, 1);
    go(&run, &(struct step){.looks = 10, .ok = 10});
    go(&run, &(struct step){.looks = 9, .failed = 1, .kind = OUTCOME_TIMEOUT, .gap_ms = 10});
    assert_false(run.outages.open);
    outage_end(&run.outages, &run.look);
    assert_int_equal(run.outages.count, 1);
    assert_window(&run.outages.kept[0], &(struct want){1000, 1090, 0, 9, 0});
}

/* Slots that move are waited out, and no outage. */
static void test_slots_that_move(void **state)
{
    struct run run;

    (void)state;
    begin(&run, 1);
    for (unsigned i = 0; i < 20; i++) {
        run.look.events[EVENT_TRYAGAIN] += 50;
        go(&run, &(struct step){.looks = 1, .ok = 50, .events = 50, .event = EVENT_RETRY});
    }
    outage_end(&run.outages, &run.look);
    assert_int_equal(run.outages.count, 0);
}

static void test_more_than_fit(void **state)
{
    struct run run;

    (void)state;
    begin(&run, 1);
    for (unsigned i = 0; i < OUTAGE_KEPT + 3; i++) {
        go(&run, &(struct step){.looks = 11, .ok = 40});
        go(&run, &(struct step){.looks = 1, .failed = 10, .kind = OUTCOME_TIMEOUT});
    }
    outage_end(&run.outages, &run.look);
    assert_int_equal(run.outages.count, OUTAGE_KEPT);
    assert_int_equal(run.outages.more, 3);
    assert_window(&run.outages.kept[OUTAGE_KEPT - 1],
                  &(struct want){1100 + 15 * 1200, 1200 + 15 * 1200, 0, 10, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),       cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_close_looks),   cmocka_unit_test(test_slots_that_move),
        cmocka_unit_test(test_more_than_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
