/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#define BACKOFF_FIRST_NS  (UINT64_C(50) * CLOCK_NS_PER_MS)
#define BACKOFF_DOUBLINGS 5
#define BACKOFF_MAX_NS    ((uint64_t)CLOCK_NS_PER_S)

static struct link *of_channel(struct channel *channel)
{
    return (struct link *)channel;
}

static unsigned steps_of(const struct link *link)
{
    return link->setup->opening ? link->setup->opening->count : 0;
}

static void come_up(struct link *link, uint64_t now_ns)
{
    link->state = LINK_UP;
    link->wake_ns = CLOCK_NEVER;
    link->setup->events->up(link, now_ns);
}

/* Bytes can be exchanged with the server: the session is opened. */
static void open_session(struct link *link, uint64_t now_ns)
{
    const struct session_opening *opening = link->setup->opening;

    if (steps_of(link) == 0) {
        come_up(link, now_ns);
        return;
    }
    memcpy(outbox_reserve(link->outbox, opening->len), opening->bytes, opening->len);
    outbox_add(link->outbox, opening->len);
}

static void channel_opened(struct channel *channel, uint64_t now_ns)
{
    struct link *link = of_channel(channel);

    link->opened_ns = now_ns;
    open_session(link, now_ns);
}

static void channel_sending(struct channel *channel, uint64_t now_ns)
{
    struct link *link = of_channel(channel);

    if (link->state == LINK_UP)
        link->setup->events->sending(link, now_ns);
}

static void channel_ending(struct channel *channel)
{
    struct link *link = of_channel(channel);

    if (link->state == LINK_UP)
        link->setup->events->ending(link);
}

/* The answer to a step of the opening. */
static void take_answer(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    if (reply->kind == RESP_ERROR) {
        link->words = session_quote(link->setup->opening, reply->text);
        link_close(link, LINK_REFUSED);
    } else if (++link->answered == steps_of(link)) {
        come_up(link, now_ns);
    }
}

/* An end that the link, not its owner, has decided on. */
static void break_off(struct link *link, int reason)
{
    channel_ending(&link->channel);
    link_close(link, reason);
}

static void tell_heard(struct link *link, struct str bytes, enum resp_status status,
                       enum resp_kind kind)
{
    enum link_piece piece = LINK_PART;

    if (!link->setup->events->heard || link->state != LINK_UP)
        return;
    if (status == RESP_REPLY)
        piece = kind == RESP_PUSH ? LINK_PUSH : LINK_REPLY;
    link->setup->events->heard(link, bytes, piece);
}

static void channel_bytes(struct channel *channel, struct str bytes, uint64_t now_ns)
{
    struct link *link = of_channel(channel);
    const struct str arrived = bytes;
    struct resp_reply reply;
    size_t used;

    while (bytes.len > 0) {
        const enum resp_status status = resp_reader_feed(&link->reader, bytes, &used, &reply);

        if (status != RESP_BAD)
            tell_heard(link, (struct str){bytes.ptr, used}, status, reply.kind);
        if (status == RESP_MORE)
            return;
        if (status == RESP_BAD) {
            break_off(link, tls_is_alert(arrived) ? LINK_WANTS_TLS : LINK_GARBAGE);
            return;
        }
        bytes.ptr += used;
        bytes.len -= used;
        if (reply.kind == RESP_PUSH)
            continue;
        if (link->state == LINK_UP)
            link->setup->events->reply(link, &reply, now_ns);
        else
            take_answer(link, &reply, now_ns);
        if (channel->state != CHANNEL_OPEN)
            return;
    }
}

/* ---- with TLS */

static void fail(struct link *link)
{
    char text[TLS_REASON_MAX];

    free(link->words);
    link->words = mem_copy_text(tls_reason(link->tls, text));
    break_off(link, LINK_INSECURE);
}

/* Does what comes out of TLS, until nothing more does; what TLS has to say itself is sent. */
static void advance(struct link *link, uint64_t now_ns)
{
    struct str plaintext;

    while (link->channel.state == CHANNEL_OPEN)
        switch (tls_next(link->tls, &plaintext)) {
        case TLS_OPENED:
            link->secured_ns = now_ns;
            open_session(link, now_ns);
            break;
        case TLS_BYTES:
            channel_bytes(&link->channel, plaintext, now_ns);
            break;
        case TLS_MORE:
            if (link->channel.outbox.filling.len > 0 || link->clear.filling.len > 0)
                link_send(link);
            return;
        case TLS_ENDED:
            break_off(link, LINK_ENDED);
            return;
        case TLS_FAILED:
            fail(link);
            return;
        }
}

static void secure_opened(struct channel *channel, uint64_t now_ns)
{
    struct link *link = of_channel(channel);

    link->opened_ns = now_ns;
    link->tls = tls_create(link->setup->tls, &channel->outbox);
    advance(link, now_ns);
}

static void secure_bytes(struct channel *channel, struct str bytes, uint64_t now_ns)
{
    struct link *link = of_channel(channel);

    tls_feed(link->tls, bytes);
    advance(link, now_ns);
}

static void secure_taking(struct channel *channel)
{
    struct link *link = of_channel(channel);
    const struct outbox_half *due = &link->clear.filling;

    if (due->len == 0)
        return;
    if (!tls_send(link->tls, (struct str){due->bytes, due->len}))
        fail(link);
    outbox_clear(&link->clear);
}

/* ---- ends */

/* 50 ms, doubling to 1 s, each between a half and the whole of that. */
static uint64_t backoff_ns(const struct link *link)
{
    const uint32_t doublings =
        link->failures < BACKOFF_DOUBLINGS ? link->failures : BACKOFF_DOUBLINGS;
    const uint64_t doubled_ns = BACKOFF_FIRST_NS << doublings;
    const uint64_t whole_ns = doubled_ns < BACKOFF_MAX_NS ? doubled_ns : BACKOFF_MAX_NS;
    const uint64_t draw =
        rng_draw(link->setup->seed, RNG_BACKOFF, ((uint64_t)link->number << 32) + link->attempts);

    return whole_ns / 2 + rng_below(draw, whole_ns / 2);
}

static void channel_closed(struct channel *channel, int reason, uint64_t now_ns)
{
    struct link *link = of_channel(channel);
    const bool was_up = link->state == LINK_UP;

    resp_reader_deinit(&link->reader);
    resp_reader_init(&link->reader);
    tls_destroy(&link->tls);
    outbox_clear(&link->clear);
    link->state = LINK_DOWN;
    link->wake_ns = now_ns;
    if (reason != LINK_RENEWED) {
        link->wake_ns += backoff_ns(link);
        link->failures++;
    }
    if (!was_up)
        link->address = (link->address + 1) % link->setup->endpoint->count;
    link->setup->events->down(link, reason, was_up, now_ns);
}

static const struct channel_events channel_events = {
    .opened = channel_opened,
    .sending = channel_sending,
    .bytes = channel_bytes,
    .ending = channel_ending,
    .closed = channel_closed,
};

static const struct channel_events secure_events = {
    .opened = secure_opened,
    .sending = channel_sending,
    .bytes = secure_bytes,
    .ending = channel_ending,
    .closed = channel_closed,
    .taking = secure_taking,
};

void link_init(struct link *link, const struct link_setup *setup, uint32_t number)
{
    *link = (struct link){.setup = setup, .number = number};
    link->channel.events = setup->tls ? &secure_events : &channel_events;
    link->outbox = setup->tls ? &link->clear : &link->channel.outbox;
    resp_reader_init(&link->reader);
}

void link_deinit(struct link *link)
{
    assert(link->channel.state == CHANNEL_CLOSED);
    resp_reader_deinit(&link->reader);
    free(link->words);
    outbox_deinit(&link->channel.outbox);
    outbox_deinit(&link->clear);
}

void link_dial(struct link *link, uint64_t now_ns)
{
    const struct link_setup *setup = link->setup;
    const struct endpoint *endpoint = setup->endpoint;
    /* There may be fewer now than when the last dial failed. */
    const struct endpoint_address *address = &endpoint->addresses[link->address % endpoint->count];

    assert(link->state == LINK_DOWN);
    free(link->words);
    link->words = NULL;
    link->attempts++;
    link->state = LINK_DIALING;
    link->answered = 0;
    link->dialed_ns = clock_now_ns(); /* `now_ns` may be older by all the dials before */
    link->opened_ns = link->secured_ns = 0;
    link->wake_ns = setup->connect_timeout_ns ? now_ns + setup->connect_timeout_ns : CLOCK_NEVER;
    loop_connect(setup->loop, &link->channel, (const struct sockaddr *)&address->socket,
                 address->len);
}

void link_close(struct link *link, int reason)
{
    loop_close(link->setup->loop, &link->channel, reason);
}

const char *link_reason_text(int reason)
{
    switch (reason) {
    case LINK_ENDED:
        return "the server closed the connection";
    case LINK_GARBAGE:
        return "the server sent what is not RESP";
    case LINK_UNASKED:
        return "the server answered what was not asked";
    case LINK_NO_REPLY:
        return "no reply came in time";
    case LINK_GIVEN_UP:
        return "the run has ended";
    case LINK_REFUSED:
        return "the server refused the login or the database";
    case LINK_RENEWED:
        return "its requests were done";
    case LINK_INSECURE:
        return "TLS failed";
    case LINK_WANTS_TLS:
        return "that port speaks TLS: use --tls";
    case EMFILE:
        return "this program has as many open files as it may: raise its limit (ulimit -n)";
    default:
        return strerror(reason);
    }
}
