/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static const struct {
    const char *text;
    struct uri want;
} valid[] = {
    {"valkey://", {.host = NULL}},
    {"valkey://h", {.host = "h"}},
    {"VALKEY://Host", {.host = "Host"}},
    {"redis://h/", {.host = "h"}},
    {"redis://h?", {.host = "h"}},
    {"valkey:///3", {.db = 3}},
    {"valkey://:7000", {.port = 7000}},
    {"valkey://h:65535/15", {.host = "h", .port = 65535, .db = 15}},
    {"valkey://h:1?db=2147483647", {.host = "h", .port = 1, .db = 2147483647}},
    {"valkey://h/?db=0", {.host = "h"}},
    {"valkeys://h", {.host = "h", .tls = true}},
    {"rediss://u:p@h", {.user = "u", .password = "p", .host = "h", .tls = true}},
    {"redis://secret@h", {.password = "secret", .host = "h"}},
    {"redis://:secret@h", {.password = "secret", .host = "h"}},
    {"redis://@h", {.host = "h"}},
    {"redis://:@h", {.host = "h"}},
    {"redis://u:@h", {.user = "u", .password = "", .host = "h"}},
    {"redis://u:a:b@h", {.user = "u", .password = "a:b", .host = "h"}},
    {"redis://u:a@b@h", {.user = "u", .password = "a@b", .host = "h"}},
    {"redis://%75%3A:%70%2f%40%25%0a@h%2e/1",
     {.user = "u:", .password = "p/@%\n", .host = "h.", .db = 1}},
    {"redis://u:p@[::1]:7000/2",
     {.user = "u", .password = "p", .host = "::1", .port = 7000, .db = 2}},
    {"redis://[fe80::1%25eth0]", {.host = "fe80::1%eth0"}},
    {"unix:///tmp/a.sock", {.socket = "/tmp/a.sock"}},
    {"unix://u:p@/tmp/a%20b?db=4", {.user = "u", .password = "p", .socket = "/tmp/a b", .db = 4}},
};

/* "secret" must never be quoted. */
static const char *const refused[] = {
    "",
    "secret",
    "secret://h",
    "u:secret@h",
    "://secret",
    "http://secret",
    "valkey:/secret",
    "valkey://h:0",
    "valkey://h:",
    "valkey://h:secret",
    "valkey://h:65536",
    "valkey://h:1x",
    "valkey://h:1:2",
    "valkey://::1",
    "valkey://[::1",
    "valkey://[::1]x",
    "valkey://[::1]:",
    "valkey://[secret]",
    "valkey://[]",
    "valkey://h/secret",
    "valkey://h/1/",
    "valkey://h/-1",
    "valkey://h/2147483648",
    "valkey://h/99999999999999999999999",
    "valkey://h?secret",
    "valkey://h?db",
    "valkey://h?db=",
    "valkey://h?db=secret",
    "valkey://h?db=1&db=1",
    "valkey://h/1?db=1",
    "valkey://h?password=secret",
    "valkey://h#secret",
    "valkey://u:sec/ret@h",
    "valkey://u:sec?ret@h",
    "valkey://u:sec#ret@h",
    "valkey://u:secret%@h",
    "valkey://u:secret%4@h",
    "valkey://u:secret%4x@h",
    "valkey://u:secret%00@h",
    "valkey://u%0a:secret@h",
    "valkey://h%0a",
    "valkey://h%zz",
    "unix://",
    "unix:///",
    "unix://secret",
    "unix://h/tmp/a",
    "unix:///tmp/a%00",
};

static void assert_text(const char *got, const char *want)
{
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

static void test_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++) {
        const struct uri *want = &valid[i].want;
        struct uri uri;
        struct err err;

        if (uri_parse(&uri, valid[i].text, &err) < 0)
            fail_msg("%s: %s", valid[i].text, err.text);
        assert_text(uri.user, want->user);
        assert_text(uri.password, want->password);
        assert_text(uri.host, want->host);
        assert_text(uri.socket, want->socket);
        assert_int_equal(uri.port, want->port);
        assert_int_equal(uri.db, want->db);
        assert_int_equal(uri.tls, want->tls);
        uri_deinit(&uri);
        uri_deinit(&uri);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct uri uri;
        struct err err;

        if (uri_parse(&uri, refused[i], &err) >= 0)
            fail_msg("not refused: %s", refused[i]);
        assert_null(uri.text);
        assert_non_null(strstr(err.text, "--uri"));
        assert_int_equal(err.text[strlen(err.text) - 1], '.');
        assert_null(strstr(err.text, "secret"));
    }
}

/* Each prefix, in memory that ends with it, is taken or refused, and nothing else. */
static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++)
        for (size_t len = 0; len <= strlen(valid[i].text); len++) {
            char *text = malloc(len + 1);
            struct uri uri;
            struct err err = {""};

            assert_non_null(text);
            memcpy(text, valid[i].text, len);
            text[len] = '\0';
            if (uri_parse(&uri, text, &err) == 0) {
                assert_true(uri.port <= 65535);
                uri_deinit(&uri);
            } else {
                assert_non_null(strstr(err.text, "--uri"));
            }
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
