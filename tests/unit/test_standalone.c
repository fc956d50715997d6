/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver against a server that the test plays itself, between the turns of the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "client/client.h"
#include "peer.h"

#include <fcntl.h>
#include <sys/eventfd.h>

enum { REQUESTS_MAX = 64 };

#define MS ((uint64_t)CLOCK_NS_PER_MS)

struct fixture {
    int wake_fd, listener;
    struct endpoint endpoint;
    struct source source;
    struct client_config config;
    struct driver_setup setup;
    struct driver *driver;
    unsigned done[REQUESTS_MAX]; /* how often each k came back */
    enum outcome outcomes[REQUESTS_MAX];
    uint64_t freed[REQUESTS_MAX], sent[REQUESTS_MAX], ended[REQUESTS_MAX];
    bool nulls[REQUESTS_MAX];
    unsigned all_done;
    unsigned events[EVENT_KINDS];
    unsigned connected;
    uint64_t next;  /* submitted from within `done`, once; 0: nothing */
    char text[300]; /* of the last event that had one */
};

static void on_done(void *context, const struct completion *completion)
{
    struct fixture *fixture = context;
    const uint64_t k = completion->request->k;

    assert_in_range(k, 0, REQUESTS_MAX - 1);
    fixture->done[k]++;
    fixture->outcomes[k] = completion->outcome;
    fixture->freed[k] = completion->free_ns;
    fixture->sent[k] = completion->sent_ns;
    fixture->ended[k] = completion->replied_ns;
    fixture->nulls[k] = completion->null;
    fixture->all_done++;
    if (completion->outcome == OUTCOME_OK)
        assert_true(completion->replied_ns >= completion->sent_ns && completion->sent_ns > 0);
    else if (completion->outcome != OUTCOME_UNANSWERED)
        assert_true(completion->text.len > 0);
    if (fixture->next && completion->outcome == OUTCOME_OK) {
        const struct request request = {.k = fixture->next, .n = fixture->next};
        fixture->next = 0;
        assert_true(driver_submit(fixture->driver, &request));
    }
}

static void on_event(void *context, enum event event, struct str text, uint64_t now_ns)
{
    struct fixture *fixture = context;

    (void)now_ns;
    fixture->events[event]++;
    if (text.len > 0 && text.len < sizeof fixture->text) {
        memcpy(fixture->text, text.ptr, text.len);
        fixture->text[text.len] = '\0';
    }
}

static void on_connected(void *context, const struct dial_times *times)
{
    struct fixture *fixture = context;

    fixture->connected++;
    assert_in_range(times->connect_ns, 1, CLOCK_NS_PER_S);
    assert_int_equal(times->handshake_ns, 0);
}

static void set_up(struct fixture *fixture, unsigned clients, unsigned pipeline,
                   uint64_t timeout_ns)
{
    const struct source_config source = {.type = "set", .data_bytes = 3};
    struct endpoint_config endpoint = {.host = "127.0.0.1"};
    struct sockaddr_in address;
    struct err err;

    *fixture = (struct fixture){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                .listener = peer_listen(&address),
                                .config = {clients, pipeline, timeout_ns}};
    endpoint.port = ntohs(address.sin_port);
    assert_int_equal(endpoint_resolve(&fixture->endpoint, &endpoint, &err), 0);
    assert_int_equal(source_init(&fixture->source, &source, 0, &err), 0);
    fixture->setup = (struct driver_setup){.endpoint = &fixture->endpoint,
                                           .source = &fixture->source,
                                           .config = &fixture->config,
                                           .connect_timeout_ns = CLOCK_NS_PER_S,
                                           .seed = 1,
                                           .stride = 1,
                                           .clients_max = clients,
                                           .listener = {on_done, on_event, on_connected, fixture}};
    const struct loop_setup loop_setup = {.wake_fd = fixture->wake_fd, .channels = 8};
    assert_int_equal(loop_epoll.create(&fixture->setup.loop, &loop_setup, &err), 0);
    assert_int_equal(driver_standalone.create(&fixture->driver, &fixture->setup, &err), 0);
}

static void tear_down(struct fixture *fixture)
{
    fixture->driver->ops->abandon(fixture->driver, clock_now_ns());
    assert_int_equal(fixture->driver->in_flight, 0);
    assert_int_equal(fixture->driver->free, 0);
    driver_destroy(&fixture->driver);
    loop_destroy(&fixture->setup.loop);
    source_deinit(&fixture->source);
    close(fixture->wake_fd);
    close(fixture->listener);
}

static void turn(struct fixture *fixture)
{
    const uint64_t now_ns = loop_turn(fixture->setup.loop, clock_now_ns() + 2 * MS);

    if (now_ns >= fixture->driver->tick_ns)
        fixture->driver->ops->tick(fixture->driver, now_ns);
}

static void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (*count != wanted) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

/* All clients up; returns the server's end of the last of them. */
static int connect_all(struct fixture *fixture, int *peers)
{
    const unsigned clients = (unsigned)fixture->config.clients;
    int peer = -1;

    fixture->driver->ops->open(fixture->driver, clients, clock_now_ns());
    turn_until(fixture, &fixture->driver->up, clients);
    for (unsigned i = 0; i < clients; i++) {
        peer = peer_accept(fixture->listener);
        if (peers)
            peers[i] = peer;
    }
    assert_int_equal(fixture->driver->free, clients * fixture->config.pipeline);
    assert_int_equal(fixture->connected, clients);
    return peer;
}

static void submit(struct fixture *fixture, uint64_t first, uint64_t count)
{
    for (uint64_t k = first; k < first + count; k++) {
        const struct request request = {.k = k, .n = k};
        assert_true(driver_submit(fixture->driver, &request));
    }
    turn(fixture); /* they leave */
}

static void assert_outcomes(const struct fixture *fixture, const enum outcome *want, unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        assert_int_equal(fixture->done[k], 1);
        assert_int_equal(fixture->outcomes[k], want[k]);
    }
    assert_int_equal(fixture->all_done, count);
    assert_int_equal(fixture->driver->in_flight, 0);
}

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
    assert_true(source_room(&fixture.source) * 3 <= sizeof want);
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
