/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver against a server that the test plays itself, between the turns of the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "standalone_fixture.h"

#include <fcntl.h>

static void test_replies_by_kind(void **state)
{
    static const enum outcome want[] = {OUTCOME_OK,       OUTCOME_LOADING, OUTCOME_OOM,
                                        OUTCOME_REDIRECT, OUTCOME_OTHER,   OUTCOME_CLUSTERDOWN,
                                        OUTCOME_REDIRECT};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, COUNT(want), 0);
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, COUNT(want));
    assert_int_equal(fixture.driver->free, 0);
    const struct request more = {.k = 9};
    assert_false(driver_submit(fixture.driver, &more));
    peer_say(peer, "+OK\r\n-LOADING wait\r\n-OOM no\r\n-MOVED 1 a:1\r\n-ERR no\r\n"
                   "-CLUSTERDOWN down\r\n-ASK 1 a:1\r\n");
    turn_until(&fixture, &fixture.all_done, COUNT(want));
    assert_outcomes(&fixture, want, COUNT(want));
    assert_int_equal(fixture.driver->free, COUNT(want));
    assert_int_equal(fixture.events[EVENT_MOVED], 1);
    assert_int_equal(fixture.events[EVENT_CLUSTERDOWN], 1);
    close(peer);
    tear_down(&fixture);
}

static void test_disconnect_in_a_pipeline(void **state)
{
    static const enum outcome want[] = {OUTCOME_OK, OUTCOME_DISCONNECT, OUTCOME_DISCONNECT};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 4, 0);
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 3);
    peer_say(peer, "+OK\r\n+O");
    close(peer);
    turn_until(&fixture, &fixture.all_done, 3);
    assert_outcomes(&fixture, want, 3);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 1);
    assert_int_equal(fixture.driver->up, 0);
    assert_int_equal(fixture.driver->free, 0);
    /* It is dialled again by itself. */
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_int_equal(fixture.events[EVENT_RECONNECT], 1);
    assert_int_equal(fixture.driver->free, 4);
    tear_down(&fixture);
}

/* The one that was silent too long is a timeout; what came after it on that connection is lost. */
static void test_timeout(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 2, 300 * MS);
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 1);
    const uint64_t end_ns = clock_now_ns() + 100 * MS;
    while (clock_now_ns() < end_ns)
        turn(&fixture);
    submit(&fixture, 1, 1);
    turn_until(&fixture, &fixture.all_done, 2);
    assert_true(fixture.ended[0] - fixture.sent[0] >= 300 * MS);
    /* Unless this machine stood still for so long that it was silent too long as well. */
    const bool late = fixture.ended[1] - fixture.sent[1] >= 300 * MS;
    const enum outcome want[] = {OUTCOME_TIMEOUT, late ? OUTCOME_TIMEOUT : OUTCOME_DISCONNECT};
    assert_outcomes(&fixture, want, 2);
    assert_non_null(strstr(fixture.text, "within 300 ms"));
    close(peer);
    tear_down(&fixture);
}

/* Hung up on and answered in one turn: what is submitted then does not go to the lost client. */
static void test_a_lost_client_gets_nothing_more(void **state)
{
    static const enum outcome want[] = {OUTCOME_DISCONNECT, OUTCOME_OK, OUTCOME_OK};
    struct fixture fixture;
    int peers[2];

    (void)state;
    set_up(&fixture, 2, 2, 0);
    connect_all(&fixture, peers);
    submit(&fixture, 0, 2);
    fixture.next = 2;
    close(peers[0]);
    peer_say(peers[1], "+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 2);
    peer_say(peers[1], "+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 3);
    assert_outcomes(&fixture, want, 3);
    close(peers[1]);
    tear_down(&fixture);
}

static void test_garbage(void **state)
{
    static const enum outcome want[] = {OUTCOME_OK, OUTCOME_PROTOCOL, OUTCOME_DISCONNECT};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 3, 0);
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 3);
    peer_say(peer, "+OK\r\nHTTP/1.1\r\n");
    turn_until(&fixture, &fixture.all_done, 3);
    assert_outcomes(&fixture, want, 3);
    close(peer);
    tear_down(&fixture);
}

/* A server that turns a client away says why before anything was asked. */
static void test_turned_away(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 2, 0);
    const int peer = connect_all(&fixture, NULL);
    peer_say(peer, "-ERR max number of clients reached\r\n");
    turn_until(&fixture, &fixture.events[EVENT_DISCONNECT], 1);
    assert_non_null(strstr(fixture.text, "max number of clients"));
    assert_int_equal(fixture.all_done, 0);
    assert_int_equal(fixture.driver->free, 0);
    close(peer);
    tear_down(&fixture);
}

static void test_abandon(void **state)
{
    static const enum outcome want[] = {OUTCOME_UNANSWERED, OUTCOME_UNANSWERED, OUTCOME_UNANSWERED};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 2, 2, 0);
    connect_all(&fixture, NULL);
    submit(&fixture, 0, 3);
    fixture.driver->ops->abandon(fixture.driver, clock_now_ns());
    assert_outcomes(&fixture, want, 3);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 0);
    tear_down(&fixture);
}

/* The bytes of each request leave whole and in order, and a null reply is told apart. */
static void test_bytes_and_nulls(void **state)
{
    struct fixture fixture;
    char want[1000], heard[1000];
    size_t len = 0;

    (void)state;
    set_up(&fixture, 1, 3, 0);
    const int peer = connect_all(&fixture, NULL);
    assert_true(source_room(&fixture.source, &(struct request){0}) * 3 <= sizeof want);
    for (uint64_t k = 0; k < 3; k++) {
        const struct request request = {.k = k, .n = k};
        len += source_render(&fixture.source, &request, want + len);
    }
    submit(&fixture, 0, 3);
    assert_int_equal(recv(peer, heard, sizeof heard, MSG_DONTWAIT), len);
    assert_memory_equal(heard, want, len);
    peer_say(peer, "+OK\r\n$-1\r\n+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 3);
    assert_false(fixture.nulls[0]);
    assert_true(fixture.nulls[1]);
    assert_false(fixture.nulls[2]);
    close(peer);
    tear_down(&fixture);
}

/* More clients than may be dialled at once: never more under way than that, and all come up. */
static void test_dials_are_bounded(void **state)
{
    enum { CLIENTS = 300, AT_ONCE = 128 };
    static int peers[CLIENTS];
    struct fixture fixture;
    unsigned accepted = 0;

    (void)state;
    set_up(&fixture, CLIENTS, 1, 0);
    assert_int_equal(fcntl(fixture.listener, F_SETFL, O_NONBLOCK), 0);
    fixture.driver->ops->open(fixture.driver, CLIENTS, clock_now_ns());
    /* No turn so far: what the kernel has completed is what was dialled. */
    for (int fd; (fd = accept4(fixture.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        peers[accepted++] = fd;
    assert_int_equal(accepted, AT_ONCE);
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
    while (fixture.driver->up < CLIENTS || accepted < CLIENTS) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
        for (int fd; (fd = accept4(fixture.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
            peers[accepted++] = fd;
    }
    assert_int_equal(fixture.driver->free, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++)
        close(peers[i]);
    tear_down(&fixture);
}

/* Requests go round the clients that are free, not to the first of them. */
static void test_clients_take_turns(void **state)
{
    struct fixture fixture;
    int peers[3];
    char heard[200];

    (void)state;
    set_up(&fixture, 3, 2, 0);
    connect_all(&fixture, peers);
    submit(&fixture, 0, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(recv(peers[i], heard, sizeof heard, MSG_DONTWAIT) > 0);
        peer_say(peers[i], "+OK\r\n");
    }
    turn_until(&fixture, &fixture.all_done, 3);
    for (int i = 0; i < 3; i++)
        close(peers[i]);
    tear_down(&fixture);
}

/* A slot is free from the moment of the reply that freed it, not of the submit that took it. */
static void test_free_since(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 1, 0);
    const int peer = connect_all(&fixture, NULL);
    const uint64_t first_ns = fixture.driver->free_since_ns;
    assert_true(first_ns > 0);
    submit(&fixture, 0, 1);
    const uint64_t before_ns = clock_now_ns();
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 1);
    assert_in_range(fixture.driver->free_since_ns, before_ns, clock_now_ns());
    close(peer);
    tear_down(&fixture);
}

/* What waits behind bytes that the kernel does not take waits for the server, not for this program:
 * its slot is free when they have left. */
static void test_server_that_does_not_read(void **state)
{
    const struct source_config large = {.type = "set", .data_bytes = 16 << 20};
    static char heard[1 << 16];
    struct fixture fixture;
    size_t left = 0;
    struct err err;

    (void)state;
    set_up(&fixture, 1, 3, 0);
    source_deinit(&fixture.source);
    assert_int_equal(source_init(&fixture.source, &large, 0, &err), 0);
    const int peer = connect_all(&fixture, NULL);
    submit(&fixture, 0, 1);
    submit(&fixture, 1, 2);
    const uint64_t before_ns = clock_now_ns();
    while (left < 3 * large.data_bytes) {
        const ssize_t got = recv(peer, heard, sizeof heard, MSG_DONTWAIT);

        left += got > 0 ? (size_t)got : 0;
        if (got < 0)
            turn(&fixture);
    }
    peer_say(peer, "+OK\r\n+OK\r\n+OK\r\n");
    turn_until(&fixture, &fixture.all_done, 3);
    assert_true(fixture.freed[0] < before_ns && fixture.sent[0] < before_ns);
    for (int k = 1; k < 3; k++) {
        assert_true(fixture.freed[k] >= before_ns);
        assert_int_equal(fixture.freed[k], fixture.sent[k]);
    }
    close(peer);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_by_kind),
        cmocka_unit_test(test_disconnect_in_a_pipeline),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_lost_client_gets_nothing_more),
        cmocka_unit_test(test_turned_away),
        cmocka_unit_test(test_abandon),
        cmocka_unit_test(test_clients_take_turns),
        cmocka_unit_test(test_free_since),
        cmocka_unit_test(test_server_that_does_not_read),
        cmocka_unit_test(test_bytes_and_nulls),
        cmocka_unit_test(test_dials_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
