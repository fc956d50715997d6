/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin_fixture.h"
#include "valkey_polyglot/custom_command.h"

/* A folder for the compiler and for files that a test writes. */
struct desk {
    char folder[64];
    char source[96];
    char *path; /* PATH as it was; owned */
};

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    if (!desk)
        return -1;
    *state = desk;
    strcpy(desk->folder, "/tmp/test_plugin_file-XXXXXX");
    if (!mkdtemp(desk->folder))
        return -1;
    snprintf(desk->source, sizeof desk->source, "%s/source.c", desk->folder);
    desk->path = strdup(getenv("PATH"));
    unsetenv("CC");
    return setenv("TMPDIR", desk->folder, 1);
}

static int teardown(void **state)
{
    struct desk *desk = *state;

    setenv("PATH", desk->path, 1);
    unsetenv("CC");
    unlink(desk->source);
    /* Fails if the compiler has left something there. */
    const int rc = rmdir(desk->folder);
    free(desk->path);
    free(desk);
    return rc;
}

static void write_source(const struct desk *desk, const char *text)
{
    FILE *file = fopen(desk->source, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_refused(const char *file, const char *args, const char *beginning,
                           const char *also)
{
    struct plugin_fixture fixture;

    plugin_fixture_init(&fixture, file, args, 2);
    assert_true(plugin_fixture_create(&fixture) < 0);
    assert_null(fixture.script);
    if (strncmp(fixture.err.text, beginning, strlen(beginning)) != 0)
        assert_string_equal(fixture.err.text, beginning);
    if (!strstr(fixture.err.text, also))
        assert_string_equal(fixture.err.text, also);
}

static void what_cannot_be_loaded_is_a_sentence(void **state)
{
    char text[512];

    (void)state;
    assert_refused("/nowhere/at/all.so", NULL,
                   "Cannot read the custom command file \"/nowhere/at/all.so\": No such file", "");
    assert_refused("nowhere.c", NULL, "Cannot read the custom command file \"nowhere.c\": No such",
                   "");
    assert_refused(SOURCES "/README.md", NULL, "Cannot load \"" SOURCES "/README.md\"",
                   "shared object");
    assert_refused(PLUGIN_NAMELESS, NULL, "\"" PLUGIN_NAMELESS "\" does not export vpb_command",
                   "custom_command.h");
    snprintf(text, sizeof text,
             "\"" PLUGIN_NEWER "\" was made for version %d of custom_command.h, and this program "
             "has version %d",
             VPB_API_VERSION + 1, VPB_API_VERSION);
    assert_refused(PLUGIN_NEWER, NULL, text, "compile it");
    assert_refused(PLUGIN_IDLE, NULL, "\"" PLUGIN_IDLE "\" has no `execute`", "");
}

static void a_failing_init_is_a_sentence(void **state)
{
    (void)state;
    assert_refused(PLUGIN_TALKER, NULL,
                   "`init` of \"" PLUGIN_TALKER "\" failed: tell me what to do", "");
    assert_refused(PLUGIN_TALKER, "refuse",
                   "`init` of \"" PLUGIN_TALKER "\" failed: it gave no reason.", "");
}

static void the_settings_reach_the_plugin(void **state)
{
    (void)state;
    assert_refused(PLUGIN_TALKER, "settings", "`init` of",
                   "failed: xxx3 7 100 0 0 5, worker 1 of 4, 2, 2, to 2");
}

static void an_error_of_the_compiler_is_named(void **state)
{
    const struct desk *desk = *state;
    char beginning[256], also[256];

    write_source(desk, "#include <valkey_polyglot/custom_command.h>\n"
                       "\n"
                       "int forgotten(void) { return nothing }\n"
                       "int more = less;\n");
    snprintf(beginning, sizeof beginning, "Cannot compile \"%s\": ", desk->source);
    snprintf(also, sizeof also, "%s:3:", desk->source);
    assert_refused(desk->source, NULL, beginning, also);
    assert_refused(desk->source, NULL, beginning, "error:");
}

static void a_symbol_that_is_missing_is_named(void **state)
{
    const struct desk *desk = *state;

    write_source(desk, "#include <valkey_polyglot/custom_command.h>\n"
                       "int no_such_function(struct vpb_client *client, void *state);\n"
                       "const struct vpb_command vpb_command = {\n"
                       "    .version = VPB_API_VERSION, .execute = no_such_function};\n");
    assert_refused(desk->source, NULL, "Cannot load \"", "no_such_function");
}

static void want_of_a_compiler_is_a_sentence(void **state)
{
    const struct desk *desk = *state;

    write_source(desk, "int x;\n");
    setenv("PATH", desk->folder, 1);
    assert_refused(desk->source, NULL, "Cannot compile \"", "no cc, gcc or clang on PATH");
    setenv("PATH", desk->path, 1);
    setenv("CC", "no-such-compiler -O3", 1);
    assert_refused(desk->source, NULL, "Cannot compile \"", "\"no-such-compiler -O3\", which CC");
    setenv("CC", "false", 1);
    assert_refused(desk->source, NULL, "Cannot compile \"", "the compiler failed and said nothing");
    setenv("CC", " ", 1);
    assert_refused(desk->source, NULL, "\"", "does not export vpb_command");
}

static void a_file_without_a_slash_is_here(void **state)
{
    char here[4096];

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    const char *slash = strrchr(PLUGIN_IDLE, '/');
    char *folder = strndup(PLUGIN_IDLE, (size_t)(slash - PLUGIN_IDLE));
    assert_int_equal(chdir(folder), 0);
    assert_refused(slash + 1, NULL, "\"", "has no `execute`");
    assert_int_equal(chdir(here), 0);
    free(folder);
}

/* The example does what its arguments say. */
static void run_example(struct plugin_fixture *fixture, const char *args, uint32_t arguments,
                        const char *begins)
{
    char header[16];

    fixture->config.args = args;
    assert_int_equal(plugin_fixture_create(fixture), 0);
    assert_int_equal(plugin_fixture_start(fixture, 1, 8), SCRIPT_WAITS);
    assert_int_equal(fixture->step.count, 1);
    snprintf(header, sizeof header, "*%u\r\n", arguments);
    assert_true(str_starts(fixture->step.bytes, str_of(header)));
    fixture->step.bytes.ptr += strlen(header);
    fixture->step.bytes.len -= strlen(header);
    assert_true(str_starts(fixture->step.bytes, str_of(begins)));
    assert_failed(plugin_fixture_reply(fixture, 1, STR("-ERR no\r\n")), fixture, "ERR no");
    assert_int_equal(plugin_fixture_start(fixture, 0, 9), SCRIPT_WAITS);
    assert_int_equal(plugin_fixture_reply(fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
    plugin_fixture_deinit(fixture);
}

static void a_file_is_compiled_once(void **state)
{
    struct plugin_fixture fixture;
    char *prepared;
    int status;

    plugin_fixture_init(&fixture, SOURCES "/examples/custom_command.c", NULL, 2);
    assert_int_equal(script_host_c.prepare(&fixture.config, &prepared, &fixture.err), 0);
    assert_non_null(prepared);
    fixture.config.prepared = prepared;
    setenv("PATH", ((struct desk *)*state)->folder, 1);
    run_example(&fixture, NULL, 3, "$3\r\nSET\r\n$");
    run_example(&fixture, "mset", 21, "$4\r\nMSET\r\n$");
    run_example(&fixture, "hset", 22, "$4\r\nHSET\r\n$");
    run_example(&fixture, "lpush", 3, "$5\r\nLPUSH\r\n$11\r\ncustom:list\r\n$3\r\nxxx\r\n");
    run_example(&fixture, "lpush_keyspace", 3, "$5\r\nLPUSH\r\n$");

    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(plugin_fixture_create(&fixture) == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    fixture.config.args = "get";
    assert_true(plugin_fixture_create(&fixture) < 0);
    assert_string_equal(fixture.err.text, "`init` of \"" SOURCES "/examples/custom_command.c\" "
                                          "failed: no command of this name: get");
    free(prepared);
}

static void a_shared_object_needs_no_preparation(void **state)
{
    struct plugin_fixture fixture;
    char *prepared;

    (void)state;
    plugin_fixture_init(&fixture, PLUGIN_TALKER, NULL, 1);
    assert_int_equal(script_host_c.prepare(&fixture.config, &prepared, &fixture.err), 0);
    assert_null(prepared);
}

static void a_file_that_nobody_prepared_is_compiled(void **state)
{
    struct plugin_fixture fixture;

    (void)state;
    plugin_fixture_init(&fixture, SOURCES "/tests/unit/plugins/talker.c", "silent", 2);
    assert_int_equal(plugin_fixture_create(&fixture), 0);
    assert_int_equal(plugin_fixture_start(&fixture, 0, 0), SCRIPT_WAITS);
    assert_int_equal(plugin_fixture_reply(&fixture, 0, STR("+PONG\r\n")), SCRIPT_OK);
    plugin_fixture_deinit(&fixture);
}

static void stacks_may_be_larger(void **state)
{
    const struct desk *desk = *state;
    struct plugin_fixture fixture;

    write_source(desk, "#include <string.h>\n"
                       "#include <valkey_polyglot/custom_command.h>\n"
                       "static int execute(struct vpb_client *client, void *state)\n"
                       "{\n"
                       "    char large[900000];\n"
                       "    const char *const argv[] = {large};\n"
                       "    const size_t lens[] = {sizeof large};\n"
                       "    memset(large, 'y', sizeof large);\n"
                       "    return vpb_call(client, 1, argv, lens)->type == VPB_ERROR;\n"
                       "}\n"
                       "const struct vpb_command vpb_command = {\n"
                       "    .version = VPB_API_VERSION, .stack_bytes = 1000000,\n"
                       "    .execute = execute};\n");
    plugin_fixture_init(&fixture, desk->source, NULL, 3);
    assert_int_equal(plugin_fixture_create(&fixture), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(plugin_fixture_start(&fixture, i, 0), SCRIPT_WAITS);
    assert_true(fixture.step.bytes.len > 900000);
    plugin_fixture_deinit(&fixture);
}

#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(what_cannot_be_loaded_is_a_sentence),
        DESK_TEST(a_failing_init_is_a_sentence),
        DESK_TEST(the_settings_reach_the_plugin),
        DESK_TEST(an_error_of_the_compiler_is_named),
        DESK_TEST(a_symbol_that_is_missing_is_named),
        DESK_TEST(want_of_a_compiler_is_a_sentence),
        DESK_TEST(a_file_without_a_slash_is_here),
        DESK_TEST(a_file_is_compiled_once),
        DESK_TEST(a_shared_object_needs_no_preparation),
        DESK_TEST(a_file_that_nobody_prepared_is_compiled),
        DESK_TEST(stacks_may_be_larger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
