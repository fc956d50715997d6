/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters: what is lost with a connection, and what waits for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_talk.h"

static void test_a_lost_connection_loses_what_was_sent(void **state)
{
    struct fixture fixture;
    char command[COMMAND_MAX];

    (void)state;
    set_up(&fixture, 2, 0);
    connect_client(&fixture);
    const uint64_t a = submit(&fixture, true, 0);
    expect_bytes(&fixture, A, get_command(command, a));
    refuse(&fixture, A);
    assert_ended(&fixture, a, OUTCOME_DISCONNECT);
    assert_int_equal(fixture.driver->up, 1);
    assert_int_equal(fixture.driver->free, 2);
    /* What comes now waits for the node, and others are not in its way. */
    const uint64_t later = submit(&fixture, true, 1), b = submit(&fixture, false, 0);
    answer(&fixture, B, b, "$1\r\nx\r\n");
    assert_ended(&fixture, b, OUTCOME_OK);
    turn_for(&fixture, 20 * MS);
    assert_int_equal(fixture.all_done, 2);
    assert_int_equal(bulletin_take_asked(fixture.cluster.bulletin), BULLETIN_WAITING);
    /* Another takes its place. */
    publish(&fixture, C, B);
    answer(&fixture, C, later, "$1\r\nx\r\n");
    assert_ended(&fixture, later, OUTCOME_OK);
    tear_down(&fixture);
}

static void test_no_connection_within_the_request_timeout(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 100 * MS);
    connect_client(&fixture);
    refuse(&fixture, A);
    turn_until(&fixture, &fixture.events[EVENT_DISCONNECT], 1);
    const uint64_t k = submit(&fixture, true, 0);
    assert_ended(&fixture, k, OUTCOME_TIMEOUT);
    assert_non_null(strstr(fixture.texts[k], "No connection to 127.0.0.1:"));
    assert_true(fixture.ended[k] - fixture.sent[k] >= 100 * MS);
    tear_down(&fixture);
}

/* What a node says to each login. */
static void answer_logins(struct fixture *fixture, unsigned node, const char *reply)
{
    char got[COMMAND_MAX];

    if (fixture->nodes[node].peer >= 0 &&
        recv(fixture->nodes[node].peer, got, sizeof got, MSG_DONTWAIT) > 0)
        peer_say(fixture->nodes[node].peer, reply);
}

/* A password that was changed is what such a request fails of, not time. */
static void test_no_login_within_the_request_timeout(void **state)
{
    const struct session_config login = {.password = "s3cr3t"};
    const uint64_t end_ns = patience_ns();
    struct session_opening opening;
    struct fixture fixture;

    (void)state;
    session_opening_init(&opening, &login);
    set_up(&fixture, 1, 200 * MS);
    fixture.setup.opening = &opening;
    fixture.driver->ops->open(fixture.driver, 1, clock_now_ns());
    while (fixture.connections < 2) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
        answer_logins(&fixture, A, "+OK\r\n");
        answer_logins(&fixture, B, "+OK\r\n");
    }
    peer_reset(fixture.nodes[A].peer);
    fixture.nodes[A].peer = -1;
    turn_until(&fixture, &fixture.events[EVENT_DISCONNECT], 1);
    const uint64_t k = submit(&fixture, true, 0);
    while (fixture.all_done == 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
        answer_logins(&fixture, A, "-WRONGPASS invalid username-password pair\r\n");
    }
    assert_ended(&fixture, k, OUTCOME_AUTH);
    assert_non_null(strstr(fixture.texts[k], "No login to 127.0.0.1:"));
    assert_true(fixture.events[EVENT_NO_LOGIN] >= 1);
    assert_true(fixture.events[EVENT_NO_LOGIN] <= fixture.events[EVENT_DIAL_FAILURE]);
    tear_down(&fixture);
    session_opening_deinit(&opening);
}

static void test_a_hole_is_waited_out(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    publish(&fixture, -1, B);
    turn_for(&fixture, 30 * MS);
    const uint64_t k = submit(&fixture, true, 0);
    turn_for(&fixture, 20 * MS);
    assert_int_equal(fixture.all_done, 0);
    assert_int_equal(bulletin_take_asked(fixture.cluster.bulletin), BULLETIN_WAITING);
    publish(&fixture, B, B);
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

/* A name that means nothing is as good as a node that is gone: another may have taken its place. */
static void test_a_node_that_cannot_be_found(void **state)
{
    const uint64_t end_ns = patience_ns();
    struct fixture fixture;
    char notation[200];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    sprintf(notation, "[[0 8191 ['nowhere.invalid' 1]] [8192 16383 ['127.0.0.1' %u]]]",
            fixture.nodes[B].port);
    publish_text(&fixture, notation);
    turn_for(&fixture, 30 * MS);
    const uint64_t k = submit(&fixture, true, 0);
    while (bulletin_take_asked(fixture.cluster.bulletin) != BULLETIN_WAITING) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
    }
    assert_true(fixture.events[EVENT_DIAL_FAILURE] > 0);
    publish(&fixture, C, B);
    answer(&fixture, C, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

/* A client is up without a node that leaves before it is known where it is. */
static void test_a_node_that_leaves_while_it_is_looked_for(void **state)
{
    struct fixture fixture;
    char notation[200];

    (void)state;
    set_up(&fixture, 1, 0);
    sprintf(notation, "[[0 8191 ['nowhere.invalid' 1]] [8192 16383 ['127.0.0.1' %u]]]",
            fixture.nodes[B].port);
    publish_text(&fixture, notation);
    turn_for(&fixture, 30 * MS);
    fixture.driver->ops->open(fixture.driver, 1, clock_now_ns());
    publish(&fixture, B, B);
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_int_equal(fixture.events[EVENT_DIAL_FAILURE], 0);
    tear_down(&fixture);
}

/* Connections to a node that has left are closed, and count as nothing. */
static void test_nodes_leave(void **state)
{
    struct fixture fixture;
    const uint64_t end_ns = patience_ns();
    char byte;

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    publish(&fixture, B, B);
    while (recv(fixture.nodes[A].peer, &byte, 1, MSG_DONTWAIT) != 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
    }
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 0);
    assert_int_equal(fixture.driver->up, 1);
    turn_for(&fixture, 100 * MS);
    assert_int_equal(fixture.events[EVENT_DIAL_FAILURE], 0);
    tear_down(&fixture);
}

static void test_a_node_that_refuses_at_the_start(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 0);
    refuse(&fixture, A);
    fixture.driver->ops->open(fixture.driver, 1, clock_now_ns());
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_true(fixture.events[EVENT_DIAL_FAILURE] > 0);
    const uint64_t k = submit(&fixture, false, 0);
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

static void test_garbage_and_the_unasked(void **state)
{
    struct fixture fixture;
    char command[COMMAND_MAX];

    (void)state;
    set_up(&fixture, 2, 0);
    connect_client(&fixture);
    const uint64_t a = submit(&fixture, true, 0), more = submit(&fixture, true, 1);
    answer(&fixture, A, a, "hello\r\n");
    assert_ended(&fixture, a, OUTCOME_PROTOCOL);
    assert_ended(&fixture, more, OUTCOME_DISCONNECT);
    const uint64_t b = submit(&fixture, false, 0);
    answer(&fixture, B, b, "$1\r\nx\r\n$1\r\ny\r\n");
    assert_ended(&fixture, b, OUTCOME_OK);
    turn_until(&fixture, &fixture.events[EVENT_DISCONNECT], 2);
    turn_until(&fixture, &fixture.events[EVENT_RECONNECT], 2);
    const uint64_t again = submit(&fixture, true, 2);
    expect_bytes(&fixture, A, get_command(command, again));
    tear_down(&fixture);
    assert_int_equal(fixture.outcomes[again % REQUESTS_MAX], OUTCOME_UNANSWERED);
}

static void test_all_is_given_back_at_the_end(void **state)
{
    struct fixture fixture;
    char command[COMMAND_MAX];

    (void)state;
    set_up(&fixture, 4, 0);
    connect_client(&fixture);
    refuse(&fixture, A);
    turn_until(&fixture, &fixture.events[EVENT_DISCONNECT], 1);
    submit(&fixture, true, 0);
    const uint64_t b = submit(&fixture, false, 0);
    expect_bytes(&fixture, B, get_command(command, b));
    submit(&fixture, true, 1);
    submit(&fixture, false, 1); /* which has not left */
    tear_down(&fixture);
    assert_int_equal(fixture.all_done, 4);
    for (unsigned k = 0; k < REQUESTS_MAX; k++)
        if (fixture.done[k])
            assert_int_equal(fixture.outcomes[k], OUTCOME_UNANSWERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_connection_loses_what_was_sent),
        cmocka_unit_test(test_no_connection_within_the_request_timeout),
        cmocka_unit_test(test_no_login_within_the_request_timeout),
        cmocka_unit_test(test_a_hole_is_waited_out),
        cmocka_unit_test(test_a_node_that_cannot_be_found),
        cmocka_unit_test(test_a_node_that_leaves_while_it_is_looked_for),
        cmocka_unit_test(test_nodes_leave),
        cmocka_unit_test(test_a_node_that_refuses_at_the_start),
        cmocka_unit_test(test_garbage_and_the_unasked),
        cmocka_unit_test(test_all_is_given_back_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
