/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/link.h"
#include "peer.h"

#include <errno.h>
#include <sys/eventfd.h>

enum { REPLIES_MAX = 16 };

/* A link that writes down what it is told. */
struct watched {
    struct link link; /* first */
    unsigned ups, endings, downs, replies;
    enum resp_kind kinds[REPLIES_MAX];
    int reason;
    bool was_up;
    unsigned close_after; /* so many replies it is given up; 0: never */
};

static struct watched *of(struct link *link)
{
    return (struct watched *)link;
}

static void on_up(struct link *link, uint64_t now_ns)
{
    (void)now_ns;
    of(link)->ups++;
}

static void on_sending(struct link *link, uint64_t now_ns)
{
    (void)link, (void)now_ns;
}

static void on_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct watched *watched = of(link);

    (void)now_ns;
    assert_true(watched->replies < REPLIES_MAX);
    watched->kinds[watched->replies++] = reply->kind;
    if (watched->replies == watched->close_after)
        link_close(link, LINK_UNASKED);
}

static void on_ending(struct link *link)
{
    of(link)->endings++;
}

static void on_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    (void)now_ns;
    of(link)->downs++;
    of(link)->reason = reason;
    of(link)->was_up = was_up;
}

static const struct link_events events = {on_up, on_sending, on_reply, on_ending, on_down};

struct fixture {
    int wake_fd, listener;
    struct sockaddr_in address;
    struct endpoint endpoint;
    struct link_setup setup;
    struct watched watched;
};

static void set_up(struct fixture *fixture)
{
    struct endpoint_config config = {.host = "127.0.0.1"};
    struct err err;

    *fixture = (struct fixture){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    fixture->listener = peer_listen(&fixture->address);
    config.port = ntohs(fixture->address.sin_port);
    assert_int_equal(endpoint_resolve(&fixture->endpoint, &config, &err), 0);
    fixture->setup = (struct link_setup){.endpoint = &fixture->endpoint,
                                         .events = &events,
                                         .connect_timeout_ns = CLOCK_NS_PER_S,
                                         .seed = 1};
    const struct loop_setup loop_setup = {.wake_fd = fixture->wake_fd, .channels = 8};
    assert_int_equal(loop_epoll.create(&fixture->setup.loop, &loop_setup, &err), 0);
    link_init(&fixture->watched.link, &fixture->setup, 0);
}

static void tear_down(struct fixture *fixture)
{
    link_close(&fixture->watched.link, LINK_GIVEN_UP);
    loop_turn(fixture->setup.loop, 0);
    link_deinit(&fixture->watched.link);
    loop_destroy(&fixture->setup.loop);
    close(fixture->wake_fd);
    if (fixture->listener >= 0)
        close(fixture->listener);
}

/* Turns until a count has been reached, which it must be within a bounded time. */
static void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (*count < wanted) {
        assert_true(clock_now_ns() < end_ns);
        loop_turn(fixture->setup.loop, clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    }
}

static int dial(struct fixture *fixture)
{
    const unsigned ups = fixture->watched.ups;

    link_dial(&fixture->watched.link, clock_now_ns());
    turn_until(fixture, &fixture->watched.ups, ups + 1);
    assert_int_equal(fixture->watched.link.state, LINK_UP);
    return peer_accept(fixture->listener);
}

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
    static const int reasons[] = {LINK_ENDED,    LINK_GARBAGE, LINK_UNASKED, LINK_NO_REPLY,
                                  LINK_GIVEN_UP, ECONNRESET,   ECONNREFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(link_reason_text(reasons[i]), link_reason_text(reasons[j]));
    assert_string_equal(link_reason_text(LINK_ENDED), "the server closed the connection");
    assert_string_equal(link_reason_text(ECONNRESET), strerror(ECONNRESET));
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
