/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_side: what all engines do alike with their channels and their clock. For engines alone.
 */
#ifndef IO_ENGINE_SIDE_H
#define IO_ENGINE_SIDE_H

#include "base/clock.h"
#include "io/loop.h"

/* loop_ops.send: lists an open channel among those to send. */
void engine_list(struct loop *loop, struct channel *channel);

/* Takes a channel off the list of those to send; one that was given up meanwhile moves on to those
 * to close. There must be one. */
struct channel *engine_take_listed(struct loop *loop);

/* loop_ops.close: lists the channel among those to close, where the engine ends it. */
void engine_close(struct loop *loop, struct channel *channel, int reason);

/* The end of a channel that its owner has not asked for. */
void engine_end(struct loop *loop, struct channel *channel, int reason);

/* A send failed. What can still be received says more than that: an error reply before the end. */
void engine_send_failed(struct loop *loop, struct channel *channel, int reason);

/* Tells a channel, whose socket is done with, that it is closed. It may be connected again at once,
 * and that may fail. */
void engine_tell_closed(struct loop *loop, struct channel *channel);

/* Lets the outbox leave, whose last bytes have left, once its owner has put the rest into it.
 * Returns whether it did: there may be none, or the owner has given the channel up instead. */
static inline bool engine_take_outbox(struct channel *channel)
{
    if (channel->events->taking) {
        channel->events->taking(channel);
        if (channel->state != CHANNEL_OPEN)
            return false;
    }
    return outbox_turn_over(&channel->outbox);
}

/* Counts a wait: all between the one before and this was work. */
static inline void engine_waited(struct loop *loop, uint64_t begin_ns, uint64_t end_ns)
{
    const uint64_t worked_ns = begin_ns - loop->awake_ns;

    if (worked_ns > loop->longest_ns)
        loop->longest_ns = worked_ns;
    loop->waited_ns += end_ns - begin_ns;
    loop->awake_ns = end_ns;
    loop->polling = false;
}

/* Counts a look at what has happened, which does not wait: it ended at `end_ns`, found `news` or
 * not, and came with sends (`sent`) or not. All before it was work, unless the look before it found
 * nothing either: a caller who only looks, again and again, counts as waiting. */
static inline void engine_looked(struct loop *loop, uint64_t end_ns, bool sent, bool news)
{
    engine_waited(loop, loop->polling && !sent ? loop->awake_ns : end_ns, end_ns);
    loop->polling = !sent && !news;
}

#endif
