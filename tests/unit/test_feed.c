/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum { WORKERS_MAX = 7 };

struct fixture {
    struct plan plan;
    struct board board;
    struct feed feeds[WORKERS_MAX];
};

static void set_up(struct fixture *fixture, const struct plan *plan, uint64_t start_ns)
{
    struct err err;

    *fixture = (struct fixture){.plan = *plan};
    assert_int_equal(board_init(&fixture->board, plan->workers, &err), 0);
    for (unsigned i = 0; i < plan->workers; i++) {
        feed_init(&fixture->feeds[i], &fixture->plan, &fixture->board, i);
        feed_start(&fixture->feeds[i], start_ns);
    }
}

static struct plan closed_plan(uint64_t requests, unsigned workers)
{
    return (struct plan){.requests = requests, .workers = workers, .end_ns = CLOCK_NEVER};
}

static struct plan open_plan(uint64_t rate_micro, uint64_t requests, unsigned workers)
{
    const struct rate_config rate = {.qps_micro = rate_micro};
    struct plan plan = closed_plan(requests, workers);
    struct err err;

    plan.scheduled = true;
    assert_int_equal(schedule_init(&plan.schedule, &rate, &err), 0);
    return plan;
}

/* Whichever worker asks in whichever order: each index is handed out once, and there are N. */
static void test_closed_loop_hands_out_each_index_once(void **state)
{
    static const struct {
        uint64_t requests;
        unsigned workers;
    } cases[] = {{1, 1}, {1, 4}, {3, 7}, {1000, 1}, {1003, 4}, {100003, 7}};

    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        const struct plan plan = closed_plan(cases[c].requests, cases[c].workers);
        unsigned char *seen = mem_zalloc(cases[c].requests, 1);
        struct fixture fixture;
        struct request request;
        uint64_t fed = 0;
        unsigned ended = 0;

        set_up(&fixture, &plan, 1);
        for (unsigned turn = 0; ended < cases[c].workers; turn++) {
            /* Uneven: worker 0 asks most often. */
            const unsigned worker = turn % 3 ? 0 : turn / 3 % cases[c].workers;
            struct feed *feed = &fixture.feeds[worker];
            const uint64_t n = feed->n;

            if (feed_next(feed, 5, &request) == FEED_END) {
                ended = 0;
                for (unsigned i = 0; i < cases[c].workers; i++)
                    ended += feed_next(&fixture.feeds[i], 5, &request) == FEED_END;
                if (ended == cases[c].workers)
                    break;
                fail_msg("a worker ended while others were fed");
            }
            assert_in_range(request.k, 0, cases[c].requests - 1);
            assert_int_equal(request.n, n);
            assert_int_equal(request.due_ns, 0);
            assert_int_equal(seen[request.k]++, 0);
            fed++;
        }
        assert_int_equal(fed, cases[c].requests);
        free(seen);
        board_deinit(&fixture.board);
    }
}

struct taker {
    struct feed *feed;
    _Atomic unsigned char *seen; /* how often each index came */
    pthread_barrier_t *start;
    uint64_t took;
};

static void *take_all(void *argument)
{
    struct taker *taker = argument;
    struct request request;

    pthread_barrier_wait(taker->start);
    for (; feed_next(taker->feed, 5, &request) == FEED_REQUEST; taker->took++)
        if (request.k < taker->feed->plan->requests)
            atomic_fetch_add(&taker->seen[request.k], 1);
    return NULL;
}

static void check_beside_one_another(uint64_t requests)
{
    const struct plan plan = closed_plan(requests, WORKERS_MAX);
    _Atomic unsigned char *seen = mem_zalloc(requests, sizeof *seen);
    struct taker takers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    pthread_barrier_t start;
    struct fixture fixture;
    uint64_t took = 0;

    set_up(&fixture, &plan, 1);
    pthread_barrier_init(&start, NULL, WORKERS_MAX);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        takers[i] = (struct taker){.feed = &fixture.feeds[i], .seen = seen, .start = &start};
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &takers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(atomic_load(&fixture.board.slots[i].claimed), takers[i].took);
        took += takers[i].took;
    }
    assert_int_equal(took, requests);
    for (uint64_t k = 0; k < requests; k++)
        if (seen[k] != 1)
            fail_msg("index %" PRIu64 " was fed %d times", k, seen[k]);
    pthread_barrier_destroy(&start);
    free(seen);
    board_deinit(&fixture.board);
}

/* Also when all workers claim at the same time, and again and again to meet at the end. */
static void test_workers_beside_one_another(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        check_beside_one_another(1 + i % 9);
        check_beside_one_another(1000 + i);
    }
    check_beside_one_another(200003);
}

static void test_closed_loop_can_be_stopped(void **state)
{
    const struct plan plan = closed_plan(0, 1);
    struct fixture fixture;
    struct request request;

    (void)state;
    set_up(&fixture, &plan, 1000);
    assert_int_equal(feed_next(&fixture.feeds[0], CLOCK_NEVER - 1, &request), FEED_REQUEST);
    feed_stop(&fixture.feeds[0], 5000);
    assert_int_equal(feed_next(&fixture.feeds[0], 4999, &request), FEED_REQUEST);
    assert_int_equal(feed_next(&fixture.feeds[0], 5000, &request), FEED_END);
    board_deinit(&fixture.board);
}

static void test_closed_loop_ends_by_time(void **state)
{
    struct plan plan = closed_plan(0, 1);
    struct fixture fixture;
    struct request request;

    (void)state;
    plan.end_ns = 100;
    set_up(&fixture, &plan, 1000);
    assert_int_equal(feed_next(&fixture.feeds[0], 1099, &request), FEED_REQUEST);
    assert_int_equal(feed_next(&fixture.feeds[0], 1100, &request), FEED_END);
    board_deinit(&fixture.board);
}

static void test_claims_are_on_the_board(void **state)
{
    const struct plan plan = closed_plan(10000, 2);
    struct fixture fixture;
    struct request request;

    (void)state;
    set_up(&fixture, &plan, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(feed_next(&fixture.feeds[i], 5, &request), FEED_REQUEST);
    const uint64_t first = atomic_load(&fixture.board.slots[0].claimed);
    const uint64_t second = atomic_load(&fixture.board.slots[1].claimed);
    assert_true(first > 1);
    assert_int_equal(first + second, atomic_load(&fixture.board.header->claimed));
    board_deinit(&fixture.board);
}

/* The union over the workers is the schedule itself. */
static void test_schedule_is_split_without_a_rest(void **state)
{
    const uint64_t start_ns = 1000;

    (void)state;
    for (unsigned workers = 1; workers <= WORKERS_MAX; workers++) {
        const struct plan plan = open_plan(UINT64_C(7000000), 100, workers);
        struct fixture fixture;
        struct request request;
        struct schedule_cursor cursor;

        set_up(&fixture, &plan, start_ns);
        schedule_cursor_init(&cursor, &plan.schedule);
        for (uint64_t k = 0; k < 100; k++) {
            const uint64_t due_ns = start_ns + schedule_due_ns(&plan.schedule, &cursor, k);
            struct feed *feed = &fixture.feeds[k % workers];

            if (due_ns > 0) {
                assert_int_equal(feed_next(feed, due_ns - 1, &request), FEED_LATER);
                assert_int_equal(feed->due_ns, due_ns);
            }
            assert_int_equal(feed_next(feed, due_ns, &request), FEED_REQUEST);
            assert_int_equal(request.k, k);
            assert_int_equal(request.due_ns, due_ns);
        }
        for (unsigned i = 0; i < workers; i++)
            assert_int_equal(feed_next(&fixture.feeds[i], CLOCK_NEVER - 1, &request), FEED_END);
        board_deinit(&fixture.board);
    }
}

/* What was due before the end may still be issued after it; what was due later never. */
static void test_stop_cuts_the_schedule(void **state)
{
    const struct plan plan = open_plan(UINT64_C(1000) * 1000000, 0, 1);
    struct fixture fixture;
    struct request request;

    (void)state;
    set_up(&fixture, &plan, 0);
    feed_stop(&fixture.feeds[0], 3 * CLOCK_NS_PER_MS);
    feed_stop(&fixture.feeds[0], 9 * CLOCK_NS_PER_MS); /* a later stop changes nothing */
    for (int i = 0; i < 3; i++)
        assert_int_equal(feed_next(&fixture.feeds[0], CLOCK_NS_PER_S, &request), FEED_REQUEST);
    assert_int_equal(feed_next(&fixture.feeds[0], CLOCK_NS_PER_S, &request), FEED_END);
    board_deinit(&fixture.board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_loop_hands_out_each_index_once),
        cmocka_unit_test(test_workers_beside_one_another),
        cmocka_unit_test(test_closed_loop_can_be_stopped),
        cmocka_unit_test(test_closed_loop_ends_by_time),
        cmocka_unit_test(test_claims_are_on_the_board),
        cmocka_unit_test(test_schedule_is_split_without_a_rest),
        cmocka_unit_test(test_stop_cuts_the_schedule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
