/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cpu_list.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads a copy of the first `len` characters that has not a byte more. */
static int read_prefix(struct cpu_list *list, const char *text, size_t len, struct err *err)
{
    char *copy = malloc(len + 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    const int rc = cpu_list_read(list, copy, "cpus", err);
    free(copy);
    return rc;
}

static void test_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        uint16_t cpus[8];
    } cases[] = {
        {"0", 1, {0}},
        {"7", 1, {7}},
        {"1023", 1, {1023}},
        {"0-3", 4, {0, 1, 2, 3}},
        {"0-3,8", 5, {0, 1, 2, 3, 8}},
        {"8,0-3", 5, {8, 0, 1, 2, 3}}, /* in the order in which they stand */
        {"5-5", 1, {5}},
        {"3,1,2", 3, {3, 1, 2}},
        {"1020-1023", 4, {1020, 1021, 1022, 1023}},
        {"007", 1, {7}},
        {"0-1,3-4,10,12-13", 7, {0, 1, 3, 4, 10, 12, 13}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cpu_list list = {0};
        struct err err;

        assert_int_equal(cpu_list_read(&list, cases[i].text, "cpus", &err), 0);
        assert_int_equal(list.count, cases[i].count);
        assert_ptr_equal(list.text, cases[i].text);
        for (unsigned at = 0; at < list.count; at++)
            assert_int_equal(list.cpus[at], cases[i].cpus[at]);
    }
}

static void test_the_whole_range(void **state)
{
    struct cpu_list list = {0};
    struct err err;

    (void)state;
    assert_int_equal(cpu_list_read(&list, "0-1023", "cpus", &err), 0);
    assert_int_equal(list.count, CPU_SETSIZE);
    for (unsigned at = 0; at < CPU_SETSIZE; at++)
        assert_int_equal(list.cpus[at], at);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *sentence; /* NULL: that of a list that is none */
    } cases[] = {
        {"", NULL},
        {",", NULL},
        {"0,", NULL},
        {",0", NULL},
        {"0,,1", NULL},
        {"0-", NULL},
        {"-1", NULL},
        {"-", NULL},
        {"0-1-2", NULL},
        {"0--1", NULL},
        {"all", NULL},
        {"1x", NULL},
        {"0x1", NULL},
        {"+1", NULL},
        {" 1", NULL},
        {"1 ", NULL},
        {"0, 1", NULL},
        {"0;1", NULL},
        {"1.5", NULL},
        {"3-1", "--cpus has a range that runs backwards: 3-1."},
        {"1,1", "--cpus names CPU 1 twice."},
        {"0-3,2", "--cpus names CPU 2 twice."},
        {"2-3,1-2", "--cpus names CPU 2 twice."},
        {"1024", "--cpus names CPU 1024, but the highest number is 1023."},
        {"0-1024", "--cpus names CPU 1024, but the highest number is 1023."},
        {"4294967296", "--cpus names CPU 4294967296, but the highest number is 1023."},
        {"18446744073709551617",
         "--cpus names CPU 18446744073709551617, but the highest number is 1023."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cpu_list list = {.text = "untouched", .count = 1, .cpus = {9}};
        struct err err, none;

        err_set(&none, "--cpus must be a list of CPUs such as 0-3,8, not \"%s\".", cases[i].text);
        assert_int_equal(cpu_list_read(&list, cases[i].text, "cpus", &err), -EINVAL);
        assert_string_equal(err.text, cases[i].sentence ? cases[i].sentence : none.text);
        assert_string_equal(list.text, "untouched");
        assert_int_equal(list.count, 1);
        assert_int_equal(list.cpus[0], 9);
    }
}

static void test_prefixes(void **state)
{
    static const struct {
        const char *text;
        const char *lists; /* whether its first 0, 1, 2... characters are a list */
    } cases[] = {
        {"0-3,8", "nynyny"},
        {"1,2,3", "nynyny"},
        {"10-12", "nyynny"}, /* 10-1 runs backwards */
        {"0-1,3-4,10,12-13", "nynynynynnynnynny"},
        {"1023", "nyyyy"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t len = 0; len <= strlen(cases[i].text); len++) {
            struct cpu_list list = {0};
            struct err err;
            const int want = cases[i].lists[len] == 'y' ? 0 : -EINVAL;

            assert_int_equal(read_prefix(&list, cases[i].text, len, &err), want);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_the_whole_range),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
