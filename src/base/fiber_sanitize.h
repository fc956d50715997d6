/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fiber_sanitize: tells AddressSanitizer and ThreadSanitizer of fibers; nothing in other builds.
 *
 * The former has to know the bounds of the stack in use, and keeps a second, fake one beside it;
 * the latter keeps a history for each fiber, as it does for a thread.
 */
#ifndef BASE_FIBER_SANITIZE_H
#define BASE_FIBER_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __has_feature
#define FIBER_HAS(feature) __has_feature(feature)
#else
#define FIBER_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || FIBER_HAS(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

struct fiber_sanitize {
    void *fake, *caller_fake; /* of whoever does not run */
    const void *caller_stack;
    size_t caller_bytes;
};

/* In the caller, before and after. */
static inline void fiber_sanitize_enter(struct fiber_sanitize *own, char *stack, size_t bytes)
{
    __sanitizer_start_switch_fiber(&own->caller_fake, stack, bytes);
}

static inline void fiber_sanitize_left(struct fiber_sanitize *own)
{
    __sanitizer_finish_switch_fiber(own->caller_fake, NULL, NULL);
}

/* In the fiber, after and before. Leaving for good releases what is kept of it. */
static inline void fiber_sanitize_entered(struct fiber_sanitize *own)
{
    __sanitizer_finish_switch_fiber(own->fake, &own->caller_stack, &own->caller_bytes);
}

static inline void fiber_sanitize_leave(struct fiber_sanitize *own, bool for_good)
{
    __sanitizer_start_switch_fiber(for_good ? NULL : &own->fake, own->caller_stack,
                                   own->caller_bytes);
    if (for_good)
        own->fake = NULL;
}

/* Of functions that never return: the marks that their frames have left on the stack. */
static inline void fiber_sanitize_drop(struct fiber_sanitize *own, char *stack, size_t bytes)
{
    (void)own;
    __asan_unpoison_memory_region(stack, bytes);
}

/* Whether something is kept that only leaving for good releases. */
static inline bool fiber_sanitize_holds(const struct fiber_sanitize *own)
{
    return own->fake;
}

#elif defined(__SANITIZE_THREAD__) || FIBER_HAS(thread_sanitizer)
#include <sanitizer/tsan_interface.h>

struct fiber_sanitize {
    void *fiber, *caller;
};

static inline void fiber_sanitize_enter(struct fiber_sanitize *own, char *stack, size_t bytes)
{
    (void)stack, (void)bytes;
    if (!own->fiber)
        own->fiber = __tsan_create_fiber(0);
    own->caller = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(own->fiber, 0);
}

static inline void fiber_sanitize_left(struct fiber_sanitize *own)
{
    (void)own;
}

static inline void fiber_sanitize_entered(struct fiber_sanitize *own)
{
    (void)own;
}

static inline void fiber_sanitize_leave(struct fiber_sanitize *own, bool for_good)
{
    (void)for_good;
    __tsan_switch_to_fiber(own->caller, 0);
}

static inline void fiber_sanitize_drop(struct fiber_sanitize *own, char *stack, size_t bytes)
{
    (void)stack, (void)bytes;
    if (own->fiber)
        __tsan_destroy_fiber(own->fiber);
    own->fiber = NULL;
}

static inline bool fiber_sanitize_holds(const struct fiber_sanitize *own)
{
    (void)own;
    return false;
}

#else

struct fiber_sanitize {
    char nothing;
};
#define fiber_sanitize_enter(own, stack, bytes) ((void)0)
#define fiber_sanitize_left(own)                ((void)0)
#define fiber_sanitize_entered(own)             ((void)0)
#define fiber_sanitize_leave(own, for_good)     ((void)(for_good))
#define fiber_sanitize_drop(own, stack, bytes)  ((void)0)
#define fiber_sanitize_holds(own)               false

#endif

#endif
