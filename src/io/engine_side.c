/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/engine_side.h"

#include <errno.h>
#include <unistd.h>

void engine_list(struct loop *loop, struct channel *channel)
{
    if (channel->listed || channel->state != CHANNEL_OPEN)
        return;
    channel->listed = true;
    channel->next = loop->to_send;
    loop->to_send = channel;
}

struct channel *engine_take_listed(struct loop *loop)
{
    struct channel *channel = loop->to_send;

    loop->to_send = channel->next;
    channel->listed = false;
    if (channel->state == CHANNEL_CLOSING) {
        channel->next = loop->to_close;
        loop->to_close = channel;
    }
    return channel;
}

void engine_close(struct loop *loop, struct channel *channel, int reason)
{
    if (channel->state == CHANNEL_CLOSED || channel->state == CHANNEL_CLOSING)
        return;
    channel->state = CHANNEL_CLOSING;
    channel->reason = reason;
    /* A channel in the list of those to send moves on to this one when that is walked. */
    if (channel->listed)
        return;
    channel->next = loop->to_close;
    loop->to_close = channel;
}

void engine_end(struct loop *loop, struct channel *channel, int reason)
{
    if (channel->state == CHANNEL_OPEN && !channel->broken)
        channel->events->ending(channel);
    engine_close(loop, channel, reason);
}

void engine_send_failed(struct loop *loop, struct channel *channel, int reason)
{
    if (reason != EPIPE && reason != ECONNRESET) {
        engine_end(loop, channel, reason);
        return;
    }
    channel->broken = true;
    channel->events->ending(channel);
}

void engine_tell_closed(struct loop *loop, struct channel *channel)
{
    channel->next = NULL;
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
    channel->state = CHANNEL_CLOSED;
    outbox_clear(&channel->outbox);
    loop->now_ns = clock_now_ns();
    channel->events->closed(channel, channel->reason, loop->now_ns);
}
