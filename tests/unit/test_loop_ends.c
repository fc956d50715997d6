/* SPDX-License-Identifier: BSD-3-Clause */
/* How channels end: one body, run for every engine. */
#include "loop_fixture.h"

/* A peer that says why, then resets, is heard before the end. */
static void check_last_words(const struct engine_case *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    peer_say(peer, "-ERR max number of clients reached\r\n");
    close(peer);
    add(fixture.loop, &diary, "PING\r\n");
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.received, strlen("-ERR max number of clients reached\r\n"));
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

/* Nor is it lost when the reset is there first, and sending fails before anything was received. */
static void check_words_before_a_reset(const struct engine_case *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    peer_say(peer, "-ERR no\r\n");
    peer_reset(peer);
    add(fixture.loop, &diary, "PING\r\n");
    turn_until(&fixture, &diary, 'c');
    assert_int_equal(diary.received, strlen("-ERR no\r\n"));
    /* A loop by completion may hear the words before it hears that the send failed. */
    if (strcmp(diary.events, "osbec") != 0)
        assert_string_equal(diary.events, "osebc");
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

static void check_reset(const struct engine_case *engine)
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

/* The peer reads nothing, then is gone: one end, and nothing of it in the next connection. */
static void check_end_while_blocked(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard[8];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int first = peer_accept(fixture.listener);
    memset(outbox_reserve(&diary.channel.outbox, LARGE), 'x', LARGE);
    outbox_add(&diary.channel.outbox, LARGE);
    loop_send(fixture.loop, &diary.channel);
    turn_until(&fixture, &diary, 's');
    assert_false(outbox_has_left(&diary.channel.outbox));
    add(fixture.loop, &diary, "never leaves");
    peer_reset(first);
    turn_until(&fixture, &diary, 'c');
    for (int i = 0; i < 3; i++)
        loop_turn(fixture.loop, 0);
    assert_string_equal(diary.events, "osec");
    memset(diary.events, 0, sizeof diary.events);
    diary.count = 0;
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int second = peer_accept(fixture.listener);
    add(fixture.loop, &diary, "new");
    turn_until(&fixture, &diary, 's');
    assert_int_equal(recv(second, heard, sizeof heard, 0), 3);
    assert_memory_equal(heard, "new", 3);
    close(second);
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* What a lost connection had not sent is not said to the next one. */
static void check_reconnect_is_clean(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard[8];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int first = peer_accept(fixture.listener);
    add(fixture.loop, &diary, "old");
    loop_close(fixture.loop, &diary.channel, ECANCELED);
    turn_until(&fixture, &diary, 'c');
    assert_true(outbox_has_left(&diary.channel.outbox));
    memset(diary.events, 0, sizeof diary.events);
    diary.count = 0;
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int second = peer_accept(fixture.listener);
    add(fixture.loop, &diary, "new");
    turn_until(&fixture, &diary, 's');
    assert_int_equal(recv(second, heard, sizeof heard, 0), 3);
    assert_memory_equal(heard, "new", 3);
    close(first);
    close(second);
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* From where its end is told a channel may be connected again. */
static void check_dial_from_closed(const struct engine_case *engine)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    diary.to_dial = &fixture.address;
    close(peer_accept(fixture.listener));
    turn_until(&fixture, &diary, 'c');
    while (diary.channel.state != CHANNEL_OPEN && clock_now_ns() < end_ns)
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_MS);
    assert_string_equal(diary.events, "oeco");
    finish(&fixture, &diary);
    assert_string_equal(diary.events, "oecoc");
    tear_down(&fixture);
}

/* A channel may be given up while it dials; what it had to say is forgotten. */
static void check_close_while_dialling(const struct engine_case *engine)
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

/* The turn after it was given up tells, also if it had something to say still. */
static void check_close_with_bytes_to_send(const struct engine_case *engine)
{
    const uint64_t begin_ns = clock_now_ns();
    struct fixture fixture;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    add(fixture.loop, &diary, "never leaves");
    loop_close(fixture.loop, &diary.channel, ECANCELED);
    loop_turn(fixture.loop, begin_ns + 60 * (uint64_t)CLOCK_NS_PER_S);
    assert_string_equal(diary.events, "oc");
    assert_true(clock_now_ns() - begin_ns < 30 * (uint64_t)CLOCK_NS_PER_S);
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

/* Given up by another channel's handler in a turn that has an event for it too. */
static void check_close_by_another(const struct engine_case *engine)
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

int main(void)
{
    static const struct loop_check checks[] = {
        {"last words", check_last_words},
        {"words before a reset", check_words_before_a_reset},
        {"reset", check_reset},
        {"end while blocked", check_end_while_blocked},
        {"reconnect is clean", check_reconnect_is_clean},
        {"dial from closed", check_dial_from_closed},
        {"close while dialling", check_close_while_dialling},
        {"close with bytes to send", check_close_with_bytes_to_send},
        {"close by another", check_close_by_another},
    };

    return run_checks(checks, COUNT(checks));
}
