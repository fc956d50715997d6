/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "load/source.h"
#include "resp/slot.h"

static void test_render(void **state)
{
    static const struct {
        struct source_config config;
        unsigned worker;
        struct request request;
        const char *bytes;
        const char *name;
        bool reads;
    } cases[] = {
        {{.type = "set", .data_bytes = 3},
         2,
         {.k = 9, .n = 4},
         "*3\r\n$3\r\nSET\r\n$7\r\nkey:2:4\r\n$3\r\nxxx\r\n",
         "SET",
         false},
        {{.type = "SET"}, 0, {0}, "*3\r\n$3\r\nSET\r\n$7\r\nkey:0:0\r\n$0\r\n\r\n", "SET", false},
        {{.type = "Get", .data_bytes = 3, .keys = {.sequential = 5, .offset = 10}},
         2,
         {.k = 9, .n = 4},
         "*2\r\n$3\r\nGET\r\n$6\r\nkey:14\r\n",
         "GET",
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source source;
        struct err err;

        assert_int_equal(source_init(&source, &cases[i].config, cases[i].worker, &err), 0);
        char *bytes = malloc(source_room(&source, &(struct request){0}));
        const size_t len = source_render(&source, &cases[i].request, bytes);
        assert_true(str_equal((struct str){bytes, len}, str_of(cases[i].bytes)));
        assert_string_equal(source_name(&source), cases[i].name);
        assert_int_equal(source_reads(&source), cases[i].reads);
        free(bytes);
        source_deinit(&source);
    }
}

static void test_large_value(void **state)
{
    enum { BYTES = 1000000 };
    const struct source_config config = {.type = "set", .data_bytes = BYTES};
    const struct str head = STR("*3\r\n$3\r\nSET\r\n$7\r\nkey:0:0\r\n$1000000\r\n");
    struct source source;
    struct err err;

    (void)state;
    assert_int_equal(source_init(&source, &config, 0, &err), 0);
    char *bytes = malloc(source_room(&source, &(struct request){0}));
    const size_t len = source_render(&source, &(struct request){0}, bytes);
    assert_int_equal(len, head.len + BYTES + 2);
    assert_true(str_starts((struct str){bytes, len}, head));
    for (size_t i = head.len; i < len - 2; i++)
        assert_int_equal(bytes[i], 'x');
    assert_memory_equal(bytes + len - 2, "\r\n", 2);
    free(bytes);
    source_deinit(&source);
}

static void test_dictated_requests(void **state)
{
    static const struct command commands[] = {
        {.bytes = {"*1\r\n$4\r\nPING\r\n", 14}, .count = 1, .slot = -1},
        {.bytes = {"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", 20}, .count = 7, .slot = 15495, .reads = true},
    };
    const struct source_config config = {.type = "Custom", .data_bytes = 3};
    struct source source;
    struct err err;

    (void)state;
    assert_int_equal(source_init(&source, &config, 0, &err), 0);
    assert_true(source_is_dictated(&source));
    assert_string_equal(source_name(&source), "CUSTOM");
    source.commands = commands;
    for (unsigned i = 0; i < COUNT(commands); i++) {
        const struct request request = {.k = 99, .n = i};
        char bytes[32];

        assert_true(source_room(&source, &request) <= sizeof bytes);
        const size_t len = source_render(&source, &request, bytes);
        assert_true(str_equal((struct str){bytes, len}, commands[i].bytes));
        assert_int_equal(source_replies(&source, &request), commands[i].count);
        assert_int_equal(source_slot(&source, &request), commands[i].slot);
        assert_int_equal(source_only_reads(&source, &request), commands[i].reads);
    }
    source_deinit(&source);
}

static void test_refusals(void **state)
{
    static const struct {
        struct source_config config;
        const char *sentence;
    } cases[] = {
        {{.type = "foo"}, "-t/--type must be one of the tests (set, get, custom), not \"foo\"."},
        {{.type = ""}, "-t/--type must be one of the tests (set, get, custom), not \"\"."},
        {{.type = "set", .keys = {.random = 1, .sequential = 1}},
         "-r/--random and --sequential exclude each other: keys are random or in sequence."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source source;
        struct err err = {""};

        assert_true(source_init(&source, &cases[i].config, 0, &err) < 0);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static const struct option_spec *find_option(const char *name)
{
    const struct option_spec *spec = source_options;

    while (spec->name && strcmp(spec->name, name) != 0)
        spec++;
    assert_non_null(spec->name);
    return spec;
}

static void test_options(void **state)
{
    const struct option_spec *datasize = find_option("datasize");
    const struct option_spec *type = find_option("type");
    struct source_config config = {0};
    struct err err;

    (void)state;
    assert_int_equal(
        datasize->read(datasize, (char *)&config + datasize->offset, datasize->initial, &err), 0);
    assert_int_equal(type->read(type, (char *)&config + type->offset, type->initial, &err), 0);
    assert_int_equal(config.data_bytes, 3);
    assert_string_equal(config.type, "set");

    void *bytes = (char *)&config + datasize->offset;
    assert_int_equal(datasize->read(datasize, bytes, "0", &err), 0);
    assert_int_equal(config.data_bytes, 0);
    assert_int_equal(datasize->read(datasize, bytes, "536870912", &err), 0);
    assert_int_equal(config.data_bytes, 536870912);
    assert_true(datasize->read(datasize, bytes, "536870913", &err) < 0);
}

static void test_slot_is_that_of_the_key(void **state)
{
    const struct source_config config = {.type = "set", .data_bytes = 3};
    const struct request request = {.k = 9, .n = 4};
    struct source source;
    struct err err;

    (void)state;
    assert_int_equal(source_init(&source, &config, 2, &err), 0);
    assert_int_equal(source_slot(&source, &request), resp_slot(STR("key:2:4")));
    source_deinit(&source);
}

static void test_keys_of_different_slots(void **state)
{
    const struct catalogue_entry fits = {.name = "mget",
                                         .arguments = {"MGET", "{__key__}:a", "{__key__}:b"}},
                                 too_wide = {.name = "mget",
                                             .arguments = {"MGET", "__key__:a", "__key__:b"}};
    struct err err;

    (void)state;
    for (const char *const *name = (const char *const[]){"set", "get", "custom", NULL}; *name;
         name++)
        assert_int_equal(catalogue_check_slots(catalogue_find(*name, &err), &err), 0);
    assert_int_equal(catalogue_check_slots(&fits, &err), 0);
    assert_int_equal(catalogue_check_slots(&too_wide, &err), -EINVAL);
    assert_string_equal(err.text,
                        "-t/--type mget has keys of different slots in one command, which "
                        "no node of a cluster takes: leave out --cluster.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_large_value),
        cmocka_unit_test(test_slot_is_that_of_the_key),
        cmocka_unit_test(test_dictated_requests),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_keys_of_different_slots),
    };

    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
