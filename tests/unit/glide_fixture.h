/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_fixture: the driver of valkey-GLIDE's library, and the stub in place of that. What becomes
 * of each request is a word in the environment (tests/stub_glide/stub_glide.c).
 */
#ifndef TESTS_GLIDE_FIXTURE_H
#define TESTS_GLIDE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "standalone_notes.h"

/* `type`: "set", or "custom" for requests that are dictated. */
static inline void set_up_for(struct fixture *fixture, const char *type,
                              struct client_config config, const char *dials, const char *commands)
{
    const struct source_config source = {.type = type, .data_bytes = 3};
    const struct endpoint_config endpoint = {.host = "127.0.0.1", .port = 6379};
    static const struct tls_config no_tls;
    struct err err;

    setenv("STUB_GLIDE_DIALS", dials, 1);
    setenv("STUB_GLIDE_COMMANDS", commands, 1);
    *fixture =
        (struct fixture){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .config = config};
    fixture->config.driver = DRIVER_GLIDE;
    if (!config.glide.library)
        fixture->config.glide.library = STUB_GLIDE "6.so";
    fixture->config.glide.log_level = 5;
    assert_int_equal(endpoint_resolve(&fixture->endpoint, &endpoint, &err), 0);
    assert_int_equal(source_init(&fixture->source, &source, 0, &err), 0);
    fixture->setup = (struct driver_setup){.endpoint = &fixture->endpoint,
                                           .source = &fixture->source,
                                           .config = &fixture->config,
                                           .connect_timeout_ns = CLOCK_NS_PER_S,
                                           .tls_config = &no_tls,
                                           .wake_fd = fixture->wake_fd,
                                           .seed = 1,
                                           .stride = 1,
                                           .clients_max = (unsigned)config.clients,
                                           .listener = {on_done, on_event, on_connected, fixture}};
    const struct loop_setup loop_setup = {.wake_fd = fixture->wake_fd, .channels = 8};
    assert_int_equal(loop_epoll.create(&fixture->setup.loop, &loop_setup, &err), 0);
    assert_int_equal(driver_glide.create(&fixture->driver, &fixture->setup, &err), 0);
}

static inline void set_up(struct fixture *fixture, struct client_config config, const char *dials,
                          const char *commands)
{
    set_up_for(fixture, "set", config, dials, commands);
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
}

/* One turn as a worker takes it, which sleeps until it is woken. */
static inline void turn(struct fixture *fixture)
{
    driver_turn(fixture->driver, fixture->setup.loop,
                clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S);
}

static inline void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = clock_now_ns() + 15 * (uint64_t)CLOCK_NS_PER_S;

    while (*count != wanted) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

static inline void connect_all(struct fixture *fixture)
{
    const unsigned clients = (unsigned)fixture->config.clients;

    fixture->driver->ops->open(fixture->driver, clients, clock_now_ns());
    turn_until(fixture, &fixture->driver->up, clients);
    assert_int_equal(fixture->driver->free, clients * fixture->config.pipeline);
}

static inline void submit(struct fixture *fixture, uint64_t first, uint64_t count)
{
    for (uint64_t k = first; k < first + count; k++) {
        const struct request request = {.k = k, .n = k};
        assert_true(driver_submit(fixture->driver, &request));
    }
}

#endif
