/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * standalone_fixture: the driver for one server and a listener that it dials. The test plays the
 * server, between the turns of the loop.
 */
#ifndef TESTS_STANDALONE_FIXTURE_H
#define TESTS_STANDALONE_FIXTURE_H

#include "base/clock.h"
#include "peer.h"
#include "standalone_notes.h"

#include <sys/eventfd.h>

static inline void set_up(struct fixture *fixture, unsigned clients, unsigned pipeline,
                          uint64_t timeout_ns)
{
    const struct source_config source = {.type = "set", .data_bytes = 3};
    struct endpoint_config endpoint = {.host = "127.0.0.1"};
    struct sockaddr_in address;
    struct err err;

    *fixture = (struct fixture){
        .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .listener = peer_listen(&address),
        .config = {.clients = clients, .pipeline = pipeline, .request_timeout_ns = timeout_ns}};
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

static inline void tear_down(struct fixture *fixture)
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

static inline void turn(struct fixture *fixture)
{
    const uint64_t now_ns = loop_turn(fixture->setup.loop, clock_now_ns() + 2 * MS);

    if (now_ns >= fixture->driver->tick_ns)
        fixture->driver->ops->tick(fixture->driver, now_ns);
}

static inline void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (*count != wanted) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

/* All clients up; returns the server's end of the last of them. */
static inline int connect_all(struct fixture *fixture, int *peers)
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

static inline void submit(struct fixture *fixture, uint64_t first, uint64_t count)
{
    for (uint64_t k = first; k < first + count; k++) {
        const struct request request = {.k = k, .n = k};
        assert_true(driver_submit(fixture->driver, &request));
    }
    turn(fixture); /* they leave */
}

static inline void assert_outcomes(const struct fixture *fixture, const enum outcome *want,
                                   unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        assert_int_equal(fixture->done[k], 1);
        assert_int_equal(fixture->outcomes[k], want[k]);
    }
    assert_int_equal(fixture->all_done, count);
    assert_int_equal(fixture->driver->in_flight, 0);
}

#endif
