/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_explains_what_others_have(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *sentence;
    } cases[] = {
        {"--rps", "--rps is not an option here; use --qps."},
        {"--test-time", "--test-time is not an option here; use --test-duration."},
        {"--cores", "--cores is not an option here; use --cpus."},
        {"-l", "-l is not an option here; use --test-duration for a long run."},
        {"--cluster-mode", "--cluster-mode is not an option here; use --cluster."},
        {"--rfr", "--rfr is not an option here; use --read-from-replica."},
        {"--hdr-file-prefix", "--hdr-file-prefix has no counterpart here."},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        assert_true(foreign_explain(str_of(cases[i].option), &err));
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void test_knows_whole_names_only(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",        "-",   "--", "--rp", "--rpss",
                                          "--rps=1", "rps", "l",  "-lx"};

    for (size_t i = 0; i < COUNT(unknown); i++) {
        struct err err = {"untouched"};
        assert_false(foreign_explain(str_of(unknown[i]), &err));
        assert_string_equal(err.text, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explains_what_others_have),
        cmocka_unit_test(test_knows_whole_names_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
