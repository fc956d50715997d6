/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_inbox: what the library's threads leave for a worker.
 *
 * A stack without locks of notes that their owners have embedded in what they are about: any thread
 * puts, the worker alone takes, all at once and in the order in which they were put. A worker that
 * goes to sleep arms the inbox before; then, and only then, a put wakes it, once.
 */
#ifndef CLIENT_GLIDE_INBOX_H
#define CLIENT_GLIDE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

struct glide_note {
    struct glide_note *next;
    bool dial; /* of a client that was dialled, else of a call */
};

struct glide_inbox {
    _Atomic(struct glide_note *) newest;
    atomic_bool armed;
    int wake_fd; /* an eventfd, borrowed */
};

/* All accesses that decide about sleep are sequentially consistent: of a put and an arming at the
 * same time, one sees the other. */
static inline void glide_inbox_put(struct glide_inbox *inbox, struct glide_note *note)
{
    const int wake_fd = inbox->wake_fd;
    const uint64_t one = 1;

    note->next = atomic_load_explicit(&inbox->newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&inbox->newest, &note->next, note))
        ;
    if (!atomic_load(&inbox->armed) || !atomic_exchange(&inbox->armed, false))
        return;
    if (write(wake_fd, &one, sizeof one) < 0)
        return; /* its counter is full: the worker is being woken already */
}

/* Returns whether the worker may sleep: something it would not be woken for is there otherwise. */
static inline bool glide_inbox_arm(struct glide_inbox *inbox)
{
    atomic_store(&inbox->armed, true);
    if (!atomic_load(&inbox->newest))
        return true;
    atomic_store(&inbox->armed, false);
    return false;
}

/* Takes everything, the oldest first; NULL: nothing. Who is awake needs not to be woken. */
static inline struct glide_note *glide_inbox_take(struct glide_inbox *inbox)
{
    struct glide_note *oldest = NULL;

    if (atomic_load_explicit(&inbox->armed, memory_order_relaxed))
        atomic_store(&inbox->armed, false);
    if (!atomic_load_explicit(&inbox->newest, memory_order_relaxed))
        return NULL;
    struct glide_note *note = atomic_exchange(&inbox->newest, NULL);
    while (note) {
        struct glide_note *const older = note->next;
        note->next = oldest;
        oldest = note;
        note = older;
    }
    return oldest;
}

#endif
