/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/glide_reply.h"
#include "resp/reader.h"

#define TEXT(of_type, literal)                                                                     \
    {                                                                                              \
        .type = (of_type), .text = (char *)(uintptr_t)(literal), .text_len = sizeof(literal) - 1   \
    }

static struct glide_reply two[] = {{.type = GLIDE_INT, .number = INT64_MIN},
                                   TEXT(GLIDE_ERROR, "WRONGTYPE: Operation\r\nagainst")};
static struct glide_reply entry = {.map_key = &two[0], .map_value = &two[0]};
static struct glide_reply nested[] = {{.type = GLIDE_ARRAY, .array = two, .array_len = 1},
                                      {.type = GLIDE_SET}};

static const struct {
    struct glide_reply reply;
    const char *bytes;
    size_t len;
    enum outcome outcome;
} cases[] = {
    {{.type = GLIDE_NULL}, "_\r\n", 3, OUTCOME_OK},
    {{.type = GLIDE_INT, .number = -7}, ":-7\r\n", 5, OUTCOME_OK},
    {{.type = GLIDE_FLOAT, .real = 1.5}, ",1.5\r\n", 6, OUTCOME_OK},
    {{.type = GLIDE_FLOAT, .real = -HUGE_VAL}, ",-inf\r\n", 7, OUTCOME_OK},
    {{.type = GLIDE_FLOAT, .real = NAN}, ",nan\r\n", 6, OUTCOME_OK},
    {{.type = GLIDE_BOOL, .boolean = true}, "#t\r\n", 4, OUTCOME_OK},
    {{.type = GLIDE_BOOL}, "#f\r\n", 4, OUTCOME_OK},
    {TEXT(GLIDE_STRING, "a\0\r\n"), "$4\r\na\0\r\n\r\n", 10, OUTCOME_OK},
    {{.type = GLIDE_STRING}, "$0\r\n\r\n", 6, OUTCOME_OK},
    {{.type = GLIDE_OK}, "+OK\r\n", 5, OUTCOME_OK},
    {TEXT(GLIDE_ERROR, "OOM: no memory"), "-OOM no memory\r\n", 16, OUTCOME_OOM},
    {{.type = GLIDE_ARRAY, .array = two, .array_len = 2},
     "*2\r\n:-9223372036854775808\r\n-WRONGTYPE Operation  against\r\n",
     58,
     OUTCOME_OK},
    {{.type = GLIDE_ARRAY}, "*0\r\n", 4, OUTCOME_OK},
    {{.type = GLIDE_ARRAY, .array = nested, .array_len = 2},
     "*2\r\n*1\r\n:-9223372036854775808\r\n~0\r\n",
     35,
     OUTCOME_OK},
    {{.type = GLIDE_MAP, .array = &entry, .array_len = 1},
     "%1\r\n:-9223372036854775808\r\n:-9223372036854775808\r\n",
     50,
     OUTCOME_OK},
    {{.type = GLIDE_SET, .set = two, .set_len = 1},
     "~1\r\n:-9223372036854775808\r\n",
     27,
     OUTCOME_OK},
    {{.type = 99}, "_\r\n", 3, OUTCOME_OK},
};

/* What the program's own reader takes for one reply. */
static void assert_resp(const struct glide_replies *replies)
{
    struct resp_reader reader;
    struct resp_reply reply;
    size_t used;

    resp_reader_init(&reader);
    assert_int_equal(
        resp_reader_feed(&reader, (struct str){replies->bytes, replies->len}, &used, &reply),
        RESP_REPLY);
    assert_int_equal(used, replies->len);
    resp_reader_deinit(&reader);
}

static void test_writes_replies(void **state)
{
    struct glide_replies replies = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        glide_replies_clear(&replies);
        glide_replies_add(&replies, &cases[i].reply);
        assert_int_equal(replies.len, cases[i].len);
        assert_memory_equal(replies.bytes, cases[i].bytes, cases[i].len);
        assert_int_equal(replies.outcome, cases[i].outcome);
        assert_resp(&replies);
    }
    glide_replies_deinit(&replies);
}

static void test_writes_batches(void **state)
{
    struct glide_reply elements[] = {
        {.type = GLIDE_OK}, TEXT(GLIDE_ERROR, "LOADING: still"), TEXT(GLIDE_ERROR, "OOM: none")};
    const struct glide_reply batch = {.type = GLIDE_ARRAY, .array = elements, .array_len = 3};
    static const char wanted[] = "+OK\r\n-LOADING still\r\n-OOM none\r\n";
    struct glide_replies replies = {0};

    (void)state;
    glide_replies_add_batch(&replies, &batch);
    assert_int_equal(replies.len, sizeof wanted - 1);
    assert_memory_equal(replies.bytes, wanted, replies.len);
    assert_int_equal(replies.outcome, OUTCOME_LOADING);
    glide_replies_clear(&replies);
    assert_int_equal(replies.outcome, OUTCOME_OK);
    glide_replies_add_error(&replies, STR("ERR a\nb"));
    assert_memory_equal(replies.bytes, "-ERR a b\r\n", replies.len);
    glide_replies_deinit(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_replies),
        cmocka_unit_test(test_writes_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
