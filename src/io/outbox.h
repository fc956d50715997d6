/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outbox: the bytes that a channel is to send, in two halves.
 *
 * One half is being filled by whoever has something to send; the other belongs to the kernel from
 * the moment it is handed over until all of it has been taken. So bytes may be added at any time,
 * under any engine, and what is under way never moves. The halves grow to what a connection needs
 * and stay: a run in its steady state allocates nothing.
 */
#ifndef IO_OUTBOX_H
#define IO_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

struct outbox_half {
    char *bytes; /* owned */
    size_t len;
    size_t room;
};

struct outbox {
    struct outbox_half filling;
    struct outbox_half leaving;
    size_t sent; /* of `leaving` */
};

/* Makes room for `bytes` more in the filling half. */
void outbox_grow(struct outbox *outbox, size_t bytes);

/* Where the next `bytes` go; outbox_add() then says how many were written there. */
static inline char *outbox_reserve(struct outbox *outbox, size_t bytes)
{
    if (outbox->filling.room - outbox->filling.len < bytes)
        outbox_grow(outbox, bytes);
    return outbox->filling.bytes + outbox->filling.len;
}

static inline void outbox_add(struct outbox *outbox, size_t bytes)
{
    outbox->filling.len += bytes;
}

/* Whether there is nothing left of the leaving half. */
static inline bool outbox_has_left(const struct outbox *outbox)
{
    return outbox->sent == outbox->leaving.len;
}

/*
 * Lets the filled half leave, if there is one and the last has left. Returns whether it did: then
 * all of `leaving` is to be sent.
 */
bool outbox_turn_over(struct outbox *outbox);

/* Forgets all bytes; keeps the memory. */
void outbox_clear(struct outbox *outbox);

/* Releases the memory; a zeroed outbox is an empty one. */
void outbox_deinit(struct outbox *outbox);

#endif
