/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "client/glide_inbox.h"

enum { THREADS = 4, NOTES = 20000, TIMEOUT_MS = 20000 };

static bool is_woken(const struct glide_inbox *inbox)
{
    uint64_t wakes;

    return read(inbox->wake_fd, &wakes, sizeof wakes) == sizeof wakes;
}

static void test_gives_notes_in_their_order(void **state)
{
    struct glide_inbox inbox = {.wake_fd = eventfd(0, EFD_NONBLOCK)};
    struct glide_note notes[3] = {0};

    (void)state;
    assert_null(glide_inbox_take(&inbox));
    for (unsigned i = 0; i < 3; i++)
        glide_inbox_put(&inbox, &notes[i]);
    struct glide_note *note = glide_inbox_take(&inbox);
    for (unsigned i = 0; i < 3; i++, note = note->next)
        assert_ptr_equal(note, &notes[i]);
    assert_null(note);
    assert_null(glide_inbox_take(&inbox));
    close(inbox.wake_fd);
}

static void test_wakes_who_sleeps_once(void **state)
{
    struct glide_inbox inbox = {.wake_fd = eventfd(0, EFD_NONBLOCK)};
    struct glide_note notes[4] = {0};

    (void)state;
    glide_inbox_put(&inbox, &notes[0]);
    assert_false(is_woken(&inbox));
    assert_false(glide_inbox_arm(&inbox));
    assert_ptr_equal(glide_inbox_take(&inbox), &notes[0]);
    assert_true(glide_inbox_arm(&inbox));
    glide_inbox_put(&inbox, &notes[1]);
    assert_true(is_woken(&inbox));
    glide_inbox_put(&inbox, &notes[2]);
    assert_false(is_woken(&inbox));
    glide_inbox_take(&inbox);
    assert_true(glide_inbox_arm(&inbox));
    assert_null(glide_inbox_take(&inbox)); /* something else has woken it */
    glide_inbox_put(&inbox, &notes[3]);
    assert_false(is_woken(&inbox));
    close(inbox.wake_fd);
}

struct putter {
    struct glide_inbox *inbox;
    struct glide_note *notes;
    pthread_t thread;
};

static void *put_all(void *argument)
{
    struct putter *putter = argument;

    for (unsigned i = 0; i < NOTES; i++)
        glide_inbox_put(putter->inbox, &putter->notes[i]);
    return NULL;
}

/* Whoever sleeps only when told that it may misses nothing. */
static void test_loses_nothing_between_threads(void **state)
{
    struct glide_inbox inbox = {.wake_fd = eventfd(0, EFD_NONBLOCK)};
    struct putter putters[THREADS];
    unsigned got = 0;

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        putters[i] =
            (struct putter){.inbox = &inbox, .notes = calloc(NOTES, sizeof(struct glide_note))};
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]), 0);
    }
    while (got < THREADS * NOTES) {
        struct pollfd wake = {.fd = inbox.wake_fd, .events = POLLIN};

        if (glide_inbox_arm(&inbox)) {
            assert_int_equal(poll(&wake, 1, TIMEOUT_MS), 1);
            assert_true(is_woken(&inbox));
        }
        for (struct glide_note *note = glide_inbox_take(&inbox); note; note = note->next)
            got++;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(putters[i].thread, NULL);
        free(putters[i].notes);
    }
    close(inbox.wake_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_notes_in_their_order),
        cmocka_unit_test(test_wakes_who_sleeps_once),
        cmocka_unit_test(test_loses_nothing_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
