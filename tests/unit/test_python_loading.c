/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of the Python host: how they are found, made and prepared, and what is said when they fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "python_expect.h"

#define EXECUTE "    async def execute(self, client):\n        pass\n"

static void test_files_that_cannot_be_loaded(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"x = 1\nif x\n    pass\n", "/commands.py, line 2: expected ':'."},
        {"def f():\n\treturn 1\n        return 2\n", "/commands.py, line 3: "},
        {"\nimport no_such_module\n",
         "/commands.py, line 2: ModuleNotFoundError: No module named 'no_such_module'."},
        {"x = 1\n", "/commands.py has no class CustomCommands."},
        {"class CustomCommands:\n    pass\n", "has no method execute(self, client)."},
        {"class CustomCommands:\n    def __init__(self):\n        raise ValueError('no')\n" EXECUTE,
         "/commands.py, line 3: ValueError: no."},
        {"class CustomCommands:\n    def __init__(self, a, b):\n        pass\n" EXECUTE,
         "/commands.py: TypeError: CustomCommands.__init__() missing 1"},
        {"class CustomCommands:\n    def init(self, config):\n        1 / 0\n" EXECUTE,
         "/commands.py, line 3: ZeroDivisionError: division by zero."},
        {"class CustomCommands:\n    async def init(self, config):\n        1 / 0\n" EXECUTE,
         "/commands.py, line 3: ZeroDivisionError: division by zero."},
        {"import asyncio\nclass CustomCommands:\n    async def init(self, config):\n"
         "        await asyncio.sleep(1)\n" EXECUTE,
         "/commands.py, line 4: RuntimeError: asyncio.sleep is not available"},
        {"import types\nclass CustomCommands:\n    async def init(self, config):\n"
         "        await types.coroutine(lambda: (yield))()\n" EXECUTE,
         "init cannot await anything"},
        {"import sys\nsys.exit(4)\n", "/commands.py, line 2: SystemExit: 4."},
        {"class CustomCommands:\n    def init(self, config):\n        while True: pass\n" EXECUTE,
         "/commands.py, line 3: TimeoutError: the custom command did not yield for 0.2 s."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        if (!alone())
            continue;
        set_up(&fixture);
        fixture.config.timeout_ns = 200 * CLOCK_NS_PER_MS;
        assert_true(create(&fixture, cases[i].text) < 0);
        assert_null(fixture.script);
        if (strstr(fixture.err.text, cases[i].part) == NULL)
            fail_msg("expected \"%s\" in \"%s\"", cases[i].part, fixture.err.text);
        tear_down(&fixture);
    }
}

static void test_files_that_are_not_there(void **state)
{
    struct fixture fixture;
    char expected[200];

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    assert_true(script_module.create(&fixture.script, &fixture.setup, &fixture.err) < 0);
    snprintf(expected, sizeof expected, "Cannot read %s: No such file or directory.", fixture.file);
    assert_string_equal(fixture.err.text, expected);
    tear_down(&fixture);
}

static void test_a_long_sentence_is_cut(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    assert_true(create(&fixture, "raise ValueError('x' * 5000)\n") < 0);
    assert_int_equal(strlen(fixture.err.text), sizeof fixture.err.text - 1);
    tear_down(&fixture);
}

static void test_the_class_gets_the_arguments_that_it_takes(void **state)
{
    static const struct {
        const char *text, *args, *printed;
    } cases[] = {
        {"    def __init__(self, args=None):\n        print(args)\n", NULL, "None"},
        {"    def __init__(self, args=None):\n        print(args)\n", "a b", "a b"},
        {"    def __init__(self, *args):\n        print(args)\n", "a b", "('a b',)"},
        {"    def __init__(self):\n        print('none')\n", "a b", "none"},
        {"    print('no init')\n", "a b", "no init"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        char text[512];

        if (!alone())
            continue;
        set_up(&fixture);
        fixture.config.args = cases[i].args;
        snprintf(text, sizeof text, "class CustomCommands:\n%s" EXECUTE, cases[i].text);
        assert_int_equal(create(&fixture, text), 0);
        assert_string_equal(take_printed(&fixture), cases[i].printed);
        tear_down(&fixture);
    }
}

static void test_init_gets_the_settings(void **state)
{
    static const char *const kinds[] = {"def", "async def"};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct fixture fixture;
        char text[512];

        if (!alone())
            continue;
        set_up(&fixture);
        fixture.config.args = "text";
        fixture.keys = (struct keyspace_config){.sequential = 1000, .offset = 7};
        snprintf(text, sizeof text,
                 "class CustomCommands:\n    %s init(self, config):\n"
                 "        print(config)\n"
                 "        assert config.data_size == config.get('data_size')\n" EXECUTE,
                 kinds[i]);
        assert_int_equal(create(&fixture, text), 0);
        assert_string_equal(
            take_printed(&fixture),
            "{'custom_command_args': 'text', 'data_size': 3, 'keyspace_offset': 7, "
            "'random_keyspace': 0, 'use_sequential': True, 'sequential_keyspacelen': 1000, "
            "'worker': 2, 'workers': 4, 'clients': 100}");
        tear_down(&fixture);
    }
}

static void test_modules_are_found(void **state)
{
    struct fixture fixture;
    char path[128];

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    snprintf(path, sizeof path, "%s/more", fixture.folder);
    mkdir(path, 0700);
    setenv("PYTHONPATH", path, 1);
    write_file(&fixture, "more/of_the_path.py", "x = 1\n");
    write_file(&fixture, "beside.py", "x = 2\n");
    assert_int_equal(create(&fixture, "import beside, of_the_path, sys\n"
                                      "import _ctypes, _decimal, _ssl\n"
                                      "print(beside.x + of_the_path.x, __name__)\n"
                                      "class CustomCommands:\n" EXECUTE),
                     0);
    assert_string_equal(take_printed(&fixture), "3 custom_commands");
    tear_down(&fixture);
}

static void make_folders(const struct fixture *fixture, const char *path)
{
    char command[256];

    snprintf(command, sizeof command, "mkdir -p %s/%s", fixture->folder, path);
    assert_int_equal(system(command), 0);
}

static void make_environment(const struct fixture *fixture)
{
    char path[128];

    make_folders(fixture, "venv/bin");
    make_folders(fixture, "venv/lib/python" PYTHON_SHORT "/site-packages");
    write_file(fixture, "venv/pyvenv.cfg", "home = /usr/bin\n");
    write_file(fixture, "venv/lib/python" PYTHON_SHORT "/site-packages/of_venv.py", "x = 5\n");
    snprintf(path, sizeof path, "%s/venv/bin/python", fixture->folder);
    assert_int_equal(symlink("/usr/bin/python3", path), 0);
    snprintf(path, sizeof path, "%s/venv", fixture->folder);
    setenv("VIRTUAL_ENV", path, 1);
}

static void test_a_virtual_environment_is_honoured(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    make_environment(&fixture);
    assert_int_equal(
        create(&fixture, "import of_venv\nprint(of_venv.x)\nclass CustomCommands:\n" EXECUTE), 0);
    assert_string_equal(take_printed(&fixture), "5");
    tear_down(&fixture);
}

static void test_a_virtual_environment_of_another_version(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    make_folders(&fixture, "lib/python3.1/site-packages");
    setenv("VIRTUAL_ENV", fixture.folder, 1);
    assert_true(create(&fixture, "import no_such_module\n") < 0);
    assert_non_null(strstr(fixture.err.text, "VIRTUAL_ENV has no packages for Python"));
    tear_down(&fixture);
}

static void test_glide_can_be_imported(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "from glide import GlideClient, GlideClusterClient, TGlideClient\n"
                    "from glide.exceptions import RequestError, TimeoutError as Late\n"
                    "from glide.async_commands.core import ConditionalChange\n"
                    "import glide.config\n"
                    "import glide\n"
                    "class CustomCommands:\n"
                    "    async def execute(self, client: TGlideClient):\n"
                    "        assert isinstance(client, GlideClient)\n"
                    "        assert isinstance(client, GlideClusterClient)\n"
                    "        assert RequestError is glide.RequestError\n"
                    "        assert issubclass(Late, glide.GlideError)\n"
                    "        assert ConditionalChange is glide.ConditionalChange\n"
                    "        assert glide.OK == 'OK'\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_OK);
    tear_down(&fixture);
}

static void test_another_glide_comes_first(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    write_file(&fixture, "glide.py",
               "class RequestError(Exception):\n    pass\nclass TimeoutError(RequestError):\n"
               "    pass\n");
    assert_int_equal(create(&fixture, "import glide\n"
                                      "class CustomCommands:\n"
                                      "    async def execute(self, client):\n"
                                      "        try:\n"
                                      "            await client.get('k')\n"
                                      "        except glide.TimeoutError as e:\n"
                                      "            print(glide.__file__[-9:], e)\n"),
                     0);
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(lose(&fixture, 0, "late", true), SCRIPT_OK);
    assert_string_equal(take_printed(&fixture), "/glide.py late");
    tear_down(&fixture);
}

static void test_an_event_loop_of_ones_own_is_left_alone(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "import asyncio\n"
                    "async def seed():\n"
                    "    await asyncio.sleep(0)\n"
                    "    return await asyncio.gather(asyncio.create_task(asyncio.sleep(0, 5)))\n"
                    "class CustomCommands:\n"
                    "    def init(self, config):\n"
                    "        print(asyncio.run(seed()))\n" EXECUTE);
    assert_string_equal(take_printed(&fixture), "[5]");
    tear_down(&fixture);
}

static void test_endless_code_is_interrupted(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    fixture.config.timeout_ns = 100 * CLOCK_NS_PER_MS;
    assert_int_equal(create(&fixture, "class CustomCommands:\n"
                                      "    async def execute(self, client):\n"
                                      "        await client.get('k')\n"
                                      "        try:\n"
                                      "            x = 0\n"
                                      "            while True: pass\n"
                                      "        except TimeoutError:\n"
                                      "            print('swallowed')\n"
                                      "        while True: pass\n"),
                     0);
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, STR(":1\r\n")), SCRIPT_FAILED);
    expect_text(&fixture, "line 9");
    expect_text(&fixture, "TimeoutError: the custom command did not yield for 0.1 s");
    assert_string_equal(take_printed(&fixture), "swallowed");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    tear_down(&fixture);
}

static void test_the_end_runs_what_is_registered(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, "import atexit\n"
                    "atexit.register(lambda: print('the end', end=''))\n"
                    "class CustomCommands:\n"
                    "    def __del__(self):\n"
                    "        try:\n"
                    "            self.client.get('k')\n"
                    "        except RuntimeError as e:\n"
                    "            print(e)\n"
                    "    async def execute(self, client):\n"
                    "        global kept\n"
                    "        kept = self\n"
                    "        self.client = client\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_OK);
    script_module.destroy(&fixture.script);
    assert_string_equal(take_printed(&fixture), "the endthe run is over");
    tear_down(&fixture);
}

static void test_the_version_is_known(void **state)
{
    (void)state;
    assert_int_equal(script_module.version, SCRIPT_HOST_VERSION);
    assert_string_equal(script_module.name, "Python");
    assert_int_equal(strncmp(script_module.library(), "CPython " PYTHON_SHORT ".",
                             strlen("CPython " PYTHON_SHORT ".")),
                     0);
}

static void test_the_example(void **state)
{
    static const struct {
        const char *args, *command;
    } cases[] = {
        {NULL, "SET key:9 xxx"},
        {"set", "SET key:9 xxx"},
        {"hset", "HSET key:9 field:0 xxx field:1 xxx field:2 xxx field:3 xxx field:4 xxx "
                 "field:5 xxx field:6 xxx field:7 xxx field:8 xxx field:9 xxx"},
        {"lpush_keyspace", "LPUSH key:9 xxx"},
        {"mset", "MSET {key:9}:0 xxx {key:9}:1 xxx {key:9}:2 xxx {key:9}:3 xxx {key:9}:4 xxx "
                 "{key:9}:5 xxx {key:9}:6 xxx {key:9}:7 xxx {key:9}:8 xxx {key:9}:9 xxx"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        if (!alone())
            continue;
        set_up(&fixture);
        fixture.config.file = EXAMPLES "/custom_command.py";
        fixture.config.args = cases[i].args;
        fixture.keys = (struct keyspace_config){.sequential = 6, .offset = 7};
        assert_int_equal(script_module.create(&fixture.script, &fixture.setup, &fixture.err), 0);
        assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
        expect_commands(&fixture, cases[i].command);
        assert_int_equal(resume(&fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
        assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
        assert_non_null(memmem(fixture.step.bytes.ptr, fixture.step.bytes.len, "key:7", 5));
        tear_down(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_virtual_environment_is_honoured),
        cmocka_unit_test(test_files_that_cannot_be_loaded),
        cmocka_unit_test(test_files_that_are_not_there),
        cmocka_unit_test(test_a_long_sentence_is_cut),
        cmocka_unit_test(test_the_class_gets_the_arguments_that_it_takes),
        cmocka_unit_test(test_init_gets_the_settings),
        cmocka_unit_test(test_modules_are_found),
        cmocka_unit_test(test_a_virtual_environment_of_another_version),
        cmocka_unit_test(test_glide_can_be_imported),
        cmocka_unit_test(test_another_glide_comes_first),
        cmocka_unit_test(test_an_event_loop_of_ones_own_is_left_alone),
        cmocka_unit_test(test_endless_code_is_interrupted),
        cmocka_unit_test(test_the_end_runs_what_is_registered),
        cmocka_unit_test(test_the_example),
        cmocka_unit_test(test_the_version_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
