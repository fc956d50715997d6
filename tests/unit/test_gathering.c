/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/gathering.h"

#include "resp/reader.h"

/* Feeds bytes as a link does, cut before `cut`. Returns how many times all replies were there. */
static unsigned feed(struct gathering *gathering, struct str bytes, size_t cut, uint32_t owed,
                     const char *want)
{
    struct resp_reader reader;
    unsigned ends = 0;

    resp_reader_init(&reader);
    for (size_t from = 0; from < bytes.len;) {
        const size_t to = from < cut ? cut : bytes.len;
        struct str piece = {bytes.ptr + from, to - from};
        struct resp_reply reply;
        size_t used;

        const enum resp_status status = resp_reader_feed(&reader, piece, &used, &reply);
        piece.len = used;
        from += used;
        gathering_hear(gathering, piece,
                       status == RESP_MORE       ? LINK_PART
                       : reply.kind == RESP_PUSH ? LINK_PUSH
                                                 : LINK_REPLY);
        if (status == RESP_MORE || reply.kind == RESP_PUSH ||
            !gathering_take(gathering, &reply, owed))
            continue;
        const struct str all = gathering_all(gathering);
        assert_true(str_equal(all, str_of(want)));
        ends++;
        if (from < bytes.len)
            gathering_clear(gathering);
    }
    resp_reader_deinit(&reader);
    return ends;
}

static void test_cuts(void **state)
{
    static const struct {
        const char *bytes, *all; /* `all`: what each request gets */
        uint32_t owed;
        unsigned ends;
        enum outcome error; /* of the last */
    } cases[] = {
        {"+OK\r\n", "+OK\r\n", 1, 1, OUTCOME_OK},
        {"$3\r\nabc\r\n$3\r\nabc\r\n", "$3\r\nabc\r\n", 1, 2, OUTCOME_OK},
        {"+a\r\n*2\r\n:1\r\n*0\r\n", "+a\r\n*2\r\n:1\r\n*0\r\n", 2, 1, OUTCOME_OK},
        {">1\r\n+p\r\n:5\r\n>1\r\n+p\r\n", ":5\r\n", 1, 1, OUTCOME_OK},
        {"+a\r\n>2\r\n+p\r\n+q\r\n+b\r\n", "+a\r\n+b\r\n", 2, 1, OUTCOME_OK},
        {"-OOM x\r\n+b\r\n-ERR y\r\n", "-OOM x\r\n+b\r\n-ERR y\r\n", 3, 1, OUTCOME_OOM},
        {"|1\r\n+k\r\n+v\r\n:5\r\n", "|1\r\n+k\r\n+v\r\n:5\r\n", 1, 1, OUTCOME_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct str bytes = str_of(cases[i].bytes);

        for (size_t cut = 0; cut < bytes.len; cut++) {
            struct gathering gathering = {0};

            assert_int_equal(feed(&gathering, bytes, cut, cases[i].owed, cases[i].all),
                             cases[i].ends);
            assert_int_equal(gathering.error, cases[i].error);
            gathering_deinit(&gathering);
        }
    }
}

/* A large reply is not held on to. */
static void test_room(void **state)
{
    static char large[1 << 20];
    struct gathering gathering = {0};

    (void)state;
    gathering_hear(&gathering, (struct str){large, sizeof large}, LINK_PART);
    gathering_hear(&gathering, STR("\r\n"), LINK_REPLY);
    assert_int_equal(gathering_all(&gathering).len, sizeof large + 2);
    gathering_clear(&gathering);
    assert_int_equal(gathering.room, 0);
    gathering_hear(&gathering, STR("$1\r"), LINK_PART);
    gathering_clear(&gathering);
    assert_int_not_equal(gathering.room, 0);
    gathering_hear(&gathering, STR("+OK\r\n"), LINK_REPLY);
    assert_true(str_equal(gathering_all(&gathering), STR("+OK\r\n")));
    gathering_deinit(&gathering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
