/* SPDX-License-Identifier: BSD-3-Clause */
/* The host of Python: executions from their start to their end, and what may go wrong in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_expect.h"

#define EXECUTE                                                                                    \
    "import asyncio, glide, sys, types\n"                                                          \
    "class CustomCommands:\n"                                                                      \
    "    async def execute(self, client):\n"

static void test_the_sample_of_the_python_program(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    fixture.config.file = TESTS_DATA "/custom_commands.py";
    assert_int_equal(script_module.create(&fixture.script, &fixture.setup, &fixture.err), 0);
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "SET custom:key:0 custom:value");
    assert_int_equal(start(&fixture, 1), SCRIPT_WAITS);
    expect_commands(&fixture, "SET custom:key:1 custom:value");
    assert_int_equal(resume(&fixture, 1, STR("+OK\r\n")), SCRIPT_OK);
    assert_int_equal(resume(&fixture, 0, STR("-OOM no\r\n")), SCRIPT_FAILED);
    assert_int_equal(fixture.step.text.len, 0);
    assert_string_equal(take_printed(&fixture), "Custom command error: OOM no");
    tear_down(&fixture);
}

static void test_what_is_returned_decides(void **state)
{
    static const struct {
        const char *text;
        enum script_status status;
    } cases[] = {
        {EXECUTE "        return None\n", SCRIPT_OK},
        {EXECUTE "        pass\n", SCRIPT_OK},
        {EXECUTE "        return True\n", SCRIPT_OK},
        {EXECUTE "        return 'yes'\n", SCRIPT_OK},
        {EXECUTE "        return False\n", SCRIPT_FAILED},
        {EXECUTE "        return 0\n", SCRIPT_FAILED},
        {EXECUTE "        return b''\n", SCRIPT_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        if (!alone())
            continue;
        begin(&fixture, cases[i].text);
        assert_int_equal(start(&fixture, 0), cases[i].status);
        assert_int_equal(fixture.step.text.len, 0);
        tear_down(&fixture);
    }
}

static void test_several_commands_of_nested_coroutines(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "async def inner(client, key):\n"
                    "    return await client.incr(key) + await client.incr(key)\n" EXECUTE
                    "        return await inner(client, 'a') == 3 and await inner(client, 'b')\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "INCR a");
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR(":2\r\n")), SCRIPT_WAITS);
    expect_commands(&fixture, "INCR b");
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_OK);
    tear_down(&fixture);
}

static void test_any_bytes_are_sent(void **state)
{
    static const char wire[] = "*3\r\n$3\r\nSET\r\n$4\r\n\0\r\n\xff\r\n$2\r\n\xc3\xa9\r\n";
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, EXECUTE "        await client.set(b'\\0\\r\\n\\xff', '\\xe9')\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(fixture.step.bytes.len, sizeof wire - 1);
    assert_memory_equal(fixture.step.bytes.ptr, wire, sizeof wire - 1);
    assert_int_equal(resume(&fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
    tear_down(&fixture);
}

static void test_an_exception_shows_its_traceback_once(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, EXECUTE "        await client.get('k')\n"
                            "        raise ValueError('first')\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
        assert_int_equal(resume(&fixture, 0, STR("$-1\r\n")), SCRIPT_FAILED);
        expect_text(&fixture, "ValueError: first");
        expect_text(&fixture, "line 5");
        assert_int_equal(
            memmem(fixture.step.text.ptr, fixture.step.text.len, "Traceback", 9) != NULL, i == 0);
        assert_int_equal(memchr(fixture.step.text.ptr, '\n', fixture.step.text.len) != NULL,
                         i == 0);
    }
    tear_down(&fixture);
}

static void test_what_fails_an_execution_at_once(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {EXECUTE "        sys.exit(3)\n", "SystemExit: 3"},
        {EXECUTE "        await client.georadius('k')\n", "custom_command"},
        {EXECUTE "        client.get()\n", "misses its argument 'key'"},
        {EXECUTE "        client.get('a', 'b')\n", "takes 1 arguments at most, not 2"},
        {EXECUTE "        client.get('a', k=1)\n", "unexpected argument 'k'"},
        {EXECUTE "        client.get('a', key='a')\n", "twice the argument 'key'"},
        {EXECUTE "        client.get(None)\n", "TypeError"},
        {EXECUTE "        client.get(object())\n", "must be str, bytes, int or float, not object"},
        {EXECUTE "        client.delete('key')\n", "a list is required, not str"},
        {EXECUTE "        client.custom_command([])\n", "at least one word"},
        {EXECUTE "        client.ping(route=glide.AllNodes())\n", "a route cannot be chosen"},
        {EXECUTE "        await asyncio.sleep(1)\n", "asyncio.sleep is not available"},
        {EXECUTE "        asyncio.create_task(self.execute(client))\n", "create_task"},
        {EXECUTE "        await 5\n", "can't be used in 'await'"},
        {EXECUTE "        await asyncio.gather(5)\n", "an awaitable is required, not int"},
        {"class CustomCommands:\n    def execute(self, client):\n        return 5\n",
         "an awaitable is required, not int"},
        {"class CustomCommands:\n    async def execute(self):\n        return 5\n", "TypeError"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        if (!alone())
            continue;
        begin(&fixture, cases[i].text);
        assert_int_equal(start(&fixture, 0), SCRIPT_FAILED);
        expect_text(&fixture, cases[i].part);
        tear_down(&fixture);
    }
}

static void test_failures_of_commands_reach_the_code(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, EXECUTE "        try:\n"
                            "            await client.get('k')\n"
                            "        except glide.TimeoutError as e:\n"
                            "            print('timeout', e)\n"
                            "        except glide.ConnectionError as e:\n"
                            "            print('lost', e)\n"
                            "        except glide.RequestError as e:\n"
                            "            print('error', e)\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR("-WRONGTYPE no \xff\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "error WRONGTYPE no \xef\xbf\xbd");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(lose(&fixture, 0, "Lost the connection.", false), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "lost Lost the connection.");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(lose(&fixture, 0, "No reply.", true), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "timeout No reply.");
    tear_down(&fixture);
}

static void test_failures_that_nobody_catches(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "class CustomCommands:\n"
                    "    async def execute(self, client):\n"
                    "        await client.get('k')\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR("-ERR no\r\n")), SCRIPT_FAILED);
    expect_text(&fixture, "line 3");
    expect_text(&fixture, "RequestError: ERR no");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(lose(&fixture, 0, "Gone.", false), SCRIPT_FAILED);
    expect_text(&fixture, "ConnectionError: Gone.");
    tear_down(&fixture);
}

static void test_gather_is_one_step(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture,
          EXECUTE "        print(await asyncio.gather(client.set('a', '1'), client.get('b')))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "SET a 1\nGET b");
    assert_int_equal(resume(&fixture, 0, STR("+OK\r\n$1\r\nx\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "['OK', b'x']");
    tear_down(&fixture);
}

static void test_gather_runs_coroutines_side_by_side(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture,
          "async def twice(client, key):\n"
          "    return [await client.get(key), await client.get(key + '2')]\n"
          "async def both(client):\n"
          "    return await asyncio.gather(client.get('c'), twice(client, 'd'))\n"
          "async def none():\n"
          "    return 0\n" EXECUTE
          "        print(await asyncio.gather(twice(client, 'a'), client.get('b'), both(client), "
          "none(), asyncio.gather()))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "GET a\nGET b\nGET c\nGET d");
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n:2\r\n:3\r\n:4\r\n")), SCRIPT_WAITS);
    expect_commands(&fixture, "GET a2\nGET d2");
    assert_int_equal(resume(&fixture, 0, STR(":5\r\n:6\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "[[1, 5], 2, [3, [4, 6]], 0, []]");
    tear_down(&fixture);
}

static void test_gather_and_exceptions(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "async def bad(client):\n"
                    "    await client.get('x')\n"
                    "    raise ValueError('own')\n" EXECUTE
                    "        print(await asyncio.gather(bad(client), client.get('y'), "
                    "client.get('z'), return_exceptions=True))\n"
                    "        try:\n"
                    "            await asyncio.gather(client.get('z'), bad(client))\n"
                    "        except Exception as e:\n"
                    "            print(repr(e))\n"
                    "        await asyncio.gather(client.get('a'), client.get('b'))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n-ERR y\r\n:2\r\n")), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR("-ERR z\r\n:1\r\n")), SCRIPT_WAITS);
    assert_string_equal(take_printed(&fixture), "[ValueError('own'), RequestError('ERR y'), 2]\n"
                                                "RequestError('ERR z')");
    expect_commands(&fixture, "GET a\nGET b");
    assert_int_equal(lose(&fixture, 0, "Gone.", false), SCRIPT_FAILED);
    expect_text(&fixture, "ConnectionError: Gone.");
    tear_down(&fixture);
}

static void test_other_awaits_are_refused_where_they_are(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "import types\n"
                    "@types.coroutine\n"
                    "def bare(thing):\n"
                    "    yield thing\n"
                    "async def child(thing):\n"
                    "    await bare(thing)\n" EXECUTE "        for thing in (None, 5):\n"
                    "            try:\n"
                    "                await bare(thing)\n"
                    "            except RuntimeError as e:\n"
                    "                print(e)\n"
                    "        print(await asyncio.gather(child(5), client.get('a'), "
                    "return_exceptions=True))\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    expect_commands(&fixture, "GET a");
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_OK);
    const char *printed = take_printed(&fixture);

    assert_non_null(strstr(printed, "not a bare yield: there is no event loop\n"));
    assert_non_null(strstr(printed, "not int: there is no event loop\n[RuntimeError("));
    tear_down(&fixture);
}

static void test_a_command_is_awaited_once(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "import warnings\n" EXECUTE "        get = client.get('a')\n"
                    "        await get\n"
                    "        try:\n"
                    "            await get\n"
                    "        except RuntimeError as e:\n"
                    "            print(e)\n"
                    "        with warnings.catch_warnings(record=True) as caught:\n"
                    "            warnings.simplefilter('always')\n"
                    "            client.get('never')\n"
                    "        print(caught[0].message)\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "cannot await the command 'get' again\n"
                                                "command 'get' was never awaited");
    tear_down(&fixture);
}

static void test_a_thousand_places(void **state)
{
    struct fixture fixture;
    char text[64];

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "class CustomCommands:\n"
                    "    count = 0\n"
                    "    async def execute(self, client):\n"
                    "        self.count += 1\n"
                    "        mine = self.count\n"
                    "        await client.get(mine)\n"
                    "        return await client.get('x') == mine\n");
    for (unsigned place = 0; place < PLACES; place++) {
        assert_int_equal(start(&fixture, place), SCRIPT_WAITS);
        snprintf(text, sizeof text, "GET %u", place + 1);
        expect_commands(&fixture, text);
    }
    for (unsigned place = PLACES; place-- > 0;)
        assert_int_equal(resume(&fixture, place, STR("+OK\r\n")), SCRIPT_WAITS);
    for (unsigned place = 0; place < PLACES; place += 2) {
        snprintf(text, sizeof text, ":%u\r\n", place + 1);
        assert_int_equal(resume(&fixture, place, str_of(text)), SCRIPT_OK);
        script_module.cancel(fixture.script, place + 1);
        assert_int_equal(start(&fixture, place + 1), SCRIPT_WAITS);
    }
    tear_down(&fixture);
}

static void test_a_cancelled_execution_leaves_in_silence(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture,
          "import sys, warnings\n"
          "warnings.simplefilter('always')\n"
          "warnings.showwarning = lambda *a: print('warned', a)\n"
          "sys.unraisablehook = lambda *a: print('unraisable', a)\n" EXECUTE "        try:\n"
          "            await asyncio.gather(client.get('a'), self.inner(client))\n"
          "            print('not reached')\n"
          "        except Exception:\n"
          "            print('not caught')\n"
          "        finally:\n"
          "            print('left')\n"
          "            await client.get('again')\n"
          "    async def inner(self, client):\n"
          "        await client.get('b')\n"
          "        print('not reached')\n");
    assert_int_equal(start(&fixture, 5), SCRIPT_WAITS);
    script_module.cancel(fixture.script, 5);
    assert_string_equal(take_printed(&fixture), "left");
    tear_down(&fixture);
}

static void run_rounds(struct fixture *fixture, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        assert_int_equal(start(fixture, 0), SCRIPT_WAITS);
        assert_int_equal(resume(fixture, 0, STR("*2\r\n:1\r\n:2\r\n")), SCRIPT_WAITS);
        assert_int_equal(resume(fixture, 0, STR("+OK\r\n%1\r\n+a\r\n~1\r\n+b\r\n")), SCRIPT_WAITS);
        assert_int_equal(resume(fixture, 0, STR("-ERR no\r\n")), SCRIPT_WAITS);
        assert_int_equal(resume(fixture, 0, STR("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n*0\r\n")),
                         SCRIPT_WAITS);
        assert_int_equal(lose(fixture, 0, "Gone.", false), SCRIPT_FAILED);
        assert_int_equal(start(fixture, 1), SCRIPT_WAITS);
        assert_int_equal(resume(fixture, 1, STR(":1\r\n")), SCRIPT_WAITS);
        script_module.cancel(fixture->script, 1);
    }
}

/* Objects, and references to one that is never freed. */
static void test_nothing_is_left_behind(void **state)
{
    struct fixture fixture;
    long blocks[3], nones[3];

    (void)state;
    if (!alone())
        return;
    begin(&fixture,
          "import gc\nrounds = 0\n" EXECUTE "        global rounds\n"
          "        rounds += 1\n"
          "        if rounds % 2000 == 0:\n"
          "            gc.collect()\n"
          "            print(sys.getallocatedblocks(), sys.getrefcount(None))\n"
          "        await client.zrange_withscores('z', glide.RangeByIndex(0, 1))\n"
          "        await asyncio.gather(client.set('k', 'v' * 600), client.hgetall('h'))\n"
          "        try:\n"
          "            await client.get('k')\n"
          "        except glide.RequestError:\n"
          "            pass\n"
          "        await client.exec(glide.Batch(True).get('a').hgetall('h'), True)\n"
          "        try:\n"
          "            client.get(object())\n"
          "        except TypeError:\n"
          "            pass\n"
          "        await client.get('k')\n");
    run_rounds(&fixture, 3000);
    assert_int_equal(sscanf(take_printed(&fixture), "%ld %ld %ld %ld %ld %ld", &blocks[0],
                            &nones[0], &blocks[1], &nones[1], &blocks[2], &nones[2]),
                     6);
    /* Caches fill, by some dozens; one object left a round would be a thousand. */
    assert_true(labs(blocks[2] - blocks[1]) < 500);
    assert_true(labs(nones[2] - nones[1]) < 500);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sample_of_the_python_program),
        cmocka_unit_test(test_what_is_returned_decides),
        cmocka_unit_test(test_several_commands_of_nested_coroutines),
        cmocka_unit_test(test_any_bytes_are_sent),
        cmocka_unit_test(test_an_exception_shows_its_traceback_once),
        cmocka_unit_test(test_what_fails_an_execution_at_once),
        cmocka_unit_test(test_failures_of_commands_reach_the_code),
        cmocka_unit_test(test_failures_that_nobody_catches),
        cmocka_unit_test(test_gather_is_one_step),
        cmocka_unit_test(test_gather_runs_coroutines_side_by_side),
        cmocka_unit_test(test_gather_and_exceptions),
        cmocka_unit_test(test_other_awaits_are_refused_where_they_are),
        cmocka_unit_test(test_a_command_is_awaited_once),
        cmocka_unit_test(test_a_thousand_places),
        cmocka_unit_test(test_a_cancelled_execution_leaves_in_silence),
        cmocka_unit_test(test_nothing_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
