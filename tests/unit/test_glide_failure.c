/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/glide_abi.h"
#include "client/glide_failure.h"

#define SERVER "An error was signalled by the server: - "

static const struct {
    int32_t type;
    const char *message;
    enum outcome outcome;
    const char *text;
} cases[] = {
    {GLIDE_TIMEOUT, "timed out", OUTCOME_TIMEOUT, "GLIDE: timed out"},
    {GLIDE_DISCONNECT, "FatalReceiveError: channel closed", OUTCOME_DISCONNECT,
     "GLIDE: FatalReceiveError: channel closed"},
    {GLIDE_UNSPECIFIED, SERVER "ResponseError: unknown command 'X'", OUTCOME_OTHER,
     "ERR unknown command 'X'"},
    {GLIDE_UNSPECIFIED, SERVER "BusyLoadingError: Valkey is loading", OUTCOME_LOADING,
     "LOADING Valkey is loading"},
    {GLIDE_UNSPECIFIED, SERVER "ReadOnly: You can't write", OUTCOME_READONLY,
     "READONLY You can't write"},
    {GLIDE_UNSPECIFIED, SERVER "ClusterDown: Hash slot not served", OUTCOME_CLUSTERDOWN,
     "CLUSTERDOWN Hash slot not served"},
    {GLIDE_UNSPECIFIED, SERVER "TryAgain: Multiple keys", OUTCOME_BUSY, "TRYAGAIN Multiple keys"},
    {GLIDE_UNSPECIFIED, SERVER "CrossSlot: Keys in request", OUTCOME_OTHER,
     "CROSSSLOT Keys in request"},
    {GLIDE_UNSPECIFIED, "OOM: command not allowed", OUTCOME_OOM, "OOM command not allowed"},
    {GLIDE_UNSPECIFIED, "WRONGTYPE: Operation against", OUTCOME_OTHER,
     "WRONGTYPE Operation against"},
    {GLIDE_UNSPECIFIED, "NOAUTH: Authentication required.", OUTCOME_AUTH,
     "NOAUTH Authentication required."},
    {GLIDE_EXEC_ABORT, "EXECABORT: Transaction discarded", OUTCOME_OTHER,
     "EXECABORT Transaction discarded"},
    {GLIDE_UNSPECIFIED, "Reached maximum inflight requests- ClientError", OUTCOME_OTHER,
     "GLIDE: Reached maximum inflight requests- ClientError"},
    {GLIDE_BREAKER_OPEN, "open", OUTCOME_OTHER, "GLIDE: open"},
    {GLIDE_UNSPECIFIED, "", OUTCOME_OTHER, "GLIDE: "},
    {GLIDE_UNSPECIFIED, ": x", OUTCOME_OTHER, "GLIDE: : x"},
    {99, "something new", OUTCOME_OTHER, "GLIDE: something new"},
};

static void test_reads_messages(void **state)
{
    char text[GLIDE_FAILURE_TEXT_MAX];
    bool said;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(glide_failure_read(cases[i].type, cases[i].message, text, &said),
                         cases[i].outcome);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(said, strncmp(text, "GLIDE: ", 7) != 0);
    }
}

static void test_cuts_long_messages(void **state)
{
    char message[2 * GLIDE_FAILURE_TEXT_MAX], text[GLIDE_FAILURE_TEXT_MAX];
    bool said;

    (void)state;
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    assert_int_equal(glide_failure_read(GLIDE_UNSPECIFIED, message, text, &said), OUTCOME_OTHER);
    assert_int_equal(strlen(text), GLIDE_FAILURE_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_messages),
        cmocka_unit_test(test_cuts_long_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
