/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/cores.h"

#include <sched.h>
#include <string.h>

static const struct cpu_list no_list;

static void test_within_the_affinity(void **state)
{
    cpu_set_t mask;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    assert_in_range(cores_usable(&no_list), 1, CPU_COUNT(&mask));
}

/* Each time one CPU more, as far as a quota lets it. */
static void test_follows_the_affinity(void **state)
{
    cpu_set_t before, some;
    unsigned last = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    const unsigned all = cores_usable(&no_list);
    CPU_ZERO(&some);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        CPU_SET(cpu, &some);
        assert_int_equal(sched_setaffinity(0, sizeof some, &some), 0);
        const unsigned want = last < all ? last + 1 : all;
        assert_int_equal(cores_usable(&no_list), want);
        last = want;
    }
    assert_int_equal(last, all);
}

/* A list takes the place of the mask; a quota limits it all the same. */
static void test_a_list(void **state)
{
    struct cpu_list list = {.count = 0};
    cpu_set_t mask;

    (void)state;
    const unsigned all = cores_usable(&no_list);
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        struct err err = {""};

        if (!CPU_ISSET(cpu, &mask))
            continue;
        list.cpus[list.count++] = (uint16_t)cpu;
        assert_int_equal(cores_check(&list, &err), 0);
        assert_int_equal(cores_usable(&list), list.count < all ? list.count : all);
    }
}

static void test_a_cpu_that_is_not_ours(void **state)
{
    struct cpu_list list = {.count = 2};
    cpu_set_t before, some;
    struct err err;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        list.cpus[0] = (uint16_t)cpu;
        list.cpus[1] = (uint16_t)((cpu + 1) % CPU_SETSIZE);
        CPU_ZERO(&some);
        CPU_SET(cpu, &some);
        assert_int_equal(sched_setaffinity(0, sizeof some, &some), 0);
        assert_true(cores_check(&list, &err) < 0);
        assert_non_null(strstr(err.text, "--cpus names CPU "));
        list.cpus[1] = list.cpus[0];
        assert_int_equal(cores_check(&list, &err), 0);
    }
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_the_affinity),
        cmocka_unit_test(test_follows_the_affinity),
        cmocka_unit_test(test_a_list),
        cmocka_unit_test(test_a_cpu_that_is_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
