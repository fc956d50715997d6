/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches a crew that the test plays itself: its functions stand here instead of run/crew.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/watch.h"

#include <signal.h>
#include <string.h>

#define MS ((uint64_t)CLOCK_NS_PER_MS)

enum { PROCESSES_MAX = 20, PID = 100 };

static const uint64_t begin_ns = 5 * (uint64_t)CLOCK_NS_PER_S;

struct crew {
    int statuses[PROCESSES_MAX];
    unsigned processes[PROCESSES_MAX];
    unsigned ended, reaped;
};

int crew_reap(struct crew *crew, int *status)
{
    if (crew->reaped == crew->ended)
        return -1;
    *status = crew->statuses[crew->reaped];
    return (int)crew->processes[crew->reaped++];
}

pid_t crew_pid(const struct crew *crew, unsigned process)
{
    (void)crew;
    return PID + (pid_t)process;
}

struct fixture {
    struct plan plan;
    struct board board;
    struct crew crew;
    struct watch watch;
    uint64_t now_ns;
};

static void set_up(struct fixture *fixture, unsigned processes, unsigned workers)
{
    struct err err;

    *fixture = (struct fixture){.plan = {.processes = processes,
                                         .workers = workers,
                                         .client.request_timeout_ns = 200 * MS,
                                         .give_up_ns = CLOCK_NS_PER_S},
                                .now_ns = begin_ns};
    assert_int_equal(board_init(&fixture->board, workers, &err), 0);
    watch_init(&fixture->watch, &fixture->plan, &fixture->board, &fixture->crew);
    fixture->watch.quiet_since_ns = begin_ns;
}

static void tear_down(struct fixture *fixture)
{
    watch_deinit(&fixture->watch);
    board_deinit(&fixture->board);
}

static void end_process(struct fixture *fixture, unsigned process, int status)
{
    struct crew *crew = &fixture->crew;

    crew->processes[crew->ended] = process;
    crew->statuses[crew->ended++] = status;
}

static void set_state(struct fixture *fixture, unsigned worker, enum worker_state to)
{
    atomic_store(&fixture->board.slots[worker].state, (uint32_t)to);
}

static void look_after(struct fixture *fixture, uint64_t wait_ns)
{
    fixture->now_ns += wait_ns;
    watch_look(&fixture->watch, fixture->now_ns);
}

/* Those of its workers that had not finished; nobody else's. */
static void test_a_process_takes_its_workers_along(void **state)
{
    struct fixture fixture;
    const struct watch *watch = &fixture.watch;

    (void)state;
    set_up(&fixture, 2, 6);
    for (unsigned i = 0; i < 6; i++)
        set_state(&fixture, i, WORKER_RUNNING);
    set_state(&fixture, 3, WORKER_FINISHED);
    end_process(&fixture, 1, SIGKILL);
    look_after(&fixture, 1);
    assert_int_equal(watch->lost, 2);
    assert_int_equal(watch->done, 1);
    assert_int_equal(watch->workers[1].health, WORKER_DEAD);
    assert_int_equal(watch->workers[3].health, WORKER_DONE);
    assert_int_equal(watch->workers[5].health, WORKER_DEAD);
    assert_int_equal(watch->warnings_count, 1);
    assert_string_equal(watch->warnings[0],
                        "Worker process 101, with 2 of 6 workers, was killed by signal 9 (Killed); "
                        "what it had recorded is kept.");
    assert_false(watch_all_ended(watch));
    for (unsigned i = 0; i < 6; i += 2)
        set_state(&fixture, i, WORKER_FINISHED);
    look_after(&fixture, 1);
    assert_int_equal(watch->done, 4);
    assert_true(watch_all_ended(watch));
    assert_false(watch_any_hung(watch));
    tear_down(&fixture);
}

static void test_a_process_that_has_finished_is_not_lost(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 2, 2);
    set_state(&fixture, 0, WORKER_FINISHED);
    set_state(&fixture, 1, WORKER_FAILED);
    end_process(&fixture, 0, 0);
    end_process(&fixture, 1, 0);
    look_after(&fixture, 1);
    assert_int_equal(fixture.watch.lost, 0);
    assert_int_equal(fixture.watch.done, 2);
    assert_int_equal(fixture.watch.warnings_count, 0);
    assert_true(watch_all_ended(&fixture.watch));
    tear_down(&fixture);
}

/* Warnings have an end; what is lost is counted on. */
static void test_all_processes_end(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, PROCESSES_MAX, PROCESSES_MAX);
    for (unsigned i = 0; i < PROCESSES_MAX; i++)
        end_process(&fixture, i, 3 << 8);
    look_after(&fixture, 1);
    assert_int_equal(fixture.watch.lost, PROCESSES_MAX);
    assert_true(watch_all_ended(&fixture.watch));
    assert_int_equal(fixture.watch.warnings_count, WATCH_WARNINGS);
    assert_string_equal(fixture.watch.warnings[1],
                        "Worker process 101, with 1 of 20 workers, ended with status 3; what it "
                        "had recorded is kept.");
    tear_down(&fixture);
}

/* 200 ms to drain and one second: twelve looks in which nothing moved are allowed. */
static void test_who_stands_still_hangs(void **state)
{
    struct fixture fixture;
    const struct watch *watch = &fixture.watch;

    (void)state;
    set_up(&fixture, 2, 3);
    for (unsigned look = 0; look < 40; look++) {
        atomic_store(&fixture.board.slots[0].turns, look + 1);
        if (look < 20) /* from then on this one stands */
            atomic_store(&fixture.board.slots[2].turns, look + 1);
        assert_int_equal(watch->workers[1].health, look < 13 ? WORKER_ALIVE : WORKER_HUNG);
        assert_int_equal(watch->workers[2].health, look < 33 ? WORKER_ALIVE : WORKER_HUNG);
        look_after(&fixture, WATCH_PERIOD_NS);
    }
    assert_int_equal(watch->workers[0].health, WORKER_ALIVE);
    assert_int_equal(watch->lost, 2);
    assert_true(watch_any_hung(watch));
    assert_string_equal(watch->warnings[0],
                        "Worker 1 (process 101) hangs; what it had recorded is kept.");
    /* Whatever becomes of it, it is counted once. */
    set_state(&fixture, 1, WORKER_FINISHED);
    end_process(&fixture, 0, SIGKILL);
    look_after(&fixture, WATCH_PERIOD_NS);
    assert_int_equal(watch->lost, 3);
    assert_int_equal(watch->done, 0);
    assert_int_equal(watch->workers[2].health, WORKER_HUNG);
    assert_true(watch_all_ended(watch));
    tear_down(&fixture);
}

/* It is the looks in a row that count. */
static void test_who_is_slow_does_not_hang(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 1);
    for (unsigned look = 0; look < 60; look++) {
        atomic_store(&fixture.board.slots[0].turns, look / 12);
        look_after(&fixture, WATCH_PERIOD_NS);
    }
    assert_int_equal(fixture.watch.workers[0].health, WORKER_ALIVE);
    tear_down(&fixture);
}

/* Neither many looks at once nor a long time without any are a worker's fault. */
static void test_looks_count_not_the_clock(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 1);
    for (unsigned i = 0; i < 1000; i++)
        look_after(&fixture, i ? WATCH_PERIOD_NS / 1000 : 0);
    for (unsigned i = 0; i < 5; i++)
        look_after(&fixture, 3600 * (uint64_t)CLOCK_NS_PER_S);
    assert_int_equal(fixture.watch.workers[0].health, WORKER_ALIVE);
    for (unsigned i = 0; i < 20; i++)
        look_after(&fixture, WATCH_PERIOD_NS);
    assert_int_equal(fixture.watch.workers[0].health, WORKER_HUNG);
    tear_down(&fixture);
}

static void test_giving_up(void **state)
{
    static const struct {
        unsigned in_flight, up, wanted;
        unsigned reply_ms; /* after the begin; 0: none */
        unsigned give_up_ms;
        bool dead;
        unsigned look_ms;
        bool gave_up;
    } cases[] = {
        {0, 1, 1, 0, 1000, false, 5000, false}, /* there is nothing to wait for */
        {1, 1, 1, 0, 1000, false, 999, false},    {1, 1, 1, 0, 1000, false, 1000, true},
        {1, 1, 1, 400, 1000, false, 1399, false}, {1, 1, 1, 400, 1000, false, 1400, true},
        {0, 0, 1, 0, 1000, false, 1000, true},   /* a client to connect */
        {1, 0, 1, 0, 0, false, 100000, false},   /* never */
        {1, 0, 1, 0, 1000, true, 5000, false},   /* nobody waits any more */
        {1, 1, 1, 300, 1000, false, 200, false}, /* the reply is newer than the look */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 1, 2);
        fixture.plan.give_up_ns = cases[i].give_up_ms * MS;
        struct board_slot *slot = &fixture.board.slots[1];
        atomic_store(&slot->in_flight, cases[i].in_flight);
        atomic_store(&slot->up, cases[i].up);
        atomic_store(&slot->wanted, cases[i].wanted);
        if (cases[i].reply_ms)
            atomic_store(&slot->last_reply_ns, begin_ns + cases[i].reply_ms * MS);
        if (cases[i].dead)
            end_process(&fixture, 0, SIGKILL);
        look_after(&fixture, cases[i].look_ms * MS);
        assert_int_equal(watch_gave_up(&fixture.watch, fixture.now_ns), cases[i].gave_up);
        assert_int_equal(fixture.watch.outstanding,
                         !cases[i].dead && (cases[i].in_flight || cases[i].up < cases[i].wanted));
        tear_down(&fixture);
    }
}

static void test_ready(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 4);
    assert_int_equal(watch_ready(&fixture.watch), 0);
    set_state(&fixture, 3, WORKER_READY);
    assert_int_equal(watch_ready(&fixture.watch), 1);
    set_state(&fixture, 0, WORKER_RUNNING);
    set_state(&fixture, 1, WORKER_FAILED);
    set_state(&fixture, 2, WORKER_FINISHED);
    assert_int_equal(watch_ready(&fixture.watch), 4);
    tear_down(&fixture);
}

/* Up at once, over all workers, at any look. */
static void test_clients(void **state)
{
    static const unsigned up[][2] = {{1, 0}, {3, 2}, {2, 2}, {4, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 2);
    for (size_t i = 0; i < COUNT(up); i++) {
        for (unsigned worker = 0; worker < 2; worker++) {
            atomic_store(&fixture.board.slots[worker].up, up[i][worker]);
            atomic_store(&fixture.board.slots[worker].wanted, 4 + worker);
        }
        look_after(&fixture, 1);
    }
    assert_int_equal(fixture.watch.most_up, 5);
    assert_int_equal(fixture.watch.wanted_clients, 9);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_takes_its_workers_along),
        cmocka_unit_test(test_a_process_that_has_finished_is_not_lost),
        cmocka_unit_test(test_all_processes_end),
        cmocka_unit_test(test_who_stands_still_hangs),
        cmocka_unit_test(test_who_is_slow_does_not_hang),
        cmocka_unit_test(test_looks_count_not_the_clock),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
