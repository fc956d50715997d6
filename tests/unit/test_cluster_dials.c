/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters: dials that nobody answers are not in the way of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_talk.h"

enum { CLIENTS = 300, FILLING = 4 };

struct hole {
    int filling[FILLING]; /* connections that nobody accepts */
};

/* From here on nothing answers who connects to a node: its queue is full. */
static void dig(struct fixture *fixture, unsigned node, struct hole *hole)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(fixture->nodes[node].port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(listen(fixture->nodes[node].listener, 0), 0);
    for (unsigned i = 0; i < FILLING; i++) {
        hole->filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(hole->filling[i], (const struct sockaddr *)&address, sizeof address);
    }
}

static void close_hole(struct hole *hole)
{
    for (unsigned i = 0; i < FILLING; i++)
        close(hole->filling[i]);
}

/* Many clients, and a node that does not answer. */
static void set_up_hole(struct fixture *fixture, struct hole *hole)
{
    const struct client_config config = {.clients = CLIENTS, .pipeline = 1, .cluster = true};

    set_up_for(fixture, &config, "get", 0);
    for (unsigned i = 0; i < NODES; i++)
        assert_int_equal(listen(fixture->nodes[i].listener, 2 * CLIENTS), 0);
    dig(fixture, A, hole);
    fixture->driver->ops->open(fixture->driver, CLIENTS, clock_now_ns());
}

static void tear_down_hole(struct fixture *fixture, struct hole *hole)
{
    tear_down(fixture);
    close_hole(hole);
}

/* Connections wait in the listeners' queues: nobody has to accept them. */
static void wait_for(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = patience_ns();

    while (*count < wanted) {
        assert_true(clock_now_ns() < end_ns);
        const uint64_t now_ns = loop_turn(fixture->setup.loop, clock_now_ns() + MS);
        if (now_ns >= fixture->driver->tick_ns)
            fixture->driver->ops->tick(fixture->driver, now_ns);
    }
}

static void test_others_are_dialled_meanwhile(void **state)
{
    struct fixture fixture;
    struct hole hole;

    (void)state;
    set_up_hole(&fixture, &hole);
    wait_for(&fixture, &fixture.connections, CLIENTS);
    assert_int_equal(fixture.events[EVENT_DIAL_FAILURE], 0);
    assert_int_equal(fixture.driver->up, 0);
    tear_down_hole(&fixture, &hole);
}

/* The first dials tell enough: no client awaits its own. */
static void test_a_silent_node_is_not_awaited(void **state)
{
    struct fixture fixture;
    struct hole hole;

    (void)state;
    set_up_hole(&fixture, &hole);
    wait_for(&fixture, &fixture.driver->up, CLIENTS);
    assert_true(fixture.events[EVENT_DIAL_FAILURE] > 0);
    assert_true(fixture.events[EVENT_DIAL_FAILURE] < CLIENTS / 2);
    /* A few are tried again at the same time, no more. */
    const unsigned before = fixture.events[EVENT_DIAL_FAILURE];
    wait_for(&fixture, &fixture.events[EVENT_DIAL_FAILURE], before + 1);
    assert_true(fixture.events[EVENT_DIAL_FAILURE] <= CLIENTS / 2);
    tear_down_hole(&fixture, &hole);
}

/* Another has taken its place: what waits for it has nothing to wait for. */
static void test_a_node_that_leaves_is_dialled_no_longer(void **state)
{
    struct fixture fixture;
    struct hole hole;

    (void)state;
    set_up_hole(&fixture, &hole);
    wait_for(&fixture, &fixture.connections, CLIENTS);
    publish(&fixture, C, B);
    wait_for(&fixture, &fixture.driver->up, CLIENTS);
    assert_int_equal(fixture.events[EVENT_DIAL_FAILURE], 0);
    tear_down_hole(&fixture, &hole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_are_dialled_meanwhile),
        cmocka_unit_test(test_a_silent_node_is_not_awaited),
        cmocka_unit_test(test_a_node_that_leaves_is_dialled_no_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
