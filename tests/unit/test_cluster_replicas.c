/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters: which requests replicas carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_talk.h"

static const struct client_config reading = {
    .clients = 1, .pipeline = 1, .cluster = true, .read_from_replica = true};

/* All nodes up to the last are connected. */
static void connect_nodes(struct fixture *fixture, unsigned last)
{
    fixture->driver->ops->open(fixture->driver, 1, clock_now_ns());
    turn_until(fixture, &fixture->driver->up, 1);
    for (unsigned i = 0; i <= last; i++)
        while (fixture->nodes[i].peer < 0)
            turn(fixture);
}

/* The nth read is carried and answered by this node, in this role. */
static void read_from(struct fixture *fixture, unsigned n, unsigned node, bool replica)
{
    const uint64_t k = submit(fixture, true, n);

    answer(fixture, node, k, "$1\r\nx\r\n");
    assert_ended(fixture, k, OUTCOME_OK);
    const struct router_node *by = fixture->by[k % REQUESTS_MAX];
    assert_int_equal(by->port, fixture->nodes[node].port);
    assert_int_equal(by->replica, replica);
}

static void await_event(struct fixture *fixture, enum event event, unsigned before)
{
    const uint64_t end_ns = patience_ns();

    while (fixture->events[event] == before) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

/* The driver hangs up. */
static void await_end(struct fixture *fixture, unsigned node)
{
    const uint64_t end_ns = patience_ns();
    char byte;

    while (recv(fixture->nodes[node].peer, &byte, 1, MSG_DONTWAIT) != 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

static void lose(struct fixture *fixture, unsigned node)
{
    const unsigned before = fixture->events[EVENT_DISCONNECT];

    refuse(fixture, node);
    await_event(fixture, EVENT_DISCONNECT, before);
}

static void test_replicas_in_turn_and_then_the_primary(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up_for(&fixture, &reading, "get", C);
    connect_nodes(&fixture, C);
    for (unsigned i = 0; i < 6; i++)
        read_from(&fixture, i, i % 2 ? C : B, true);
    lose(&fixture, C);
    for (unsigned i = 0; i < 3; i++)
        read_from(&fixture, i, B, true);
    lose(&fixture, B);
    for (unsigned i = 0; i < 3; i++)
        read_from(&fixture, i, A, false);
    tear_down(&fixture);
}

/* Also when nobody wants to read from replicas. */
static void test_writes_go_to_the_primary(void **state)
{
    static const char *const types[] = {"set", "get"};
    struct client_config config = reading;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct fixture fixture;

        config.read_from_replica = i == 0;
        set_up_for(&fixture, &config, types[i], C);
        connect_nodes(&fixture, A);
        for (unsigned n = 0; n < 4; n++) {
            const uint64_t k = submit(&fixture, true, n);

            peer_say(fixture.nodes[A].peer, "+OK\r\n");
            assert_ended(&fixture, k, OUTCOME_OK);
        }
        assert_int_equal(fixture.nodes[B].peer, -1);
        assert_int_equal(fixture.nodes[C].peer, -1);
        tear_down(&fixture);
    }
}

/* A replica may not know so far whose slot it is. It is not asked again. */
static void test_what_a_replica_does_not_answer_is_the_primarys(void **state)
{
    static const char *const replies[] = {"-MOVED 1 127.0.0.1:", "-LOADING wait ",
                                          "-MASTERDOWN no link ", "-CLUSTERDOWN no "};

    (void)state;
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct fixture fixture;
        char reply[100];

        set_up_for(&fixture, &reading, "get", B);
        connect_nodes(&fixture, B);
        const uint64_t k = submit(&fixture, true, 0);
        snprintf(reply, sizeof reply, "%s%u\r\n", replies[i], fixture.nodes[A].port);
        answer(&fixture, B, k, reply);
        answer(&fixture, A, k, "$1\r\nx\r\n");
        assert_ended(&fixture, k, OUTCOME_OK);
        assert_false(fixture.by[k % REQUESTS_MAX]->replica);
        tear_down(&fixture);
    }
}

static bool has_request(const struct fixture *fixture, unsigned node)
{
    char byte;

    return recv(fixture->nodes[node].peer, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

/* A node is read from when its turn comes, which the other answers. Returns the number of the next
 * read. */
static unsigned read_until(struct fixture *fixture, unsigned n, unsigned wanted, unsigned other)
{
    const uint64_t end_ns = patience_ns();

    for (;; n = n % 20 + 1) {
        const uint64_t k = submit(fixture, true, n);

        while (!has_request(fixture, wanted) && !has_request(fixture, other)) {
            assert_true(clock_now_ns() < end_ns);
            turn(fixture);
        }
        if (has_request(fixture, wanted))
            return n;
        answer(fixture, other, k, "$1\r\nx\r\n");
        assert_ended(fixture, k, OUTCOME_OK);
    }
}

/* A replica that cannot serve is left alone for 100 ms, then for 200; its reads go to the primary
 * at once. */
static void test_a_replica_that_is_not_fit_rests(void **state)
{
    static const char *const replies[] = {"-LOADING wait\r\n", "-MASTERDOWN no link\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct fixture fixture;
        uint64_t first_ns = 0;
        unsigned n = 0;

        set_up_for(&fixture, &reading, "get", B);
        connect_nodes(&fixture, B);
        for (unsigned times = 1; times <= 2; times++) {
            n = read_until(&fixture, n, B, A);
            const uint64_t k = request_of(true, n).k, told_ns = clock_now_ns();
            answer(&fixture, B, k, replies[i]);
            turn_until(&fixture, &fixture.events[EVENT_RETRY], times);
            loop_turn(fixture.setup.loop, 0); /* without a tick */
            assert_true(has_request(&fixture, A));
            const bool soon = times > 1 && clock_now_ns() - first_ns < 200 * MS;
            answer(&fixture, A, k, "$1\r\nx\r\n");
            assert_ended(&fixture, k, OUTCOME_OK);
            n = read_until(&fixture, n, B, A);
            assert_true(clock_now_ns() - told_ns >= (soon ? 200 * MS : 100 * MS));
            answer(&fixture, B, request_of(true, n).k, "$1\r\nx\r\n");
            assert_ended(&fixture, request_of(true, n).k, OUTCOME_OK);
            first_ns = told_ns;
        }
        tear_down(&fixture);
    }
}

static void test_errors_are_of_the_replica(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up_for(&fixture, &reading, "get", B);
    connect_nodes(&fixture, B);
    uint64_t k = submit(&fixture, true, 0);
    answer(&fixture, B, k, "-ERR no\r\n");
    assert_ended(&fixture, k, OUTCOME_OTHER);
    assert_int_equal(fixture.by[k % REQUESTS_MAX]->port, fixture.nodes[B].port);
    k = submit(&fixture, true, 1);
    answer(&fixture, B, k, "");
    lose(&fixture, B);
    assert_ended(&fixture, k, OUTCOME_DISCONNECT);
    assert_true(fixture.by[k % REQUESTS_MAX]->replica);
    tear_down(&fixture);
}

static void test_replicas_come_and_go(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up_for(&fixture, &reading, "get", B);
    connect_nodes(&fixture, B);
    read_from(&fixture, 0, B, true);
    publish_replicas(&fixture, C);
    turn_until(&fixture, &fixture.connections, 3);
    read_from(&fixture, 1, C, true);
    read_from(&fixture, 2, B, true);
    publish_replicas(&fixture, A);
    await_end(&fixture, B);
    await_end(&fixture, C);
    read_from(&fixture, 3, A, false);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replicas_in_turn_and_then_the_primary),
        cmocka_unit_test(test_writes_go_to_the_primary),
        cmocka_unit_test(test_what_a_replica_does_not_answer_is_the_primarys),
        cmocka_unit_test(test_a_replica_that_is_not_fit_rests),
        cmocka_unit_test(test_errors_are_of_the_replica),
        cmocka_unit_test(test_replicas_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
