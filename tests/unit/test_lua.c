/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "lua_fixture.h"

/* What a command is sent as. */
static const struct {
    const char *call;
    struct str wire;
} commands[] = {
    {"client:call('PING')", WIRE("*1\r\n$4\r\nPING\r\n")},
    {"client:call('SET', 'k', '')", WIRE("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n")},
    {"client:call('a\\0b', '\\r\\n\\255')", WIRE("*2\r\n$3\r\na\0b\r\n$3\r\n\r\n\xff\r\n")},
    {"client:call('I', 7, -7, 0)", WIRE("*4\r\n$1\r\nI\r\n$1\r\n7\r\n$2\r\n-7\r\n$1\r\n0\r\n")},
    {"client:call('I', 2^53, -2^53)",
     WIRE("*3\r\n$1\r\nI\r\n$16\r\n9007199254740992\r\n$17\r\n-9007199254740992\r\n")},
    {"client:call('D', 0.1, 1/3)",
     WIRE("*3\r\n$1\r\nD\r\n$3\r\n0.1\r\n$19\r\n0.33333333333333331\r\n")},
    {"client:call('D', 1e300, -1.5)", WIRE("*3\r\n$1\r\nD\r\n$6\r\n1e+300\r\n$4\r\n-1.5\r\n")},
    {"client:call('D', 1/0, -1/0, -0)",
     WIRE("*4\r\n$1\r\nD\r\n$3\r\ninf\r\n$4\r\n-inf\r\n$1\r\n0\r\n")},
    {"client:call('W', 9223372036854775807LL, -9223372036854775807LL - 1)",
     WIRE("*3\r\n$1\r\nW\r\n$19\r\n9223372036854775807\r\n$20\r\n-9223372036854775808\r\n")},
    {"client:call('W', 18446744073709551615ULL, 0LL)",
     WIRE("*3\r\n$1\r\nW\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n")},
    {"client:pipeline{{'A', 1}, {'B'}}", WIRE("*2\r\n$1\r\nA\r\n$1\r\n1\r\n*1\r\n$1\r\nB\r\n")},
};

static void test_commands_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct lua_fixture f;
        char text[200];

        snprintf(text, sizeof text, "function execute(client) %s end", commands[i].call);
        lua_open(&f, text);
        assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
        assert_str(f.step.bytes, commands[i].wire);
        assert_int_equal(f.step.count, i == COUNT(commands) - 1 ? 2 : 1);
        script_module.cancel(f.script, 0);
        lua_close_fixture(&f);
    }
}

/* What cannot be sent, and how the error tells it. */
static const struct {
    const char *call, *message;
} misuses[] = {
    {"client:call()", "script.lua:1: a command must have at least one word"},
    {"client:call('A', true)", "argument 2 of the command is a boolean: only strings and numbers"},
    {"client:call('A', 'b', nil)", "argument 3 of the command is a nil"},
    {"client:call({'A'})", "argument 1 of the command is a table"},
    {"client:call('A', require('ffi').new('char[3]'))", "argument 2 of the command is a cdata"},
    {"client:pipeline()", "table expected, got no value"},
    {"client:pipeline{{'A'}, 'B'}", "command 2 of the pipeline is a string, not a table"},
    {"client:pipeline{{}}", "command 1 of the pipeline must have at least one word"},
    {"client:pipeline{{'A'}, {'B', false}}", "argument 2 of command 2 of the pipeline is a bool"},
    {"client.call('A')", "client:call() must be called with a colon"},
    {"client.key()", "client:key() must be called with a colon"},
    {"coroutine.wrap(function() client:call('A') end)()", "cannot be called in another coroutine"},
    {"coroutine.yield('x')", "execute() called coroutine.yield()"},
    {"client:random(0)", "whole numbers from 1, not 0"},
    {"client:random(1.5)", "whole numbers from 1, not 1.5"},
    {"client:random(2, -1)", "whole numbers from 0, not -1"},
    {"string.gsub('a', 'a', function() client:call('A') end)", "attempt to yield across C-call"},
    {"os.exit(3)", "os.exit() would end the whole run"},
};

static void test_misuse_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(misuses); i++) {
        struct lua_fixture f;
        char text[200];

        snprintf(text, sizeof text, "function execute(client) %s end", misuses[i].call);
        lua_open(&f, text);
        assert_int_equal(lua_start(&f, 1, 0), SCRIPT_FAILED);
        assert_holds(f.step.text, misuses[i].message);
        assert_int_equal(lua_start(&f, 1, 1), SCRIPT_FAILED);
        assert_holds(f.step.text, misuses[i].message);
        lua_close_fixture(&f);
    }
}

/* How what execute() returns decides. */
static const struct {
    const char *body;
    enum script_status status;
    const char *text;
} returns[] = {
    {"", SCRIPT_OK, ""},
    {"return", SCRIPT_OK, ""},
    {"return nil", SCRIPT_OK, ""},
    {"return true", SCRIPT_OK, ""},
    {"return 0", SCRIPT_OK, ""},
    {"return 'text', 'more'", SCRIPT_OK, ""},
    {"return false", SCRIPT_FAILED, ""},
    {"return false, 'why'", SCRIPT_FAILED, "why"},
    {"return nil, 'why'", SCRIPT_FAILED, "why"},
    {"return nil, 12", SCRIPT_FAILED, "12"},
    {"return nil, 'a\\0b', 'more'", SCRIPT_FAILED, "a"},
    {"return nil, {}", SCRIPT_FAILED, "(an error that is a table)"},
    {"return nil, setmetatable({}, {__tostring = function() return 'shown' end})", SCRIPT_FAILED,
     "shown"},
    {"return nil, setmetatable({}, {__tostring = function() error('no') end})", SCRIPT_FAILED,
     "(an error that cannot be shown)"},
};

static void test_returns_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(returns); i++) {
        struct lua_fixture f;
        char text[200];

        snprintf(text, sizeof text, "function execute(client) %s end", returns[i].body);
        lua_open(&f, text);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(lua_start(&f, 0, round), returns[i].status);
            if (strstr(returns[i].body, "\\0"))
                assert_str(f.step.text, STR("a\0b"));
            else if (returns[i].status == SCRIPT_FAILED)
                assert_str(f.step.text, str_of(returns[i].text));
        }
        lua_close_fixture(&f);
    }
}

static const char call_and_tell[] = "function execute(client)\n"
                                    "    local reply, message = client:call('GET', 'k')\n"
                                    "    if client.request == 1 then return true end\n"
                                    "    return reply, message\n"
                                    "end\n";

static void test_failures_reach_the_script(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, call_and_tell);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, STR("-WRONGTYPE no\r\n")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("WRONGTYPE no"));
    assert_int_equal(lua_start(&f, 0, 2), SCRIPT_WAITS);
    assert_int_equal(lua_lose(&f, 0, STR("Lost the connection to x.")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("Lost the connection to x."));
    /* Swallowed: it is what is returned that counts. */
    assert_int_equal(lua_start(&f, 0, 1), SCRIPT_WAITS);
    assert_int_equal(lua_lose(&f, 0, STR("Lost.")), SCRIPT_OK);
    /* A key that is not there is no failure. */
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, STR("$-1\r\n")), SCRIPT_OK);
    lua_close_fixture(&f);
}

static void test_pipelines_wait_for_all(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, "function execute(client)\n"
                 "    assert(#client:pipeline{} == 0)\n"
                 "    local replies, message = client:pipeline{{'A'}, {'B'}, {'C'}, {'D'}}\n"
                 "    if not replies then return nil, message end\n"
                 "    local a, b, c, d = unpack(replies, 1, 4)\n"
                 "    assert(#replies == 4 and client.is_error(b) and tostring(b) == b.error)\n"
                 "    assert(c == client.null and not client.is_error(c) and #d == 1)\n"
                 "    return false, a .. b.error .. d[1]\n"
                 "end\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(f.step.count, 4);
    assert_int_equal(
        lua_answer(&f, 0, STR(":1\r\n-ERR\r\n_\r\n|1\r\n+a\r\n+b\r\n*1\r\n$1\r\nx\r\n")),
        SCRIPT_FAILED);
    assert_str(f.step.text, STR("1ERRx"));
    assert_int_equal(lua_start(&f, 0, 1), SCRIPT_WAITS);
    assert_int_equal(lua_lose(&f, 0, STR("Timed out.")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("Timed out."));
    lua_close_fixture(&f);
}

static void test_tracebacks_come_once(void **state)
{
    struct lua_fixture f;
    unsigned tracebacks = 0;

    (void)state;
    lua_open(&f, "local function deep(k) error('boom ' .. (k < 100 and 0 or k)) end\n"
                 "function execute(client)\n"
                 "    client:call('PING')\n"
                 "    deep(client.request)\n"
                 "end\n");
    for (uint64_t k = 0; k < 300; k++) {
        assert_int_equal(lua_start(&f, 0, k), SCRIPT_WAITS);
        assert_int_equal(lua_answer(&f, 0, STR("+PONG\r\n")), SCRIPT_FAILED);
        assert_holds(f.step.text, "/script.lua:1: boom ");
        const bool has_traceback = memchr(f.step.text.ptr, '\n', f.step.text.len) != NULL;
        if (has_traceback) {
            assert_holds(f.step.text, "stack traceback:\n");
            assert_holds(f.step.text, "/script.lua:4: in function");
        }
        assert_true(k >= 100 || has_traceback == (k == 0));
        tracebacks += has_traceback;
    }
    assert_int_equal(tracebacks, 64);
    lua_close_fixture(&f);
}

static void test_errors_can_be_caught(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, "function execute(client)\n"
                 "    local ok, value = pcall(function()\n"
                 "        return assert(client:call('A'))\n"
                 "    end)\n"
                 "    return false, tostring(ok) .. ' ' .. tostring(value)\n"
                 "end\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, STR("-ERR bad\r\n")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("false ERR bad"));
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, STR("+OK\r\n")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("true OK"));
    lua_close_fixture(&f);
}

static void test_a_client_belongs_to_its_place(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, "local kept\n"
                 "function execute(client)\n"
                 "    kept = kept or client\n"
                 "    kept:call('A')\n"
                 "end\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_start(&f, 1, 1), SCRIPT_FAILED);
    assert_holds(f.step.text, "on the client of this execution");
    assert_int_equal(lua_answer(&f, 0, STR("+OK\r\n")), SCRIPT_OK);
    assert_int_equal(lua_start(&f, 0, 2), SCRIPT_WAITS);
    lua_close_fixture(&f);
}

enum { MANY = 1000, STEPS = 5 };

/* Executions of many places in turn, each with a state of its own. */
static void test_places_are_apart(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_prepare(&f, "function execute(client)\n"
                    "    local sum = 0\n"
                    "    for i = 1, 5 do sum = sum + client:call('GET', client.number, i) end\n"
                    "    return false, sum\n"
                    "end\n");
    f.setup.places = MANY;
    lua_create(&f);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(lua_start(&f, i, i), SCRIPT_WAITS);
    for (unsigned step = 1; step <= STEPS; step++)
        for (unsigned i = 0; i < MANY; i++) {
            char reply[32], sum[32];

            snprintf(reply, sizeof reply, ":%u\r\n", i + step);
            const enum script_status status = lua_answer(&f, i, str_of(reply));
            assert_int_equal(status, step < STEPS ? SCRIPT_WAITS : SCRIPT_FAILED);
            snprintf(sum, sizeof sum, "%u", STEPS * i + 15);
            if (step == STEPS)
                assert_str(f.step.text, str_of(sum));
        }
    lua_close_fixture(&f);
}

static void test_cancel_frees_a_place(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, "local ran = 0\n"
                 "function execute(client)\n"
                 "    client:call('A')\n"
                 "    ran = ran + 1\n"
                 "    return false, ran\n"
                 "end\n");
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(lua_start(&f, 3, i), SCRIPT_WAITS);
        script_module.cancel(f.script, 3);
    }
    assert_int_equal(lua_start(&f, 3, 100), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 3, STR("+OK\r\n")), SCRIPT_FAILED);
    assert_str(f.step.text, STR("1"));
    lua_close_fixture(&f);
}

enum { THREADS = 4, ROUNDS = 2000 };

/* Returns how many executions went as they should: cmocka cannot fail on another thread. */
static void *run_alone(void *fixture)
{
    struct lua_fixture *f = fixture;
    struct script_answer answer = {.replies = STR("*2\r\n:1\r\n+a\r\n")};
    uintptr_t good = 0;

    if (script_module.create(&f->script, &f->setup, &f->err) < 0)
        return NULL;
    for (unsigned k = 0; k < ROUNDS; k++)
        good += lua_start(f, k % 4, k) == SCRIPT_WAITS &&
                script_module.resume(f->script, k % 4, &answer, &f->step) == SCRIPT_OK;
    script_module.destroy(&f->script);
    return (void *)good;
}

/* Several at once, each made and used on a thread of its own. */
static void test_scripts_share_nothing(void **state)
{
    struct lua_fixture fixtures[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        lua_prepare(&fixtures[i], "function execute(client)\n"
                                  "    local text = client:key() .. client:random(100)\n"
                                  "    return client:call('SET', text, client:value())[2] == 'a'\n"
                                  "end\n");
        assert_int_equal(pthread_create(&threads[i], NULL, run_alone, &fixtures[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *good;

        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal((uintptr_t)good, ROUNDS);
        lua_close_fixture(&fixtures[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_exact),
        cmocka_unit_test(test_misuse_is_told),
        cmocka_unit_test(test_returns_decide),
        cmocka_unit_test(test_failures_reach_the_script),
        cmocka_unit_test(test_pipelines_wait_for_all),
        cmocka_unit_test(test_tracebacks_come_once),
        cmocka_unit_test(test_errors_can_be_caught),
        cmocka_unit_test(test_a_client_belongs_to_its_place),
        cmocka_unit_test(test_places_are_apart),
        cmocka_unit_test(test_cancel_frees_a_place),
        cmocka_unit_test(test_scripts_share_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
