/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/python/runtime.h"

struct watchdog {
    atomic_uint_fast64_t stays;
    atomic_uint_fast64_t interrupted; /* the stay that is to be interrupted */
    uint64_t limit_ns;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool started, stopped; /* under the mutex: stopped */
};

/* Runs in the worker's thread, between two steps of Python code. The stay may be over. */
static int interrupt(void *argument)
{
    struct watchdog *watchdog = argument;
    const uint64_t stay = atomic_load_explicit(&watchdog->interrupted, memory_order_relaxed);

    if (stay != atomic_load_explicit(&watchdog->stays, memory_order_relaxed))
        return 0;
    char text[64];

    snprintf(text, sizeof text, "the custom command did not yield for %g s",
             (double)watchdog->limit_ns / CLOCK_NS_PER_S);
    PyErr_SetString(PyExc_TimeoutError, text);
    return -1;
}

/* A call that another thread adds is seen by the worker's when it takes the GIL the next time,
 * which is why it has to give it up for once. */
static void request_interrupt(struct watchdog *watchdog)
{
    Py_AddPendingCall(interrupt, watchdog);
    PyGILState_Release(PyGILState_Ensure());
}

static bool sleep_until(struct watchdog *watchdog, uint64_t until_ns)
{
    const struct timespec until = {(time_t)(until_ns / CLOCK_NS_PER_S),
                                   (long)(until_ns % CLOCK_NS_PER_S)};

    pthread_mutex_lock(&watchdog->mutex);
    while (!watchdog->stopped && clock_now_ns() < until_ns)
        pthread_cond_timedwait(&watchdog->woken, &watchdog->mutex, &until);
    const bool stopped = watchdog->stopped;

    pthread_mutex_unlock(&watchdog->mutex);
    return !stopped;
}

static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    uint64_t seen = 0;
    uint64_t since_ns = clock_now_ns();

    while (sleep_until(watchdog, clock_now_ns() + watchdog->limit_ns / 4)) {
        const uint64_t stay = atomic_load_explicit(&watchdog->stays, memory_order_relaxed);
        const uint64_t now_ns = clock_now_ns();

        if (stay % 2 == 0 || stay != seen) {
            seen = stay;
            since_ns = now_ns;
        } else if (now_ns - since_ns >= watchdog->limit_ns) {
            atomic_store_explicit(&watchdog->interrupted, stay, memory_order_relaxed);
            request_interrupt(watchdog);
            since_ns = now_ns;
        }
    }
    return NULL;
}

static void init_wait(struct watchdog *watchdog)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&watchdog->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->woken, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Without a thread nothing is watched: the run's monitor does without it too. */
struct watchdog *watchdog_create(uint64_t limit_ns)
{
    struct watchdog *watchdog = mem_zalloc(1, sizeof *watchdog);

    watchdog->limit_ns = limit_ns;
    init_wait(watchdog);
    watchdog->started =
        limit_ns > 0 && pthread_create(&watchdog->thread, NULL, watch, watchdog) == 0;
    return watchdog;
}

void watchdog_stop(struct watchdog *watchdog)
{
    pthread_mutex_lock(&watchdog->mutex);
    watchdog->stopped = true;
    pthread_cond_signal(&watchdog->woken);
    pthread_mutex_unlock(&watchdog->mutex);
    if (watchdog->started) {
        /* It may be waiting for the GIL. */
        PyThreadState *self = PyEval_SaveThread();

        pthread_join(watchdog->thread, NULL);
        PyEval_RestoreThread(self);
    }
    watchdog->started = false;
}

void watchdog_destroy(struct watchdog **slot)
{
    struct watchdog *watchdog = *slot;

    if (watchdog == NULL)
        return;
    watchdog_stop(watchdog);
    pthread_cond_destroy(&watchdog->woken);
    pthread_mutex_destroy(&watchdog->mutex);
    free(watchdog);
    *slot = NULL;
}

atomic_uint_fast64_t *watchdog_stays(struct watchdog *watchdog)
{
    return &watchdog->stays;
}
