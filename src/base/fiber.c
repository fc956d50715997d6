/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fiber_sanitize.h"
#include "base/fiber_switch.h"
#include "base/mem.h"

enum fiber_state { FIBER_NEW, FIBER_FREE, FIBER_RUNS, FIBER_YIELDED, FIBER_LEAVES };

struct fiber {
    struct fiber_point own;    /* where it goes on; stale while it runs */
    struct fiber_point caller; /* where whoever let it run goes on; stale while it does not */
    enum fiber_state state;    /* NEW: nothing lies on its stack; FREE: it waits for a function */
    fiber_fn *run;
    void *context;
    char *stack; /* its lowest byte */
    size_t stack_bytes;
    struct fiber_sanitize sanitize;
};

struct fiber_set {
    struct fiber *fibers; /* owned */
    unsigned count;
    char *stacks; /* owned, mapped: for each fiber a guard page and the stack above it */
    size_t mapped_bytes;
};

static unsigned read_map_limit(void)
{
    unsigned limit = 65530;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

    if (file) {
        if (fscanf(file, "%u", &limit) != 1)
            limit = 65530;
        fclose(file);
    }
    return limit;
}

/* Gives the mappings back first, for without any even the C library cannot read a file. */
static int refuse(struct fiber_set *set, struct err *err)
{
    const int code = errno;

    if (set->stacks != MAP_FAILED)
        munmap(set->stacks, set->mapped_bytes);
    set->stacks = NULL;
    err_set(err,
            "There is no room for the stacks of %u coroutines: each takes two mappings, of which a "
            "process may have %u (vm.max_map_count), and address space. Use fewer clients a "
            "process, or raise that limit.",
            set->count, read_map_limit());
    return -code;
}

/* Maps the stacks and lays out the fibers. */
static int map_stacks(struct fiber_set *set, size_t stack_bytes, struct err *err)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t stack = (stack_bytes + page - 1) / page * page;

    set->mapped_bytes = set->count * (page + stack);
    set->stacks = mmap(NULL, set->mapped_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (set->stacks == MAP_FAILED)
        return refuse(set, err);
    for (unsigned i = 0; i < set->count; i++) {
        char *guard = set->stacks + i * (page + stack);

        if (mprotect(guard, page, PROT_NONE) < 0)
            return refuse(set, err);
        set->fibers[i].stack = guard + page;
        set->fibers[i].stack_bytes = stack;
    }
    return 0;
}

int fiber_set_create(struct fiber_set **out, unsigned count, size_t stack_bytes, struct err *err)
{
    struct fiber_set *set = mem_zalloc(1, sizeof *set);

    set->fibers = mem_zalloc(count, sizeof *set->fibers);
    set->count = count;
    const int rc = count ? map_stacks(set, stack_bytes, err) : 0;
    if (rc)
        fiber_set_destroy(&set);
    *out = set;
    return rc;
}

struct fiber *fiber_set_at(struct fiber_set *set, unsigned index)
{
    assert(index < set->count);
    return &set->fibers[index];
}

/* From the fiber to whoever let it run. */
static void leave(struct fiber *fiber, bool for_good)
{
    fiber_sanitize_leave(&fiber->sanitize, for_good);
    fiber_point_switch(&fiber->own, &fiber->caller);
    fiber_sanitize_entered(&fiber->sanitize);
}

/* The bottom of each stack: a function returns to it, and the next one begins from it. */
static void serve(struct fiber *fiber)
{
    fiber_sanitize_entered(&fiber->sanitize);
    while (fiber->state != FIBER_LEAVES) {
        fiber->run(fiber->context);
        fiber->state = FIBER_FREE;
        leave(fiber, false);
    }
    leave(fiber, true);
}

/* From the caller to the fiber. Returns when the fiber leaves. */
static void enter(struct fiber *fiber)
{
    fiber_sanitize_enter(&fiber->sanitize, fiber->stack, fiber->stack_bytes);
    fiber_point_switch(&fiber->caller, &fiber->own);
    fiber_sanitize_left(&fiber->sanitize);
}

static void renew(struct fiber *fiber)
{
    fiber_point_init(&fiber->own, fiber->stack, fiber->stack_bytes, serve, fiber);
}

bool fiber_start(struct fiber *fiber, fiber_fn *run, void *context)
{
    assert(fiber->state == FIBER_NEW || fiber->state == FIBER_FREE);
    if (fiber->state == FIBER_NEW)
        renew(fiber);
    fiber->run = run;
    fiber->context = context;
    fiber->state = FIBER_RUNS;
    enter(fiber);
    return fiber->state == FIBER_YIELDED;
}

bool fiber_resume(struct fiber *fiber)
{
    assert(fiber->state == FIBER_YIELDED);
    fiber->state = FIBER_RUNS;
    enter(fiber);
    return fiber->state == FIBER_YIELDED;
}

void fiber_yield(struct fiber *fiber)
{
    assert(fiber->state == FIBER_RUNS);
    fiber->state = FIBER_YIELDED;
    leave(fiber, false);
}

void fiber_cancel(struct fiber *fiber)
{
    assert(fiber->state == FIBER_YIELDED);
    fiber->state = FIBER_NEW;
    fiber_sanitize_drop(&fiber->sanitize, fiber->stack, fiber->stack_bytes);
}

/* Has a sanitizer release what it keeps of a fiber. */
static void retire(struct fiber *fiber)
{
    if (fiber->state == FIBER_YIELDED)
        fiber_cancel(fiber);
    if (fiber_sanitize_holds(&fiber->sanitize)) {
        if (fiber->state == FIBER_NEW)
            renew(fiber);
        fiber->state = FIBER_LEAVES;
        enter(fiber);
    }
    fiber_sanitize_drop(&fiber->sanitize, fiber->stack, fiber->stack_bytes);
}

void fiber_set_destroy(struct fiber_set **slot)
{
    struct fiber_set *set = *slot;

    if (!set)
        return;
    for (unsigned i = 0; set->stacks && i < set->count; i++)
        retire(&set->fibers[i]);
    if (set->stacks)
        munmap(set->stacks, set->mapped_bytes);
    free(set->fibers);
    free(set);
    *slot = NULL;
}
