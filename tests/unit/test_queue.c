/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/queue.h"

enum { ROOM_MAX = 4 };

/* Through every rotation of the ring: first in, first out, and nobody twice. */
static void test_order(void **state)
{
    (void)state;
    for (unsigned room = 1; room <= ROOM_MAX; room++) {
        struct queued clients[ROOM_MAX] = {{false}};
        struct queue queue;

        queue_init(&queue, room);
        for (unsigned i = 0; i < room; i++) {
            queue_add(&queue, &clients[i]);
            queue_add(&queue, &clients[i]);
        }
        assert_int_equal(queue.len, room);
        for (unsigned i = 0; i < 3 * room; i++) {
            struct queued *first = queue_first(&queue);

            assert_ptr_equal(first, &clients[i % room]);
            queue_drop(&queue);
            assert_false(first->in);
            queue_add(&queue, first);
        }
        queue_deinit(&queue);
    }
}

/* Whoever was taken off comes in again behind the others. */
static void test_goes_to_the_end(void **state)
{
    struct queued clients[3] = {{false}};
    struct queue queue;

    (void)state;
    queue_init(&queue, 3);
    queue_add(&queue, &clients[0]);
    queue_add(&queue, &clients[1]);
    queue_drop(&queue);
    queue_add(&queue, &clients[2]);
    queue_add(&queue, &clients[0]);
    for (unsigned i = 1; i <= 3; i++) {
        assert_ptr_equal(queue_first(&queue), &clients[i % 3]);
        queue_drop(&queue);
    }
    assert_int_equal(queue.len, 0);
    queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_goes_to_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
