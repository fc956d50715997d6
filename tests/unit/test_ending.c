/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/ending.h"

#include <string.h>

#define MS ((uint64_t)CLOCK_NS_PER_MS)

enum { WORKERS = 2, START_NS = 1000 };

struct fixture {
    struct plan plan;
    struct board board;
    struct watched workers[WORKERS];
    struct watch watch;
    struct snapshot total;
    struct ending ending;
};

/* A run at 1000 a second of two workers that were issued so many, and stopped at 100 ms. */
static void set_up(struct fixture *fixture, uint64_t qps, uint64_t first, uint64_t second)
{
    const struct rate_config rate = {.qps_micro = qps * 1000000};
    struct err err;

    *fixture =
        (struct fixture){.plan = {.workers = WORKERS, .processes = 1, .end_ns = CLOCK_NEVER}};
    fixture->plan.scheduled = qps > 0;
    if (qps)
        assert_int_equal(schedule_init(&fixture->plan.schedule, &rate, &err), 0);
    assert_int_equal(board_init(&fixture->board, WORKERS, &err), 0);
    atomic_store(&fixture->board.header->start_ns, START_NS);
    atomic_store(&fixture->board.slots[0].issued, first);
    atomic_store(&fixture->board.slots[1].issued, second);
    for (unsigned i = 0; i < WORKERS; i++)
        atomic_store(&fixture->board.slots[i].stopped_ns, START_NS + 100 * MS);
    fixture->watch = (struct watch){
        .plan = &fixture->plan, .board = &fixture->board, .workers = fixture->workers};
    snapshot_init(&fixture->total);
}

static const struct report_end *end_of(struct fixture *fixture)
{
    board_read(&fixture->board, &fixture->total, 0);
    ending_init(&fixture->ending, &fixture->watch, &fixture->total, START_NS + 200 * MS);
    return &fixture->ending.end;
}

static void tear_down(struct fixture *fixture)
{
    snapshot_deinit(&fixture->total);
    board_deinit(&fixture->board);
}

static void test_due_is_issued_and_unsent(void **state)
{
    static const struct {
        uint64_t first, second; /* issued */
        uint64_t requests, end_ms, stop_ms;
        uint64_t due, unsent;
    } cases[] = {
        {50, 50, 0, 100, 0, 100, 0},  /* all of 100 ms at 1000 a second */
        {50, 20, 0, 100, 0, 100, 30}, /* one worker was held up */
        {50, 50, 100, 0, 0, 100, 0},  /* a count */
        {10, 10, 100, 0, 50, 50, 30}, /* stopped in the middle */
        {26, 25, 100, 0, 50, 51, 0},  /* one more was issued in the moment of the stop */
        {26, 20, 100, 0, 50, 51, 5},  /* and that makes up for none of the other's */
        {0, 0, 100, 100, 0, 100, 100},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 1000, cases[i].first, cases[i].second);
        fixture.plan.requests = cases[i].requests;
        if (cases[i].end_ms)
            fixture.plan.end_ns = cases[i].end_ms * MS;
        if (cases[i].stop_ms)
            atomic_store(&fixture.board.header->stop_ns, START_NS + cases[i].stop_ms * MS);
        const struct report_end *end = end_of(&fixture);
        assert_int_equal(end->due, cases[i].due);
        assert_int_equal(end->unsent, cases[i].unsent);
        assert_int_equal(end->due, end->total->issued + end->unsent);
        tear_down(&fixture);
    }
}

static void test_indices_of_the_dead_are_unsent(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 0, 100, 200);
    atomic_store(&fixture.board.slots[0].claimed, 130);
    atomic_store(&fixture.board.slots[1].claimed, 256);
    assert_int_equal(end_of(&fixture)->unsent, 0);
    fixture.workers[0].health = WORKER_DEAD;
    fixture.watch.lost = 1;
    assert_int_equal(end_of(&fixture)->unsent, 30);
    assert_true(ending_is_early(&fixture.ending));
    assert_non_null(strstr(fixture.ending.end.ending, "1 of 2 workers"));
    tear_down(&fixture);
}

static void test_elapsed(void **state)
{
    static const struct {
        uint64_t reply_ms, least_ms, stop_ms;
        uint64_t elapsed_ms;
    } cases[] = {
        {0, 0, 0, 100},    /* until scheduling stopped */
        {120, 0, 0, 120},  /* until the last reply */
        {50, 150, 0, 150}, /* a schedule lasts as long as it says */
        {50, 150, 70, 100} /* unless it is cut short */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 0, 0, 0);
        fixture.plan.least_ns = cases[i].least_ms * MS;
        if (cases[i].reply_ms)
            atomic_store(&fixture.board.slots[1].last_reply_ns, START_NS + cases[i].reply_ms * MS);
        if (cases[i].stop_ms)
            atomic_store(&fixture.board.header->stop_ns, START_NS + cases[i].stop_ms * MS);
        assert_int_equal(end_of(&fixture)->elapsed_ns, cases[i].elapsed_ms * MS);
        tear_down(&fixture);
    }
}

static void test_reasons(void **state)
{
    static const struct {
        enum stop_reason reason;
        const char *want; /* NULL: the run was complete */
    } cases[] = {{STOP_NONE, NULL},
                 {STOP_SIGNAL, "signal"},
                 {STOP_GAVE_UP, "--give-up"},
                 {STOP_OUTPUT, "output"}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 0, 0, 0);
        atomic_store(&fixture.board.header->stop_reason, (uint32_t)cases[i].reason);
        const char *ending = end_of(&fixture)->ending;
        assert_int_equal(ending_is_early(&fixture.ending), cases[i].want != NULL);
        assert_true(cases[i].want ? strstr(ending, cases[i].want) != NULL : ending == NULL);
        assert_int_equal(fixture.ending.end.interrupted, cases[i].reason == STOP_SIGNAL);
        tear_down(&fixture);
    }
}

/* A user's signal explains nothing when workers are lost, too. */
static void test_interrupted_with_losses(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 0, 0, 0);
    atomic_store(&fixture.board.header->stop_reason, (uint32_t)STOP_SIGNAL);
    fixture.watch.lost = 1;
    assert_false(end_of(&fixture)->interrupted);
    tear_down(&fixture);
}

static void test_effort_of_workers(void **state)
{
    static const struct {
        uint64_t loop_ms, waited_ms, crowded_ms;
        double busy, crowded;
    } cases[] = {
        {100, 25, 8, 0.75, 0.08}, /* as it should be */
        {100, 25, 0, 0.75, 0},    /* it did not get to its end */
        {100, 0, 101, 1, 1},      /* the end lies behind the last turn */
        {0, 0, 1, 0, 0},          /* no turn at all */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 0, 0, 0);
        struct board_slot *slot = &fixture.board.slots[1];
        atomic_store(&slot->loop_ns, cases[i].loop_ms * MS);
        atomic_store(&slot->waited_ns, cases[i].waited_ms * MS);
        atomic_store(&slot->crowded_ns, cases[i].crowded_ms * MS);
        atomic_store(&slot->longest_ns, 5);
        atomic_store(&slot->overflows, 6);
        const struct report_worker *worker = &end_of(&fixture)->workers[1];
        assert_true(worker->busy == cases[i].busy && worker->crowded == cases[i].crowded);
        assert_int_equal(worker->loop_ns, cases[i].loop_ms * MS);
        assert_int_equal(worker->longest_ns, 5);
        assert_int_equal(worker->overflows, 6);
        tear_down(&fixture);
    }
}

static void test_warnings(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 0, 10, 10);
    assert_null(end_of(&fixture)->warnings[0]);
    fixture.plan.source.keys.sequential = 20;
    fixture.watch.wanted_clients = 50;
    fixture.watch.most_up = 48;
    atomic_store(&fixture.board.slots[0].errors[OUTCOME_OOM], 3);
    const struct report_end *end = end_of(&fixture);
    assert_string_equal(end->warnings[0], "At most 48 of 50 clients were connected at once.");
    assert_string_equal(end->warnings[1],
                        "3 requests of the sequence failed: their keys may be missing.");
    assert_null(end->warnings[2]);
    tear_down(&fixture);
}

/* Two workers: one even, one that sends all of its ten requests in one of ten milliseconds. */
static void test_burstiness(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1000, 0, 0);
    assert_true(end_of(&fixture)->burstiness == 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct board_slot *slot = &fixture.board.slots[i];

        atomic_store(&slot->burst_bins, 10);
        atomic_store(&slot->burst_sum, 10);
        atomic_store(&slot->burst_squares, i == 0 ? 10 : 100);
    }
    assert_true(end_of(&fixture)->burstiness == 4.5); /* (0 + 9) / (1 + 1) */
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_is_issued_and_unsent),
        cmocka_unit_test(test_indices_of_the_dead_are_unsent),
        cmocka_unit_test(test_elapsed),
        cmocka_unit_test(test_burstiness),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_interrupted_with_losses),
        cmocka_unit_test(test_effort_of_workers),
        cmocka_unit_test(test_warnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
