/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_notes: what a test of the driver for clusters knows, and writes down of what it is told.
 */
#ifndef TESTS_CLUSTER_NOTES_H
#define TESTS_CLUSTER_NOTES_H

#include <stdio.h>

#include "base/clock.h"
#include "client/client.h"

enum { REQUESTS_MAX = 64, NODES = 3, A = 0, B = 1, C = 2, COMMAND_MAX = 200 };

#define MS ((uint64_t)CLOCK_NS_PER_MS)

struct node {
    int listener; /* -1: refuses */
    uint16_t port;
    int peer; /* the last connection; -1: none */
};

struct fixture {
    int wake_fd;
    struct node nodes[NODES];
    struct endpoint endpoint;
    struct cluster cluster;
    struct source source;
    struct client_config config;
    struct driver_setup setup;
    struct driver *driver;
    uint64_t generation;
    unsigned done[REQUESTS_MAX]; /* how often each k came back */
    enum outcome outcomes[REQUESTS_MAX];
    const struct router_node *by[REQUESTS_MAX]; /* the nodes that the outcomes are of */
    uint64_t sent[REQUESTS_MAX], ended[REQUESTS_MAX];
    char texts[REQUESTS_MAX][200];
    unsigned all_done;
    unsigned connections; /* that came up, ever */
    unsigned events[EVENT_KINDS];
};

static inline void on_done(void *context, const struct completion *completion)
{
    struct fixture *fixture = context;
    const uint64_t k = completion->request->k % REQUESTS_MAX;

    fixture->done[k]++;
    fixture->outcomes[k] = completion->outcome;
    fixture->by[k] = completion->node;
    fixture->sent[k] = completion->sent_ns;
    fixture->ended[k] = completion->replied_ns;
    snprintf(fixture->texts[k], sizeof fixture->texts[k], "%.*s", (int)completion->text.len,
             completion->text.len ? completion->text.ptr : "");
    fixture->all_done++;
    if (completion->outcome == OUTCOME_OK)
        assert_true(completion->replied_ns >= completion->sent_ns && completion->sent_ns > 0 &&
                    completion->free_ns <= completion->sent_ns);
    else if (completion->outcome != OUTCOME_UNANSWERED)
        assert_true(completion->text.len > 0);
}

static inline void on_event(void *context, enum event event, struct str text, uint64_t now_ns)
{
    struct fixture *fixture = context;

    (void)text, (void)now_ns;
    fixture->events[event]++;
}

static inline void on_connected(void *context, const struct dial_times *times)
{
    struct fixture *fixture = context;

    fixture->connections++;
    assert_true(times->connect_ns > 0);
}

#endif
