/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop_diary: a channel that writes down what it is told, and does what a test wants done then.
 */
#ifndef TESTS_LOOP_DIARY_H
#define TESTS_LOOP_DIARY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/loop.h"

#include <errno.h>
#include <string.h>

/* A letter an event. */
struct diary {
    struct channel channel; /* first */
    char events[64];
    unsigned count;
    size_t received;
    int reason;
    struct loop *loop;
    struct channel *to_close;          /* closed from within `bytes` */
    int peer;                          /* 0, or what must not hear before `sending` */
    const char *answer;                /* added from within `bytes` */
    struct diary *other;               /* what is to send the answer, if not itself */
    const struct sockaddr_in *to_dial; /* dialled from within `closed`, once */
    size_t to_fill;                    /* so many bytes are added from within `taking`, once */
    bool gives_up;                     /* from within `taking` */
    uint64_t takes_ns;                 /* `bytes` and `closed` take so long... */
    int meanwhile;                     /* ... and this peer says something meanwhile, if any */
    uint64_t said_ns;                  /* when it did that last */
    bool too_early;                    /* `bytes` had a time before that */
};

static inline struct diary *of(struct channel *channel)
{
    return (struct diary *)channel;
}

static inline void add(struct loop *loop, struct diary *diary, const char *text)
{
    memcpy(outbox_reserve(&diary->channel.outbox, strlen(text)), text, strlen(text));
    outbox_add(&diary->channel.outbox, strlen(text));
    loop_send(loop, &diary->channel);
}

static inline void note(struct channel *channel, char letter)
{
    struct diary *diary = of(channel);

    if (diary->count < sizeof diary->events - 1)
        diary->events[diary->count++] = letter;
}

static inline void take_time(struct diary *diary)
{
    const uint64_t end_ns = clock_now_ns() + diary->takes_ns;

    diary->said_ns = clock_now_ns();
    if (diary->meanwhile)
        assert_int_equal(send(diary->meanwhile, "x", 1, MSG_NOSIGNAL), 1);
    while (clock_now_ns() < end_ns)
        ;
}

static inline void on_opened(struct channel *channel, uint64_t now_ns)
{
    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    note(channel, 'o');
}

static inline void on_sending(struct channel *channel, uint64_t now_ns)
{
    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    if (of(channel)->peer) {
        char early;
        assert_int_equal(recv(of(channel)->peer, &early, 1, MSG_PEEK | MSG_DONTWAIT), -1);
    }
    note(channel, 's');
}

static inline void on_bytes(struct channel *channel, struct str bytes, uint64_t now_ns)
{
    struct diary *diary = of(channel);

    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    diary->received += bytes.len;
    diary->too_early |= now_ns < diary->said_ns;
    note(channel, 'b');
    take_time(diary);
    if (diary->to_close)
        loop_close(diary->loop, diary->to_close, ECANCELED);
    if (diary->answer)
        add(diary->loop, diary->other ? diary->other : diary, diary->answer);
}

static inline void on_ending(struct channel *channel)
{
    note(channel, 'e');
}

static inline void on_closed(struct channel *channel, int reason, uint64_t now_ns)
{
    struct diary *diary = of(channel);
    const struct sockaddr_in *to_dial = diary->to_dial;

    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    diary->reason = reason;
    note(channel, 'c');
    take_time(diary);
    diary->to_dial = NULL;
    if (to_dial)
        loop_connect(diary->loop, channel, (const struct sockaddr *)to_dial, sizeof *to_dial);
}

static const struct channel_events diary_events = {on_opened, on_sending, on_bytes,
                                                   on_ending, on_closed,  NULL};

static inline void on_taking(struct channel *channel)
{
    struct diary *diary = of(channel);

    assert_true(outbox_has_left(&channel->outbox));
    note(channel, 't');
    if (diary->to_fill)
        memset(outbox_reserve(&channel->outbox, diary->to_fill), 'f', diary->to_fill);
    outbox_add(&channel->outbox, diary->to_fill);
    diary->to_fill = 0;
    if (diary->gives_up)
        loop_close(diary->loop, channel, ECANCELED);
}

/* The same for one that wants to know when its outbox is taken. */
static const struct channel_events filler_events = {on_opened, on_sending, on_bytes,
                                                    on_ending, on_closed,  on_taking};

#endif
