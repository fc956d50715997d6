/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lua_fixture.h"

/* Fails with what the reply, or all replies of a pipeline of one, look like. */
static const char showing[] =
    "local show\n"
    "local function show_table(x, client)\n"
    "    local parts = {}\n"
    "    for i = 1, #x do parts[i] = show(x[i], client) end\n"
    "    for key, value in pairs(x) do\n"
    "        if type(key) ~= 'number' or key % 1 ~= 0 or not x[1] then\n"
    "            parts[#parts + 1] = show(key, client) .. '=' .. show(value, client)\n"
    "        end\n"
    "    end\n"
    "    table.sort(parts)\n"
    "    return '[' .. table.concat(parts, ' ') .. ']'\n"
    "end\n"
    "function show(x, client)\n"
    "    if client.is_error(x) then return '-' .. x.error end\n"
    "    if x == client.null then return '_' end\n"
    "    if type(x) == 'string' then return '\"' .. x .. '\"' end\n"
    "    return type(x) == 'table' and show_table(x, client) or tostring(x)\n"
    "end\n"
    "function execute(client)\n"
    "    if client.request == 1 then\n"
    "        return false, show(assert(client:pipeline{{'A'}})[1], client)\n"
    "    end\n"
    "    local reply, message = client:call('A')\n"
    "    return false, message or show(reply, client)\n"
    "end\n";

/* Replies, and how they look: alone, and within others where that is something else. */
static const struct {
    struct str wire;
    const char *shown, *inner;
} replies[] = {
    {WIRE("+OK\r\n"), "\"OK\"", NULL},
    {WIRE("$3\r\na\0b\r\n"), NULL, NULL},
    {WIRE("$0\r\n\r\n"), "\"\"", NULL},
    {WIRE("$2\r\n\r\n\r\n"), "\"\r\n\"", NULL},
    {WIRE("=8\r\ntxt:text\r\n"), "\"text\"", NULL},
    {WIRE("=4\r\nmkd:\r\n"), "\"\"", NULL},
    {WIRE("=2\r\nab\r\n"), "\"ab\"", NULL},
    {WIRE("$8\r\ntxt:text\r\n"), "\"txt:text\"", NULL},
    {WIRE(":42\r\n"), "42", NULL},
    {WIRE(":-1\r\n"), "-1", NULL},
    {WIRE(":9007199254740992\r\n"), "9.007199254741e+15", NULL},
    {WIRE(":9007199254740993\r\n"), "9007199254740993LL", NULL},
    {WIRE(":9223372036854775807\r\n"), "9223372036854775807LL", NULL},
    {WIRE(":-9223372036854775808\r\n"), "-9223372036854775808LL", NULL},
    {WIRE(",1.5\r\n"), "1.5", NULL},
    {WIRE(",-1e3\r\n"), "-1000", NULL},
    {WIRE(",inf\r\n"), "inf", NULL},
    {WIRE(",-inf\r\n"), "-inf", NULL},
    {WIRE(",nan\r\n"), "nan", NULL},
    {WIRE("(123456789012345678901234567890\r\n"), "\"123456789012345678901234567890\"", NULL},
    {WIRE("#t\r\n"), "true", NULL},
    {WIRE("#f\r\n"), "false", NULL},
    {WIRE("_\r\n"), "nil", "_"},
    {WIRE("$-1\r\n"), "nil", "_"},
    {WIRE("*-1\r\n"), "nil", "_"},
    {WIRE("-ERR no\r\n"), "ERR no", "-ERR no"},
    {WIRE("!6\r\nERR\r\nx\r\n"), "ERR\r\nx", "-ERR\r\nx"},
    {WIRE("*0\r\n"), "[]", NULL},
    {WIRE("*3\r\n:1\r\n$-1\r\n*2\r\n-ERR a\r\n+b\r\n"), "[1 [\"b\" -ERR a] _]", NULL},
    {WIRE("~2\r\n+a\r\n:1\r\n"), "[\"a\" 1]", NULL},
    {WIRE("%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n"), "[\"a\"=1 \"b\"=[_]]", NULL},
    {WIRE("%3\r\n,nan\r\n+a\r\n_\r\n+b\r\n,1.5\r\n%0\r\n"), "[\"nan\"=\"a\" 1.5=[] _=\"b\"]", NULL},
    {WIRE("|1\r\n+a\r\n*1\r\n:1\r\n:7\r\n"), "7", NULL},
    {WIRE("*2\r\n|1\r\n+a\r\n|1\r\n+b\r\n:0\r\n*2\r\n:8\r\n:9\r\n:1\r\n:2\r\n"), "[1 2]", NULL},
};

static void check_reply(struct lua_fixture *f, uint64_t k, struct str wire, const char *shown)
{
    assert_int_equal(lua_start(f, 0, k), SCRIPT_WAITS);
    assert_int_equal(lua_answer(f, 0, wire), SCRIPT_FAILED);
    assert_str(f->step.text, shown ? str_of(shown) : STR("\"a\0b\""));
}

static void test_replies_have_their_types(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, showing);
    for (size_t i = 0; i < COUNT(replies); i++) {
        check_reply(&f, 0, replies[i].wire, replies[i].shown);
        check_reply(&f, 1, replies[i].wire, replies[i].inner ? replies[i].inner : replies[i].shown);
    }
    lua_close_fixture(&f);
}

/* `depth` arrays, one in the other, around a 1. */
static size_t nest(char *wire, unsigned depth)
{
    char *end = wire;

    for (unsigned i = 0; i < depth; i++)
        end += sprintf(end, "*1\r\n");
    return (size_t)(end + sprintf(end, ":1\r\n") - wire);
}

static void test_depth_is_bounded(void **state)
{
    struct lua_fixture f;
    char wire[10000];

    (void)state;
    lua_open(&f, "function execute(client)\n"
                 "    local reply, message = client:call('A')\n"
                 "    local depth = 0\n"
                 "    while type(reply) == 'table' do reply, depth = reply[1], depth + 1 end\n"
                 "    return false, message or depth\n"
                 "end\n");
    for (unsigned depth = 126; depth <= 2000; depth += depth == 130 ? 1870 : 1) {
        char text[64];

        snprintf(text, sizeof text, depth <= 128 ? "%u" : "The reply is nested more than 128 deep.",
                 depth);
        assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
        assert_int_equal(lua_answer(&f, 0, (struct str){wire, nest(wire, depth)}), SCRIPT_FAILED);
        assert_str(f.step.text, str_of(text));
    }
    lua_close_fixture(&f);
}

static void test_depth_is_bounded_in_a_pipeline(void **state)
{
    struct lua_fixture f;
    char wire[1000];

    (void)state;
    lua_open(&f, "function execute(client)\n"
                 "    local replies, message = client:pipeline{{'A'}, {'B'}}\n"
                 "    return false, message or replies[2]\n"
                 "end\n");
    size_t len = nest(wire, 128);
    len += (size_t)sprintf(wire + len, "+last\r\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, (struct str){wire, len}), SCRIPT_FAILED);
    assert_str(f.step.text, STR("last"));
    len = nest(wire, 129);
    len += (size_t)sprintf(wire + len, "+last\r\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, (struct str){wire, len}), SCRIPT_FAILED);
    assert_str(f.step.text, STR("The reply is nested more than 128 deep."));
    lua_close_fixture(&f);
}

/* An integer that no Lua number holds goes back as it came. */
static void test_wide_integers_return(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_open(&f, "function execute(client)\n"
                 "    local number = client:call('INCR', 'k')\n"
                 "    client:call('SET', 'k', number, number - 1)\n"
                 "end\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, STR(":9223372036854775807\r\n")), SCRIPT_WAITS);
    assert_str(f.step.bytes, STR("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$19\r\n9223372036854775807\r\n"
                                 "$19\r\n9223372036854775806\r\n"));
    lua_close_fixture(&f);
}

enum { LARGE = 100 * 1000 * 1000 };

/* 100 MB come in and go out again. */
static void test_large_replies(void **state)
{
    struct lua_fixture f;
    char *wire = mem_zalloc(LARGE + 64, 1);
    const int header = sprintf(wire, "$%d\r\n", LARGE);

    (void)state;
    memset(wire + header, 'v', LARGE);
    memcpy(wire + header + LARGE, "\r\n", 2);
    const size_t len = (size_t)header + LARGE + 2;
    lua_open(&f, "function execute(client)\n"
                 "    local value = assert(client:call('GET', 'k'))\n"
                 "    assert(client:call('SET', 'k', value) == 'OK')\n"
                 "    return false, #value\n"
                 "end\n");
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(lua_start(&f, 0, round), SCRIPT_WAITS);
        assert_int_equal(lua_answer(&f, 0, (struct str){wire, len}), SCRIPT_WAITS);
        assert_int_equal(f.step.bytes.len, 4 + 9 + 7 + len);
        assert_memory_equal(f.step.bytes.ptr + 20, wire, len);
        assert_int_equal(lua_answer(&f, 0, STR("+OK\r\n")), SCRIPT_FAILED);
        assert_str(f.step.text, STR("100000000"));
    }
    lua_close_fixture(&f);
    free(wire);
}

/* As many elements as a SCAN of everything might bring. */
static void test_long_arrays(void **state)
{
    enum { ELEMENTS = 200000 };
    struct lua_fixture f;
    char *wire = mem_zalloc(32 + ELEMENTS * 16, 1);
    char *end = wire + sprintf(wire, "*%d\r\n", ELEMENTS);

    (void)state;
    for (unsigned i = 1; i <= ELEMENTS; i++)
        end += sprintf(end, ":%u\r\n", i);
    lua_open(&f, "function execute(client)\n"
                 "    local sum, all = 0, client:call('A')\n"
                 "    for i = 1, #all do sum = sum + (all[i] == i and 1 or 0) end\n"
                 "    return false, sum\n"
                 "end\n");
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_WAITS);
    assert_int_equal(lua_answer(&f, 0, (struct str){wire, (size_t)(end - wire)}), SCRIPT_FAILED);
    assert_str(f.step.text, STR("200000"));
    lua_close_fixture(&f);
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_have_their_types),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_depth_is_bounded_in_a_pipeline),
        cmocka_unit_test(test_wide_integers_return),
        cmocka_unit_test(test_large_replies),
        cmocka_unit_test(test_long_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
