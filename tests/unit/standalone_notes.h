/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * standalone_notes: notes of all that comes back from a driver.
 */
#ifndef TESTS_STANDALONE_NOTES_H
#define TESTS_STANDALONE_NOTES_H

#include "base/clock.h"
#include "client/client.h"

enum { REQUESTS_MAX = 64 };

#define MS ((uint64_t)CLOCK_NS_PER_MS)

struct fixture {
    int wake_fd, listener;
    struct endpoint endpoint;
    struct source source;
    struct client_config config;
    struct driver_setup setup;
    struct driver *driver;
    unsigned done[REQUESTS_MAX]; /* how often each k came back */
    enum outcome outcomes[REQUESTS_MAX];
    uint64_t freed[REQUESTS_MAX], sent[REQUESTS_MAX], ended[REQUESTS_MAX];
    bool nulls[REQUESTS_MAX];
    unsigned all_done;
    unsigned events[EVENT_KINDS];
    unsigned connected;
    uint64_t next;  /* submitted from within `done`, once; 0: nothing */
    char text[300]; /* of the last event that had one */
};

static inline void on_done(void *context, const struct completion *completion)
{
    struct fixture *fixture = context;
    const uint64_t k = completion->request->k;

    assert_in_range(k, 0, REQUESTS_MAX - 1);
    fixture->done[k]++;
    fixture->outcomes[k] = completion->outcome;
    fixture->freed[k] = completion->free_ns;
    fixture->sent[k] = completion->sent_ns;
    fixture->ended[k] = completion->replied_ns;
    fixture->nulls[k] = completion->null;
    fixture->all_done++;
    if (completion->outcome == OUTCOME_OK)
        assert_true(completion->replied_ns >= completion->sent_ns && completion->sent_ns > 0);
    else if (completion->outcome != OUTCOME_UNANSWERED)
        assert_true(completion->text.len > 0);
    if (fixture->next && completion->outcome == OUTCOME_OK) {
        const struct request request = {.k = fixture->next, .n = fixture->next};
        fixture->next = 0;
        assert_true(driver_submit(fixture->driver, &request));
    }
}

static inline void on_event(void *context, enum event event, struct str text, uint64_t now_ns)
{
    struct fixture *fixture = context;

    (void)now_ns;
    fixture->events[event]++;
    if (text.len > 0 && text.len < sizeof fixture->text) {
        memcpy(fixture->text, text.ptr, text.len);
        fixture->text[text.len] = '\0';
    }
}

static inline void on_connected(void *context, const struct dial_times *times)
{
    struct fixture *fixture = context;

    fixture->connected++;
    assert_in_range(times->connect_ns, 1, CLOCK_NS_PER_S);
    assert_int_equal(times->handshake_ns, 0);
}

#endif
