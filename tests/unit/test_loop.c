/* SPDX-License-Identifier: BSD-3-Clause */
/* One body, run for every engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/loop.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { LARGE = 8 << 20, TURNS_MAX = 100000 };

static const struct loop_ops *const engines[] = {&loop_epoll};

/* A channel that writes down what it is told: a letter an event. */
struct diary {
    struct channel channel; /* first */
    char events[64];
    unsigned count;
    size_t received;
    int reason;
    struct loop *loop;
    struct channel *to_close; /* closed from within `bytes` */
    int peer;                 /* 0, or what must not hear before `sending` */
    const char *answer;       /* added from within `bytes` */
};

static struct diary *of(struct channel *channel)
{
    return (struct diary *)channel;
}

static void note(struct channel *channel, char letter)
{
    struct diary *diary = of(channel);

    if (diary->count < sizeof diary->events - 1)
        diary->events[diary->count++] = letter;
}

static void on_opened(struct channel *channel, uint64_t now_ns)
{
    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    note(channel, 'o');
}

static void on_sending(struct channel *channel, uint64_t now_ns)
{
    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    if (of(channel)->peer) {
        char early;
        assert_int_equal(recv(of(channel)->peer, &early, 1, MSG_PEEK | MSG_DONTWAIT), -1);
    }
    note(channel, 's');
}

static void on_bytes(struct channel *channel, struct str bytes, uint64_t now_ns)
{
    struct diary *diary = of(channel);

    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    diary->received += bytes.len;
    note(channel, 'b');
    if (diary->to_close)
        loop_close(diary->loop, diary->to_close, ECANCELED);
    if (diary->answer) {
        memcpy(outbox_reserve(&channel->outbox, strlen(diary->answer)), diary->answer,
               strlen(diary->answer));
        outbox_add(&channel->outbox, strlen(diary->answer));
        loop_send(diary->loop, channel);
    }
}

static void on_ending(struct channel *channel)
{
    note(channel, 'e');
}

static void on_closed(struct channel *channel, int reason, uint64_t now_ns)
{
    assert_true(now_ns > 0 && now_ns <= clock_now_ns());
    of(channel)->reason = reason;
    note(channel, 'c');
}

static const struct channel_events diary_events = {on_opened, on_sending, on_bytes, on_ending,
                                                   on_closed};

struct fixture {
    struct loop *loop;
    int wake_fd, listener;
    struct sockaddr_in address;
};

static void set_up(struct fixture *fixture, const struct loop_ops *engine)
{
    struct err err;

    fixture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fixture->listener = peer_listen(&fixture->address);
    assert_int_equal(engine->create(&fixture->loop, fixture->wake_fd, &err), 0);
}

static void tear_down(struct fixture *fixture)
{
    loop_destroy(&fixture->loop);
    assert_null(fixture->loop);
    loop_destroy(&fixture->loop);
    close(fixture->wake_fd);
    close(fixture->listener);
}

static struct diary new_diary(struct fixture *fixture)
{
    return (struct diary){.channel.events = &diary_events, .loop = fixture->loop};
}

static void dial(struct fixture *fixture, struct diary *diary)
{
    loop_connect(fixture->loop, &diary->channel, (const struct sockaddr *)&fixture->address,
                 sizeof fixture->address);
}

/* Turns until the diary holds an event, which it must do within a bounded time. */
static void turn_until(struct fixture *fixture, struct diary *diary, char letter)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (!strchr(diary->events, letter)) {
        assert_true(clock_now_ns() < end_ns);
        loop_turn(fixture->loop, clock_now_ns() + 10 * CLOCK_NS_PER_MS);
    }
}

static void add(struct fixture *fixture, struct diary *diary, const char *text)
{
    memcpy(outbox_reserve(&diary->channel.outbox, strlen(text)), text, strlen(text));
    outbox_add(&diary->channel.outbox, strlen(text));
    loop_send(fixture->loop, &diary->channel);
}

static void finish(struct fixture *fixture, struct diary *diary)
{
    loop_close(fixture->loop, &diary->channel, ECANCELED);
    loop_turn(fixture->loop, 0);
    assert_int_equal(diary->channel.state, CHANNEL_CLOSED);
    outbox_deinit(&diary->channel.outbox);
}

static void check_conversation(const struct loop_ops *engine)
{
    struct fixture fixture;
    char heard[4];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    diary.peer = peer;
    add(&fixture, &diary, "ab");
    add(&fixture, &diary, "cd"); /* leaves together with the first */
    turn_until(&fixture, &diary, 's');
    assert_int_equal(recv(peer, heard, 4, MSG_WAITALL), 4);
    assert_memory_equal(heard, "abcd", 4);
    peer_say(peer, "xyz");
    turn_until(&fixture, &diary, 'b');
    close(peer);
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.reason, 0);
    assert_int_equal(diary.received, 3);
    assert_string_equal(diary.events, "osbec");
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

static void check_refused(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    shutdown(fixture.listener, SHUT_RDWR);
    close(fixture.listener);
    dial(&fixture, &diary);
    assert_string_equal(diary.events, ""); /* never from within a call */
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.reason, ECONNREFUSED);
    for (int i = 0; i < 3; i++)
        loop_turn(fixture.loop, 0);
    assert_string_equal(diary.events, "c");
    fixture.listener = peer_listen(&fixture.address);
    dial(&fixture, &diary); /* a closed channel may be connected again */
    turn_until(&fixture, &diary, 'o');
    assert_string_equal(diary.events, "co");
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* More than the kernel takes at once, while more is added, arrives whole and in order. */
static void check_large(const struct loop_ops *engine)
{
    struct fixture fixture;
    unsigned char *part = mem_zalloc(1, 1 << 16);
    unsigned char next = 0;
    size_t heard = 0;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    fcntl(peer, F_SETFL, O_NONBLOCK);
    for (size_t added = 0, turns = 0; heard < LARGE; turns++) {
        assert_in_range(turns, 0, TURNS_MAX);
        for (int i = 0; i < 16 && added < LARGE; i++) {
            unsigned char *at = (unsigned char *)outbox_reserve(&diary.channel.outbox, 1 << 16);
            for (int byte = 0; byte < 1 << 16; byte++)
                at[byte] = (unsigned char)(added++ % 251);
            outbox_add(&diary.channel.outbox, 1 << 16);
            loop_send(fixture.loop, &diary.channel);
        }
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_MS);
        for (ssize_t got; (got = recv(peer, part, 1 << 16, 0)) > 0; heard += (size_t)got)
            for (ssize_t i = 0; i < got; i++, next = (unsigned char)((next + 1) % 251))
                if (part[i] != next)
                    fail_msg("byte %zu is out of order", heard + (size_t)i);
    }
    assert_null(strchr(diary.events, 'c'));
    close(peer);
    turn_until(&fixture, &diary, 'c');
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
    free(part);
}

/* Given up by another channel's handler in a turn that has an event for it too. */
static void check_close_by_another(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary one = new_diary(&fixture), two = new_diary(&fixture);
    dial(&fixture, &one);
    dial(&fixture, &two);
    turn_until(&fixture, &one, 'o');
    turn_until(&fixture, &two, 'o');
    const int peers[] = {peer_accept(fixture.listener), peer_accept(fixture.listener)};
    one.to_close = &two.channel;
    two.to_close = &one.channel;
    peer_say(peers[0], "x");
    peer_say(peers[1], "x");
    while (!strchr(one.events, 'c') && !strchr(two.events, 'c'))
        loop_turn(fixture.loop, clock_now_ns() + 10 * CLOCK_NS_PER_MS);
    struct diary *closed = strchr(one.events, 'c') ? &one : &two;
    assert_string_equal(closed->events, "oc");
    assert_int_equal(closed->reason, ECANCELED);
    finish(&fixture, closed == &one ? &two : &one);
    outbox_deinit(&closed->channel.outbox);
    close(peers[0]);
    close(peers[1]);
    tear_down(&fixture);
}

static void check_wake(const struct loop_ops *engine)
{
    const uint64_t one = 1;
    struct fixture fixture;

    set_up(&fixture, engine);
    assert_int_equal(write(fixture.wake_fd, &one, sizeof one), sizeof one);
    const uint64_t begin_ns = clock_now_ns();
    const uint64_t now_ns = loop_turn(fixture.loop, begin_ns + 60 * (uint64_t)CLOCK_NS_PER_S);
    assert_true(now_ns - begin_ns < 30 * (uint64_t)CLOCK_NS_PER_S);
    /* It has been taken: the next turn waits. */
    const uint64_t deadline_ns = clock_now_ns() + 20 * CLOCK_NS_PER_MS;
    assert_true(loop_turn(fixture.loop, deadline_ns) >= deadline_ns);
    tear_down(&fixture);
}

static void check_deadlines(const struct loop_ops *engine)
{
    static const uint64_t waits_ns[] = {1, 1000, 150000, 3000000, 25000000};
    struct fixture fixture;

    set_up(&fixture, engine);
    for (size_t i = 0; i < COUNT(waits_ns); i++) {
        const uint64_t deadline_ns = clock_now_ns() + waits_ns[i];
        uint64_t now_ns = loop_turn(fixture.loop, deadline_ns);
        assert_true(now_ns >= deadline_ns);
        assert_true(now_ns <= clock_now_ns());
    }
    loop_turn(fixture.loop, 0);
    tear_down(&fixture);
}

/* A peer that says why, then resets, is heard before the end. */
static void check_last_words(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    peer_say(peer, "-ERR max number of clients reached\r\n");
    close(peer);
    add(&fixture, &diary, "PING\r\n");
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.received, strlen("-ERR max number of clients reached\r\n"));
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

/* Nor is it lost when the reset is there first, and sending fails before anything was received. */
static void check_words_before_a_reset(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    peer_say(peer, "-ERR no\r\n");
    peer_reset(peer);
    add(&fixture, &diary, "PING\r\n");
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.received, strlen("-ERR no\r\n"));
    assert_string_equal(diary.events, "osebc");
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

static void check_reset(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    peer_reset(peer_accept(fixture.listener));
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.reason, ECONNRESET);
    assert_string_equal(diary.events, "oec");
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

/* What a handler adds to its own channel leaves when it returns. */
static void check_answer(const struct loop_ops *engine)
{
    struct fixture fixture;
    char heard[4];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    diary.answer = "pong";
    peer_say(peer, "x");
    turn_until(&fixture, &diary, 's');
    assert_int_equal(recv(peer, heard, sizeof heard, MSG_DONTWAIT), sizeof heard);
    assert_memory_equal(heard, "pong", sizeof heard);
    assert_string_equal(diary.events, "obs");
    close(peer);
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* What a lost connection had not sent is not said to the next one. */
static void check_reconnect_is_clean(const struct loop_ops *engine)
{
    struct fixture fixture;
    char heard[8];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int first = peer_accept(fixture.listener);
    add(&fixture, &diary, "old");
    loop_close(fixture.loop, &diary.channel, ECANCELED);
    turn_until(&fixture, &diary, 'c');
    assert_true(outbox_has_left(&diary.channel.outbox));
    memset(diary.events, 0, sizeof diary.events);
    diary.count = 0;
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int second = peer_accept(fixture.listener);
    add(&fixture, &diary, "new");
    turn_until(&fixture, &diary, 's');
    assert_int_equal(recv(second, heard, sizeof heard, 0), 3);
    assert_memory_equal(heard, "new", 3);
    close(first);
    close(second);
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* A channel may be given up while it dials; what it had to say is forgotten. */
static void check_close_while_dialling(const struct loop_ops *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    loop_close(fixture.loop, &diary.channel, ETIMEDOUT);
    loop_close(fixture.loop, &diary.channel, ECANCELED); /* too late to give another reason */
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.reason, ETIMEDOUT);
    assert_string_equal(diary.events, "c");
    assert_true(outbox_has_left(&diary.channel.outbox));
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

typedef void check_fn(const struct loop_ops *engine);

static void for_all_engines(void **state)
{
    check_fn *const *check = *state;

    for (size_t i = 0; i < COUNT(engines); i++)
        (*check)(engines[i]);
}

int main(void)
{
    static check_fn *const checks[] = {
        check_conversation,
        check_refused,
        check_large,
        check_close_by_another,
        check_wake,
        check_deadlines,
        check_last_words,
        check_reset,
        check_close_while_dialling,
        check_answer,
        check_words_before_a_reset,
        check_reconnect_is_clean,
    };
    static const char *const names[] = {
        "conversation",
        "refused",
        "large",
        "close by another",
        "wake",
        "deadlines",
        "last words",
        "reset",
        "close while dialling",
        "answer",
        "words before a reset",
        "reconnect is clean",
    };
    struct CMUnitTest tests[COUNT(checks)];

    for (size_t i = 0; i < COUNT(checks); i++)
        tests[i] = (struct CMUnitTest){names[i], for_all_engines, NULL, NULL,
                                       (void *)(uintptr_t)&checks[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
