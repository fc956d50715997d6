/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fiber_switch: from one stack to another: what of fibers depends on the processor.
 *
 * Assembly for x86-64 and aarch64, the C library's ucontext for others (and when FIBER_UCONTEXT is
 * defined).
 */
#ifndef BASE_FIBER_SWITCH_H
#define BASE_FIBER_SWITCH_H

#include <stddef.h>

#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(FIBER_UCONTEXT)
#define FIBER_UCONTEXT 1
#endif

#ifdef FIBER_UCONTEXT
#include <ucontext.h>

/* Where a stack goes on. */
struct fiber_point {
    ucontext_t context;
};

static inline void fiber_point_switch(struct fiber_point *from, const struct fiber_point *to)
{
    swapcontext(&from->context, &to->context);
}
#else
struct fiber_point {
    void *sp; /* below it lies what a function must preserve */
};

void fiber_switch(void **from, void *const *to);

/* Stores in `from` where this stack stops, and goes on at `to`. */
static inline void fiber_point_switch(struct fiber_point *from, const struct fiber_point *to)
{
    fiber_switch(&from->sp, &to->sp);
}
#endif

struct fiber;

/* The point at which an unused stack calls `enter`, which never returns, with `fiber`. */
void fiber_point_init(struct fiber_point *point, char *stack, size_t bytes,
                      void (*enter)(struct fiber *), struct fiber *fiber);

#endif
