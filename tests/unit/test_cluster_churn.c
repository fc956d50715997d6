/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters where connections are closed and dialled again on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_redirects.h"

static void set_up_churn(struct fixture *fixture, unsigned pipeline, uint64_t interval)
{
    const struct client_config config = {
        .clients = 1, .pipeline = pipeline, .reconnect_interval = interval, .cluster = true};

    set_up_for(fixture, &config, "get", 0);
    connect_client(fixture);
}

/* The last reply of a connection closes it, with nothing more said. */
static void answer_last(struct fixture *fixture, unsigned node, uint64_t k, const char *reply)
{
    const uint64_t end_ns = patience_ns();
    char command[COMMAND_MAX], byte;

    expect_bytes(fixture, node, get_command(command, k));
    const int peer = fixture->nodes[node].peer;
    fixture->nodes[node].peer = -1; /* or the next connection would make the test close it */
    assert_int_equal(recv(peer, &byte, 1, MSG_DONTWAIT), -1);
    peer_say(peer, reply);
    while (recv(peer, &byte, 1, MSG_DONTWAIT) != 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
    close(peer);
}

/* Each connection gets two requests, whatever the client has sent over others. */
static void test_each_connection_is_renewed_by_itself(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up_churn(&fixture, 1, 2);
    uint64_t k = submit(&fixture, true, 0);
    answer(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    k = submit(&fixture, false, 0);
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    k = submit(&fixture, true, 1);
    answer_last(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 1);
    assert_int_equal(fixture.driver->free, 1);
    assert_int_equal(fixture.connections, 3);
    k = submit(&fixture, false, 1);
    answer_last(&fixture, B, k, "-ERR no\r\n");
    assert_ended(&fixture, k, OUTCOME_OTHER);
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 2);
    assert_int_equal(fixture.events[EVENT_DISCONNECT] + fixture.events[EVENT_RECONNECT], 0);
    assert_int_equal(bulletin_take_asked(fixture.cluster.bulletin), BULLETIN_FINE);
    tear_down(&fixture);
}

/* While a connection is renewed its client takes nothing; what it has elsewhere goes on. */
static void test_a_client_with_free_slots_waits_for_its_connection(void **state)
{
    const struct request more = request_of(false, 5);
    struct fixture fixture;

    (void)state;
    set_up_churn(&fixture, 4, 2);
    const uint64_t b = submit(&fixture, false, 0), first = submit(&fixture, true, 0);
    assert_int_equal(fixture.driver->free, 2);
    const uint64_t second = submit(&fixture, true, 1);
    assert_int_equal(fixture.driver->free, 0);
    assert_false(driver_submit(fixture.driver, &more));
    answer(&fixture, B, b, "$1\r\nx\r\n");
    assert_ended(&fixture, b, OUTCOME_OK);
    answer(&fixture, A, first, "$1\r\nx\r\n");
    assert_ended(&fixture, first, OUTCOME_OK);
    assert_int_equal(fixture.driver->free, 0);
    assert_int_equal(fixture.events[EVENT_RENEWAL], 0);
    answer_last(&fixture, A, second, "$1\r\nx\r\n");
    assert_ended(&fixture, second, OUTCOME_OK);
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 1);
    assert_int_equal(fixture.driver->free, 4);
    assert_int_equal(fixture.driver->up, 1);
    tear_down(&fixture);
}

/* A redirect to a connection that is being renewed waits for the new one; the ASKING before it is
 * part of one request. */
static void test_redirects_to_what_is_renewed(void **state)
{
    static const char *const kinds[] = {"MOVED", "ASK"};

    (void)state;
    for (unsigned ask = 0; ask < COUNT(kinds); ask++) {
        struct fixture fixture;
        char reply[100], command[COMMAND_MAX];

        set_up_churn(&fixture, 2, 1);
        /* Each of the two takes the one request that its connection gets. */
        const uint64_t k = submit(&fixture, true, 0);
        assert_int_equal(fixture.driver->free, 0);
        answer_last(&fixture, A, k, redirect(&fixture, kinds[ask], k, B, reply));
        if (ask)
            answer_asking(&fixture, B, k, "+OK\r\n$1\r\nx\r\n");
        else
            answer(&fixture, B, k, "$1\r\nx\r\n");
        assert_ended(&fixture, k, OUTCOME_OK);
        turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 2);
        assert_int_equal(fixture.driver->free, 2);
        /* Back to where it came from, and once more to a connection that has had its request. */
        const uint64_t again = submit(&fixture, false, 0);
        expect_bytes(&fixture, B, get_command(command, again));
        peer_say(fixture.nodes[B].peer, redirect(&fixture, kinds[ask], again, B, reply));
        if (ask)
            answer_asking(&fixture, B, again, "+OK\r\n$1\r\nx\r\n");
        else
            answer(&fixture, B, again, "$1\r\nx\r\n");
        assert_ended(&fixture, again, OUTCOME_OK);
        turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 4);
        assert_int_equal(fixture.all_done, 2);
        tear_down(&fixture);
    }
}

/* One that is lost before its last reply is no planned one. */
static void test_lost_before_the_last_reply(void **state)
{
    struct fixture fixture;
    char command[COMMAND_MAX];

    (void)state;
    set_up_churn(&fixture, 1, 1);
    const uint64_t k = submit(&fixture, true, 0);
    expect_bytes(&fixture, A, get_command(command, k));
    close(fixture.nodes[A].peer);
    fixture.nodes[A].peer = -1;
    assert_ended(&fixture, k, OUTCOME_DISCONNECT);
    turn_until(&fixture, &fixture.events[EVENT_RECONNECT], 1);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 1);
    assert_int_equal(fixture.events[EVENT_RENEWAL], 0);
    assert_int_equal(fixture.driver->free, 1);
    tear_down(&fixture);
}

static void test_silence_before_the_last_reply(void **state)
{
    const struct client_config config = {.clients = 1,
                                         .pipeline = 1,
                                         .reconnect_interval = 1,
                                         .request_timeout_ns = 50 * MS,
                                         .cluster = true};
    struct fixture fixture;

    (void)state;
    set_up_for(&fixture, &config, "get", 0);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, true, 0);
    assert_ended(&fixture, k, OUTCOME_TIMEOUT);
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_int_equal(fixture.driver->free, 1);
    tear_down(&fixture);
}

/* A node that has gone when a planned dial comes to it is not in the way of others. */
static void test_planned_dial_fails(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up_churn(&fixture, 1, 1);
    const uint64_t k = submit(&fixture, true, 0);
    close(fixture.nodes[A].listener);
    fixture.nodes[A].listener = -1;
    answer_last(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_true(fixture.events[EVENT_DIAL_FAILURE] > 0);
    const uint64_t b = submit(&fixture, false, 0);
    answer_last(&fixture, B, b, "$1\r\nx\r\n");
    assert_ended(&fixture, b, OUTCOME_OK);
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 1);
    const uint64_t later = submit(&fixture, true, 1);
    publish(&fixture, C, B);
    answer_last(&fixture, C, later, "$1\r\nx\r\n");
    assert_ended(&fixture, later, OUTCOME_OK);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 0);
    tear_down(&fixture);
}

/* A node that has left gets its last reply heard, and no other connection. */
static void test_a_node_leaves_that_owes_the_last_reply(void **state)
{
    struct fixture fixture;
    char command[COMMAND_MAX];

    (void)state;
    set_up_churn(&fixture, 1, 1);
    const uint64_t k = submit(&fixture, true, 0);
    expect_bytes(&fixture, A, get_command(command, k));
    publish(&fixture, B, B);
    turn_for(&fixture, 50 * MS);
    peer_say(fixture.nodes[A].peer, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    turn_until(&fixture, &fixture.driver->up, 1);
    turn_for(&fixture, 20 * MS);
    assert_int_equal(fixture.connections, 2);
    assert_int_equal(fixture.events[EVENT_RENEWAL], 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_connection_is_renewed_by_itself),
        cmocka_unit_test(test_a_client_with_free_slots_waits_for_its_connection),
        cmocka_unit_test(test_redirects_to_what_is_renewed),
        cmocka_unit_test(test_lost_before_the_last_reply),
        cmocka_unit_test(test_silence_before_the_last_reply),
        cmocka_unit_test(test_planned_dial_fails),
        cmocka_unit_test(test_a_node_leaves_that_owes_the_last_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
