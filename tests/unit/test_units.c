/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

typedef bool read_fn(const char *text, uint64_t *value);

struct good {
    const char *text;
    uint64_t value;
};

/* Every reader refuses these. */
static const char *const rubbish[] = {
    "",
    " ",
    " 5",
    "5 ",
    "+5",
    "-1",
    "-0",
    "x",
    "10x",
    "1e3",
    "0x10",
    "1,000",
    "1_0",
    ".",
    ".5",
    "5.",
    "1.k",
    "1..5",
    "1.5.5",
    "k",
    "ms",
    "1kk",
    "1 k",
    "1\n",
    "1k5",
    "nan",
    "inf",
    "1/2",
    "\xd9\xa3",
    "1ss",
    "1µs",
    "99999999999999999999",
    "18446744073709551616",
};

static const struct good counts[] = {
    {"0", 0},
    {"7", 7},
    {"007", 7},
    {"500", 500},
    {"10k", 10000},
    {"10K", 10000},
    {"2m", 2000000},
    {"2M", 2000000},
    {"1G", 1000000000},
    {"18446744073709551615", UINT64_MAX},
    {"18446744073G", 18446744073000000000u},
};

static const char *const bad_counts[] = {"1.5", "1.5k", "0.0", "18446744074G", "5s", "5h", "5ms"};

static const struct good micros[] = {
    {"0", 0},
    {"0.000001", 1},
    {"0.1", 100000},
    {"0.5", 500000},
    {"1000", 1000000000},
    {"1.500000", 1500000},
    {"1.5k", 1500000000},
    {"0.000001G", 1000000000},
    {"18446744073709.551615", UINT64_MAX},
};

static const char *const bad_micros[] = {
    "0.0000001", "1.5000000", "18446744073709.551616", "18446744073710", "18446744074M", "5s",
};

static const struct good durations[] = {
    {"0", 0},
    {"10", 10000000000},
    {"1.5", 1500000000},
    {"0.1", 100000000},
    {"0.000000001", 1},
    {"250ms", 250000000},
    {"0.000001ms", 1},
    {"1.5ms", 1500000},
    {"30s", 30000000000},
    {"5m", 300000000000},
    {"1h", 3600000000000},
    {"0.5h", 1800000000000},
    {"0.000000001h", 3600},
    {"18446744073.709551615", UINT64_MAX},
    {"18446744073709ms", 18446744073709000000u},
};

static const char *const bad_durations[] = {
    "0.0000000001",
    "0.0000001ms",
    "18446744073.709551616",
    "18446744073710ms",
    "5124096h",
    "1us",
    "1M",
    "1S",
    "1H",
    "1k",
    "1min",
    "1m30s",
};

static void check_good(read_fn *read, const struct good *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 1234567;
        if (!read(cases[i].text, &value) || value != cases[i].value)
            fail_msg("\"%s\" was read as %llu", cases[i].text, (unsigned long long)value);
    }
}

static void check_bad(read_fn *read, const char *const *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* An exact copy on the heap, so that reading past its end is seen. */
        char *copy = strdup(cases[i]);
        uint64_t value;
        if (read(copy, &value))
            fail_msg("\"%s\" was not refused", copy);
        free(copy);
    }
}

static void test_counts(void **state)
{
    (void)state;
    check_good(units_read_count, counts, COUNT(counts));
    check_bad(units_read_count, rubbish, COUNT(rubbish));
    check_bad(units_read_count, bad_counts, COUNT(bad_counts));
}

static void test_micros(void **state)
{
    (void)state;
    check_good(units_read_micro, micros, COUNT(micros));
    check_bad(units_read_micro, rubbish, COUNT(rubbish));
    check_bad(units_read_micro, bad_micros, COUNT(bad_micros));
}

static void test_durations(void **state)
{
    (void)state;
    check_good(units_read_duration, durations, COUNT(durations));
    check_bad(units_read_duration, rubbish, COUNT(rubbish));
    check_bad(units_read_duration, bad_durations, COUNT(bad_durations));
}

static void test_prefixes_stay_in_bounds(void **state)
{
    (void)state;
    static const char text[] = "18446744073.709551615ms";

    for (size_t len = 0; len <= strlen(text); len++) {
        char *copy = strndup(text, len);
        uint64_t value;
        units_read_count(copy, &value);
        units_read_micro(copy, &value);
        units_read_duration(copy, &value);
        free(copy);
    }
}

static void test_write_count(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {"0", 0},
        {"7", 7},
        {"999", 999},
        {"1,000", 1000},
        {"12,345", 12345},
        {"123,456", 123456},
        {"1,234,567", 1234567},
        {"18,446,744,073,709,551,615", UINT64_MAX},
    };
    char text[32];

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(units_write_count(cases[i].value, text, sizeof text), cases[i].text);
    assert_string_equal(units_write_count(1234567, text, 4), "1,2");
}

static void test_write_micro(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {"0", 0},
        {"0.000001", 1},
        {"0.5", 500000},
        {"1", 1000000},
        {"1000", 1000000000},
        {"1000.25", 1000250000},
        {"18446744073709.551615", UINT64_MAX},
    };
    char text[32];

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t again;
        assert_string_equal(units_write_micro(cases[i].value, text, sizeof text), cases[i].text);
        assert_true(units_read_micro(text, &again));
        assert_true(again == cases[i].value);
    }
    assert_string_equal(units_write_micro(1500000, text, 3), "1.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),      cmocka_unit_test(test_micros),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_prefixes_stay_in_bounds),
        cmocka_unit_test(test_write_count), cmocka_unit_test(test_write_micro),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
