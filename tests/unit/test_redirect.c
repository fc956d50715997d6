/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/redirect.h"
#include "resp/reader.h"

/* Each ends in a port of one digit, so that no prefix of one is another. */
static const struct {
    const char *line;
    bool ask;
    uint16_t slot;
    const char *host;
    uint16_t port;
} valid[] = {
    {"MOVED 3999 127.0.0.1:7", false, 3999, "127.0.0.1", 7},
    {"ASK 0 127.0.0.1:7", true, 0, "127.0.0.1", 7},
    {"MOVED 16383 a.example.org:1", false, 16383, "a.example.org", 1},
    {"MOVED 1 :9", false, 1, "", 9},
    {"ASK 1 ::1:9", true, 1, "::1", 9},
    {"MOVED 1 2001:db8::ff00:42:8329:9", false, 1, "2001:db8::ff00:42:8329", 9},
};

static bool parse(struct str line, struct redirect *redirect)
{
    char *exact = malloc(line.len ? line.len : 1);

    memcpy(exact, line.ptr, line.len);
    const bool is_redirect = redirect_parse((struct str){exact, line.len}, redirect);
    if (is_redirect) /* the host is to be read in what outlives this */
        redirect->host.ptr = line.ptr + (redirect->host.ptr - exact);
    free(exact);
    return is_redirect;
}

static void test_redirects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++) {
        struct redirect redirect;

        assert_true(parse(str_of(valid[i].line), &redirect));
        assert_int_equal(redirect.ask, valid[i].ask);
        assert_int_equal(redirect.slot, valid[i].slot);
        assert_true(str_equal(redirect.host, str_of(valid[i].host)));
        assert_int_equal(redirect.port, valid[i].port);
    }
}

/* An address of version 6 is cut into others, which lead somewhere; nothing else is. */
static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++) {
        const bool is_long = strchr(valid[i].host, ':') != NULL;

        for (size_t len = 0; len < strlen(valid[i].line); len++) {
            struct redirect redirect;
            const bool is_redirect = parse((struct str){valid[i].line, len}, &redirect);

            assert_true(!is_redirect || is_long);
        }
    }
}

static void test_garbage(void **state)
{
    static const char *const lines[] = {
        "",
        "ERR no",
        "moved 1 h:1",
        "MOVED",
        "MOVED 1",
        "MOVED  1 h:1",
        "MOVED 1  h:1",
        "MOVED 16384 h:1",
        "MOVED -1 h:1",
        "MOVED +1 h:1",
        "MOVED 99999999999 h:1",
        "MOVED x h:1",
        "MOVED 1 h",
        "MOVED 1 h:",
        "MOVED 1 h:0",
        "MOVED 1 h:65536",
        "MOVED 1 h:1x",
        "MOVED 1 h:1 ",
        "MOVED 1 h:-1",
        "MOVED 1 ?:1",
        "MOVED 1 h h:1",
        "MOVED 1 h\n:1",
        "ASKING 1 h:1",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    };
    struct redirect redirect;

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_false(parse(str_of(lines[i]), &redirect));
}

/* The reader cuts texts: what may have lost the end of its port leads to the wrong place. */
static void test_a_text_that_may_have_been_cut(void **state)
{
    char line[RESP_TEXT_MAX + 1];
    struct redirect redirect;

    (void)state;
    memset(line, 'h', sizeof line);
    memcpy(line, "MOVED 1 ", 8);
    memcpy(line + sizeof line - 4, ":12", 4);
    assert_false(parse((struct str){line, RESP_TEXT_MAX}, &redirect));
    memmove(line + 8, line + 9, sizeof line - 9);
    assert_true(parse((struct str){line, RESP_TEXT_MAX - 1}, &redirect));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_text_that_may_have_been_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
