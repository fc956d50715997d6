/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/writer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Writes into exactly as many bytes as were asked for, so that ASan sees one too many. */
static void check_number(uint64_t number)
{
    char expected[RESP_NUMBER_MAX + 1];
    const size_t len = (size_t)snprintf(expected, sizeof expected, "%" PRIu64, number);

    assert_int_equal(resp_number_digits(number), len);

    char *const exact = malloc(len);

    assert_non_null(exact);
    assert_ptr_equal(resp_write_number(exact, number), exact + len);
    assert_memory_equal(exact, expected, len);
    free(exact);
}

static void small_numbers_are_written(void **state)
{
    (void)state;
    for (uint64_t number = 0; number <= 100000; number++)
        check_number(number);
}

static void numbers_about_each_power_are_written(void **state)
{
    (void)state;
    for (uint64_t power = 1;; power *= 10) {
        for (uint64_t above = 0; above < 3; above++)
            check_number(power - 1 + above);
        if (power > UINT64_MAX / 10)
            break;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t above = 0; above < 3; above++)
            check_number((UINT64_C(1) << bit) - 1 + above);
    }
    check_number(UINT64_MAX - 1);
    check_number(UINT64_MAX);
}

static void the_largest_number_has_the_digits_promised(void **state)
{
    (void)state;
    assert_int_equal(resp_number_digits(UINT64_MAX), RESP_NUMBER_MAX);
}

static void arrays_are_written(void **state)
{
    (void)state;
    static const struct {
        uint64_t arguments;
        const char *wire;
    } cases[] = {
        {0, "*0\r\n"},
        {1, "*1\r\n"},
        {10, "*10\r\n"},
        {UINT64_MAX, "*18446744073709551615\r\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char room[RESP_HEADER_MAX];
        const size_t len = strlen(cases[i].wire);

        assert_ptr_equal(resp_write_array(room, cases[i].arguments), room + len);
        assert_memory_equal(room, cases[i].wire, len);
    }
}

static void bulks_are_written(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        struct str wire;
    } cases[] = {
        {{"", 0}, {"$0\r\n\r\n", 6}},
        {{NULL, 0}, {"$0\r\n\r\n", 6}},
        {{"GET", 3}, {"$3\r\nGET\r\n", 9}},
        {{"0123456789", 10}, {"$10\r\n0123456789\r\n", 17}},
        {{"\r\n\0\xff", 4}, {"$4\r\n\r\n\0\xff\r\n", 10}},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct str wire = cases[i].wire;
        char *const exact = malloc(wire.len);

        assert_non_null(exact);
        assert_ptr_equal(resp_write_bulk(exact, cases[i].bytes), exact + wire.len);
        assert_memory_equal(exact, wire.ptr, wire.len);
        assert_true(wire.len <= cases[i].bytes.len + RESP_BULK_EXTRA);
        free(exact);
    }
}

static void a_command_is_written_in_one_go(void **state)
{
    (void)state;
    static const char wire[] = "*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$2\r\nab\r\n";
    char room[sizeof wire];
    char *at = resp_write_array(room, 3);

    at = resp_write_bulk(at, STR("SET"));
    at = resp_write_bulk(at, STR("key:1"));
    at = resp_write_bulk(at, STR("ab"));
    assert_int_equal(at - room, sizeof wire - 1);
    assert_memory_equal(room, wire, sizeof wire - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_numbers_are_written),
        cmocka_unit_test(numbers_about_each_power_are_written),
        cmocka_unit_test(the_largest_number_has_the_digits_promised),
        cmocka_unit_test(arrays_are_written),
        cmocka_unit_test(bulks_are_written),
        cmocka_unit_test(a_command_is_written_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
