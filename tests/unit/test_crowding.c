/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "run/crowding.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* Works until it has had a core for so long. */
static void work(uint64_t ns)
{
    struct crowding now;

    crowding_read(&now);
    for (const uint64_t end_ns = now.cpu_ns + ns; now.cpu_ns < end_ns;)
        crowding_read(&now);
}

static void *work_until_told(void *told)
{
    while (!atomic_load((atomic_bool *)told))
        work(MS);
    return NULL;
}

/* Two threads on one core: what the other works, this one lacks. */
static void test_two_on_one_core(void **state)
{
    atomic_bool told = false;
    struct crowding start, end;
    cpu_set_t before, one;
    pthread_t other;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (unsigned cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(pthread_create(&other, NULL, work_until_told, &told), 0);
    const uint64_t start_ns = clock_now_ns();
    crowding_read(&start);
    work(50 * MS);
    const uint64_t crowded_ns = crowding_since_ns(&start, clock_now_ns() - start_ns);
    const uint64_t took_ns = clock_now_ns() - start_ns;
    crowding_read(&end);
    atomic_store(&told, true);
    pthread_join(other, NULL);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);

    const uint64_t ran_ns = end.cpu_ns - start.cpu_ns;
    assert_true(ran_ns >= 50 * MS);
    assert_in_range(crowded_ns, 5 * MS, took_ns);
}

/* Where the kernel does not count it, what was not worked on a core is taken for it. */
static void test_uncounted(void **state)
{
    struct crowding start;

    (void)state;
    crowding_read(&start);
    start.queued_ns = UINT64_MAX;
    work(5 * MS);
    assert_int_equal(crowding_since_ns(&start, 1 * MS), 0);
    assert_in_range(crowding_since_ns(&start, 1000 * S), 900 * S, 1000 * S - 5 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_on_one_core),
        cmocka_unit_test(test_uncounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
