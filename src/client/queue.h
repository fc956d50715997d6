/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue: the clients of a driver that have a free slot, the one that has had it the longest first.
 *
 * A client is in it once at most. One that has lost its free slots meanwhile stays until it comes
 * to the front, where the driver looks: so nothing is ever searched for.
 */
#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

/* What a client has of its own, embedded as its member `queued`; zeroed, it is in no queue. */
struct queued {
    bool in;
};

struct queue {
    struct queued **ring; /* owned */
    unsigned room, head, len;
};

/* Makes an empty queue for `room` clients. */
static inline void queue_init(struct queue *queue, unsigned room)
{
    *queue = (struct queue){.ring = mem_zalloc(room, sizeof(struct queued *)), .room = room};
}

static inline void queue_deinit(struct queue *queue)
{
    free(queue->ring);
    *queue = (struct queue){0};
}

/* Adds a client at the end, unless it is in the queue. */
static inline void queue_add(struct queue *queue, struct queued *queued)
{
    if (queued->in)
        return;
    unsigned at = queue->head + queue->len++;

    assert(queue->len <= queue->room);
    if (at >= queue->room)
        at -= queue->room;
    queue->ring[at] = queued;
    queued->in = true;
}

/* The first. There must be one. */
static inline struct queued *queue_first(const struct queue *queue)
{
    assert(queue->len > 0);
    return queue->ring[queue->head];
}

/* Takes the first off. There must be one. */
static inline void queue_drop(struct queue *queue)
{
    queue_first(queue)->in = false;
    queue->len--;
    if (++queue->head == queue->room)
        queue->head = 0;
}

#endif
