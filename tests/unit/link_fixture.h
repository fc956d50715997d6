/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link_fixture: a link that writes down what it is told, and the listener that it dials.
 */
#ifndef TESTS_LINK_FIXTURE_H
#define TESTS_LINK_FIXTURE_H

#include "base/clock.h"
#include "io/link.h"
#include "peer.h"

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

static inline struct watched *of(struct link *link)
{
    return (struct watched *)link;
}

static inline void on_up(struct link *link, uint64_t now_ns)
{
    (void)now_ns;
    of(link)->ups++;
}

static inline void on_sending(struct link *link, uint64_t now_ns)
{
    (void)link, (void)now_ns;
}

static inline void on_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct watched *watched = of(link);

    (void)now_ns;
    assert_true(watched->replies < REPLIES_MAX);
    watched->kinds[watched->replies++] = reply->kind;
    if (watched->replies == watched->close_after)
        link_close(link, LINK_UNASKED);
}

static inline void on_ending(struct link *link)
{
    of(link)->endings++;
}

static inline void on_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    (void)now_ns;
    of(link)->downs++;
    of(link)->reason = reason;
    of(link)->was_up = was_up;
}

static const struct link_events events = {on_up, on_sending, on_reply, on_ending, on_down, NULL};

struct fixture {
    int wake_fd, listener;
    struct sockaddr_in address;
    struct endpoint endpoint;
    struct link_setup setup;
    struct watched watched;
};

static inline void set_up(struct fixture *fixture)
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

static inline void tear_down(struct fixture *fixture)
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
static inline void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (*count < wanted) {
        assert_true(clock_now_ns() < end_ns);
        loop_turn(fixture->setup.loop, clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    }
}

static inline int dial(struct fixture *fixture)
{
    const unsigned ups = fixture->watched.ups;

    link_dial(&fixture->watched.link, clock_now_ns());
    turn_until(fixture, &fixture->watched.ups, ups + 1);
    assert_int_equal(fixture->watched.link.state, LINK_UP);
    return peer_accept(fixture->listener);
}

#endif
