/* SPDX-License-Identifier: BSD-3-Clause */
/* What loops make of time: what they count, and what they tell. One body, run for every engine. */
#include "loop_fixture.h"

enum { A_WHILE_NS = 5 * CLOCK_NS_PER_MS };

static int open_one(struct fixture *fixture, struct diary *diary)
{
    *diary = new_diary(fixture);
    dial(fixture, diary);
    turn_until(fixture, diary, 'o');
    return peer_accept(fixture->listener);
}

static void poll_for(struct fixture *fixture, uint64_t time_ns)
{
    const uint64_t end_ns = clock_now_ns() + time_ns;

    while (clock_now_ns() < end_ns)
        loop_turn(fixture->loop, 0);
}

/* Who looks again and again and finds nothing waits. */
static void check_polls_wait(const struct engine_case *engine)
{
    struct fixture fixture;

    set_up(&fixture, engine);
    poll_for(&fixture, A_WHILE_NS);
    const uint64_t begin_ns = fixture.loop->awake_ns, waited_ns = fixture.loop->waited_ns;
    poll_for(&fixture, A_WHILE_NS);
    assert_true(fixture.loop->awake_ns > begin_ns);
    assert_int_equal(fixture.loop->waited_ns - waited_ns, fixture.loop->awake_ns - begin_ns);
    tear_down(&fixture);
}

/* But what is done between two looks is work, whatever they find. */
static void check_work_between_polls(const struct engine_case *engine)
{
    struct fixture fixture;
    struct diary diary;

    set_up(&fixture, engine);
    const int peer = open_one(&fixture, &diary);
    poll_for(&fixture, A_WHILE_NS);
    const uint64_t begin_ns = fixture.loop->awake_ns, waited_ns = fixture.loop->waited_ns;
    fixture.loop->longest_ns = 0;
    diary.takes_ns = A_WHILE_NS;
    diary.answer = "PING\r\n";
    peer_say(peer, "x");
    while (!strchr(diary.events, 's'))
        loop_turn(fixture.loop, 0);
    poll_for(&fixture, A_WHILE_NS);
    assert_true(fixture.loop->waited_ns - waited_ns <= clock_now_ns() - begin_ns - A_WHILE_NS);
    assert_true(fixture.loop->longest_ns >= A_WHILE_NS);
    diary.takes_ns = 0;
    finish(&fixture, &diary);
    close(peer);
    tear_down(&fixture);
}

/* A loop that always finds something has turns, too. */
static void check_work_without_waits(const struct engine_case *engine)
{
    struct fixture fixture;
    struct diary diary;

    set_up(&fixture, engine);
    const int peer = open_one(&fixture, &diary);
    const uint64_t waited_ns = fixture.loop->waited_ns, begin_ns = fixture.loop->awake_ns;
    fixture.loop->longest_ns = 0;
    diary.takes_ns = A_WHILE_NS;
    diary.meanwhile = peer;
    peer_say(peer, "x");
    for (unsigned told = 0; told < 4; told = diary.count)
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_S);
    diary.takes_ns = 0;
    diary.meanwhile = 0;
    loop_turn(fixture.loop, 0);
    assert_in_range(fixture.loop->longest_ns, A_WHILE_NS, clock_now_ns() - begin_ns);
    assert_true(fixture.loop->waited_ns - waited_ns <= clock_now_ns() - begin_ns - 2 * A_WHILE_NS);
    finish(&fixture, &diary);
    close(peer);
    tear_down(&fixture);
}

/* What comes while handlers run has a time of its own. */
static void check_times_of_bytes(const struct engine_case *engine)
{
    struct fixture fixture;
    struct diary diary;

    set_up(&fixture, engine);
    const int peer = open_one(&fixture, &diary);
    diary.takes_ns = A_WHILE_NS;
    diary.meanwhile = peer;
    peer_say(peer, "x");
    while (diary.received < 2)
        loop_turn(fixture.loop, clock_now_ns() + CLOCK_NS_PER_S);
    assert_false(diary.too_early);
    diary.takes_ns = 0;
    diary.meanwhile = 0;
    finish(&fixture, &diary);
    close(peer);
    tear_down(&fixture);
}

/*
 * Who hears that a deadline has come takes what was not heard for what did not come. So a loop that
 * was held up beyond it looks again before it tells.
 */
static void check_held_up(const struct engine_case *engine, bool by_ends)
{
    struct fixture fixture;
    struct diary slow[2], other;

    set_up(&fixture, engine);
    const int peers[] = {open_one(&fixture, &slow[0]), open_one(&fixture, &slow[1]),
                         open_one(&fixture, &other)};
    for (int i = 0; i < 2; i++) {
        slow[i].takes_ns = A_WHILE_NS;
        slow[i].meanwhile = peers[2];
        if (by_ends)
            loop_close(fixture.loop, &slow[i].channel, ECANCELED);
        else
            peer_say(peers[i], "x");
    }
    const uint64_t deadline_ns = clock_now_ns() + A_WHILE_NS / 2;
    while (loop_turn(fixture.loop, deadline_ns) < deadline_ns)
        ;
    assert_int_equal(other.received, 2);
    for (int i = 0; i < 2; i++) {
        slow[i].takes_ns = 0;
        slow[i].meanwhile = 0;
        finish(&fixture, &slow[i]);
    }
    finish(&fixture, &other);
    for (int i = 0; i < 3; i++)
        close(peers[i]);
    tear_down(&fixture);
}

static void check_held_up_by_bytes(const struct engine_case *engine)
{
    check_held_up(engine, false);
}

static void check_held_up_by_ends(const struct engine_case *engine)
{
    check_held_up(engine, true);
}

int main(void)
{
    static const struct loop_check checks[] = {
        {"polls wait", check_polls_wait},
        {"work between polls", check_work_between_polls},
        {"work without waits", check_work_without_waits},
        {"times of bytes", check_times_of_bytes},
        {"held up by bytes", check_held_up_by_bytes},
        {"held up by ends", check_held_up_by_ends},
    };

    return run_checks(checks, COUNT(checks));
}
