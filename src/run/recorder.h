/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recorder: puts what a worker's requests came to on its slot of the board.
 *
 * For each success a response time, and on a schedule its three parts beside it:
 *   slot wait = max(due, free) - due, send lag = sent - max(due, free), service = replied - sent.
 * In a closed loop a request is due when it is sent, and the response time is the service time.
 */
#ifndef RUN_RECORDER_H
#define RUN_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "run/board.h"

/* Nodes of a cluster with series of their own; the others share one. */
enum { RECORDER_NODES = 60 };

/* What came of the requests of a node, by its role: of a primary, of a replica. NULL: nothing so
 * far. */
struct recorder_node {
    struct histogram *response[2];
    struct histogram *errors[2];
};

struct recorder {
    struct board_slot *slot;
    struct histogram *response;
    struct histogram *service; /* this and below: NULL in a closed loop */
    struct histogram *slot_wait;
    struct histogram *send_lag;
    struct histogram *connect; /* this and the next: NULL until there is one to count */
    struct histogram *tls;
    struct histogram *handshake;
    struct recorder_node nodes[RECORDER_NODES + 1]; /* by number; the last: all others */
    bool reads;                                     /* null replies are misses */
    uint64_t quiet_ns;   /* no text leaves before, unless its kind is new */
    uint64_t said_kinds; /* a bit a kind of text that has left: outcomes, then events */
};

/* `command`: the name of the latencies' series. */
void recorder_init(struct recorder *recorder, struct board_slot *slot, const char *command,
                   bool scheduled, bool reads);

/* Counts an outcome and its times. */
void recorder_done(struct recorder *recorder, const struct completion *completion);

/* Counts an event. */
void recorder_event(struct recorder *recorder, enum event event, struct str text, uint64_t now_ns);

/* Counts how long a connection took, whenever it was made. */
void recorder_connected(struct recorder *recorder, const struct dial_times *times);

/* Tells what the threads of the driver's library, if it has one, have come to so far. */
void recorder_library(struct recorder *recorder, struct driver *driver);

#endif
