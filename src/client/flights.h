/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flights: the requests under way on one connection, oldest first.
 *
 * Replies come in the order of the requests, so a ring is all there is to matching them. The newest
 * may wait in the outbox still: they are stamped together when it is handed to the kernel.
 */
#ifndef CLIENT_FLIGHTS_H
#define CLIENT_FLIGHTS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "load/request.h"

/* A flight's `free_ns`: its slot is free when it is sent, since the kernel has still to take bytes
 * that are before it, and that is for the other side to bring about. */
#define FLIGHTS_HELD UINT64_MAX

struct flight {
    struct request request;
    uint64_t free_ns; /* when a slot was there for it */
    uint64_t sent_ns; /* 0: not handed to the kernel so far */
};

/* A zeroed ring with `ring` set is empty. */
struct flights {
    struct flight *ring; /* borrowed; as many as the connection has slots */
    uint32_t oldest;
    uint32_t count;
    uint32_t unsent; /* of `count`, the newest */
};

static inline struct flight *flights_at(const struct flights *flights, uint32_t place,
                                        uint32_t slots)
{
    const uint32_t at = flights->oldest + place;

    return &flights->ring[at < slots ? at : at - slots];
}

/* Adds the newest, which is the caller's to fill in. The ring must have room. */
static inline struct flight *flights_push(struct flights *flights, uint32_t slots)
{
    struct flight *const newest = flights_at(flights, flights->count, slots);

    assert(flights->count < slots);
    flights->count++;
    flights->unsent++;
    return newest;
}

/* Takes the oldest off. There must be one. */
static inline struct flight flights_pop(struct flights *flights, uint32_t slots)
{
    const struct flight flight = flights->ring[flights->oldest];

    assert(flights->count > 0);
    flights->oldest = flights->oldest + 1 < slots ? flights->oldest + 1 : 0;
    flights->count--;
    if (flights->unsent > flights->count)
        flights->unsent = flights->count;
    return flight;
}

/* The oldest that has been sent, or NULL. */
static inline const struct flight *flights_oldest_sent(const struct flights *flights)
{
    return flights->count > flights->unsent ? &flights->ring[flights->oldest] : NULL;
}

/* Stamps those that had not been sent. */
static inline void flights_stamp(struct flights *flights, uint64_t sent_ns, uint32_t slots)
{
    for (; flights->unsent > 0; flights->unsent--) {
        struct flight *flight = flights_at(flights, flights->count - flights->unsent, slots);

        flight->sent_ns = sent_ns;
        if (flight->free_ns == FLIGHTS_HELD)
            flight->free_ns = sent_ns;
    }
}

#endif
