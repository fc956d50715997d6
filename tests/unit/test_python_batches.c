/* SPDX-License-Identifier: BSD-3-Clause */
/* What of the Python client is no single command: batches, transactions, scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_expect.h"

#define EXECUTE                                                                                    \
    "import glide\n"                                                                               \
    "class CustomCommands:\n"                                                                      \
    "    async def execute(self, client):\n"

static void test_batches(void **state)
{
    static const struct {
        const char *batch, *commands, *replies, *printed;
    } cases[] = {
        {"Batch(False).set('a', 1).smembers('s'), True", "SET a 1\nSMEMBERS s",
         "+OK\r\n*1\r\n$1\r\nx\r\n", "['OK', {b'x'}]"},
        {"Batch(False).get('a').get('b'), False", "GET a\nGET b", "-ERR a\r\n:1\r\n",
         "[RequestError('ERR a'), 1]"},
        {"ClusterBatch(False).get('a').get('b'), raise_on_error=True", "GET a\nGET b",
         ":1\r\n-ERR b\r\n", "raised RequestError('ERR b')"},
        {"Batch(is_atomic=True).get('a').hgetall('h'), True", "MULTI\nGET a\nHGETALL h\nEXEC",
         "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n",
         "[1, {b'f': b'v'}]"},
        {"Transaction().get('a'), False", "MULTI\nGET a\nEXEC", "+OK\r\n+QUEUED\r\n*-1\r\n",
         "None"},
        {"Transaction().get('a'), False", "MULTI\nGET a\nEXEC",
         "+OK\r\n-ERR a\r\n-EXECABORT no\r\n", "raised ExecAbortError('EXECABORT no')"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        char text[1024];

        if (!alone())
            continue;
        snprintf(text, sizeof text,
                 "from glide import *\n" EXECUTE "        try:\n"
                 "            print(await client.exec(%s))\n"
                 "        except RequestError as e:\n"
                 "            print('raised', repr(e))\n",
                 cases[i].batch);
        begin(&fixture, text);
        assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
        expect_commands(&fixture, cases[i].commands);
        assert_int_equal(resume(&fixture, 0, str_of(cases[i].replies)), SCRIPT_OK);
        assert_string_equal(take_printed(&fixture), cases[i].printed);
        tear_down(&fixture);
    }
}

static void test_an_empty_batch_and_one_twice(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, EXECUTE "        print(await client.exec(glide.Batch(True), True))\n"
                            "        batch = glide.Batch(False).get('a')\n"
                            "        print(await client.exec(batch, True), "
                            "await client.exec(batch, True))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "GET a");
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_WAITS);
    expect_commands(&fixture, "GET a");
    assert_int_equal(resume(&fixture, 0, STR(":2\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "[]\n[1] [2]");
    tear_down(&fixture);
}

static void test_a_script_is_told_to_a_server_that_does_not_know_it(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, EXECUTE "        script = glide.Script('code')\n"
                            "        print(await client.invoke_script(script, keys=['k']))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "EVALSHA e6fb06210fafc02fd7479ddbed2d042cc3a5155e 1 k");
    assert_int_equal(resume(&fixture, 0, STR("-NOSCRIPT no\r\n")), SCRIPT_WAITS);
    expect_commands(&fixture, "EVAL code 1 k");
    assert_int_equal(resume(&fixture, 0, STR(":7\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "7");
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_an_empty_batch_and_one_twice),
        cmocka_unit_test(test_a_script_is_told_to_a_server_that_does_not_know_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
