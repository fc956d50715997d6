/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "run/board.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 200000 };

static void make(struct board *board, unsigned workers)
{
    struct err err;

    assert_int_equal(board_init(board, workers, &err), 0);
}

/* What has one writer shares no cache line with what has another. */
static void test_writers_are_apart(void **state)
{
    struct board board;

    (void)state;
    make(&board, 2);
    assert_int_equal((uintptr_t)&board.slots[0] % BOARD_LINE, 0);
    assert_int_equal((uintptr_t)&board.slots[1] % BOARD_LINE, 0);
    assert_true(offsetof(struct board_header, claimed) >= BOARD_LINE);
    assert_true(sizeof(struct board_header) % BOARD_LINE == 0);
    board_deinit(&board);
}

static void test_series_are_found_again(void **state)
{
    struct board board;
    char name[16];

    (void)state;
    make(&board, 1);
    struct board_slot *slot = &board.slots[0];
    struct histogram *set = board_series(slot, "SET", MEASURE_RESPONSE);
    struct histogram *service = board_series(slot, "SET", MEASURE_SERVICE);
    assert_ptr_not_equal(set, service);
    assert_ptr_equal(board_series(slot, "SET", MEASURE_RESPONSE), set);
    for (int i = 0; i < 2 * SNAPSHOT_SERIES_MAX; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_non_null(board_series(slot, name, MEASURE_RESPONSE));
    }
    assert_int_equal(atomic_load(&slot->series_count), SNAPSHOT_SERIES_MAX);
    assert_ptr_equal(board_series(slot, "SET", MEASURE_RESPONSE), set);
    board_deinit(&board);
}

static void test_snapshot_is_the_sum_of_the_slots(void **state)
{
    struct board board;
    struct snapshot snapshot;

    (void)state;
    make(&board, 3);
    snapshot_init(&snapshot);
    for (unsigned i = 0; i < 3; i++) {
        struct board_slot *slot = &board.slots[i];
        atomic_store(&slot->issued, 10 + i);
        atomic_store(&slot->errors[OUTCOME_OOM], i);
        atomic_store(&slot->events[EVENT_HIT], 2 * i);
        histogram_record(board_series(slot, "SET", MEASURE_RESPONSE), 1000 * (i + 1));
    }
    board_read(&board, &snapshot, 77);
    board_read(&board, &snapshot, 78); /* a snapshot is replaced, not added to */
    assert_int_equal(snapshot.time_ns, 78);
    assert_int_equal(snapshot.issued, 33);
    assert_int_equal(snapshot_ok(&snapshot), 3);
    assert_int_equal(snapshot_failed(&snapshot), 3);
    assert_int_equal(snapshot.events[EVENT_HIT], 6);
    assert_int_equal(snapshot_unanswered(&snapshot), 27);
    snapshot_deinit(&snapshot);
    board_deinit(&board);
}

/* Without histograms' counts: what was issued, is not in flight and has not failed is a success. */
static void test_counts_are_the_sum_of_the_slots(void **state)
{
    struct board board;
    struct outage_look look;

    (void)state;
    make(&board, 3);
    board_count(&board, &look);
    assert_int_equal(look.last_ok_ns, 0);
    assert_int_equal(look.usual_ns, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct board_slot *slot = &board.slots[i];
        atomic_store(&slot->issued, 10 + i);
        atomic_store(&slot->in_flight, 2);
        atomic_store(&slot->errors[OUTCOME_OOM], i);
        atomic_store(&slot->events[EVENT_RETRY], 2 * i);
        atomic_store(&slot->last_ok_ns, i == 1 ? 500 : 400);
        histogram_record(board_series(slot, "SET", MEASURE_RESPONSE), 24000 * (i + 1));
    }
    board_count(&board, &look);
    assert_int_equal(look.ok, 33 - 6 - 3);
    assert_int_equal(look.errors[OUTCOME_OOM], 3);
    assert_int_equal(look.events[EVENT_RETRY], 6);
    assert_int_equal(look.last_ok_ns, 500);
    assert_int_equal(look.usual_ns, 6000); /* 144 us over 24 */
    histogram_record(board_series(&board.slots[0], "SET", MEASURE_SERVICE), 2400);
    board_count(&board, &look); /* on a schedule response times are not what the server takes */
    assert_int_equal(look.usual_ns, 100);
    board_deinit(&board);
}

static void test_texts_are_taken_in_order(void **state)
{
    struct board board;
    struct board_text text;
    char said[16];

    (void)state;
    make(&board, 1);
    struct board_slot *slot = &board.slots[0];
    assert_false(board_take_text(slot, &text));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BOARD_TEXTS + 2; i++) { /* the last two find no room */
            snprintf(said, sizeof said, "%d", i);
            board_put_text(slot, OUTCOME_TIMEOUT, str_of(said));
        }
        for (int i = 0; i < BOARD_TEXTS; i++) {
            snprintf(said, sizeof said, "%d", i);
            assert_true(board_take_text(slot, &text));
            assert_string_equal(text.text, said);
            assert_int_equal(text.outcome, OUTCOME_TIMEOUT);
        }
        assert_false(board_take_text(slot, &text));
    }
    board_deinit(&board);
}

static void test_long_texts_are_cut(void **state)
{
    struct board board;
    struct board_text text;
    char longer[2 * BOARD_TEXT_MAX];

    (void)state;
    make(&board, 1);
    memset(longer, 'x', sizeof longer);
    board_put_text(&board.slots[0], OUTCOME_OTHER, (struct str){longer, sizeof longer});
    assert_true(board_take_text(&board.slots[0], &text));
    assert_int_equal(strlen(text.text), BOARD_TEXT_MAX);
    board_deinit(&board);
}

static void *write_slot(void *argument)
{
    struct board_slot *slot = argument;
    struct histogram *response = board_series(slot, "SET", MEASURE_RESPONSE);

    for (uint64_t i = 0; i < RECORDS; i++) {
        counter_add(&slot->issued, 1);
        histogram_record(response, i % 5000);
        if (i % 1000 == 0)
            board_put_text(slot, OUTCOME_OTHER, STR("said"));
    }
    return NULL;
}

/* A reader beside a writer: no request is ever seen answered and not issued. */
static void test_reader_beside_a_writer(void **state)
{
    struct board board;
    struct snapshot snapshot;
    struct board_text text;
    pthread_t writer;
    uint64_t last = 0;

    (void)state;
    make(&board, 1);
    snapshot_init(&snapshot);
    assert_int_equal(pthread_create(&writer, NULL, write_slot, &board.slots[0]), 0);
    while (last < RECORDS) {
        board_read(&board, &snapshot, 0);
        while (board_take_text(&board.slots[0], &text))
            assert_string_equal(text.text, "said");
        assert_true(snapshot_ok(&snapshot) >= last);
        assert_true(snapshot_ok(&snapshot) <= snapshot.issued);
        last = snapshot_ok(&snapshot);
    }
    pthread_join(writer, NULL);
    snapshot_deinit(&snapshot);
    board_deinit(&board);
}

/* What a process wrote stays when it is gone. */
static void test_outlives_its_writer(void **state)
{
    struct board board;
    struct snapshot snapshot;

    (void)state;
    make(&board, 1);
    const pid_t pid = fork();
    if (pid == 0) {
        histogram_record(board_series(&board.slots[0], "GET", MEASURE_RESPONSE), 5);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    snapshot_init(&snapshot);
    board_read(&board, &snapshot, 0);
    assert_int_equal(snapshot_ok(&snapshot), 1);
    assert_string_equal(snapshot.series[0].name, "GET");
    snapshot_deinit(&snapshot);
    board_deinit(&board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writers_are_apart),
        cmocka_unit_test(test_series_are_found_again),
        cmocka_unit_test(test_snapshot_is_the_sum_of_the_slots),
        cmocka_unit_test(test_counts_are_the_sum_of_the_slots),
        cmocka_unit_test(test_texts_are_taken_in_order),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_reader_beside_a_writer),
        cmocka_unit_test(test_outlives_its_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
