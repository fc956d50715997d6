/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stats/outcome.h"

static const struct {
    const char *line;
    enum outcome outcome;
} cases[] = {
    {"NOAUTH Authentication required.", OUTCOME_AUTH},
    {"WRONGPASS invalid username-password pair or user is disabled.", OUTCOME_AUTH},
    {"NOPERM User x has no permissions to run the 'set' command", OUTCOME_AUTH},
    {"LOADING Valkey is loading the dataset in memory", OUTCOME_LOADING},
    {"READONLY You can't write against a read only replica.", OUTCOME_READONLY},
    {"MASTERDOWN Link with MASTER is down", OUTCOME_READONLY},
    {"OOM command not allowed when used memory > 'maxmemory'.", OUTCOME_OOM},
    {"BUSY Valkey is busy running a script.", OUTCOME_BUSY},
    {"TRYAGAIN Multiple keys request during rehashing of slot", OUTCOME_BUSY},
    {"CLUSTERDOWN The cluster is down", OUTCOME_CLUSTERDOWN},
    {"MOVED 3999 127.0.0.1:6381", OUTCOME_REDIRECT},
    {"ASK 3999 127.0.0.1:6381", OUTCOME_REDIRECT},
    {"OOM\tand a tab", OUTCOME_OOM},
    {"OOM", OUTCOME_OOM},
    {"OOM ", OUTCOME_OOM},
    {"BUSYGROUP Consumer Group name already exists", OUTCOME_OTHER},
    {"BUSYKEY Target key name already exists.", OUTCOME_OTHER},
    {"CROSSSLOT Keys in request don't hash to the same slot", OUTCOME_OTHER},
    {"ERR unknown command 'x'", OUTCOME_OTHER},
    {"ERR MOVED", OUTCOME_OTHER},
    {"WRONGTYPE Operation against a key", OUTCOME_OTHER},
    {"ASKING", OUTCOME_OTHER},
    {"moved 1 a:1", OUTCOME_OTHER},
    {" MOVED 1 a:1", OUTCOME_OTHER},
    {"MOVED: 1 a:1", OUTCOME_OTHER},
    {"", OUTCOME_OTHER},
    {" ", OUTCOME_OTHER},
};

/* Reads a copy of just these bytes, so that a sanitizer sees a read past the end. */
static enum outcome read_copy(const char *line, size_t len)
{
    char *copy = mem_zalloc(len, 1);

    memcpy(copy, line, len);
    const enum outcome outcome = outcome_of_error((struct str){copy, len});
    free(copy);
    return outcome;
}

static void test_error_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(read_copy(cases[i].line, strlen(cases[i].line)), cases[i].outcome);
    assert_int_equal(outcome_of_error((struct str){NULL, 0}), OUTCOME_OTHER);
}

/* A line that was cut keeps its kind for as long as its first word is whole. */
static void test_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const size_t word = strcspn(cases[i].line, " \t");

        for (size_t len = 0; len <= strlen(cases[i].line); len++) {
            const enum outcome outcome = read_copy(cases[i].line, len);

            if (len >= word)
                assert_int_equal(outcome, cases[i].outcome);
            else if (cases[i].outcome != OUTCOME_OTHER)
                assert_int_equal(outcome, OUTCOME_OTHER);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i <= OUTCOME_UNANSWERED; i++) {
        assert_true(strlen(outcome_name((enum outcome)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(outcome_name((enum outcome)i), outcome_name((enum outcome)j));
    }
    for (int i = 0; i < EVENT_KINDS; i++) {
        assert_true(strlen(event_name((enum event)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(event_name((enum event)i), event_name((enum event)j));
    }
    assert_string_equal(outcome_name(OUTCOME_TIMEOUT), "timeout");
    assert_string_equal(outcome_name(OUTCOME_UNANSWERED), "unanswered");
    assert_string_equal(event_name(EVENT_MOVED), "moved replies");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_lines),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
