/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver where connections are closed and dialled again on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "standalone_fixture.h"

/* A connection gets three requests, is closed when all are answered, and is dialled again. */
static void test_planned_reconnects(void **state)
{
    static const enum outcome want[] = {OUTCOME_OK, OUTCOME_OK, OUTCOME_OK, OUTCOME_DISCONNECT};
    struct fixture fixture;
    char heard[1000];

    (void)state;
    set_up(&fixture, 1, 2, 0);
    fixture.config.reconnect_interval = 3;
    int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 2);
    fixture.next = 2; /* the slot that is freed takes the last one */
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 1);
    assert_int_equal(fixture.driver->free, 0);
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 2);
    assert_int_equal(fixture.driver->free, 0);
    assert_int_equal(fixture.driver->up, 1);
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 1);
    assert_int_equal(fixture.driver->free, 2);
    while (recv(peer, heard, sizeof heard, 0) > 0)
        continue; /* it was closed, after three requests */
    close(peer);
    peer = peer_accept(fixture.listener);
    submit(&fixture, 3, 1); /* one that is lost before it had its three is no planned one */
    close(peer);
    turn_until(&fixture, &fixture.events[EVENT_RECONNECT], 1);
    assert_outcomes(&fixture, want, 4);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 1);
    assert_int_equal(fixture.events[EVENT_RENEWAL], 1);
    assert_int_equal(fixture.connected, 3);
    tear_down(&fixture);
}

/* More slots than a connection gets requests: none of them is sent twice, or waits for nothing. */
static void test_more_slots_than_requests(void **state)
{
    struct fixture fixture;
    int peers[2];

    (void)state;
    set_up(&fixture, 2, 4, 0);
    fixture.config.reconnect_interval = 1;
    connect_all(&fixture, peers);
    submit(&fixture, 0, 2); /* one each, though either has four slots */
    assert_int_equal(fixture.driver->free, 0);
    const struct request more = {.k = 9};
    assert_false(driver_submit(fixture.driver, &more));
    for (int i = 0; i < 2; i++)
        peer_say(peers[i], "+OK\r\n");
    turn_until(&fixture, &fixture.events[EVENT_RENEWAL], 2);
    assert_int_equal(fixture.all_done, 2);
    assert_int_equal(fixture.driver->free, 8);
    assert_int_equal(fixture.events[EVENT_DISCONNECT] + fixture.events[EVENT_RECONNECT], 0);
    for (int i = 0; i < 2; i++)
        close(peers[i]);
    tear_down(&fixture);
}

/* A server that has gone when a planned dial meets it is a dial that failed, and tried again. */
static void test_planned_dial_fails(void **state)
{
    struct fixture fixture;
    struct sockaddr_in address;
    socklen_t len = sizeof address;

    (void)state;
    set_up(&fixture, 1, 1, 0);
    fixture.config.reconnect_interval = 1;
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 1);
    assert_int_equal(getsockname(fixture.listener, (struct sockaddr *)&address, &len), 0);
    close(fixture.listener);
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.events[EVENT_DIAL_FAILURE], 1);
    close(peer);
    fixture.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fixture.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fixture.listener, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fixture.listener, 8), 0);
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_int_equal(fixture.events[EVENT_RENEWAL], 1);
    assert_int_equal(fixture.events[EVENT_DISCONNECT] + fixture.events[EVENT_RECONNECT], 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planned_reconnects),
        cmocka_unit_test(test_more_slots_than_requests),
        cmocka_unit_test(test_planned_dial_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
