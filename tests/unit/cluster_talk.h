/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_talk: what happens between the driver and the nodes of a cluster_fixture, turn by turn.
 */
#ifndef TESTS_CLUSTER_TALK_H
#define TESTS_CLUSTER_TALK_H

#include "cluster_fixture.h"

static inline void turn(struct fixture *fixture)
{
    const uint64_t now_ns = loop_turn(fixture->setup.loop, clock_now_ns() + MS);

    if (now_ns >= fixture->driver->tick_ns)
        fixture->driver->ops->tick(fixture->driver, now_ns);
    for (unsigned i = 0; i < NODES; i++) {
        struct node *node = &fixture->nodes[i];
        const int peer = node->listener < 0 ? -1 : accept(node->listener, NULL, NULL);

        if (peer < 0)
            continue;
        if (node->peer >= 0)
            close(node->peer);
        node->peer = peer;
    }
}

static inline uint64_t patience_ns(void)
{
    return clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
}

static inline void turn_until(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    const uint64_t end_ns = patience_ns();

    while (*count != wanted) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
}

static inline void turn_for(struct fixture *fixture, uint64_t time_ns)
{
    const uint64_t end_ns = clock_now_ns() + time_ns;

    while (clock_now_ns() < end_ns)
        turn(fixture);
}

static inline void connect_client(struct fixture *fixture)
{
    fixture->driver->ops->open(fixture->driver, 1, clock_now_ns());
    turn_until(fixture, &fixture->driver->up, 1);
    while (fixture->nodes[A].peer < 0 || fixture->nodes[B].peer < 0)
        turn(fixture);
    assert_int_equal(fixture->driver->free, fixture->config.pipeline);
}

static inline bool is_low(uint64_t k)
{
    char key[32];

    sprintf(key, "key:%llu", (unsigned long long)k);
    return resp_slot(str_of(key)) < 8192;
}

/* The nth request of all whose key is among the low, or the high slots. */
static inline struct request request_of(bool low, unsigned n)
{
    uint64_t k = 0;

    for (;; k++)
        if (is_low(k) == low && n-- == 0)
            return (struct request){.k = k, .n = k};
}

static inline uint64_t submit(struct fixture *fixture, bool low, unsigned n)
{
    const struct request request = request_of(low, n);

    assert_true(driver_submit(fixture->driver, &request));
    return request.k;
}

/* Waits until a node has received exactly these bytes. */
static inline void expect_bytes(struct fixture *fixture, unsigned node, const char *bytes)
{
    const uint64_t end_ns = patience_ns();
    const size_t len = strlen(bytes);
    char got[COMMAND_MAX + 1];
    size_t have = 0;

    while (have < len) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
        const ssize_t n =
            recv(fixture->nodes[node].peer, got + have, len - have, MSG_DONTWAIT | MSG_NOSIGNAL);
        have += n > 0 ? (size_t)n : 0;
    }
    got[len] = '\0';
    assert_string_equal(got, bytes);
}

static inline char *get_command(char *command, uint64_t k)
{
    char key[32];

    sprintf(key, "key:%llu", (unsigned long long)k);
    sprintf(command, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", strlen(key), key);
    return command;
}

/* A request arrives at a node, which answers it. */
static inline void answer(struct fixture *fixture, unsigned node, uint64_t k, const char *reply)
{
    char command[COMMAND_MAX];

    expect_bytes(fixture, node, get_command(command, k));
    peer_say(fixture->nodes[node].peer, reply);
}

static inline void assert_ended(struct fixture *fixture, uint64_t k, enum outcome outcome)
{
    const uint64_t end_ns = patience_ns();

    while (fixture->done[k % REQUESTS_MAX] == 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
    assert_int_equal(fixture->done[k % REQUESTS_MAX], 1);
    assert_int_equal(fixture->outcomes[k % REQUESTS_MAX], outcome);
    fixture->done[k % REQUESTS_MAX] = 0;
}

static inline void refuse(struct fixture *fixture, unsigned node)
{
    close(fixture->nodes[node].listener);
    fixture->nodes[node].listener = -1;
    if (fixture->nodes[node].peer >= 0)
        peer_reset(fixture->nodes[node].peer);
    fixture->nodes[node].peer = -1;
}

#endif
