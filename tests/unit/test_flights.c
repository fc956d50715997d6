/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/flights.h"

enum { SLOTS_MAX = 5 };

/* Through every rotation of the ring: oldest first, and stamped together when sent. */
static void test_order_and_stamps(void **state)
{
    (void)state;
    for (uint32_t slots = 1; slots <= SLOTS_MAX; slots++) {
        struct flight ring[SLOTS_MAX];
        struct flights flights = {.ring = ring};
        uint64_t next_in = 0, next_out = 0;

        for (uint64_t round = 1; round < 40; round++) {
            while (flights.count < slots) {
                const struct flight flight = {.request.k = next_in++};
                *flights_push(&flights, slots) = flight;
            }
            assert_true(flights.unsent > 0);
            flights_stamp(&flights, round, slots);
            assert_int_equal(flights.unsent, 0);
            const uint64_t answered = round % slots + 1;
            for (uint64_t i = 0; i < answered; i++) {
                assert_int_equal(flights_oldest_sent(&flights)->request.k, next_out);
                const struct flight flight = flights_pop(&flights, slots);
                assert_int_equal(flight.request.k, next_out++);
                assert_in_range(flight.sent_ns, 1, round);
            }
        }
    }
}

/* What waits in the outbox has not been sent, whatever is under way before it. */
static void test_unsent(void **state)
{
    struct flight ring[3];
    struct flights flights = {.ring = ring};
    const struct flight flight = {.request.k = 7};

    (void)state;
    assert_null(flights_oldest_sent(&flights));
    *flights_push(&flights, 3) = flight;
    assert_null(flights_oldest_sent(&flights));
    flights_stamp(&flights, 10, 3);
    *flights_push(&flights, 3) = flight;
    *flights_push(&flights, 3) = flight;
    assert_int_equal(flights.unsent, 2);
    assert_int_equal(flights_pop(&flights, 3).sent_ns, 10);
    assert_null(flights_oldest_sent(&flights));
    assert_int_equal(flights_pop(&flights, 3).sent_ns, 0);
    assert_int_equal(flights.unsent, 1);
    flights_stamp(&flights, 20, 3);
    assert_int_equal(flights_pop(&flights, 3).sent_ns, 20);
    assert_int_equal(flights.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_stamps),
        cmocka_unit_test(test_unsent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
