/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters: requests go to their nodes, and where they are redirected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_redirects.h"

static void test_requests_go_where_their_slots_are(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 4, 0);
    connect_client(&fixture);
    const uint64_t a = submit(&fixture, true, 0), b = submit(&fixture, false, 0),
                   more = submit(&fixture, false, 1);
    assert_int_equal(fixture.driver->free, 1);
    answer(&fixture, B, b, "$1\r\nx\r\n");
    answer(&fixture, B, more, "$-1\r\n");
    answer(&fixture, A, a, "-ERR no\r\n");
    assert_ended(&fixture, b, OUTCOME_OK);
    assert_ended(&fixture, more, OUTCOME_OK);
    assert_ended(&fixture, a, OUTCOME_OTHER);
    assert_int_equal(fixture.driver->free, 4);
    tear_down(&fixture);
}

static void test_moved_is_followed_and_learnt(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    uint64_t k = submit(&fixture, true, 0);
    answer(&fixture, A, k, redirect(&fixture, "MOVED", k, B, reply));
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    k = submit(&fixture, true, 0);
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    assert_int_equal(fixture.events[EVENT_MOVED], 1);
    assert_int_equal(bulletin_take_asked(fixture.cluster.bulletin), BULLETIN_STALE);
    /* Until a new topology says otherwise. */
    publish(&fixture, A, B);
    turn_for(&fixture, 30 * MS);
    k = submit(&fixture, true, 0);
    answer(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

static void test_moved_to_a_node_that_was_not_known(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, false, 2);
    answer(&fixture, B, k, redirect(&fixture, "MOVED", k, C, reply));
    answer(&fixture, C, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

static void test_ask_is_followed_and_not_learnt(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 2, 0);
    connect_client(&fixture);
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t k = submit(&fixture, true, 0), other = submit(&fixture, false, i);

        answer(&fixture, B, other, "$1\r\nx\r\n");
        answer(&fixture, A, k, redirect(&fixture, "ASK", k, B, reply));
        answer_asking(&fixture, B, k, "+OK\r\n$1\r\nx\r\n");
        assert_ended(&fixture, k, OUTCOME_OK);
        assert_ended(&fixture, other, OUTCOME_OK);
    }
    assert_int_equal(fixture.events[EVENT_ASK], 2);
    assert_int_equal(fixture.events[EVENT_MOVED], 0);
    assert_int_equal(bulletin_take_asked(fixture.cluster.bulletin), BULLETIN_FINE);
    tear_down(&fixture);
}

static void test_ask_for_a_node_that_refuses(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    refuse(&fixture, C);
    const uint64_t k = submit(&fixture, true, 0);
    answer(&fixture, A, k, redirect(&fixture, "ASK", k, C, reply));
    for (unsigned i = 0; i < 6; i++) /* more often than redirects are followed */
        answer(&fixture, A, k, redirect(&fixture, "ASK", k, C, reply));
    answer(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

/* What is known of the cluster says otherwise, and will say nothing new. */
static void test_moved_to_a_node_that_refuses(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    refuse(&fixture, C);
    const uint64_t k = submit(&fixture, true, 0);
    for (unsigned i = 0; i < 7; i++) /* more often than redirects are followed */
        answer(&fixture, A, k, redirect(&fixture, "MOVED", k, C, reply));
    answer(&fixture, A, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

static void test_redirects_are_bounded(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, true, 0);
    for (unsigned i = 0; i < 6; i++)
        answer(&fixture, i % 2 ? B : A, k, redirect(&fixture, "MOVED", k, i % 2 ? A : B, reply));
    assert_ended(&fixture, k, OUTCOME_REDIRECT);
    assert_int_equal(fixture.events[EVENT_MOVED], 6);
    const uint64_t lost = submit(&fixture, false, 0);
    answer(&fixture, B, lost, "-MOVED 1 nowhere\r\n");
    assert_ended(&fixture, lost, OUTCOME_REDIRECT);
    tear_down(&fixture);
}

static void test_replies_that_are_waited_out(void **state)
{
    static const struct {
        const char *reply;
        enum event event;
    } cases[] = {
        {"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", EVENT_TRYAGAIN},
        {"-CLUSTERDOWN The cluster is down\r\n", EVENT_CLUSTERDOWN},
        {"-LOADING Redis is loading the dataset in memory\r\n", EVENT_RETRY},
        {"-READONLY You can't write against a read only replica.\r\n", EVENT_RETRY},
        {"-MASTERDOWN Link with MASTER is down\r\n", EVENT_RETRY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, 1, 0);
        connect_client(&fixture);
        const uint64_t k = submit(&fixture, true, 0);
        answer(&fixture, A, k, cases[i].reply);
        answer(&fixture, A, k, cases[i].reply);
        answer(&fixture, A, k, "$1\r\nx\r\n");
        assert_ended(&fixture, k, OUTCOME_OK);
        assert_int_equal(fixture.events[cases[i].event], 2);
        assert_int_equal(fixture.events[EVENT_RETRY], 2);
        /* 5 ms, then 10, are part of how long it took. */
        assert_true(fixture.ended[k] - fixture.sent[k] >= 15 * MS);
        tear_down(&fixture);
    }
}

/* Whoever looks for new topologies leaves that to another worker at its end. */
static void test_the_press_is_handed_on(void **state)
{
    const uint64_t end_ns = patience_ns();
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    struct bulletin *bulletin = fixture.cluster.bulletin;
    bulletin_give_press(bulletin);
    while (bulletin_take_press(bulletin)) {
        assert_true(clock_now_ns() < end_ns);
        bulletin_give_press(bulletin);
        turn(&fixture);
    }
    fixture.driver->ops->abandon(fixture.driver, clock_now_ns());
    assert_true(bulletin_take_press(bulletin));
    tear_down(&fixture);
}

/* Each waits for its own time, not for the next look at all. */
static void test_waits_that_overlap(void **state)
{
    struct fixture fixture;
    char commands[2 * COMMAND_MAX];

    (void)state;
    set_up(&fixture, 2, 0);
    connect_client(&fixture);
    const uint64_t first = submit(&fixture, true, 0), second = submit(&fixture, true, 1);
    get_command(commands, first);
    get_command(commands + strlen(commands), second);
    expect_bytes(&fixture, A, commands);
    peer_say(fixture.nodes[A].peer, "-TRYAGAIN later\r\n");
    turn_until(&fixture, &fixture.events[EVENT_RETRY], 1);
    turn_for(&fixture, MS);
    peer_say(fixture.nodes[A].peer, "-TRYAGAIN later\r\n");
    turn_until(&fixture, &fixture.events[EVENT_RETRY], 2);
    const uint64_t due_ns = clock_now_ns() + 5 * MS;
    expect_bytes(&fixture, A, get_command(commands, first));
    const uint64_t now_ns = loop_turn(fixture.setup.loop, 0); /* without a tick */
    const bool other_sent = recv(fixture.nodes[A].peer, commands, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    if (!other_sent)
        assert_true(fixture.driver->tick_ns <= (now_ns > due_ns ? now_ns : due_ns) + MS);
    expect_bytes(&fixture, A, get_command(commands, second));
    peer_say(fixture.nodes[A].peer, "$1\r\nx\r\n$1\r\nx\r\n");
    assert_ended(&fixture, first, OUTCOME_OK);
    assert_ended(&fixture, second, OUTCOME_OK);
    tear_down(&fixture);
}

/* Nodes may disagree for as long as a failover lasts: a circle has no waits in it. */
static void test_redirects_before_a_wait_count_no_longer(void **state)
{
    struct fixture fixture;
    char reply[100];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, true, 0);
    for (unsigned i = 0; i < 9; i++) {
        const unsigned node = i % 2 ? B : A, other = i % 2 ? A : B;

        if (i == 4)
            answer(&fixture, node, k, "-CLUSTERDOWN The cluster is down\r\n");
        answer(&fixture, node, k, redirect(&fixture, "MOVED", k, other, reply));
    }
    answer(&fixture, B, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

/* A server that is busy, or a user without the right, is not to be waited for. */
static void test_errors_that_are_not_waited_out(void **state)
{
    static const struct {
        const char *reply;
        enum outcome outcome;
    } cases[] = {
        {"-BUSY Redis is busy running a script.\r\n", OUTCOME_BUSY},
        {"-NOPERM No permissions to access a key\r\n", OUTCOME_AUTH},
        {"-OOM command not allowed\r\n", OUTCOME_OOM},
        {"-CROSSSLOT Keys in request don't hash to the same slot\r\n", OUTCOME_OTHER},
    };
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    for (unsigned i = 0; i < COUNT(cases); i++) {
        const uint64_t k = submit(&fixture, true, i);

        answer(&fixture, A, k, cases[i].reply);
        assert_ended(&fixture, k, cases[i].outcome);
    }
    tear_down(&fixture);
}

static void test_waiting_ends_with_the_request_timeout(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 100 * MS);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, true, 0);
    const uint64_t end_ns = patience_ns();
    char command[COMMAND_MAX];
    get_command(command, k);
    while (fixture.all_done == 0) { /* the last try may not come */
        char got[COMMAND_MAX];

        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
        if (recv(fixture.nodes[A].peer, got, sizeof got, MSG_DONTWAIT) > 0)
            peer_say(fixture.nodes[A].peer, "-CLUSTERDOWN The cluster is down\r\n");
    }
    assert_ended(&fixture, k, OUTCOME_CLUSTERDOWN);
    assert_string_equal(fixture.texts[k], "CLUSTERDOWN The cluster is down");
    assert_true(fixture.ended[k] - fixture.sent[k] >= 100 * MS);
    assert_int_equal(fixture.driver->up, 1);
    tear_down(&fixture);
}

/* A timeout counts from the first send, over all nodes, also when what was sent later to the same
 * node is before it. */
static void test_timeout_after_a_redirect(void **state)
{
    const uint64_t timeout_ns = 600 * MS, head_start_ns = 500 * MS;
    uint64_t last_ns, longest_ns = 0;
    struct fixture fixture;
    char reply[100], command[COMMAND_MAX];

    (void)state;
    set_up(&fixture, 2, timeout_ns);
    connect_client(&fixture);
    const uint64_t k = submit(&fixture, true, 0);
    expect_bytes(&fixture, A, get_command(command, k));
    turn_for(&fixture, head_start_ns);
    const uint64_t fresh = submit(&fixture, false, 0);
    expect_bytes(&fixture, B, get_command(command, fresh));
    peer_say(fixture.nodes[A].peer, redirect(&fixture, "MOVED", k, B, reply));
    last_ns = clock_now_ns();
    while (fixture.all_done < 2) {
        turn(&fixture);
        const uint64_t now_ns = clock_now_ns();
        longest_ns = now_ns - last_ns > longest_ns ? now_ns - last_ns : longest_ns;
        last_ns = now_ns;
    }
    assert_ended(&fixture, k, OUTCOME_TIMEOUT);
    assert_true(fixture.ended[k] - fixture.sent[k] >= timeout_ns);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], 1);
    /* Unless this machine stood still, the other was not silent for so long. */
    if (longest_ns < head_start_ns / 2)
        assert_ended(&fixture, fresh, OUTCOME_DISCONNECT);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_go_where_their_slots_are),
        cmocka_unit_test(test_moved_is_followed_and_learnt),
        cmocka_unit_test(test_moved_to_a_node_that_was_not_known),
        cmocka_unit_test(test_ask_is_followed_and_not_learnt),
        cmocka_unit_test(test_ask_for_a_node_that_refuses),
        cmocka_unit_test(test_moved_to_a_node_that_refuses),
        cmocka_unit_test(test_redirects_are_bounded),
        cmocka_unit_test(test_replies_that_are_waited_out),
        cmocka_unit_test(test_the_press_is_handed_on),
        cmocka_unit_test(test_waits_that_overlap),
        cmocka_unit_test(test_redirects_before_a_wait_count_no_longer),
        cmocka_unit_test(test_errors_that_are_not_waited_out),
        cmocka_unit_test(test_waiting_ends_with_the_request_timeout),
        cmocka_unit_test(test_timeout_after_a_redirect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
