/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin_fixture: a script of the C host, driven step by step.
 */
#ifndef TESTS_PLUGIN_FIXTURE_H
#define TESTS_PLUGIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "script/c/plugin.h"

struct plugin_fixture {
    struct script_config config;
    struct keyspace_config keys;
    struct script_setup setup;
    struct script *script;
    struct script_step step;
    struct err err;
};

/* A worker of `places` places with the plugin `file`, not created yet. */
static inline void plugin_fixture_init(struct plugin_fixture *fixture, const char *file,
                                       const char *args, unsigned places)
{
    *fixture = (struct plugin_fixture){
        .config = {.file = file, .args = args},
        .keys = {.random = 100, .offset = 7, .seed = 5},
        .setup = {.data_bytes = 3,
                  .worker = 1,
                  .workers = 4,
                  .clients = places,
                  .places = places,
                  .print_fd = 2},
    };
    fixture->setup.config = &fixture->config;
    fixture->setup.keys = &fixture->keys;
}

static inline int plugin_fixture_create(struct plugin_fixture *fixture)
{
    return script_host_c.create(&fixture->script, &fixture->setup, &fixture->err);
}

static inline enum script_status plugin_fixture_start(struct plugin_fixture *fixture,
                                                      unsigned place, uint64_t k)
{
    const struct request request = {.k = k, .n = k};

    return script_host_c.start(fixture->script, place, &request, &fixture->step);
}

static inline enum script_status plugin_fixture_reply(struct plugin_fixture *fixture,
                                                      unsigned place, struct str replies)
{
    const struct script_answer answer = {.replies = replies, .text = STR("")};

    return script_host_c.resume(fixture->script, place, &answer, &fixture->step);
}

static inline void plugin_fixture_deinit(struct plugin_fixture *fixture)
{
    script_host_c.destroy(&fixture->script);
    assert_null(fixture->script);
}

static inline void assert_str(struct str text, struct str expected)
{
    assert_int_equal(text.len, expected.len);
    assert_memory_equal(text.ptr, expected.ptr, expected.len);
}

static inline void assert_waits(enum script_status status, const struct plugin_fixture *fixture,
                                uint32_t count, struct str bytes)
{
    assert_int_equal(status, SCRIPT_WAITS);
    assert_int_equal(fixture->step.count, count);
    assert_str(fixture->step.bytes, bytes);
}

static inline void assert_failed(enum script_status status, const struct plugin_fixture *fixture,
                                 const char *text)
{
    assert_int_equal(status, SCRIPT_FAILED);
    assert_str(fixture->step.text, str_of(text));
}

#endif
