/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/recorder.h"

#include <stdio.h>
#include <string.h>

struct fixture {
    struct board board;
    struct board_slot *slot;
    struct recorder recorder;
    struct snapshot snapshot;
};

static void set_up(struct fixture *fixture, bool scheduled, bool reads)
{
    struct err err;

    assert_int_equal(board_init(&fixture->board, 1, &err), 0);
    fixture->slot = &fixture->board.slots[0];
    recorder_init(&fixture->recorder, fixture->slot, "SET", scheduled, reads);
    snapshot_init(&fixture->snapshot);
}

static void tear_down(struct fixture *fixture)
{
    snapshot_deinit(&fixture->snapshot);
    board_deinit(&fixture->board);
}

static void done(struct fixture *fixture, enum outcome outcome, const char *text, uint64_t at_ns)
{
    const struct request request = {.due_ns = 0};
    const struct completion completion = {.request = &request,
                                          .outcome = outcome,
                                          .sent_ns = 1,
                                          .replied_ns = at_ns,
                                          .text = str_of(text)};

    recorder_done(&fixture->recorder, &completion);
}

static uint64_t recorded(struct fixture *fixture, enum measure measure)
{
    struct distribution values;

    board_read(&fixture->board, &fixture->snapshot, 0);
    distribution_init(&values);
    snapshot_merge_measure(&fixture->snapshot, measure, &values);
    assert_int_equal(values.total, 1);
    const uint64_t value = values.min_ns;
    distribution_deinit(&values);
    return value;
}

/* response = slot wait + send lag + service, whichever of due and free came first. */
static void test_parts_add_up(void **state)
{
    static const struct {
        uint64_t due, free, sent, replied;
        uint64_t slot_wait, send_lag, service;
    } cases[] = {
        {1000, 100, 1050, 1400, 0, 50, 350},    /* a slot was there */
        {1000, 1700, 1750, 2000, 700, 50, 250}, /* the server held all slots */
        {1000, 1000, 1000, 1001, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct request request = {.due_ns = cases[i].due};
        const struct completion completion = {.request = &request,
                                              .free_ns = cases[i].free,
                                              .sent_ns = cases[i].sent,
                                              .replied_ns = cases[i].replied};
        struct fixture fixture;

        set_up(&fixture, true, false);
        recorder_done(&fixture.recorder, &completion);
        assert_int_equal(recorded(&fixture, MEASURE_SLOT_WAIT), cases[i].slot_wait);
        assert_int_equal(recorded(&fixture, MEASURE_SEND_LAG), cases[i].send_lag);
        assert_int_equal(recorded(&fixture, MEASURE_SERVICE), cases[i].service);
        assert_int_equal(recorded(&fixture, MEASURE_RESPONSE),
                         cases[i].slot_wait + cases[i].send_lag + cases[i].service);
        tear_down(&fixture);
    }
}

static void test_closed_loop_has_service_times(void **state)
{
    const struct request request = {.due_ns = 0};
    const struct completion completion = {
        .request = &request, .free_ns = 10, .sent_ns = 20, .replied_ns = 50};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false, false);
    recorder_done(&fixture.recorder, &completion);
    assert_int_equal(recorded(&fixture, MEASURE_RESPONSE), 30);
    assert_int_equal(fixture.snapshot.series_count, 1);
    tear_down(&fixture);
}

/* Errors are counted by kind and never enter the latencies; what never was answered counts nowhere.
 */
static void test_errors_by_kind(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false, false);
    for (enum outcome outcome = OUTCOME_TIMEOUT; outcome <= OUTCOME_UNANSWERED; outcome++)
        done(&fixture, outcome, "text", 100 + outcome);
    board_read(&fixture.board, &fixture.snapshot, 0);
    for (enum outcome outcome = OUTCOME_TIMEOUT; outcome < OUTCOME_KINDS; outcome++)
        assert_int_equal(fixture.snapshot.errors[outcome], 1);
    assert_int_equal(snapshot_failed(&fixture.snapshot), OUTCOME_KINDS - 1);
    assert_int_equal(snapshot_ok(&fixture.snapshot), 0);
    tear_down(&fixture);
}

/* An error reply is a reply; silence, a lost connection and garbage are none. */
static void test_what_counts_as_a_reply(void **state)
{
    static const struct {
        enum outcome outcome;
        bool reply;
    } cases[] = {{OUTCOME_OK, true},         {OUTCOME_LOADING, true},     {OUTCOME_OTHER, true},
                 {OUTCOME_TIMEOUT, false},   {OUTCOME_DISCONNECT, false}, {OUTCOME_PROTOCOL, false},
                 {OUTCOME_UNANSWERED, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        set_up(&fixture, false, false);
        done(&fixture, cases[i].outcome, "", 5000);
        assert_int_equal(atomic_load(&fixture.slot->last_reply_ns), cases[i].reply ? 5000 : 0);
        assert_int_equal(atomic_load(&fixture.slot->last_ok_ns),
                         cases[i].outcome == OUTCOME_OK ? 5000 : 0);
        tear_down(&fixture);
    }
}

static void test_hits_and_misses(void **state)
{
    const struct request request = {.due_ns = 0};
    struct completion completion = {.request = &request, .sent_ns = 1, .replied_ns = 2};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false, true);
    recorder_done(&fixture.recorder, &completion);
    completion.null = true;
    recorder_done(&fixture.recorder, &completion);
    recorder_done(&fixture.recorder, &completion);
    board_read(&fixture.board, &fixture.snapshot, 0);
    assert_int_equal(fixture.snapshot.events[EVENT_HIT], 1);
    assert_int_equal(fixture.snapshot.events[EVENT_MISS], 2);
    tear_down(&fixture);
}

static unsigned texts(struct fixture *fixture)
{
    struct board_text text;
    unsigned count = 0;

    while (board_take_text(fixture->slot, &text))
        count++;
    return count;
}

/* The first of each kind at once, then one a second. */
static void test_texts_are_rationed(void **state)
{
    const uint64_t second = CLOCK_NS_PER_S;
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false, false);
    for (uint64_t i = 0; i < 100; i++)
        done(&fixture, OUTCOME_OOM, "OOM", second + i);
    assert_int_equal(texts(&fixture), 1);
    done(&fixture, OUTCOME_LOADING, "LOADING", second + 200);
    recorder_event(&fixture.recorder, EVENT_DISCONNECT, STR("lost"), second + 201);
    recorder_event(&fixture.recorder, EVENT_RECONNECT, STR(""), second + 202);
    assert_int_equal(texts(&fixture), 2);
    done(&fixture, OUTCOME_OOM, "OOM", 2 * second + 300);
    done(&fixture, OUTCOME_OOM, "OOM", 2 * second + 301);
    assert_int_equal(texts(&fixture), 1);
    tear_down(&fixture);
}

static void test_connected(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false, false);
    recorder_connected(&fixture.recorder, &(struct dial_times){.connect_ns = 70});
    assert_int_equal(recorded(&fixture, MEASURE_CONNECT), 70);
    assert_int_equal(snapshot_ok(&fixture.snapshot), 0);
    tear_down(&fixture);

    set_up(&fixture, true, true);
    recorder_connected(&fixture.recorder,
                       &(struct dial_times){.connect_ns = 70, .tls_ns = 50, .handshake_ns = 40});
    assert_int_equal(recorded(&fixture, MEASURE_CONNECT), 70);
    assert_int_equal(recorded(&fixture, MEASURE_TLS), 50);
    assert_int_equal(recorded(&fixture, MEASURE_HANDSHAKE), 40);
    tear_down(&fixture);
}

/* Only what a node answered or lost is its own, in the role that it had then. */
static void test_nodes(void **state)
{
    const struct request request = {.due_ns = 10};
    struct router_node node = {.name = "h:1", .number = RECORDER_NODES - 1};
    struct completion completion = {
        .request = &request, .sent_ns = 20, .replied_ns = 50, .node = &node};
    struct fixture fixture;

    (void)state;
    for (unsigned scheduled = 0; scheduled < 2; scheduled++) {
        set_up(&fixture, scheduled, false);
        done(&fixture, OUTCOME_OK, "", 60);
        completion.outcome = OUTCOME_OK;
        recorder_done(&fixture.recorder, &completion);
        assert_int_equal(recorded(&fixture, MEASURE_PRIMARY), scheduled ? 40 : 30);
        node.replica = true;
        recorder_done(&fixture.recorder, &completion);
        assert_int_equal(recorded(&fixture, MEASURE_REPLICA), scheduled ? 40 : 30);
        completion.outcome = OUTCOME_TIMEOUT;
        recorder_done(&fixture.recorder, &completion);
        assert_int_equal(recorded(&fixture, MEASURE_REPLICA_ERRORS), 0);
        completion.outcome = OUTCOME_UNANSWERED;
        recorder_done(&fixture.recorder, &completion);
        node.replica = false;
        completion.outcome = OUTCOME_DISCONNECT;
        recorder_done(&fixture.recorder, &completion);
        assert_int_equal(recorded(&fixture, MEASURE_PRIMARY_ERRORS), 0);
        assert_int_equal(recorded(&fixture, MEASURE_REPLICA_ERRORS), 0);
        assert_int_equal(snapshot_ok(&fixture.snapshot), 3);
        assert_int_equal(snapshot_failed(&fixture.snapshot), 2);
        tear_down(&fixture);
    }
}

static void test_more_nodes_than_series(void **state)
{
    const struct request request = {.due_ns = 10};
    struct router_node node = {.replica = true};
    struct completion completion = {
        .request = &request, .sent_ns = 20, .replied_ns = 50, .node = &node};
    struct fixture fixture;
    uint64_t total = 0;

    (void)state;
    set_up(&fixture, true, false);
    for (node.number = 0; node.number < 2000; node.number++) {
        snprintf(node.name, sizeof node.name, "h:%u", node.number);
        completion.outcome = OUTCOME_OK;
        recorder_done(&fixture.recorder, &completion);
        completion.outcome = OUTCOME_TIMEOUT;
        recorder_done(&fixture.recorder, &completion);
    }
    recorder_connected(&fixture.recorder, &(struct dial_times){.connect_ns = 70});
    assert_int_equal(recorded(&fixture, MEASURE_CONNECT), 70);
    for (unsigned i = 0; i < fixture.snapshot.series_count; i++) {
        const struct series *series = &fixture.snapshot.series[i];
        const bool other = strcmp(series->name, SNAPSHOT_OTHER) == 0;

        if (series->measure != MEASURE_REPLICA)
            continue;
        assert_int_equal(series->values.total, other ? 2000 - RECORDER_NODES : 1);
        total += series->values.total;
    }
    assert_int_equal(total, 2000);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_closed_loop_has_service_times),
        cmocka_unit_test(test_errors_by_kind),
        cmocka_unit_test(test_what_counts_as_a_reply),
        cmocka_unit_test(test_hits_and_misses),
        cmocka_unit_test(test_texts_are_rationed),
        cmocka_unit_test(test_connected),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_more_nodes_than_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
