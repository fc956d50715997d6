/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/option.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

enum { UNTOUCHED = 77 };

static const uint64_t second = 1000000000;

struct good {
    struct option_spec spec;
    const char *text;
    uint64_t value;
};

struct bad {
    struct option_spec spec;
    const char *text;
    const char *sentence;
};

#define PORT                                                                                       \
    {                                                                                              \
        .name = "port", .read = option_read_count, .min = 1, .max = 65535                          \
    }
#define CLIENTS                                                                                    \
    {                                                                                              \
        .name = "clients", .read = option_read_count, .min = 1                                     \
    }
#define OFFSET                                                                                     \
    {                                                                                              \
        .name = "offset", .read = option_read_count                                                \
    }
#define QPS                                                                                        \
    {                                                                                              \
        .name = "qps", .read = option_read_rate, .min = 1                                          \
    }
#define FACTOR                                                                                     \
    {                                                                                              \
        .name = "factor", .read = option_read_rate, .min = 1000001                                 \
    }
#define LIMITED                                                                                    \
    {                                                                                              \
        .name = "qps", .read = option_read_rate, .min = 1, .max = 2500000                          \
    }
#define HALVES                                                                                     \
    {                                                                                              \
        .name = "qps", .read = option_read_rate, .min = 500000, .max = 2500000                     \
    }
#define LAST                                                                                       \
    {                                                                                              \
        .name = "test-duration", .read = option_read_duration                                      \
    }
#define STEP                                                                                       \
    {                                                                                              \
        .name = "step", .read = option_read_duration, .min = 1000000, .max = 3600000000000         \
    }
#define MILLIS                                                                                     \
    {                                                                                              \
        .name = "request-timeout", .read = option_read_millis                                      \
    }
#define BOUNDED                                                                                    \
    {                                                                                              \
        .name = "request-timeout", .read = option_read_millis, .min = 1000000, .max = 60000000000  \
    }

static const struct good numbers[] = {
    {PORT, "1", 1},
    {PORT, "65535", 65535},
    {CLIENTS, "10k", 10000},
    {OFFSET, "0", 0},
    {OFFSET, "18446744073709551615", UINT64_MAX},
    {QPS, "0.000001", 1},
    {QPS, "1.5k", 1500000000},
    {FACTOR, "1.000001", 1000001},
    {LIMITED, "2.5", 2500000},
    {LAST, "0", 0},
    {LAST, "1.5", 1500000000},
    {STEP, "1ms", 1000000},
    {STEP, "1h", 3600000000000},
    {MILLIS, "0", 0},
    {MILLIS, "5000", 5000000000},
    {BOUNDED, "60000", 60000000000},
};

static const struct bad refused[] = {
    {PORT, "70000", "--port must be a whole number from 1 to 65535, not \"70000\"."},
    {PORT, "0", "--port must be a whole number from 1 to 65535, not \"0\"."},
    {PORT, "x", "--port must be a whole number from 1 to 65535, not \"x\"."},
    {PORT, "", "--port must be a whole number from 1 to 65535, not \"\"."},
    {PORT, " 5", "--port must be a whole number from 1 to 65535, not \" 5\"."},
    {PORT, "+5", "--port must be a whole number from 1 to 65535, not \"+5\"."},
    {PORT, "-1", "--port must be a whole number from 1 to 65535, not \"-1\"."},
    {PORT, "1e3", "--port must be a whole number from 1 to 65535, not \"1e3\"."},
    {CLIENTS, "0", "--clients must be a whole number of at least 1, not \"0\"."},
    {CLIENTS, "10x", "--clients must be a whole number of at least 1, not \"10x\"."},
    {OFFSET, "99999999999999999999",
     "--offset must be a whole number, not \"99999999999999999999\"."},
    {QPS, "x", "--qps must be a number above 0 with at most 6 decimals, not \"x\"."},
    {QPS, "0", "--qps must be a number above 0 with at most 6 decimals, not \"0\"."},
    {QPS, "0.0000001",
     "--qps must be a number above 0 with at most 6 decimals, not \"0.0000001\"."},
    {FACTOR, "1", "--factor must be a number above 1 with at most 6 decimals, not \"1\"."},
    {LIMITED, "2.500001",
     "--qps must be a number above 0 and at most 2.5 with at most 6 decimals, not \"2.500001\"."},
    {HALVES, "0.4", "--qps must be a number from 0.5 to 2.5 with at most 6 decimals, not \"0.4\"."},
    {LAST, "1d",
     "--test-duration must be a time such as 30, 1.5, 250ms, 30s, 5m or 1h, not \"1d\"."},
    {STEP, "0",
     "--step must be a time such as 30, 1.5, 250ms, 30s, 5m or 1h, from 1ms to 3600s, not \"0\"."},
    {STEP, "2h",
     "--step must be a time such as 30, 1.5, 250ms, 30s, 5m or 1h, from 1ms to 3600s, not \"2h\"."},
    {MILLIS, "1.5", "--request-timeout must be a whole number of milliseconds, not \"1.5\"."},
    {MILLIS, "5m", "--request-timeout must be a whole number of milliseconds, not \"5m\"."},
    {MILLIS, "18446744073710",
     "--request-timeout must be a whole number of milliseconds, not \"18446744073710\"."},
    {BOUNDED, "60001",
     "--request-timeout must be a whole number of milliseconds, from 1 to 60000, not \"60001\"."},
};

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct good *c = &numbers[i];
        uint64_t value = UNTOUCHED;
        struct err err = {""};
        if (c->spec.read(&c->spec, &value, c->text, &err) != 0)
            fail_msg("%s", err.text);
        assert_true(value == c->value);
    }
}

static void test_refusals_say_what_is_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct bad *c = &refused[i];
        uint64_t value = UNTOUCHED;
        struct err err = {""};
        assert_int_equal(c->spec.read(&c->spec, &value, c->text, &err), -EINVAL);
        assert_string_equal(err.text, c->sentence);
        assert_true(value == UNTOUCHED);
    }
}

static void test_ranges_are_in_the_unit_of_the_field(void **state)
{
    (void)state;
    const struct option_spec spec = {.name = "give-up", .max = 30 * second};
    uint64_t value;
    struct err err;

    assert_int_equal(option_read_duration(&spec, &value, "30", &err), 0);
    assert_int_equal(option_read_duration(&spec, &value, "30.1", &err), -EINVAL);
    assert_string_equal(err.text, "--give-up must be a time such as 30, 1.5, 250ms, 30s, 5m or 1h,"
                                  " from 0s to 30s, not \"30.1\".");
}

static void test_choice(void **state)
{
    (void)state;
    static const struct option_spec spec = {.name = "type", .choices = "set|get|custom"};
    static const struct good cases[] = {
        {{0}, "set", 0},
        {{0}, "GET", 1},
        {{0}, "Custom", 2},
    };
    static const char *const wrong[] = {"", "se", "sett", "set|get", "|", "custom ", "cust", "x"};
    struct err err;

    for (size_t i = 0; i < COUNT(cases); i++) {
        int value = UNTOUCHED;
        assert_int_equal(option_read_choice(&spec, &value, cases[i].text, &err), 0);
        assert_int_equal(value, cases[i].value);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int value = UNTOUCHED;
        assert_int_equal(option_read_choice(&spec, &value, wrong[i], &err), -EINVAL);
        assert_int_equal(value, UNTOUCHED);
    }
    assert_string_equal(err.text, "--type must be set, get or custom, not \"x\".");
}

static void test_switch_and_text(void **state)
{
    (void)state;
    static const struct option_spec spec = {.name = "quiet"};
    static const char name[] = "localhost";
    bool on = false;
    const char *text = NULL;
    struct err err;

    assert_int_equal(option_read_switch(&spec, &on, NULL, &err), 0);
    assert_true(on);
    assert_int_equal(option_read_text(&spec, &text, name, &err), 0);
    assert_ptr_equal(text, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refusals_say_what_is_wanted),
        cmocka_unit_test(test_ranges_are_in_the_unit_of_the_field),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_switch_and_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
