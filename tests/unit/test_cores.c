/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/cores.h"

#include <sched.h>

static void test_within_the_affinity(void **state)
{
    cpu_set_t mask;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    assert_in_range(cores_usable(), 1, CPU_COUNT(&mask));
}

/* Each time one CPU more, as far as a quota lets it. */
static void test_follows_the_affinity(void **state)
{
    cpu_set_t before, some;
    unsigned last = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    const unsigned all = cores_usable();
    CPU_ZERO(&some);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        CPU_SET(cpu, &some);
        assert_int_equal(sched_setaffinity(0, sizeof some, &some), 0);
        const unsigned want = last < all ? last + 1 : all;
        assert_int_equal(cores_usable(), want);
        last = want;
    }
    assert_int_equal(last, all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_the_affinity),
        cmocka_unit_test(test_follows_the_affinity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
