/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver under a server that does everything wrong, at random but the same each time: whatever
 * happens, each request comes back once and the counts stay right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "client/client.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

enum { REQUESTS = 1500, CLIENTS_MAX = 8, ENDS_MAX = 64 };

#define MS ((uint64_t)CLOCK_NS_PER_MS)

/* The server's end of a connection. */
struct server_end {
    int fd;
    uint64_t asked, answered;
    bool mute; /* answers no more */
};

struct storm {
    int wake_fd, listener;
    struct endpoint endpoint;
    struct source source;
    struct client_config config;
    struct driver_setup setup;
    struct driver *driver;
    unsigned char done[REQUESTS];
    uint64_t limit, submitted, finished;
    unsigned outcomes[OUTCOME_UNANSWERED + 1];
    unsigned events[EVENT_KINDS];
    char text[300]; /* of the last event that had one */
    struct server_end ends[ENDS_MAX];
    unsigned ends_count;
    uint64_t seed, draws;
    bool calm; /* the server behaves */
};

static void check_counts(const struct storm *storm)
{
    const struct driver *driver = storm->driver;
    const uint64_t slots = storm->config.pipeline;

    assert_int_equal(driver->in_flight, storm->submitted - storm->finished);
    assert_in_range(driver->up, 0, storm->config.clients);
    assert_in_range(driver->free, 0, driver->up * slots);
    assert_in_range(driver->in_flight, 0, storm->config.clients * slots);
}

/* As a worker does: whenever there may be room. */
static void pump(struct storm *storm)
{
    const struct request more = {.k = REQUESTS};

    while (storm->driver->free > 0 && storm->submitted < storm->limit) {
        const struct request request = {.k = storm->submitted, .n = storm->submitted};
        storm->submitted++;
        assert_true(driver_submit(storm->driver, &request));
    }
    if (storm->driver->free == 0)
        assert_false(driver_submit(storm->driver, &more));
}

static void on_done(void *context, const struct completion *completion)
{
    struct storm *storm = context;
    const uint64_t k = completion->request->k;

    assert_in_range(k, 0, storm->submitted - 1);
    assert_int_equal(storm->done[k]++, 0);
    assert_in_range(completion->outcome, 0, OUTCOME_UNANSWERED);
    storm->outcomes[completion->outcome]++;
    storm->finished++;
    assert_true(completion->free_ns > 0);
    if (completion->outcome == OUTCOME_OK || completion->outcome == OUTCOME_TIMEOUT)
        assert_true(completion->sent_ns > 0);
    assert_true(completion->replied_ns >= completion->sent_ns);
    pump(storm);
}

static void on_connected(void *context, const struct dial_times *times)
{
    (void)context;
    (void)times;
}

static void on_event(void *context, enum event event, struct str text, uint64_t now_ns)
{
    struct storm *storm = context;

    (void)now_ns;
    storm->events[event]++;
    if (text.len > 0 && text.len < sizeof storm->text) {
        memcpy(storm->text, text.ptr, text.len);
        storm->text[text.len] = '\0';
    }
}

static void set_up(struct storm *storm, unsigned clients, unsigned pipeline, uint64_t seed)
{
    const struct source_config source = {.type = "get"};
    struct endpoint_config endpoint = {.host = "127.0.0.1"};
    struct sockaddr_in address;
    struct err err;

    *storm = (struct storm){
        .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .listener = peer_listen(&address),
        .config = {.clients = clients, .pipeline = pipeline, .request_timeout_ns = 30 * MS},
        .limit = REQUESTS,
        .seed = seed};
    fcntl(storm->listener, F_SETFL, O_NONBLOCK);
    endpoint.port = ntohs(address.sin_port);
    assert_int_equal(endpoint_resolve(&storm->endpoint, &endpoint, &err), 0);
    assert_int_equal(source_init(&storm->source, &source, 0, &err), 0);
    storm->setup = (struct driver_setup){.endpoint = &storm->endpoint,
                                         .source = &storm->source,
                                         .config = &storm->config,
                                         .connect_timeout_ns = CLOCK_NS_PER_S,
                                         .seed = seed,
                                         .stride = 1,
                                         .clients_max = clients,
                                         .listener = {on_done, on_event, on_connected, storm}};
    const struct loop_setup loop_setup = {.wake_fd = storm->wake_fd, .channels = 8};
    assert_int_equal(loop_epoll.create(&storm->setup.loop, &loop_setup, &err), 0);
    assert_int_equal(driver_standalone.create(&storm->driver, &storm->setup, &err), 0);
}

static void tear_down(struct storm *storm)
{
    storm->driver->ops->abandon(storm->driver, clock_now_ns());
    check_counts(storm);
    assert_int_equal(storm->finished, storm->submitted);
    assert_int_equal(storm->driver->up, 0);
    assert_int_equal(storm->driver->free, 0);
    for (unsigned i = 0; i < storm->ends_count; i++)
        close(storm->ends[i].fd);
    driver_destroy(&storm->driver);
    loop_destroy(&storm->setup.loop);
    source_deinit(&storm->source);
    close(storm->wake_fd);
    close(storm->listener);
}

static void turn(struct storm *storm)
{
    const uint64_t now_ns = loop_turn(storm->setup.loop, clock_now_ns() + MS / 2);

    if (now_ns >= storm->driver->tick_ns)
        storm->driver->ops->tick(storm->driver, now_ns);
    check_counts(storm);
}

/* ---- the server */

static uint64_t draw_below(struct storm *storm, uint64_t range)
{
    return rng_below(rng_draw(storm->seed, RNG_KEY, storm->draws++), range);
}

static void say(const struct server_end *end, const char *text)
{
    /* The client may have gone meanwhile. */
    if (send(end->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        assert_true(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN);
}

static void answer(struct server_end *end, uint64_t count, const char *text)
{
    for (; count > 0 && end->answered < end->asked; count--, end->answered++)
        say(end, text);
}

static void remove_end(struct storm *storm, unsigned which)
{
    storm->ends[which] = storm->ends[--storm->ends_count];
}

/* Takes new connections and what was asked on all. */
static void hear(struct storm *storm)
{
    char heard[4096];
    int fd;

    while ((fd = accept4(storm->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        assert_true(storm->ends_count < ENDS_MAX);
        storm->ends[storm->ends_count++] = (struct server_end){.fd = fd};
    }
    for (unsigned i = storm->ends_count; i-- > 0;) {
        struct server_end *end = &storm->ends[i];
        ssize_t got;

        while ((got = recv(end->fd, heard, sizeof heard, 0)) > 0)
            for (ssize_t at = 0; at < got; at++)
                end->asked += heard[at] == '*';
        if (got < 0 && errno == EAGAIN)
            continue;
        close(end->fd);
        remove_end(storm, i);
    }
}

/* Half a reply first. */
static void break_off(struct storm *storm, unsigned which, bool reset)
{
    struct server_end *end = &storm->ends[which];

    answer(end, draw_below(storm, 3), "$-1\r\n");
    say(end, "$3\r\nab");
    if (reset)
        peer_reset(end->fd);
    else
        close(end->fd);
    remove_end(storm, which);
}

static void act(struct storm *storm, unsigned which)
{
    struct server_end *end = &storm->ends[which];

    if (end->mute || end->asked == end->answered)
        return;
    switch (draw_below(storm, 24)) {
    case 0:
        break_off(storm, which, false);
        return;
    case 1:
        break_off(storm, which, true);
        return;
    case 2:
        answer(end, 1, "HTTP/1.1 400 Bad Request\r\n");
        return;
    case 3: /* more than was asked */
        answer(end, UINT64_MAX, "$3\r\nabc\r\n");
        say(end, "-ERR goodbye\r\n");
        return;
    case 4:
        end->mute = draw_below(storm, 4) == 0;
        return;
    case 5:
        say(end, ">2\r\n+invalidate\r\n*0\r\n");
        return;
    case 6:
        answer(end, draw_below(storm, 5), "-ERR no\r\n");
        return;
    default:
        answer(end, 1 + draw_below(storm, 8), "$3\r\nabc\r\n");
    }
}

static void serve(struct storm *storm)
{
    hear(storm);
    for (unsigned i = storm->ends_count; i-- > 0;) {
        if (storm->calm && !storm->ends[i].mute)
            answer(&storm->ends[i], UINT64_MAX, "$3\r\nabc\r\n");
        else if (!storm->calm)
            act(storm, i);
    }
}

/* ---- tests */

static void run_until(struct storm *storm, uint64_t finished)
{
    const uint64_t end_ns = clock_now_ns() + 30 * (uint64_t)CLOCK_NS_PER_S;

    while (storm->finished < finished) {
        assert_true(clock_now_ns() < end_ns);
        pump(storm);
        turn(storm);
        serve(storm);
    }
}

/* Turns until all clients are up with all slots free. */
static void settle(struct storm *storm)
{
    const struct client_config *config = &storm->config;
    const uint64_t end_ns = clock_now_ns() + 30 * (uint64_t)CLOCK_NS_PER_S;

    storm->calm = true;
    while (storm->driver->up < config->clients || storm->driver->in_flight > 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(storm);
        serve(storm);
    }
    assert_int_equal(storm->driver->free, config->clients * config->pipeline);
    assert_int_equal(storm->events[EVENT_DISCONNECT], storm->events[EVENT_RECONNECT]);
}

static void test_storm(void **state)
{
    /* Clients, slots each, requests a connection. */
    static const unsigned shapes[][3] = {{1, 1, 0}, {1, 16, 0}, {CLIENTS_MAX, 1, 0},
                                         {3, 7, 0}, {3, 7, 5},  {CLIENTS_MAX, 2, 9}};
    static const enum outcome must[] = {OUTCOME_OK, OUTCOME_TIMEOUT, OUTCOME_DISCONNECT,
                                        OUTCOME_PROTOCOL, OUTCOME_OTHER};
    unsigned outcomes[OUTCOME_UNANSWERED + 1] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct storm storm;

        set_up(&storm, shapes[i][0], shapes[i][1], i);
        storm.config.reconnect_interval = shapes[i][2];
        storm.limit = shapes[i][0] == 1 ? REQUESTS / 5 : REQUESTS;
        storm.driver->ops->open(storm.driver, shapes[i][0], clock_now_ns());
        run_until(&storm, storm.limit);
        settle(&storm);
        assert_int_equal(storm.events[EVENT_RENEWAL] > 0, shapes[i][2] > 0);
        for (size_t kind = 0; kind < COUNT(outcomes); kind++)
            outcomes[kind] += storm.outcomes[kind];
        tear_down(&storm);
    }
    for (size_t i = 0; i < COUNT(must); i++)
        assert_true(outcomes[must[i]] > 0);
    assert_int_equal(outcomes[OUTCOME_UNANSWERED], 0);
}

/* In the middle of it all, with requests that come in even then. */
static void test_abandon_in_the_storm(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 30; seed++) {
        struct storm storm;

        set_up(&storm, 4, 4, seed);
        storm.driver->ops->open(storm.driver, 4, clock_now_ns());
        run_until(&storm, 10 * (seed - 9));
        pump(&storm);
        tear_down(&storm);
        assert_in_range(storm.outcomes[OUTCOME_UNANSWERED], 0, storm.submitted);
    }
}

/* Nobody listens for a while, and clients are asked for in two steps. */
static void test_server_comes_late(void **state)
{
    const uint64_t end_ns = clock_now_ns() + 30 * (uint64_t)CLOCK_NS_PER_S;
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    struct storm storm;

    (void)state;
    set_up(&storm, 3, 2, 1);
    assert_int_equal(getsockname(storm.listener, (struct sockaddr *)&address, &len), 0);
    close(storm.listener);
    storm.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(storm.listener, (const struct sockaddr *)&address, len), 0);
    storm.driver->ops->open(storm.driver, 1, clock_now_ns());
    while (storm.events[EVENT_DIAL_FAILURE] < 2)
        turn(&storm);
    storm.driver->ops->open(storm.driver, 3, clock_now_ns());
    while (storm.events[EVENT_DIAL_FAILURE] < 6)
        turn(&storm);
    assert_non_null(strstr(storm.text, "Could not connect to 127.0.0.1"));
    assert_int_equal(storm.driver->up, 0);
    assert_int_equal(storm.driver->free, 0);
    pump(&storm);
    assert_int_equal(storm.submitted, 0);
    assert_int_equal(listen(storm.listener, 16), 0);
    while (storm.driver->up < 3 && clock_now_ns() < end_ns)
        turn(&storm);
    settle(&storm);
    assert_int_equal(storm.events[EVENT_RECONNECT], 0);
    tear_down(&storm);
}

/* Replies that were on their way when a request could not be sent any more free no slot. */
static void test_replies_after_a_failed_send(void **state)
{
    struct storm storm;

    (void)state;
    set_up(&storm, 1, 4, 1);
    storm.config.request_timeout_ns = 0;
    storm.limit = 3;
    storm.driver->ops->open(storm.driver, 1, clock_now_ns());
    while (storm.ends_count == 0 || storm.ends[0].asked < 3) {
        pump(&storm);
        turn(&storm);
        hear(&storm);
    }
    say(&storm.ends[0], "+OK\r\n+OK\r\n");
    peer_reset(storm.ends[0].fd);
    remove_end(&storm, 0);
    storm.limit = 4;
    pump(&storm);
    storm.limit = 6;
    while (storm.finished < 4) {
        turn(&storm);
        if (storm.finished < 4)
            assert_int_equal(storm.driver->free, 0);
    }
    assert_int_equal(storm.outcomes[OUTCOME_OK], 2);
    assert_int_equal(storm.outcomes[OUTCOME_DISCONNECT], 2);
    assert_int_equal(storm.submitted, 4);
    storm.calm = true;
    run_until(&storm, 6);
    settle(&storm);
    tear_down(&storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_abandon_in_the_storm),
        cmocka_unit_test(test_server_comes_late),
        cmocka_unit_test(test_replies_after_a_failed_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
