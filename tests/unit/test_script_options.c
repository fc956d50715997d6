/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/script_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct net {
    const char *host;
};

struct whole {
    uint64_t before; /* so that nothing starts at offset 0 */
    struct net net;
    struct script_texts texts;
};

/* clang-format off */
static const struct option_spec net_options[] = {
    {.name = "host", .group = OPTION_BASIC, .read = option_read_text,
     .offset = offsetof(struct net, host), .initial = "localhost", .value = "NAME", .help = "who"},
    {0},
};
/* clang-format on */

static const struct option_table tables[] = {{net_options, offsetof(struct whole, net)}, {NULL, 0}};

enum { ARGS_MAX = 6 };

/* Command lines, and the file that they name. */
static const struct {
    const char *args[ARGS_MAX];
    const char *file;
} lines[] = {
    {{"p"}, NULL},
    {{"p", "--custom-command-file", "a.lua"}, "a.lua"},
    {{"p", "--custom-command-file=a=b.lua"}, "a=b.lua"},
    {{"p", "--custom-command-fi", "a.lua"}, "a.lua"},
    {{"p", "--custom-command-f=a.lua", "-c", "1"}, "a.lua"},
    {{"p", "--custom-command-", "a.lua"}, NULL},
    {{"p", "--custom-command-args", "a.lua"}, NULL},
    {{"p", "--custom-command-file"}, NULL},
    {{"p", "--custom-command-filer", "a.lua"}, NULL},
    {{"p", "--custom-command-file", "a", "--custom-command-file=b"}, "b"},
    {{"p", "--custom-command-file", "--custom-command-file", "b"}, "--custom-command-file"},
    {{"p", "--", "--custom-command-file", "b"}, NULL},
};

/* Fills `argv`, which NULL ends as it does `words`; returns how many there are. */
static int fill(char **argv, const char *const *words)
{
    int argc = 0;

    for (; argc < ARGS_MAX && words[argc]; argc++)
        argv[argc] = (char *)words[argc];
    argv[argc] = NULL;
    return argc;
}

static void test_the_file_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        char *argv[ARGS_MAX + 1];
        const int argc = fill(argv, lines[i].args);
        const char *file = script_options_find_file(argc, argv);
        if (lines[i].file)
            assert_string_equal(file, lines[i].file);
        else
            assert_null(file);
    }
}

static void add(struct script_options *script, const char *name, const char *initial)
{
    const struct script_option option = {
        .name = name, .initial = initial, .value = "N", .help = "how many"};

    script_option_list_add(&script->list, &option);
}

static void join(struct script_options *script)
{
    script_options_join(script, tables, offsetof(struct whole, texts), "dir/my.lua");
}

static void test_they_are_read_and_shown(void **state)
{
    static const char *const words[ARGS_MAX] = {"p",        "--fields", "20",
                                                "--host=h", "--late=x", "--late="};
    char *argv[ARGS_MAX + 1];
    struct script_options script = {0};
    struct script_config config = {0};
    struct whole whole = {0};
    struct err err = {0};
    char *help = NULL;
    size_t len;

    (void)state;
    add(&script, "fields", "10");
    add(&script, "depth", "5");
    add(&script, "late", NULL);
    join(&script);
    assert_false(script.failed);
    struct options *options = options_create(script.tables, "");
    options_set_heading(options, OPTION_SCRIPT, script.heading);
    assert_int_equal(options_parse(options, &whole, fill(argv, words), argv, &err), 0);
    assert_string_equal(whole.net.host, "h");
    script_options_settle(&script, options, &whole.texts, &config);
    assert_int_equal(config.value_count, 2);
    assert_string_equal(config.values[0].name, "fields");
    assert_string_equal(config.values[0].text, "20");
    assert_string_equal(config.values[1].name, "late");
    assert_string_equal(config.values[1].text, "");
    FILE *out = open_memstream(&help, &len);
    options_print_help(options, "p", out);
    fclose(out);
    assert_non_null(strstr(help, " Options of my.lua:\n"));
    assert_non_null(strstr(help, "--fields=N             how many (default: 10)\n"));
    free(help);
    options_destroy(&options);
    script_options_deinit(&script);
}

static void test_without_any_nothing_is_shown(void **state)
{
    static const char *const words[ARGS_MAX] = {"p"};
    struct script_options script = {0};
    char *argv[ARGS_MAX + 1];

    (void)state;
    script_options_read(&script, tables, 0, fill(argv, words), argv);
    assert_false(script.failed);
    assert_null(script.heading);
    assert_ptr_equal(script.tables[0].specs, net_options);
    assert_null(script.tables[1].specs);
    script_options_deinit(&script);
}

static void test_a_name_that_is_taken_is_told(void **state)
{
    struct script_options script = {0};

    (void)state;
    add(&script, "fields", NULL);
    add(&script, "host", NULL);
    join(&script);
    assert_true(script.failed);
    assert_string_equal(script.err.text,
                        "dir/my.lua declares --host, which is an option of the program: rename "
                        "it.");
    assert_null(script.tables[1].specs);
    script_options_deinit(&script);
}

static void test_too_many_are_told(void **state)
{
    (void)state;
    for (unsigned count = SCRIPT_OPTIONS_MAX; count <= SCRIPT_OPTIONS_MAX + 1; count++) {
        struct script_options script = {0};

        for (unsigned i = 0; i < count; i++) {
            char name[16];

            snprintf(name, sizeof name, "name%u", i);
            add(&script, name, NULL);
        }
        join(&script);
        assert_int_equal(script.failed, count > SCRIPT_OPTIONS_MAX);
        if (script.failed)
            assert_string_equal(script.err.text,
                                "dir/my.lua has 33 options of its own: it can have 32.");
        script_options_deinit(&script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file_is_found),
        cmocka_unit_test(test_they_are_read_and_shown),
        cmocka_unit_test(test_without_any_nothing_is_shown),
        cmocka_unit_test(test_a_name_that_is_taken_is_told),
        cmocka_unit_test(test_too_many_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
