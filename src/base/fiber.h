/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fiber: functions that can stop in the middle, let others run, and go on: coroutines with a stack.
 *
 * A set is a number of fibers for one thread, which alone may touch it. Each runs one function at a
 * time, again and again. A stack is reserved address space: a page of it costs memory once it was
 * touched, and the page below it cannot be touched, so that an overflow ends the process instead of
 * reaching the neighbour. A switch is a few dozen instructions and no system call (elsewhere than
 * on x86-64 and aarch64, two). Sanitizers are told of every switch.
 */
#ifndef BASE_FIBER_H
#define BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct fiber;
struct fiber_set;

typedef void fiber_fn(void *context);

enum { FIBER_STACK_BYTES = 64 * 1024 }; /* enough for the C library's printf and its like */

/*
 * Makes `count` fibers, whose stacks have `stack_bytes`, rounded up to whole pages. Returns 0, or a
 * negative errno with a sentence: there is no address space, or vm.max_map_count, of which each
 * fiber takes two, forbids it.
 */
int fiber_set_create(struct fiber_set **out, unsigned count, size_t stack_bytes, struct err *err);

/* Fibers that have not returned are cancelled. */
void fiber_set_destroy(struct fiber_set **slot);

/* Number `index` of the set, which owns it. */
struct fiber *fiber_set_at(struct fiber_set *set, unsigned index);

/* Runs `run` in a fiber that runs nothing. Returns as fiber_resume does. */
bool fiber_start(struct fiber *fiber, fiber_fn *run, void *context);

/* Lets a fiber that has yielded go on. Returns whether it yields again; else its function has
 * returned. */
bool fiber_resume(struct fiber *fiber);

/* Called by the function that runs in the fiber: returns when it is resumed. */
void fiber_yield(struct fiber *fiber);

/* Makes a fiber that has yielded free for the next start. Its function never goes on: what it held
 * is not released. */
void fiber_cancel(struct fiber *fiber);

#endif
