/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link_fixture.h"

#include <errno.h>

static void test_replies(void **state)
{
    static const enum resp_kind want[] = {RESP_SIMPLE, RESP_ERROR, RESP_BULK, RESP_ARRAY,
                                          RESP_INTEGER};
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    const int peer = dial(&fixture);
    peer_say(peer, "+OK\r\n-ERR no\r\n$3\r\na"); /* cut in the middle */
    turn_until(&fixture, &fixture.watched.replies, 2);
    peer_say(peer, "bc\r\n*2\r\n:1\r\n:2\r\n>2\r\n+invalidate\r\n*0\r\n:5\r\n"); /* a push */
    turn_until(&fixture, &fixture.watched.replies, COUNT(want));
    assert_memory_equal(fixture.watched.kinds, want, sizeof want);
    close(peer);
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.reason, LINK_ENDED);
    assert_true(fixture.watched.was_up);
    tear_down(&fixture);
}

/* Half a reply of a lost connection is not the beginning of the next one's. */
static void test_a_cut_is_forgotten(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    int peer = dial(&fixture);
    peer_say(peer, "-ERR hal");
    close(peer);
    turn_until(&fixture, &fixture.watched.downs, 1);
    peer = dial(&fixture);
    peer_say(peer, "+OK\r\n");
    turn_until(&fixture, &fixture.watched.replies, 1);
    assert_int_equal(fixture.watched.kinds[0], RESP_SIMPLE);
    close(peer);
    tear_down(&fixture);
}

static void test_garbage(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    const int peer = dial(&fixture);
    peer_say(peer, "+OK\r\nHTTP/1.1 400 Bad Request\r\n");
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.replies, 1);
    assert_int_equal(fixture.watched.reason, LINK_GARBAGE);
    close(peer);
    tear_down(&fixture);
}

/* Given up in the middle of what was received: the rest of that is not heard. */
static void test_close_between_replies(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    const int peer = dial(&fixture);
    fixture.watched.close_after = 2;
    peer_say(peer, "+A\r\n+B\r\n+C\r\nHTTP/1.1\r\n");
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.replies, 2);
    assert_int_equal(fixture.watched.reason, LINK_UNASKED);
    assert_true(fixture.watched.was_up);
    close(peer);
    tear_down(&fixture);
}

static void test_reasons_are_told_apart(void **state)
{
    static const int reasons[] = {LINK_ENDED,    LINK_GARBAGE,  LINK_UNASKED,
                                  LINK_NO_REPLY, LINK_GIVEN_UP, LINK_REFUSED,
                                  LINK_RENEWED,  ECONNRESET,    ECONNREFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(link_reason_text(reasons[i]), link_reason_text(reasons[j]));
    assert_string_equal(link_reason_text(LINK_ENDED), "the server closed the connection");
    assert_string_equal(link_reason_text(ECONNRESET), strerror(ECONNRESET));
    assert_non_null(strstr(link_reason_text(EMFILE), "this program"));
}

/* Refused again and again: each wait between half and all of 50 ms, 100 ms, ... 1 s. */
static void test_backoff(void **state)
{
    static const uint64_t whole_ms[] = {50, 100, 200, 400, 800, 1000, 1000, 1000};
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    close(fixture.listener);
    fixture.listener = -1;
    for (unsigned i = 0; i < COUNT(whole_ms); i++) {
        const uint64_t before_ns = clock_now_ns();
        link_dial(&fixture.watched.link, before_ns);
        turn_until(&fixture, &fixture.watched.downs, i + 1);
        const uint64_t after_ns = clock_now_ns();
        const uint64_t wake_ns = link_wake_ns(&fixture.watched.link);
        assert_true(wake_ns >= before_ns + whole_ms[i] * CLOCK_NS_PER_MS / 2);
        assert_true(wake_ns <= after_ns + whole_ms[i] * CLOCK_NS_PER_MS);
        assert_int_equal(fixture.watched.reason, ECONNREFUSED);
        assert_false(fixture.watched.was_up);
    }
    link_is_well(&fixture.watched.link);
    link_dial(&fixture.watched.link, clock_now_ns());
    turn_until(&fixture, &fixture.watched.downs, COUNT(whole_ms) + 1);
    assert_true(link_wake_ns(&fixture.watched.link) <= clock_now_ns() + 50 * CLOCK_NS_PER_MS);
    tear_down(&fixture);
}

/* Links of one owner do not come back all at once. */
static void test_jitter(void **state)
{
    struct fixture fixture;
    uint64_t wakes[8];

    (void)state;
    set_up(&fixture);
    close(fixture.listener);
    fixture.listener = -1;
    for (unsigned i = 0; i < COUNT(wakes); i++) {
        struct watched watched = {0};
        link_init(&watched.link, &fixture.setup, i);
        const uint64_t before_ns = clock_now_ns();
        link_dial(&watched.link, before_ns);
        turn_until(&fixture, &watched.downs, 1);
        wakes[i] = (link_wake_ns(&watched.link) - before_ns) / CLOCK_NS_PER_MS;
        link_deinit(&watched.link);
    }
    unsigned different = 0;
    for (unsigned i = 1; i < COUNT(wakes); i++)
        different += wakes[i] != wakes[0];
    assert_true(different > 0);
    tear_down(&fixture);
}

static void test_dial_has_a_bound(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    link_dial(&fixture.watched.link, 1000);
    assert_int_equal(link_wake_ns(&fixture.watched.link), 1000 + CLOCK_NS_PER_S);
    link_close(&fixture.watched.link, ETIMEDOUT);
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.reason, ETIMEDOUT);
    assert_false(fixture.watched.was_up);
    fixture.setup.connect_timeout_ns = 0;
    link_dial(&fixture.watched.link, 1000);
    assert_true(link_wake_ns(&fixture.watched.link) == CLOCK_NEVER);
    tear_down(&fixture);
}

/* Each dial takes the next address: one that refuses does not keep a link down. */
static void test_addresses_in_turn(void **state)
{
    struct fixture fixture;
    struct sockaddr_in refusing;

    (void)state;
    set_up(&fixture);
    close(peer_listen(&refusing));
    fixture.endpoint.addresses[1] = fixture.endpoint.addresses[0];
    memcpy(&fixture.endpoint.addresses[0].socket, &refusing, sizeof refusing);
    fixture.endpoint.count = 2;
    link_dial(&fixture.watched.link, clock_now_ns());
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.reason, ECONNREFUSED);
    close(dial(&fixture));
    tear_down(&fixture);
}

/* A connection that its owner wants anew is dialled without a wait, and counts as no failure. */
static void test_renewed(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    int peer = dial(&fixture);
    const uint64_t dialed_ns = fixture.watched.link.dialed_ns;
    assert_true(fixture.watched.link.opened_ns >= dialed_ns);
    link_close(&fixture.watched.link, LINK_RENEWED);
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_true(link_wake_ns(&fixture.watched.link) <= clock_now_ns());
    assert_int_equal(fixture.watched.link.failures, 0);
    close(peer);
    peer = dial(&fixture);
    assert_true(fixture.watched.link.dialed_ns > dialed_ns);
    close(peer);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_a_cut_is_forgotten),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_close_between_replies),
        cmocka_unit_test(test_reasons_are_told_apart),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_dial_has_a_bound),
        cmocka_unit_test(test_addresses_in_turn),
        cmocka_unit_test(test_renewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
