/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls: requests that may travel: the slots of a client of a cluster.
 *
 * A call is a slot with the request that it carries, from the moment the request was taken until
 * it is given back, whichever nodes it is sent to meanwhile. A connection has a ring of the calls
 * whose replies it owes, in the order in which they were sent.
 */
#ifndef CLIENT_CALLS_H
#define CLIENT_CALLS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/router.h"
#include "load/request.h"
#include "stats/outcome.h"

/* A call's `free_ns`: its slot is free when it is sent, since the kernel has still to take bytes
 * that are before it, and that is for the other side to bring about. */
#define CALL_HELD UINT64_MAX

struct call {
    struct request request;
    uint64_t free_ns;  /* when a slot was there for it */
    uint64_t first_ns; /* when it was sent first, or kept back first: from then on it is the
                        * cluster's to be served; 0: neither so far */
    uint64_t retry_ns; /* while it waits: not to be sent before this */
    struct call *next; /* in the list of those that are free, or that wait */
    int16_t slot;      /* of the cluster; TEMPLATE_NO_SLOT: any node can carry it */
    uint16_t target;   /* while it waits: the node that it was sent to by an ASK, else
                        * ROUTER_NO_NODE */
    uint8_t hops;      /* redirects that it followed since it waited */
    uint8_t waits;     /* replies that it waited out */
    uint8_t reason;    /* enum outcome: of the last reply that it waited out; OK: none */
    bool travelled;    /* was sent or kept back before it came to its ring */
};

/* Oldest first. NULL stands for the reply to an ASKING, which nobody looks at. */
struct call_ring {
    struct call **calls; /* owned; `room` of them */
    uint32_t room;
    uint32_t oldest;
    uint32_t count;
    uint32_t unsent; /* of `count`, the newest */
};

static inline struct call **call_ring_at(const struct call_ring *ring, uint32_t place)
{
    const uint32_t at = ring->oldest + place;

    return &ring->calls[at < ring->room ? at : at - ring->room];
}

/* Adds the newest. The ring must have room. */
static inline void call_ring_push(struct call_ring *ring, struct call *call)
{
    assert(ring->count < ring->room);
    *call_ring_at(ring, ring->count) = call;
    ring->count++;
    ring->unsent++;
}

/* Takes the oldest off. There must be one. */
static inline struct call *call_ring_pop(struct call_ring *ring)
{
    struct call *call = ring->calls[ring->oldest];

    assert(ring->count > 0);
    ring->oldest = ring->oldest + 1 < ring->room ? ring->oldest + 1 : 0;
    ring->count--;
    if (ring->unsent > ring->count)
        ring->unsent = ring->count;
    return call;
}

/* How many have been sent. */
static inline uint32_t call_ring_sent(const struct call_ring *ring)
{
    return ring->count - ring->unsent;
}

/* Stamps those that had not been sent. */
static inline void call_ring_stamp(struct call_ring *ring, uint64_t sent_ns)
{
    for (; ring->unsent > 0; ring->unsent--) {
        struct call *call = *call_ring_at(ring, ring->count - ring->unsent);

        if (!call || call->first_ns)
            continue;
        call->first_ns = sent_ns;
        if (call->free_ns == CALL_HELD)
            call->free_ns = sent_ns;
    }
}

#endif
