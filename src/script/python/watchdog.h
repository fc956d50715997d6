/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watchdog: interrupts Python code that keeps the worker for too long.
 *
 * A thread of its own looks on: when one stay in Python has lasted for the limit, it has CPython
 * raise a TimeoutError in the code that runs, and again after each further limit. It acts within a
 * quarter of the limit. Code that waits in C is not reached.
 */
#ifndef SCRIPT_PYTHON_WATCHDOG_H
#define SCRIPT_PYTHON_WATCHDOG_H

#include <stdatomic.h>
#include <stdint.h>

struct watchdog;

/* Starts to watch; `limit_ns` 0: there is no limit, and nothing is watched. */
struct watchdog *watchdog_create(uint64_t limit_ns);
/* Watches no more, but an interrupt may still be due until CPython has ended. */
void watchdog_stop(struct watchdog *watchdog);
/* Accepts NULL, and leaves NULL. */
void watchdog_destroy(struct watchdog **slot);

/* Odd while the worker is in Python: one more on entry, one more on return. */
atomic_uint_fast64_t *watchdog_stays(struct watchdog *watchdog);

/* Nobody but the worker's thread writes it. */
static inline void watchdog_pass(atomic_uint_fast64_t *stays)
{
    atomic_store_explicit(stays, atomic_load_explicit(stays, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
