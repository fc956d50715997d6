/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop: moves bytes between sockets and their channels, for one thread.
 *
 * The seam between the program and the kernel's ways of doing I/O. It is shaped after completion:
 * the caller hands over bytes and is told what arrived; it never asks whether a socket is ready, so
 * that an engine of readiness (epoll) and one of completion (io_uring) fit behind it alike.
 *
 * Rules that every engine keeps:
 * - Events come from within loop_turn() only, so no call ever reaches back into its caller.
 * - Each connect ends in exactly one `closed`, also when it failed at once. Only then may the
 *   channel's memory be reused or the channel be connected again.
 * - At most one send and one receive are under way on a socket. What is added to the outbox
 *   meanwhile leaves together, afterwards.
 * - A channel with bytes to send is sent, at the latest, before the loop waits the next time.
 * - A loop belongs to the thread that turns it. It is woken from outside by its eventfd alone.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"
#include "io/outbox.h"

struct channel;
struct loop;

/* What a channel's owner is told. `now_ns` is the clock as the engine read it, for this event. */
struct channel_events {
    /* The socket is connected; bytes that wait in the outbox leave next. */
    void (*opened)(struct channel *channel, uint64_t now_ns);
    /* All that was in the outbox is about to be handed to the kernel: `now_ns` is just before. */
    void (*sending)(struct channel *channel, uint64_t now_ns);
    /* Bytes arrived, borrowed until return: `now_ns` is just after they were received. */
    void (*bytes)(struct channel *channel, struct str bytes, uint64_t now_ns);
    /* Nothing that is added from now on will leave, though what has arrived may still be told. Not
     * told of a channel that its owner gives up, who knows. `closed` follows. */
    void (*ending)(struct channel *channel);
    /* It is over: 0 if the peer ended the stream, else an errno or what loop_close() was given. */
    void (*closed)(struct channel *channel, int reason, uint64_t now_ns);
    /* What is in the outbox is about to be taken; what is added now leaves with it. `sending`
     * follows, if there is anything then. May be NULL. */
    void (*taking)(struct channel *channel);
};

enum channel_state { CHANNEL_CLOSED, CHANNEL_DIALING, CHANNEL_OPEN, CHANNEL_CLOSING };

/* One socket. Embedded in its owner; zeroed, with `events` set, it is closed and ready to connect.
 */
struct channel {
    const struct channel_events *events;
    struct outbox outbox; /* the owner adds, the engine takes */
    struct channel *next; /* the engine's: in its list of channels to send or to close */
    int fd;               /* this and below: the engine's */
    int reason;
    uint8_t state;     /* enum channel_state */
    uint8_t under_way; /* io_uring: what the kernel has still to end, a bit each */
    bool listed;       /* in the list of channels to send */
    bool blocked;      /* waits until the kernel takes more bytes */
    bool broken;       /* sending failed; what can still be received is received first */
};

/* What a loop is made for. */
struct loop_setup {
    int wake_fd;       /* an eventfd that ends a turn, borrowed */
    unsigned channels; /* as many as will be open at once */
    unsigned skip;     /* of an engine's ways to use the kernel, the best so many are not tried */
};

/* An engine. */
struct loop_ops {
    const char *name; /* as reports show it */
    /* To be called by the thread that will turn it. Returns 0 or a negative errno. */
    int (*create)(struct loop **loop, const struct loop_setup *setup, struct err *err);
    void (*destroy)(struct loop **loop);
    void (*connect)(struct loop *loop, struct channel *channel, const struct sockaddr *address,
                    socklen_t len);
    void (*send)(struct loop *loop, struct channel *channel);
    void (*close)(struct loop *loop, struct channel *channel, int reason);
    uint64_t (*turn)(struct loop *loop, uint64_t deadline_ns);
};

/* The head of every engine's loop. What it has counted is for its thread to read between turns. */
struct loop {
    const struct loop_ops *ops;
    const char *mode;        /* how it uses the kernel, for reports; "" when there is but one way */
    uint64_t waited_ns;      /* spent waiting, so far: all other time is work */
    uint64_t longest_ns;     /* the longest stretch of work between two looks at what happened */
    uint64_t overflows;      /* times when the kernel had no room for what it had to tell */
    uint64_t awake_ns;       /* when the last wait, or look, ended */
    uint64_t now_ns;         /* this and below: the engine's. The clock as it was read last */
    bool polling;            /* the last look found nothing, and nothing was sent with it */
    struct channel *to_send; /* lists through channel->next */
    struct channel *to_close;
};

extern const struct loop_ops loop_epoll;
extern const struct loop_ops loop_uring; /* where HAVE_URING says so */

/* Begins to connect a closed channel (TCP: without Nagle's delay). The address is borrowed until
 * the channel is opened or closed. */
static inline void loop_connect(struct loop *loop, struct channel *channel,
                                const struct sockaddr *address, socklen_t len)
{
    loop->ops->connect(loop, channel, address, len);
}

/* Says that bytes were added to the outbox of an open channel. */
static inline void loop_send(struct loop *loop, struct channel *channel)
{
    loop->ops->send(loop, channel);
}

/* Gives a channel up; `reason` comes back with `closed`. Does nothing if it is closing already. */
static inline void loop_close(struct loop *loop, struct channel *channel, int reason)
{
    loop->ops->close(loop, channel, reason);
}

/*
 * Sends what is to be sent, waits until something happens or the deadline (0: does not wait) and
 * handles what happened. Returns the time. Once that is the deadline or later, what happened until
 * a millisecond before it has been told, also when the process was stopped meanwhile: so what was
 * not told did not come.
 */
static inline uint64_t loop_turn(struct loop *loop, uint64_t deadline_ns)
{
    return loop->ops->turn(loop, deadline_ns);
}

/* Releases a loop (NULL is fine). Its channels are the owners' to close before. */
static inline void loop_destroy(struct loop **loop)
{
    if (*loop)
        (*loop)->ops->destroy(loop);
}

#endif
