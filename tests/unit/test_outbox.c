/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/outbox.h"

#include <string.h>

static void add(struct outbox *outbox, const char *text)
{
    memcpy(outbox_reserve(outbox, strlen(text)), text, strlen(text));
    outbox_add(outbox, strlen(text));
}

static void assert_leaving(const struct outbox *outbox, const char *text)
{
    assert_int_equal(outbox->leaving.len, strlen(text));
    assert_memory_equal(outbox->leaving.bytes, text, strlen(text));
}

static void test_empty(void **state)
{
    struct outbox outbox = {0};

    (void)state;
    assert_true(outbox_has_left(&outbox));
    assert_false(outbox_turn_over(&outbox));
    outbox_deinit(&outbox);
}

/* What the kernel has does not move while more is added, and leaves before it. */
static void test_halves(void **state)
{
    struct outbox outbox = {0};

    (void)state;
    add(&outbox, "one");
    assert_true(outbox_turn_over(&outbox));
    assert_leaving(&outbox, "one");
    const char *leaving = outbox.leaving.bytes;
    for (int i = 0; i < 1000; i++)
        add(&outbox, "two");
    assert_ptr_equal(outbox.leaving.bytes, leaving);
    assert_leaving(&outbox, "one");
    outbox.sent = 2;
    assert_false(outbox_has_left(&outbox));
    assert_false(outbox_turn_over(&outbox));
    outbox.sent = 3;
    assert_true(outbox_has_left(&outbox));
    assert_true(outbox_turn_over(&outbox));
    assert_int_equal(outbox.sent, 0);
    assert_int_equal(outbox.leaving.len, 3000);
    for (size_t i = 0; i < 1000; i++)
        assert_memory_equal(outbox.leaving.bytes + 3 * i, "two", 3); /* growing keeps them */
    assert_int_equal(outbox.filling.len, 0);
    outbox_deinit(&outbox);
}

/* In its steady state it allocates nothing. */
static void test_memory_stays(void **state)
{
    struct outbox outbox = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        add(&outbox, "0123456789");
        assert_true(outbox_turn_over(&outbox));
        outbox.sent = outbox.leaving.len;
    }
    const char *one = outbox.leaving.bytes, *two = outbox.filling.bytes;
    for (int i = 0; i < 9; i++) {
        add(&outbox, "0123456789");
        assert_true(outbox_turn_over(&outbox));
        outbox.sent = outbox.leaving.len;
        assert_ptr_equal(outbox.leaving.bytes, i % 2 ? one : two);
    }
    outbox_clear(&outbox);
    assert_true(outbox_has_left(&outbox));
    assert_false(outbox_turn_over(&outbox));
    assert_true(outbox.filling.room > 0);
    outbox_deinit(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_memory_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
