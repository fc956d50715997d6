/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "client/loss.h"

#include <errno.h>

static void test_sentences(void **state)
{
    static const struct {
        struct loss loss;
        const char *want;
    } cases[] = {
        {{.reason = ECONNREFUSED, .said = ""}, "Could not connect to h:1: Connection refused."},
        {{.reason = LINK_REFUSED, .said = "WRONGPASS no"}, "Could not log in to h:1: WRONGPASS no"},
        {{.reason = LINK_ENDED, .was_up = true, .said = ""},
         "Connection to h:1 lost: the server closed the connection."},
        {{.reason = LINK_UNASKED, .was_up = true, .said = "ERR max number of clients reached"},
         "Connection to h:1 lost; the server said: ERR max number of clients reached"},
        {{.reason = LINK_NO_REPLY, .was_up = true, .said = "", .timeout_ns = 300000000},
         "No reply from h:1 within 300 ms."},
        {{.reason = LINK_INSECURE, .said = "it has expired"},
         "Could not connect to h:1: it has expired."},
        {{.reason = LINK_INSECURE, .was_up = true, .said = "it ended TLS"},
         "Connection to h:1 lost: it ended TLS."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loss loss = cases[i].loss;
        char text[LOSS_TEXT_MAX];

        loss.server = "h:1";
        assert_string_equal(loss_describe(&loss, text), cases[i].want);
    }
}

static void test_outcomes(void **state)
{
    static const struct {
        int reason;
        uint64_t sent_ns;
        enum outcome want;
    } cases[] = {
        {LINK_GIVEN_UP, 1, OUTCOME_UNANSWERED},   {LINK_NO_REPLY, 900, OUTCOME_TIMEOUT},
        {LINK_NO_REPLY, 901, OUTCOME_DISCONNECT}, {LINK_NO_REPLY, 0, OUTCOME_DISCONNECT},
        {LINK_ENDED, 1, OUTCOME_DISCONNECT},      {ECONNRESET, 1, OUTCOME_DISCONNECT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct loss loss = {.reason = cases[i].reason, .timeout_ns = 100, .now_ns = 1000};
        const struct flight flight = {.sent_ns = cases[i].sent_ns};

        assert_int_equal(loss_outcome(&loss, &flight), cases[i].want);
    }
}

static void test_logins(void **state)
{
    static const struct {
        struct loss loss;
        bool want;
    } cases[] = {
        {{.reason = LINK_REFUSED, .said = "WRONGPASS invalid username-password pair"}, true},
        {{.reason = LINK_REFUSED, .said = "NOAUTH Authentication required."}, true},
        {{.reason = LINK_REFUSED, .said = "NOPERM User u has no permissions to run"}, true},
        {{.reason = LINK_REFUSED, .said = "ERR invalid password"}, true},
        {{.reason = LINK_REFUSED, .said = "ERR DB index is out of range"}, false},
        {{.reason = LINK_REFUSED, .said = "ERR max number of clients reached"}, false},
        {{.reason = LINK_UNASKED, .was_up = true, .said = "NOAUTH no"}, false},
        {{.reason = ECONNREFUSED, .said = ""}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(loss_is_auth(&cases[i].loss), cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_logins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
