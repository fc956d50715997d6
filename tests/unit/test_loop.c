/* SPDX-License-Identifier: BSD-3-Clause */
/* One body, run for every engine. How channels end is in test_loop_ends.c. */
#include "loop_fixture.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>

enum { PART = 1 << 16, TURNS_MAX = 100000 };

static void check_conversation(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard[4];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    diary.peer = peer;
    add(fixture.loop, &diary, "ab");
    add(fixture.loop, &diary, "cd"); /* leaves together with the first */
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

static void check_refused(const struct engine_case *engine)
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

/* Adds up to 1 MiB of a pattern that shows where it is. */
static void add_pattern(struct fixture *fixture, struct diary *diary, size_t *added)
{
    for (int i = 0; i < 16 && *added < LARGE; i++) {
        unsigned char *at = (unsigned char *)outbox_reserve(&diary->channel.outbox, PART);
        for (int byte = 0; byte < PART; byte++)
            at[byte] = (unsigned char)((*added)++ % 251);
        outbox_add(&diary->channel.outbox, PART);
        loop_send(fixture->loop, &diary->channel);
    }
}

/* More than the kernel takes at once, while more is added, arrives whole and in order. */
static void check_large(const struct engine_case *engine)
{
    struct fixture fixture;
    unsigned char *part = mem_zalloc(1, PART);
    size_t added = 0, heard = 0;
    bool stuck = false;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    fcntl(peer, F_SETFL, O_NONBLOCK);
    for (size_t turns = 0; heard < LARGE; turns++) {
        assert_in_range(turns, 0, TURNS_MAX);
        add_pattern(&fixture, &diary, &added);
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_MS);
        /* The peer begins to read when the kernel takes no more, and slowly. */
        stuck |= !outbox_has_left(&diary.channel.outbox);
        const ssize_t got = stuck ? recv(peer, part, PART, 0) : 0;
        for (ssize_t i = 0; i < got; i++, heard++)
            if (part[i] != heard % 251)
                fail_msg("byte %zu is out of order", heard);
    }
    assert_true(stuck);
    assert_null(strchr(diary.events, 'c'));
    close(peer);
    turn_until(&fixture, &diary, 'c');
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
    free(part);
}

/* Turns until the deadline. A signal, or what the kernel has to do for the thread, may end a wait
 * early, but not again and again. */
static uint64_t turn_to(struct fixture *fixture, uint64_t deadline_ns)
{
    uint64_t now_ns = loop_turn(fixture->loop, deadline_ns);

    for (int turns = 0; now_ns < deadline_ns; turns++) {
        assert_in_range(turns, 0, 10);
        now_ns = loop_turn(fixture->loop, deadline_ns);
    }
    return now_ns;
}

static void check_wake(const struct engine_case *engine)
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
    turn_to(&fixture, deadline_ns);
    tear_down(&fixture);
}

static void check_deadlines(const struct engine_case *engine)
{
    static const uint64_t waits_ns[] = {1, 1000, 150000, 3000000, 25000000};
    struct fixture fixture;

    set_up(&fixture, engine);
    for (size_t i = 0; i < COUNT(waits_ns); i++) {
        const uint64_t deadline_ns = clock_now_ns() + waits_ns[i];
        assert_true(turn_to(&fixture, deadline_ns) <= clock_now_ns());
    }
    loop_turn(fixture.loop, 0);
    tear_down(&fixture);
}

/* Says what the kernel takes of `left` bytes. Returns how many it took. */
static size_t say_some(int peer, const char *part, size_t left)
{
    const ssize_t said = send(peer, part, left < PART ? left : PART, MSG_DONTWAIT | MSG_NOSIGNAL);

    return said > 0 ? (size_t)said : 0;
}

/* More arrives at once, for several channels, than an engine has buffers for. */
static void check_flood(const struct engine_case *engine)
{
    enum { CHANNELS = 16, FLOOD = 2 << 20 };
    struct fixture fixture;
    char *part = mem_zalloc(1, PART);
    struct diary diaries[CHANNELS];
    size_t said[CHANNELS] = {0}, heard = 0;
    int peers[CHANNELS];

    set_up(&fixture, engine);
    for (int i = 0; i < CHANNELS; i++) {
        diaries[i] = new_diary(&fixture);
        dial(&fixture, &diaries[i]);
        turn_until(&fixture, &diaries[i], 'o');
        peers[i] = peer_accept(fixture.listener);
    }
    for (size_t turns = 0; heard < (size_t)CHANNELS * FLOOD; turns++) {
        assert_in_range(turns, 0, TURNS_MAX);
        heard = 0;
        for (int i = 0; i < CHANNELS; i++) {
            for (size_t some = 1; some > 0 && said[i] < FLOOD; said[i] += some)
                some = say_some(peers[i], part, FLOOD - said[i]);
            heard += diaries[i].received;
        }
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_MS);
    }
    assert_int_equal(heard, (size_t)CHANNELS * FLOOD);
    for (int i = 0; i < CHANNELS; i++) {
        close(peers[i]);
        finish(&fixture, &diaries[i]);
    }
    tear_down(&fixture);
    free(part);
}

/* What a handler adds to its own channel leaves when it returns. */
static void check_answer(const struct engine_case *engine)
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

/* What a handler adds to another channel leaves before the loop waits the next time. */
static void check_send_to_another(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard[8];

    set_up(&fixture, engine);
    struct diary one = new_diary(&fixture), two = new_diary(&fixture);
    dial(&fixture, &one);
    turn_until(&fixture, &one, 'o');
    dial(&fixture, &two);
    turn_until(&fixture, &two, 'o');
    const int peers[] = {peer_accept(fixture.listener), peer_accept(fixture.listener)};
    one.answer = "pong";
    one.other = &two;
    peer_say(peers[0], "x");
    turn_until(&fixture, &one, 'b');
    loop_turn(fixture.loop, 0);
    assert_int_equal(recv(peers[1], heard, sizeof heard, MSG_DONTWAIT), 4);
    assert_memory_equal(heard, "pong", 4);
    assert_string_equal(one.events, "ob");
    assert_string_equal(two.events, "os");
    close(peers[0]);
    close(peers[1]);
    finish(&fixture, &one);
    finish(&fixture, &two);
    tear_down(&fixture);
}

/* Who wants to know when its outbox is taken is told once for each time, and never while bytes are
 * still leaving; what is added then leaves in the same write. */
static void check_taking(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard[4];

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    diary.channel.events = &filler_events;
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    loop_turn(fixture.loop, 0);
    memset(diary.events, '\0', sizeof diary.events);
    diary.count = 0;
    diary.to_fill = 2;
    add(fixture.loop, &diary, "ab");
    turn_until(&fixture, &diary, 's');
    assert_true(str_starts(str_of(diary.events), STR("ts")));
    assert_int_equal(recv(peer, heard, 4, MSG_WAITALL), 4);
    assert_memory_equal(heard, "abff", 4);
    diary.to_fill = LARGE;
    loop_send(fixture.loop, &diary.channel);
    loop_turn(fixture.loop, 0);
    assert_false(outbox_has_left(&diary.channel.outbox));
    const unsigned noted = diary.count;
    add(fixture.loop, &diary, "ab");
    loop_turn(fixture.loop, 0);
    assert_int_equal(diary.count, noted);
    close(peer);
    finish(&fixture, &diary);
    tear_down(&fixture);
}

/* Given up at the last moment, nothing is sent. */
static void check_giving_up_when_taken(const struct engine_case *engine)
{
    struct fixture fixture;
    char heard;

    set_up(&fixture, engine);
    struct diary diary = new_diary(&fixture);
    dial(&fixture, &diary);
    turn_until(&fixture, &diary, 'o');
    const int peer = peer_accept(fixture.listener);
    diary.channel.events = &filler_events;
    diary.gives_up = true;
    add(fixture.loop, &diary, "ab");
    turn_until(&fixture, &diary, 'c');
    assert_string_equal(diary.events, "otc");
    assert_int_equal(recv(peer, &heard, 1, 0), 0);
    close(peer);
    outbox_deinit(&diary.channel.outbox);
    tear_down(&fixture);
}

int main(void)
{
    static const struct loop_check checks[] = {
        {"conversation", check_conversation},
        {"refused", check_refused},
        {"large", check_large},
        {"flood", check_flood},
        {"wake", check_wake},
        {"deadlines", check_deadlines},
        {"answer", check_answer},
        {"send to another", check_send_to_another},
        {"taking", check_taking},
        {"giving up when taken", check_giving_up_when_taken},
    };

    return run_checks(checks, COUNT(checks));
}
