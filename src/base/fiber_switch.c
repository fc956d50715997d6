/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fiber_switch.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#ifdef FIBER_UCONTEXT

/* makecontext hands on ints, two for a pointer. */
static void begin(unsigned enter_high, unsigned enter_low, unsigned fiber_high, unsigned fiber_low)
{
    const uint64_t enter = (uint64_t)enter_high << 32 | enter_low;
    const uint64_t fiber = (uint64_t)fiber_high << 32 | fiber_low;

    ((void (*)(struct fiber *))(uintptr_t)enter)((struct fiber *)(uintptr_t)fiber);
}

void fiber_point_init(struct fiber_point *point, char *stack, size_t bytes,
                      void (*enter)(struct fiber *), struct fiber *fiber)
{
    const uint64_t enter_bits = (uintptr_t)enter;
    const uint64_t fiber_bits = (uintptr_t)fiber;

    getcontext(&point->context);
    point->context.uc_stack.ss_sp = stack;
    point->context.uc_stack.ss_size = bytes;
    point->context.uc_link = NULL;
    makecontext(&point->context, (void (*)(void))begin, 4, (unsigned)(enter_bits >> 32),
                (unsigned)enter_bits, (unsigned)(fiber_bits >> 32), (unsigned)fiber_bits);
}

#else

/* What fiber_switch takes off a stack, in words, and with what a program begins. */
#if defined(__x86_64__)
enum { FLOATING, ARGUMENT = 4, ENTER, FRAME, BEGIN = 7, WORDS };
static const uint64_t floating_state = UINT64_C(0x037f) << 32 | UINT64_C(0x1f80);
#else
enum { ENTER, ARGUMENT, FRAME = 10, BEGIN, FLOATING = 20, WORDS = 22 };
static const uint64_t floating_state = 0;
#endif

/* Not to be called: the first place of a new stack. */
void fiber_begin(void);

void fiber_point_init(struct fiber_point *point, char *stack, size_t bytes,
                      void (*enter)(struct fiber *), struct fiber *fiber)
{
    uint64_t words[WORDS] = {0};
    char *top = stack + bytes;

    words[FLOATING] = floating_state;
    words[ENTER] = (uintptr_t)enter;
    words[ARGUMENT] = (uintptr_t)fiber;
    words[FRAME] = 0;
    words[BEGIN] = (uintptr_t)fiber_begin;
    assert((uintptr_t)top % 16 == 0 && sizeof words % 16 == 0);
    /* The two words above stay zero: a frame pointer and a return address where there is none. */
    top -= 16 + sizeof words;
    memset(top + sizeof words, 0, 16);
    memcpy(top, words, sizeof words);
    point->sp = top;
}

#endif
