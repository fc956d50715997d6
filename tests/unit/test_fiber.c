/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fiber.h"

#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/str.h"

enum { MANY = 1000, TURNS = 5 };

static struct fiber_set *create(unsigned count)
{
    struct fiber_set *set;
    struct err err;

    assert_int_equal(fiber_set_create(&set, count, FIBER_STACK_BYTES, &err), 0);
    return set;
}

struct walker {
    struct fiber *fiber;
    char *trace; /* where the letter of each step goes */
    char letter;
};

static void walk(void *context)
{
    const struct walker *walker = context;

    for (int i = 0; i < TURNS; i++) {
        strncat(walker->trace, &walker->letter, 1);
        fiber_yield(walker->fiber);
    }
    strcat(walker->trace, "!");
}

static void two_fibers_take_turns(void **state)
{
    struct fiber_set *set = create(2);
    char trace[64] = "";
    struct walker a = {fiber_set_at(set, 0), trace, 'a'};
    struct walker b = {fiber_set_at(set, 1), trace, 'b'};
    int turns = 1;

    (void)state;
    assert_true(fiber_start(a.fiber, walk, &a));
    assert_true(fiber_start(b.fiber, walk, &b));
    for (; fiber_resume(a.fiber); turns++)
        assert_true(fiber_resume(b.fiber));
    assert_false(fiber_resume(b.fiber));
    assert_int_equal(turns, TURNS);
    assert_string_equal(trace, "ababababab!!");
    fiber_set_destroy(&set);
    assert_null(set);
    fiber_set_destroy(&set);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void a_fiber_runs_one_function_after_the_other(void **state)
{
    struct fiber_set *set = create(1);
    int calls = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_false(fiber_start(fiber_set_at(set, 0), count_call, &calls));
    assert_int_equal(calls, 100);
    fiber_set_destroy(&set);
}

struct mixer {
    struct fiber *fiber;
    uint64_t seed, sum;
    double product;
};

/* So many values that they are in all the registers that a call preserves, and on the stack. */
static void mix(void *context)
{
    struct mixer *mixer = context;
    uint64_t values[24];
    double products[24];

    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = rng_draw(mixer->seed, RNG_KEY, i);
        products[i] = (double)(values[i] >> 40);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        fiber_yield(mixer->fiber);
        for (size_t i = 0; i < COUNT(values); i++) {
            values[i] = values[i] * 3 + i;
            products[i] = products[i] * 1.5 + (double)i;
        }
    }
    for (size_t i = 0; i < COUNT(values); i++) {
        mixer->sum += values[i];
        mixer->product += products[i];
    }
}

/* The same, without a fiber. */
static void mix_alone(struct mixer *mixer)
{
    for (size_t i = 0; i < 24; i++) {
        uint64_t value = rng_draw(mixer->seed, RNG_KEY, i);
        double product = (double)(value >> 40);

        for (int turn = 0; turn < TURNS; turn++) {
            value = value * 3 + i;
            product = product * 1.5 + (double)i;
        }
        mixer->sum += value;
        mixer->product += product;
    }
}

static void many_fibers_keep_their_values(void **state)
{
    struct fiber_set *set = create(MANY);
    struct mixer *mixers = calloc(MANY, sizeof *mixers);

    (void)state;
    assert_non_null(mixers);
    for (unsigned i = 0; i < MANY; i++) {
        mixers[i] = (struct mixer){.fiber = fiber_set_at(set, i), .seed = i};
        assert_true(fiber_start(mixers[i].fiber, mix, &mixers[i]));
    }
    for (int turn = 1; turn < TURNS; turn++)
        for (unsigned i = MANY; i-- > 0;)
            assert_true(fiber_resume(mixers[i].fiber));
    for (unsigned i = 0; i < MANY; i++) {
        struct mixer alone = {.seed = i};

        assert_false(fiber_resume(mixers[i].fiber));
        mix_alone(&alone);
        assert_true(mixers[i].sum == alone.sum);
        assert_true(mixers[i].product == alone.product);
    }
    free(mixers);
    fiber_set_destroy(&set);
}

static void round_upward(void *context)
{
    assert_int_equal(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    fiber_yield(context);
    assert_int_equal(fegetround(), FE_UPWARD);
}

static void rounding_is_a_fibers_own(void **state)
{
    struct fiber_set *set = create(1);
    struct fiber *fiber = fiber_set_at(set, 0);

    (void)state;
    assert_true(fiber_start(fiber, round_upward, fiber));
    assert_int_equal(fegetround(), FE_TONEAREST);
    fesetround(FE_DOWNWARD);
    assert_false(fiber_resume(fiber));
    assert_int_equal(fegetround(), FE_DOWNWARD);
    fesetround(FE_TONEAREST);
    fiber_set_destroy(&set);
}

struct diver {
    struct fiber *fiber;
    unsigned levels; /* of 512 bytes and more */
    unsigned sum;
};

static unsigned dive(struct diver *diver, unsigned level)
{
    volatile unsigned char bytes[512];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)level;
    if (level == diver->levels)
        fiber_yield(diver->fiber);
    else
        diver->sum += dive(diver, level + 1);
    return bytes[level % sizeof bytes];
}

static void start_diving(void *context)
{
    dive(context, 0);
}

static void a_stack_can_be_used_nearly_whole(void **state)
{
    struct fiber_set *set = create(2);
    struct diver divers[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        divers[i] = (struct diver){.fiber = fiber_set_at(set, i), .levels = 60};
        assert_true(fiber_start(divers[i].fiber, start_diving, &divers[i]));
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_false(fiber_resume(divers[i].fiber));
        assert_int_equal(divers[i].sum, 60 * 61 / 2);
    }
    fiber_set_destroy(&set);
}

/* The status with which a child ends that does `act`. */
static int run_in_child(void (*act)(void))
{
    const pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};

        /* A sanitizer's handler would turn the signal into a report. */
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CORE, &no_core);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void dive_too_deep(void)
{
    struct fiber_set *set = create(4);
    /* Without guards there would be room: the stacks of the others lie below. */
    struct diver diver = {.fiber = fiber_set_at(set, 3), .levels = 180};

    fiber_start(diver.fiber, start_diving, &diver);
}

static void an_overflow_ends_the_process(void **state)
{
    (void)state;
    const int status = run_in_child(dive_too_deep);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void a_cancelled_fiber_never_goes_on(void **state)
{
    struct fiber_set *set = create(MANY);
    char trace[64] = "";
    int calls = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        struct diver diver = {.fiber = fiber_set_at(set, i), .levels = 40};
        struct walker walker = {fiber_set_at(set, i), trace, 'a'};

        assert_true(fiber_start(diver.fiber, start_diving, &diver));
        fiber_cancel(diver.fiber);
        assert_int_equal(diver.sum, 0);
        assert_false(fiber_start(diver.fiber, count_call, &calls));
        trace[0] = '\0';
        assert_true(fiber_start(walker.fiber, walk, &walker));
        assert_string_equal(trace, "a");
        if (i % 2)
            fiber_cancel(walker.fiber);
    }
    assert_int_equal(calls, MANY);
    fiber_set_destroy(&set);
    assert_string_equal(trace, "a");
}

/* Takes all mappings of the process but a few, for a sanitizer needs some. */
static void take_most_mappings(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = 4 * 1024 * 1024;
    char *area =
        mmap(NULL, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t i = 1;

    while (area != MAP_FAILED && i < pages && mprotect(area + i * page, page, PROT_READ) == 0)
        i += 2;
    if (area == MAP_FAILED || i >= pages || mprotect(area, 100 * page, PROT_NONE) < 0)
        _exit(2);
}

static void ask_without_mappings(void)
{
    struct fiber_set *set;
    struct err err = {""};

    take_most_mappings();
    if (fiber_set_create(&set, 1000, FIBER_STACK_BYTES, &err) >= 0 || set)
        _exit(3);
    if (!strstr(err.text, "vm.max_map_count") || !strstr(err.text, "1000 coroutines"))
        _exit(4);
}

static void want_of_mappings_is_a_sentence(void **state)
{
    (void)state;
    const int status = run_in_child(ask_without_mappings);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_fibers_take_turns),
        cmocka_unit_test(a_fiber_runs_one_function_after_the_other),
        cmocka_unit_test(many_fibers_keep_their_values),
        cmocka_unit_test(rounding_is_a_fibers_own),
        cmocka_unit_test(a_stack_can_be_used_nearly_whole),
        cmocka_unit_test(an_overflow_ends_the_process),
        cmocka_unit_test(a_cancelled_fiber_never_goes_on),
        cmocka_unit_test(want_of_mappings_is_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
