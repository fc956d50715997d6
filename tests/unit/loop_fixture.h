/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop_fixture: a loop, somebody to dial, and one body of tests for every engine.
 */
#ifndef TESTS_LOOP_FIXTURE_H
#define TESTS_LOOP_FIXTURE_H

#include "loop_diary.h"
#include "peer.h"

#include <stdio.h>
#include <sys/eventfd.h>

enum { LARGE = 32 << 20 /* no kernel takes so many bytes at once */ };

/* An engine, in each of its ways to use the kernel: whatever this kernel is, all are tested. */
struct engine_case {
    const char *name;
    const struct loop_ops *ops;
    unsigned skip;
};

static const struct engine_case engines[] = {
    {"epoll", &loop_epoll, 0},
#if HAVE_URING
    {"io_uring at its best", &loop_uring, 0},
    {"io_uring, cooperative", &loop_uring, 1},
    {"io_uring without flags", &loop_uring, 2},
#endif
};

struct fixture {
    struct loop *loop;
    int wake_fd, listener;
    struct sockaddr_in address;
};

static inline void set_up(struct fixture *fixture, const struct engine_case *engine)
{
    struct err err;

    fixture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fixture->listener = peer_listen(&fixture->address);
    const struct loop_setup loop_setup = {
        .wake_fd = fixture->wake_fd, .channels = 8, .skip = engine->skip};
    assert_int_equal(engine->ops->create(&fixture->loop, &loop_setup, &err), 0);
}

static inline void tear_down(struct fixture *fixture)
{
    loop_destroy(&fixture->loop);
    assert_null(fixture->loop);
    loop_destroy(&fixture->loop);
    close(fixture->wake_fd);
    close(fixture->listener);
}

static inline struct diary new_diary(struct fixture *fixture)
{
    return (struct diary){.channel.events = &diary_events, .loop = fixture->loop};
}

static inline void dial(struct fixture *fixture, struct diary *diary)
{
    loop_connect(fixture->loop, &diary->channel, (const struct sockaddr *)&fixture->address,
                 sizeof fixture->address);
}

/* Turns until the diary holds an event, which it must do within a bounded time. */
static inline void turn_until(struct fixture *fixture, struct diary *diary, char letter)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (!strchr(diary->events, letter)) {
        assert_true(clock_now_ns() < end_ns);
        loop_turn(fixture->loop, clock_now_ns() + 10 * CLOCK_NS_PER_MS);
    }
}

static inline void finish(struct fixture *fixture, struct diary *diary)
{
    loop_close(fixture->loop, &diary->channel, ECANCELED);
    loop_turn(fixture->loop, 0);
    assert_int_equal(diary->channel.state, CHANNEL_CLOSED);
    outbox_deinit(&diary->channel.outbox);
}

typedef void check_fn(const struct engine_case *engine);

struct loop_check {
    const char *name;
    check_fn *check;
};

/* A check for one of the engines. */
struct engine_check {
    const struct loop_check *check;
    const struct engine_case *engine;
    char name[80];
};

/* Not every kernel and container has every engine. */
static inline bool is_available(const struct engine_case *engine)
{
    const struct loop_setup setup = {
        .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .channels = 1, .skip = engine->skip};
    struct loop *loop = NULL;
    struct err err;
    const bool available = engine->ops->create(&loop, &setup, &err) == 0;

    loop_destroy(&loop);
    close(setup.wake_fd);
    return available;
}

static inline void run_engine_check(void **state)
{
    const struct engine_check *run = *state;

    if (!is_available(run->engine))
        skip();
    run->check->check(run->engine);
}

enum { CHECKS_MAX = 64 };

/* Runs each check with each engine, as a test of its own. */
static inline int run_checks(const struct loop_check *checks, size_t count)
{
    struct engine_check runs[CHECKS_MAX];
    struct CMUnitTest tests[CHECKS_MAX];
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < COUNT(engines); j++, used++) {
            struct engine_check *run = &runs[used];

            assert_in_range(used, 0, CHECKS_MAX - 1);
            *run = (struct engine_check){.check = &checks[i], .engine = &engines[j]};
            snprintf(run->name, sizeof run->name, "%s, %s", checks[i].name, engines[j].name);
            tests[used] = (struct CMUnitTest){run->name, run_engine_check, NULL, NULL, run};
        }
    return _cmocka_run_group_tests("engines", tests, used, NULL, NULL);
}

#endif
