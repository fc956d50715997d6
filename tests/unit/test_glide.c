/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "glide_fixture.h"

/* Where a test that fills a driver begins. */
static const struct client_config one = {
    .clients = 1, .pipeline = 1, .request_timeout_ns = 5 * (uint64_t)CLOCK_NS_PER_S};

static struct client_config with(unsigned clients, unsigned pipeline, unsigned glide_clients)
{
    struct client_config config = one;

    config.clients = clients;
    config.pipeline = pipeline;
    config.glide.clients = glide_clients;
    return config;
}

static void test_gives_back_every_kind_of_answer(void **state)
{
    static const char *const words = "ok null int float bool string heap array map set inline";
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(1, 11, 0), "ok", words);
    connect_all(&fixture);
    submit(&fixture, 0, 11);
    assert_int_equal(fixture.driver->free, 0);
    assert_int_equal(fixture.driver->in_flight, 11);
    assert_false(driver_submit(fixture.driver, &(struct request){.k = 11}));
    turn_until(&fixture, &fixture.all_done, 11);
    for (unsigned k = 0; k < 11; k++) {
        assert_int_equal(fixture.done[k], 1);
        assert_int_equal(fixture.outcomes[k], OUTCOME_OK);
        assert_int_equal(fixture.nulls[k], k == 1);
    }
    assert_int_equal(fixture.driver->free, 11);
    tear_down(&fixture);
}

static void test_tells_kinds_of_failures_apart(void **state)
{
    static const enum outcome wanted[] = {OUTCOME_TIMEOUT, OUTCOME_DISCONNECT, OUTCOME_OTHER,
                                          OUTCOME_OTHER,   OUTCOME_OOM,        OUTCOME_LOADING};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, one, "ok", "timeout disconnect abort plain code inline-failure");
    connect_all(&fixture);
    for (unsigned k = 0; k < COUNT(wanted); k++) {
        submit(&fixture, k, 1);
        turn_until(&fixture, &fixture.all_done, k + 1);
        assert_int_equal(fixture.done[k], 1);
        assert_int_equal(fixture.outcomes[k], wanted[k]);
    }
    tear_down(&fixture);
}

/* `done` may submit the next at once, also from within the call that failed. */
static void test_submits_from_within_done(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, one, "ok", "inline ok");
    connect_all(&fixture);
    fixture.next = 1;
    submit(&fixture, 0, 1);
    turn_until(&fixture, &fixture.all_done, 2);
    assert_int_equal(fixture.done[0], 1);
    assert_int_equal(fixture.done[1], 1);
    tear_down(&fixture);
}

/* Three of the run's clients on two of the library's. */
static void test_shares_clients(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(3, 2, 2), "ok", "ok");
    connect_all(&fixture);
    assert_int_equal(fixture.connected, 2);
    submit(&fixture, 0, 6);
    turn_until(&fixture, &fixture.all_done, 6);
    tear_down(&fixture);
}

static void test_opens_more_clients_later(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(4, 1, 2), "ok", "ok");
    fixture.driver->ops->open(fixture.driver, 1, clock_now_ns());
    turn_until(&fixture, &fixture.driver->up, 1);
    assert_int_equal(fixture.connected, 1);
    connect_all(&fixture);
    assert_int_equal(fixture.connected, 2);
    submit(&fixture, 0, 4);
    turn_until(&fixture, &fixture.all_done, 4);
    tear_down(&fixture);
}

static void test_dials_again(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(2, 1, 0), "refused ok silent", "ok");
    connect_all(&fixture);
    assert_in_range(fixture.events[EVENT_DIAL_FAILURE], 1, 4);
    assert_non_null(strstr(fixture.text, "Could not connect to 127.0.0.1:6379: GLIDE: "));
    assert_null(strchr(fixture.text, '\n'));
    tear_down(&fixture);
}

/* What the library never answers is given up; its answer after that, and the end of the run without
 * one, do no harm. */
static void test_gives_up_what_is_not_answered(void **state)
{
    struct client_config config = with(1, 2, 0);
    struct fixture fixture;

    (void)state;
    config.request_timeout_ns = MS;
    set_up(&fixture, config, "ok", "late never ok ok ok");
    connect_all(&fixture);
    submit(&fixture, 0, 1);
    turn_until(&fixture, &fixture.all_done, 1);
    assert_int_equal(fixture.outcomes[0], OUTCOME_TIMEOUT);
    assert_true(fixture.ended[0] - fixture.sent[0] >= CLOCK_NS_PER_S);
    assert_int_equal(fixture.driver->free, 2);
    submit(&fixture, 1, 2); /* with which the answer comes that is late */
    turn_until(&fixture, &fixture.all_done, 3);
    submit(&fixture, 3, 2);
    turn_until(&fixture, &fixture.all_done, 5);
    for (unsigned k = 0; k < 5; k++) {
        assert_int_equal(fixture.done[k], 1);
        assert_int_equal(fixture.outcomes[k], k < 2 ? OUTCOME_TIMEOUT : OUTCOME_OK);
    }
    assert_int_equal(fixture.driver->in_flight, 0);
    assert_int_equal(fixture.driver->free, 2);
    tear_down(&fixture);
}

static void test_gives_back_what_close_swallows(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(2, 4, 0), "ok", "never late never");
    connect_all(&fixture);
    submit(&fixture, 0, 6);
    fixture.driver->ops->abandon(fixture.driver, clock_now_ns());
    assert_int_equal(fixture.all_done, 6);
    for (unsigned k = 0; k < 6; k++) {
        assert_int_equal(fixture.done[k], 1);
        assert_int_equal(fixture.outcomes[k], OUTCOME_UNANSWERED);
    }
    tear_down(&fixture);
}

/* Clients that are being made when the run ends are closed, by whoever has them then. */
static void test_ends_while_it_dials(void **state)
{
    struct fixture fixture;

    (void)state;
    for (unsigned turns = 0; turns < 3; turns++) {
        set_up(&fixture, with(4, 1, 0), "ok", "ok");
        fixture.driver->ops->open(fixture.driver, 4, clock_now_ns());
        for (unsigned i = 0; i < turns; i++)
            turn(&fixture);
        tear_down(&fixture);
    }
}

/* One loss, however many requests tell of it, until one that was sent after it succeeds. */
static void test_counts_losses(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, with(1, 3, 0), "ok", "disconnect disconnect disconnect timeout ok ok");
    connect_all(&fixture);
    submit(&fixture, 0, 3);
    turn_until(&fixture, &fixture.all_done, 3);
    const unsigned losses = fixture.events[EVENT_DISCONNECT];
    assert_in_range(losses, 1, 3); /* a request may have been sent after the first one failed */
    submit(&fixture, 3, 1);
    turn_until(&fixture, &fixture.all_done, 4);
    assert_int_equal(fixture.events[EVENT_WAITED_OUT], 1);
    assert_int_equal(fixture.events[EVENT_RECONNECT], 0);
    submit(&fixture, 4, 2);
    turn_until(&fixture, &fixture.all_done, 6);
    assert_int_equal(fixture.events[EVENT_DISCONNECT], losses);
    assert_int_equal(fixture.events[EVENT_RECONNECT], 1);
    tear_down(&fixture);
}

static void test_refuses_a_library_that_does_not_fit(void **state)
{
    struct driver *other;
    struct fixture fixture;
    struct err err;

    (void)state;
    set_up(&fixture, one, "ok", "ok");
    fixture.config.glide.library = STUB_GLIDE "3.so";
    assert_true(driver_glide.create(&other, &fixture.setup, &err) < 0);
    assert_null(other);
    assert_non_null(strstr(err.text, "older than valkey-GLIDE 2.4"));
    tear_down(&fixture);
}

/* ---- dictated requests, whose replies are looked into */

/* What a script would be told, in the order in which it came. */
struct heard {
    struct fixture fixture;
    char replies[512];
    enum outcome outcomes[8];
    unsigned count;
    unsigned again; /* from within `done`: so many more on the same client */
    bool refused;
};

static void hear(void *context, const struct completion *completion)
{
    struct heard *heard = context;
    const struct request request = *completion->request;

    snprintf(heard->replies + strlen(heard->replies),
             sizeof heard->replies - strlen(heard->replies), "%.*s%.*s;",
             (int)completion->replies.len, completion->replies.len ? completion->replies.ptr : "",
             (int)completion->text.len, completion->text.len ? completion->text.ptr : "");
    heard->outcomes[heard->count++] = completion->outcome;
    if (heard->again == 0)
        return;
    heard->again--;
    struct driver *driver = heard->fixture.driver;
    heard->refused |= driver->ops->submit_again(driver, &request, completion->client + 1);
    assert_true(driver->ops->submit_again(driver, &request, completion->client));
    heard->refused |= driver->ops->submit_again(driver, &request, completion->client);
}

#define SET "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"

static const struct command dictated[] = {
    {.bytes = {SET, sizeof SET - 1}, .count = 1, .slot = -1},
    {.bytes = {SET SET SET SET, 4 * (sizeof SET - 1)}, .count = 4, .slot = -1},
};

static void set_up_dictated(struct heard *heard, const char *commands)
{
    *heard = (struct heard){0};
    set_up_for(&heard->fixture, "custom", with(2, 1, 0), "ok", commands);
    heard->fixture.source.commands = dictated;
    heard->fixture.setup.listener.done = hear;
    heard->fixture.setup.listener.context = heard;
    connect_all(&heard->fixture);
}

static void dictate(struct heard *heard, unsigned place, unsigned answers)
{
    const struct request request = {.n = place};

    assert_true(driver_submit(heard->fixture.driver, &request));
    turn_until(&heard->fixture, &heard->count, answers);
}

static void test_hands_on_replies(void **state)
{
    struct heard heard;

    (void)state;
    set_up_dictated(&heard, "ok null string map code timeout");
    for (unsigned i = 0; i < 6; i++)
        dictate(&heard, 0, i + 1);
    assert_string_equal(heard.replies,
                        "+OK\r\n;_\r\n;$3\r\nabc\r\n;%1\r\n:1\r\n:2\r\n;"
                        "-OOM command not allowed when used memory > 'maxmemory'.\r\n;"
                        "GLIDE: timed out;");
    assert_int_equal(heard.outcomes[4], OUTCOME_OOM);
    assert_int_equal(heard.outcomes[5], OUTCOME_TIMEOUT);
    tear_down(&heard.fixture);
}

static void test_carries_batches(void **state)
{
    struct heard heard;

    (void)state;
    set_up_dictated(&heard, "never");
    dictate(&heard, 1, 1);
    assert_string_equal(heard.replies, ":0\r\n-OOM x\r\n:2\r\n:3\r\n;");
    assert_int_equal(heard.outcomes[0], OUTCOME_OOM);
    tear_down(&heard.fixture);
}

/* The rest of an execution goes over the client that carried what was before, once a `done`. */
static void test_submits_again_on_the_same_client(void **state)
{
    struct heard heard;

    (void)state;
    set_up_dictated(&heard, "ok");
    heard.again = 3;
    dictate(&heard, 0, 4);
    assert_false(heard.refused);
    assert_int_equal(heard.fixture.driver->free, 2);
    tear_down(&heard.fixture);
}

/* Replies that were kept for a request that nobody waits for any more. */
static void test_lets_go_of_late_replies(void **state)
{
    struct heard heard;

    (void)state;
    set_up_dictated(&heard, "late ok");
    heard.fixture.config.request_timeout_ns = MS;
    heard.fixture.driver->ops->tick(heard.fixture.driver, clock_now_ns());
    dictate(&heard, 0, 1);
    assert_int_equal(heard.outcomes[0], OUTCOME_TIMEOUT);
    for (unsigned answers = 1; answers < 5; answers++)
        dictate(&heard, 0, answers + 1);
    tear_down(&heard.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_back_every_kind_of_answer),
        cmocka_unit_test(test_tells_kinds_of_failures_apart),
        cmocka_unit_test(test_submits_from_within_done),
        cmocka_unit_test(test_shares_clients),
        cmocka_unit_test(test_opens_more_clients_later),
        cmocka_unit_test(test_dials_again),
        cmocka_unit_test(test_gives_up_what_is_not_answered),
        cmocka_unit_test(test_gives_back_what_close_swallows),
        cmocka_unit_test(test_ends_while_it_dials),
        cmocka_unit_test(test_counts_losses),
        cmocka_unit_test(test_hands_on_replies),
        cmocka_unit_test(test_carries_batches),
        cmocka_unit_test(test_submits_again_on_the_same_client),
        cmocka_unit_test(test_lets_go_of_late_replies),
        cmocka_unit_test(test_refuses_a_library_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
