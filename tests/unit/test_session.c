/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_openings(void **state)
{
    static const struct {
        struct session_config config;
        unsigned count;
        const char *want;
    } cases[] = {
        {{.db = 0}, 0, ""},
        {{.db = 12}, 1, "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n"},
        {{.password = "pw"}, 1, "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"},
        {{.password = ""}, 1, "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n"},
        {{.user = "bob", .password = "pw"}, 1, "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$2\r\npw\r\n"},
        {{.user = "bob", .password = "pw", .db = 1},
         2,
         "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n"},
        {{.resp3 = true}, 1, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"},
        {{.resp3 = true, .password = "p w"},
         1,
         "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$3\r\np w\r\n"},
        {{.resp3 = true, .user = "bob", .password = "pw", .db = 2147483647},
         2,
         "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$2\r\npw\r\n"
         "*2\r\n$6\r\nSELECT\r\n$10\r\n2147483647\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session_opening opening;

        session_opening_init(&opening, &cases[i].config);
        assert_int_equal(opening.count, cases[i].count);
        assert_int_equal(opening.len, strlen(cases[i].want));
        if (opening.len)
            assert_memory_equal(opening.bytes, cases[i].want, opening.len);
        session_opening_deinit(&opening);
        session_opening_deinit(&opening);
        assert_int_equal(opening.count, 0);
    }
}

static void test_reads_from_replicas(void **state)
{
    const struct session_config config = {.resp3 = true, .password = "pw", .db = 1};
    static const char want[] = "*1\r\n$8\r\nREADONLY\r\n";
    struct session_opening opening;
    struct err err;

    (void)state;
    session_opening_init(&opening, &config);
    session_opening_add_readonly(&opening);
    assert_int_equal(opening.count, 3);
    assert_memory_equal(opening.bytes + opening.len - strlen(want), want, strlen(want));
    assert_int_equal(session_explain(&opening, 2, "h:1", "NOPERM no", &err), -EACCES);
    assert_string_equal(err.text,
                        "The server at h:1 refused READONLY, which --read-from-replica needs: "
                        "NOPERM no.");
    session_opening_deinit(&opening);
}

static void test_environment(void **state)
{
    struct session_config config = {.password = NULL};

    (void)state;
    unsetenv("VALKEYCLI_AUTH");
    unsetenv("REDISCLI_AUTH");
    session_take_environment(&config);
    assert_null(config.password);
    setenv("REDISCLI_AUTH", "two", 1);
    setenv("VALKEYCLI_AUTH", "", 1);
    session_take_environment(&config);
    assert_string_equal(config.password, "two");
    assert_string_equal(config.password_from, "REDISCLI_AUTH");

    config = (struct session_config){.password = NULL};
    setenv("VALKEYCLI_AUTH", "one", 1);
    session_take_environment(&config);
    assert_string_equal(config.password, "one");
    assert_string_equal(config.password_from, "VALKEYCLI_AUTH");

    config = (struct session_config){.password = "given", .password_from = "--pass"};
    session_take_environment(&config);
    assert_string_equal(config.password, "given");
    assert_string_equal(config.password_from, "--pass");
}

static void test_quotes_hold_no_password(void **state)
{
    static const struct {
        const char *password, *words, *want;
    } cases[] = {
        {"s3cret", "WRONGPASS invalid", "WRONGPASS invalid"},
        {"s3cret", "ERR not s3cret", "ERR not *"},
        {"s3cret", "s3cret 's3cret'", "* '*'"},
        {"a", "ERR bad a in AUTH", "ERR bad * in AUTH"},
        {"", "ERR no", "ERR no"},
        {NULL, "ERR\tno", "ERR?no"},
        {"s3cret", "ERR unknown command `HELLO`, with args beginning with: `3` `AUTH` `s3c",
         "ERR unknown command `HELLO`"},
        {"s3cret", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct session_config config = {.password = cases[i].password};
        struct session_opening opening;

        session_opening_init(&opening, &config);
        char *text = session_quote(&opening, str_of(cases[i].words));
        assert_string_equal(text, cases[i].want);
        free(text);
        session_opening_deinit(&opening);
    }
    char *text = session_quote(NULL, STR("no opening"));
    assert_string_equal(text, "no opening");
    free(text);
}

static void test_explanations(void **state)
{
    static const struct {
        struct session_config config;
        unsigned step;
        const char *words, *want;
    } cases[] = {
        {{.db = 99},
         0,
         "ERR DB index is out of range",
         "The server at h:1 refused the database 99: ERR DB index is out of range."},
        {{.db = 99},
         0,
         "NOAUTH Authentication required.",
         "The server at h:1 wants a password: use --pass, with --user for another user than the "
         "default one, or VALKEYCLI_AUTH: NOAUTH Authentication required."},
        {{.password = "x", .password_from = "REDISCLI_AUTH"},
         0,
         "WRONGPASS no.",
         "The server at h:1 refused the user \"default\" with the password of REDISCLI_AUTH: "
         "WRONGPASS no."},
        {{.password = "x", .user = "bob", .password_from = "--uri", .db = 1},
         1,
         "NOPERM no",
         "The server at h:1 refused the database 1: NOPERM no."},
        {{.password = "x", .user = "bob", .password_from = "--uri", .resp3 = true},
         0,
         "WRONGPASS no",
         "The server at h:1 refused the user \"bob\" with the password of --uri: WRONGPASS no."},
        {{.password = "x", .password_from = "--pass", .resp3 = true},
         0,
         "ERR unknown command",
         "The server at h:1 refused RESP3; leave out -3 if it does not know that: ERR unknown "
         "command."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session_opening opening;
        struct err err;

        session_opening_init(&opening, &cases[i].config);
        assert_true(session_explain(&opening, cases[i].step, "h:1", cases[i].words, &err) < 0);
        assert_string_equal(err.text, cases[i].want);
        session_opening_deinit(&opening);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openings),     cmocka_unit_test(test_reads_from_replicas),
        cmocka_unit_test(test_environment),  cmocka_unit_test(test_quotes_hold_no_password),
        cmocka_unit_test(test_explanations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
