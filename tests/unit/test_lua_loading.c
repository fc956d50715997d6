/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lua_fixture.h"

/* Files that are none; of a sentence the part behind the path. */
static const struct {
    const char *text, *sentence;
} bad_files[] = {
    {"function execute(client)\n    x = = 1\nend\n", ":2: unexpected symbol near '='."},
    {"function execute(client)\n", ":2: 'end' expected (to close 'function' at line 1) near "
                                   "'<eof>'."},
    {"local a\na.b = 1\n", ":2: attempt to index local 'a' (a nil value)."},
    {"error('not today!')", ":1: not today."},
    {"error('two\\n\\tlines: \\n')", ":1: two lines:."},
    {"error()", ": (an error that is a nil)."},
    {"error({})", ": (an error that is a table)."},
    {"", " has no function execute(client), neither as a global nor in a table that it returns."},
    {"execute = 1", " has no function execute(client), neither as a global nor in a table that it "
                    "returns."},
    {"return {init = print}",
     " has no function execute(client), neither as a global nor in a table "
     "that it returns."},
    {"execute = print\nfunction init() return false end", ": init returned false."},
    {"execute = print\nfunction init() return false, 'no luck.' end", ": init failed: no luck."},
    {"execute = print\nfunction init() return nil, 'no luck' end", ": init failed: no luck."},
    {"execute = print\ninit = 1", ": init failed: attempt to call a number value."},
    {"execute = print\noptions = 1", ": options must be a list of tables."},
    {"execute = print\noptions = {{name = 'a'}, {}}", ": options[2] must be a table with a name of "
                                                      "its own, of letters, digits and dashes."},
    {"execute = print\noptions = {{name = 'a b'}}", ": options[1] must be a table with a name of "
                                                    "its own, of letters, digits and dashes."},
    {"execute = print\noptions = {{name = 'a'}, {name = 'a'}}",
     ": options[2] must be a table with a name of its own, of letters, digits and dashes."},
    {"client.null = 1", ":1: attempt to index global 'client' (a nil value)."},
};

static void test_bad_files_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_files); i++) {
        struct lua_fixture f;
        char sentence[300];

        lua_prepare(&f, bad_files[i].text);
        assert_int_equal(script_module.create(&f.script, &f.setup, &f.err), -EINVAL);
        assert_null(f.script);
        snprintf(sentence, sizeof sentence, "%s%s", f.file, bad_files[i].sentence);
        assert_string_equal(f.err.text, sentence);
        lua_close_fixture(&f);
    }
}

static void test_init_tells_its_line(void **state)
{
    struct lua_fixture f;
    char sentence[200];

    (void)state;
    lua_prepare(&f, "execute = print\nfunction init(config)\n    error('broken')\nend\n");
    assert_int_equal(script_module.create(&f.script, &f.setup, &f.err), -EINVAL);
    snprintf(sentence, sizeof sentence, "init failed: %s:3: broken.", f.file);
    assert_string_equal(f.err.text, sentence);
    lua_close_fixture(&f);
}

static void test_missing_files_are_told(void **state)
{
    struct lua_fixture f;

    (void)state;
    lua_prepare(&f, "");
    f.config.file = "/nowhere/x.lua";
    assert_int_equal(script_module.create(&f.script, &f.setup, &f.err), -ENOENT);
    assert_string_equal(f.err.text, "Could not read /nowhere/x.lua: No such file or directory.");
    f.config.file = f.folder;
    assert_int_equal(script_module.create(&f.script, &f.setup, &f.err), -EINVAL);
    assert_holds(str_of(f.err.text), f.folder);
    lua_close_fixture(&f);
}

static void test_long_paths_are_told(void **state)
{
    struct lua_fixture f;
    char path[200], sentence[300];
    char name[] = "a_name_that_is_longer_than_what_lua_would_show_of_it_in_its_own_messages.lua";

    (void)state;
    lua_prepare(&f, "");
    lua_write_file(&f, name, "x = = 1");
    snprintf(path, sizeof path, "%s/%s", f.folder, name);
    f.config.file = path;
    assert_int_equal(script_module.create(&f.script, &f.setup, &f.err), -EINVAL);
    snprintf(sentence, sizeof sentence, "%s:1: unexpected symbol near '='.", path);
    assert_string_equal(f.err.text, sentence);
    lua_close_fixture(&f);
}

/* Fails with all fields of the settings, sorted. */
static const char telling_config[] =
    "options = {{name = 'fields', default = 10, value = 'N', help = 'how many'},\n"
    "           {name = 'mode', default = 'fast'}, {name = 'none'}}\n"
    "local text\n"
    "function init(config)\n"
    "    local parts = {}\n"
    "    for key, value in pairs(config) do\n"
    "        if key ~= 'options' then parts[#parts + 1] = key .. '=' .. tostring(value) end\n"
    "    end\n"
    "    for key, value in pairs(config.options) do\n"
    "        assert(type(value) == 'string')\n"
    "        parts[#parts + 1] = '--' .. key .. '=' .. value\n"
    "    end\n"
    "    table.sort(parts)\n"
    "    text = table.concat(parts, ' ')\n"
    "end\n"
    "function execute() return false, text end\n";

static void test_init_gets_the_settings(void **state)
{
    static const struct script_value values[] = {{"mode", "slow"}};
    struct lua_fixture f;

    (void)state;
    lua_open(&f, telling_config);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_FAILED);
    assert_str(f.step.text, STR("--fields=10 --mode=fast clients=2 data_size=3 keyspace_offset=0 "
                                "seed=7 use_sequential=false worker=2 workers=4"));
    script_module.destroy(&f.script);
    f.config.args = "set more";
    f.config.values = values;
    f.config.value_count = COUNT(values);
    f.keys = (struct keyspace_config){.random = 100, .offset = 5, .seed = 8};
    lua_create(&f);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_FAILED);
    assert_str(f.step.text,
               STR("--fields=10 --mode=slow clients=2 custom_command_args=set more data_size=3 "
                   "keyspace_offset=5 random_keyspace=100 seed=8 use_sequential=false worker=2 "
                   "workers=4"));
    script_module.destroy(&f.script);
    f.keys = (struct keyspace_config){.sequential = 100, .seed = 8};
    lua_create(&f);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_FAILED);
    assert_holds(f.step.text, "sequential_keyspacelen=100 use_sequential=true");
    lua_close_fixture(&f);
}

static void test_options_can_be_read(void **state)
{
    struct script_option_list list = {0};
    struct lua_fixture f;

    (void)state;
    lua_prepare(&f, telling_config);
    assert_int_equal(script_module.read_options(f.file, &list, &f.err), 0);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].name, "fields");
    assert_string_equal(list.items[0].initial, "10");
    assert_string_equal(list.items[0].value, "N");
    assert_string_equal(list.items[0].help, "how many");
    assert_string_equal(list.items[1].value, "VALUE");
    assert_string_equal(list.items[1].help, "");
    assert_null(list.items[2].initial);
    assert_ptr_equal(script_option_list_find(&list, "mode"), &list.items[1]);
    assert_null(script_option_list_find(&list, "mod"));
    script_option_list_clear(&list);

    lua_write_file(&f, "script.lua", "options = {{name = 'a'}, {}}");
    assert_int_equal(script_module.read_options(f.file, &list, &f.err), -EINVAL);
    assert_int_equal(list.count, 0);
    lua_write_file(&f, "script.lua", "return {options = {{name = 'b'}}, execute = print}");
    assert_int_equal(script_module.read_options(f.file, &list, &f.err), 0);
    assert_string_equal(list.items[0].name, "b");
    script_option_list_clear(&list);
    assert_int_equal(script_module.read_options("/nowhere", &list, &f.err), -ENOENT);
    lua_close_fixture(&f);
}

/* A key by each keyspace, the value, and who is asking. */
static void test_helpers_name_what_is_built_in(void **state)
{
    static const struct keyspace_config spaces[] = {
        {.seed = 7}, {.random = 1000, .offset = 3, .seed = 7}, {.sequential = 9, .seed = 7}};

    (void)state;
    for (size_t i = 0; i < COUNT(spaces); i++) {
        struct lua_fixture f;

        lua_prepare(&f, "return {execute = function(client)\n"
                        "    assert(client:key() == client:key())\n"
                        "    return false, table.concat({client:key(), client:value(),\n"
                        "        client.request, client.worker, client.number}, ' ')\n"
                        "end}\n");
        f.keys = spaces[i];
        lua_create(&f);
        const struct keyspace keyspace = keyspace_of(&spaces[i], 2);
        for (uint64_t k = 0; k < 100; k++) {
            const struct request request = {.k = k, .n = k / 4};
            char name[KEYSPACE_NAME_MAX], text[100];
            const int len = (int)keyspace_write(&keyspace, &request, name);

            snprintf(text, sizeof text, "%.*s xxx %d 2 %d", len, name, (int)k, (int)k % 4);
            assert_int_equal(lua_start(&f, (unsigned)k % 4, k), SCRIPT_FAILED);
            assert_str(f.step.text, str_of(text));
        }
        lua_close_fixture(&f);
    }
}

static const char drawing[] =
    "function execute(client)\n"
    "    local a, b = client:random(1000), client:random(1000)\n"
    "    local c, d = client:random(1000, 0), client:random(1000, 1)\n"
    "    assert(c == client:random(1000, 0) and client:random(1) == 0)\n"
    "    for _, x in ipairs{a, b, c, d} do assert(x >= 0 and x < 1000 and x % 1 == 0) end\n"
    "    return false, table.concat({a, b, c, d}, ' ')\n"
    "end\n";

/* The same for the same request, in whatever place and run; another for another, or another draw.
 */
static void test_random_is_pure(void **state)
{
    struct lua_fixture f, g;
    unsigned distinct[4] = {0}, last[4] = {1000, 1000, 1000, 1000};

    (void)state;
    lua_open(&f, drawing);
    lua_open(&g, drawing);
    for (uint64_t k = 0; k < 200; k++) {
        unsigned draws[4];
        char text[64];

        assert_int_equal(lua_start(&f, 0, k), SCRIPT_FAILED);
        assert_int_equal(lua_start(&g, (unsigned)k % 4, k), SCRIPT_FAILED);
        assert_str(f.step.text, g.step.text);
        snprintf(text, sizeof text, "%.*s", (int)f.step.text.len, f.step.text.ptr);
        assert_int_equal(sscanf(text, "%u %u %u %u", &draws[0], &draws[1], &draws[2], &draws[3]),
                         4);
        for (unsigned i = 0; i < 4; i++) {
            distinct[i] += draws[i] != last[i] && draws[i] != draws[(i + 1) % 4] &&
                           draws[i] != draws[(i + 2) % 4];
            last[i] = draws[i];
        }
    }
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(distinct[i], 190, 200);
    lua_close_fixture(&f);
    lua_close_fixture(&g);
}

static void test_printing_and_modules(void **state)
{
    struct lua_fixture f;
    char text[100];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    lua_prepare(&f, "local part = require('part')\n"
                    "function execute(client) print(part.name, nil, 1.5, 'a\\0b') print() end\n");
    lua_write_file(&f, "part.lua", "return {name = 'helper'}");
    f.setup.print_fd = ends[1];
    lua_create(&f);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_OK);
    const ssize_t len = read(ends[0], text, sizeof text);
    assert_true(len > 0);
    assert_str((struct str){text, (size_t)len}, STR("helper\tnil\t1.5\ta\0b\n\n"));
    lua_close_fixture(&f);
    close(ends[0]);
    close(ends[1]);
}

/* The example, by what it is asked to do. */
static const struct {
    const char *args;
    struct str wire;
} examples[] = {
    {NULL, WIRE("*3\r\n$3\r\nSET\r\n$7\r\nkey:2:9\r\n$3\r\nxxx\r\n")},
    {"set", WIRE("*3\r\n$3\r\nSET\r\n$7\r\nkey:2:9\r\n$3\r\nxxx\r\n")},
    {"mset", WIRE("*5\r\n$4\r\nMSET\r\n$11\r\n{key:2:9}:1\r\n$3\r\nxxx\r\n"
                  "$11\r\n{key:2:9}:2\r\n$3\r\nxxx\r\n")},
    {"hset", WIRE("*6\r\n$4\r\nHSET\r\n$7\r\nkey:2:9\r\n$7\r\nfield:1\r\n$3\r\nxxx\r\n"
                  "$7\r\nfield:2\r\n$3\r\nxxx\r\n")},
    {"lpush", WIRE("*3\r\n$5\r\nLPUSH\r\n$11\r\ncustom:list\r\n$3\r\nxxx\r\n")},
    {"lpush_keyspace", WIRE("*3\r\n$5\r\nLPUSH\r\n$7\r\nkey:2:9\r\n$3\r\nxxx\r\n")},
};

static void test_the_example_runs(void **state)
{
    static const struct script_value items[] = {{"items", "2"}};

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct lua_fixture f;

        lua_prepare(&f, "");
        f.config = (struct script_config){.file = EXAMPLES "/custom_command.lua",
                                          .args = examples[i].args,
                                          .values = items,
                                          .value_count = COUNT(items)};
        lua_create(&f);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(lua_start(&f, 0, 36), SCRIPT_WAITS);
            assert_str(f.step.bytes, examples[i].wire);
            assert_int_equal(lua_answer(&f, 0, STR(":0\r\n")), SCRIPT_OK);
        }
        assert_int_equal(lua_start(&f, 0, 36), SCRIPT_WAITS);
        assert_int_equal(lua_answer(&f, 0, STR("-OOM no\r\n")), SCRIPT_FAILED);
        assert_str(f.step.text, STR("OOM no"));
        lua_close_fixture(&f);
    }
}

static void test_states_are_isolated(void **state)
{
    static const char counting[] =
        "count = 0\nfunction execute() count = count + 1 return false, count end\n";
    struct lua_fixture f, g;

    (void)state;
    lua_open(&f, counting);
    lua_open(&g, counting);
    assert_int_equal(lua_start(&f, 0, 0), SCRIPT_FAILED);
    assert_int_equal(lua_start(&f, 1, 1), SCRIPT_FAILED);
    assert_str(f.step.text, STR("2"));
    assert_int_equal(lua_start(&g, 0, 0), SCRIPT_FAILED);
    assert_str(g.step.text, STR("1"));
    assert_true(strncmp(script_module.library(), "LuaJIT 2.", 9) == 0);
    lua_close_fixture(&f);
    lua_close_fixture(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files_are_told),
        cmocka_unit_test(test_init_tells_its_line),
        cmocka_unit_test(test_missing_files_are_told),
        cmocka_unit_test(test_long_paths_are_told),
        cmocka_unit_test(test_init_gets_the_settings),
        cmocka_unit_test(test_options_can_be_read),
        cmocka_unit_test(test_helpers_name_what_is_built_in),
        cmocka_unit_test(test_random_is_pure),
        cmocka_unit_test(test_printing_and_modules),
        cmocka_unit_test(test_states_are_isolated),
        cmocka_unit_test(test_the_example_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
