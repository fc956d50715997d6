/* SPDX-License-Identifier: BSD-3-Clause */
/* What a link says, and awaits, before it is up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link_fixture.h"

#include <errno.h>

static const struct session_config bob = {.user = "bob", .password = "pw", .db = 3};

/* Dials; returns the peer, which has heard the opening, and no more than that. */
static int dial_and_hear(struct fixture *fixture)
{
    const struct session_opening *opening = fixture->setup.opening;
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
    char heard[300];
    size_t len = 0;

    link_dial(&fixture->watched.link, clock_now_ns());
    const int peer = peer_accept(fixture->listener);
    while (len < opening->len) {
        assert_true(clock_now_ns() < end_ns);
        loop_turn(fixture->setup.loop, clock_now_ns() + CLOCK_NS_PER_MS);
        const ssize_t got = recv(peer, heard + len, sizeof heard - len, MSG_DONTWAIT);
        len += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(len, opening->len);
    assert_memory_equal(heard, opening->bytes, len);
    assert_int_equal(fixture->watched.link.state, LINK_DIALING);
    return peer;
}

static void turn_a_little(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++)
        loop_turn(fixture->setup.loop, clock_now_ns() + CLOCK_NS_PER_MS / 2);
}

static void hang_up(struct fixture *fixture, int peer)
{
    const unsigned downs = fixture->watched.downs;

    close(peer);
    turn_until(fixture, &fixture->watched.downs, downs + 1);
}

/* Said again on each connection; the answers may be cut anywhere, and others may stand between. */
static void test_opening_is_answered(void **state)
{
    static const char answers[] = "+OK\r\n>2\r\n+invalidate\r\n*0\r\n%1\r\n+proto\r\n:3\r\n";
    struct session_opening opening;
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    session_opening_init(&opening, &bob);
    fixture.setup.opening = &opening;
    for (size_t cut = 0; cut < sizeof answers - 1; cut++) {
        char first[sizeof answers] = "";
        const int peer = dial_and_hear(&fixture);

        memcpy(first, answers, cut);
        peer_say(peer, first);
        turn_a_little(&fixture);
        assert_int_equal(fixture.watched.ups, cut);
        peer_say(peer, answers + cut);
        turn_until(&fixture, &fixture.watched.ups, (unsigned)cut + 1);
        assert_true(link_wake_ns(&fixture.watched.link) == CLOCK_NEVER);
        hang_up(&fixture, peer);
        assert_true(fixture.watched.was_up);
    }
    assert_int_equal(fixture.watched.replies, 0);
    assert_int_equal(fixture.watched.endings, fixture.watched.ups);
    tear_down(&fixture);
    session_opening_deinit(&opening);
}

/* What comes with the last answer belongs to the owner. */
static void test_replies_behind_the_opening(void **state)
{
    struct session_opening opening;
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    session_opening_init(&opening, &bob);
    fixture.setup.opening = &opening;
    const int peer = dial_and_hear(&fixture);
    peer_say(peer, "+OK\r\n+OK\r\n:1\r\n$-1\r\n");
    turn_until(&fixture, &fixture.watched.replies, 2);
    assert_int_equal(fixture.watched.kinds[0], RESP_INTEGER);
    assert_int_equal(fixture.watched.kinds[1], RESP_NULL);
    close(peer);
    tear_down(&fixture);
    session_opening_deinit(&opening);
}

/* However an opening fails, it is a dial that failed: the wait doubles, the next address is tried.
 */
static void test_opening_fails(void **state)
{
    static const struct {
        const char *answers;
        int reason;
        unsigned answered;
        const char *words;
    } cases[] = {
        {"-WRONGPASS bad pw\r\n-NOAUTH no\r\n", LINK_REFUSED, 0, "WRONGPASS bad *"},
        {"+OK\r\n-ERR DB index is out of range\r\n", LINK_REFUSED, 1,
         "ERR DB index is out of range"},
        {"!6\r\nERR no\r\n", LINK_REFUSED, 0, "ERR no"},
        {"+OK\r\nHTTP/1.1 400\r\n", LINK_GARBAGE, 1, ""},
        {"+OK\r\n", LINK_ENDED, 1, ""},
    };
    struct session_opening opening;
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    session_opening_init(&opening, &bob);
    fixture.setup.opening = &opening;
    fixture.endpoint.addresses[1] = fixture.endpoint.addresses[0];
    fixture.endpoint.count = 2;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        const int peer = dial_and_hear(&fixture);
        const struct link *link = &fixture.watched.link;

        peer_say(peer, cases[i].answers);
        shutdown(peer, SHUT_WR);
        turn_until(&fixture, &fixture.watched.downs, i + 1);
        assert_int_equal(fixture.watched.reason, cases[i].reason);
        assert_false(fixture.watched.was_up);
        assert_int_equal(link->answered, cases[i].answered);
        assert_string_equal(link_words(link), cases[i].words);
        assert_int_equal(link->failures, i + 1);
        assert_int_equal(link->address, (i + 1) % 2);
        close(peer);
    }
    assert_int_equal(fixture.watched.ups + fixture.watched.endings + fixture.watched.replies, 0);
    tear_down(&fixture);
    session_opening_deinit(&opening);
}

/* An opening that is not answered is bounded by the same time as the dial it belongs to. */
static void test_opening_has_a_bound(void **state)
{
    struct session_opening opening;
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    session_opening_init(&opening, &bob);
    fixture.setup.opening = &opening;
    const uint64_t before_ns = clock_now_ns();
    const int peer = dial_and_hear(&fixture);
    peer_say(peer, "+OK\r\n+O");
    turn_a_little(&fixture);
    assert_int_equal(fixture.watched.link.state, LINK_DIALING);
    assert_true(link_wake_ns(&fixture.watched.link) >= before_ns + CLOCK_NS_PER_S);
    assert_true(link_wake_ns(&fixture.watched.link) <= clock_now_ns() + CLOCK_NS_PER_S);
    link_close(&fixture.watched.link, ETIMEDOUT);
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.reason, ETIMEDOUT);
    assert_false(fixture.watched.was_up);
    close(peer);
    tear_down(&fixture);
    session_opening_deinit(&opening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening_is_answered),
        cmocka_unit_test(test_replies_behind_the_opening),
        cmocka_unit_test(test_opening_fails),
        cmocka_unit_test(test_opening_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
