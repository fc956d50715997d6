/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lua_fixture: a script in a file of its own, driven as the engine would, and shorthands to say
 * what comes of it.
 */
#ifndef TESTS_LUA_FIXTURE_H
#define TESTS_LUA_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "script/script.h"

/* A view of a literal, for a table. */
#define WIRE(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

extern const struct script_host script_module;

struct lua_fixture {
    char folder[32];
    char file[64];
    struct script_config config;
    struct keyspace_config keys;
    struct script_setup setup;
    struct script *script;
    struct script_step step;
    struct err err;
};

/* Writes a file of that name into the fixture's folder. */
static inline void lua_write_file(const struct lua_fixture *f, const char *name, const char *text)
{
    char path[200];

    snprintf(path, sizeof path, "%.31s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline void lua_prepare(struct lua_fixture *f, const char *text)
{
    *f = (struct lua_fixture){.folder = "/tmp/test_lua.XXXXXX", .keys = {.seed = 7}};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->file, sizeof f->file, "%.31s/script.lua", f->folder);
    lua_write_file(f, "script.lua", text);
    f->config = (struct script_config){.file = f->file};
    f->setup = (struct script_setup){.config = &f->config,
                                     .keys = &f->keys,
                                     .data_bytes = 3,
                                     .worker = 2,
                                     .workers = 4,
                                     .clients = 2,
                                     .places = 4,
                                     .print_fd = STDERR_FILENO};
}

static inline void lua_create(struct lua_fixture *f)
{
    const int rc = script_module.create(&f->script, &f->setup, &f->err);

    if (rc < 0)
        fail_msg("%s", f->err.text);
}

static inline void lua_open(struct lua_fixture *f, const char *text)
{
    lua_prepare(f, text);
    lua_create(f);
}

static inline void lua_close_fixture(struct lua_fixture *f)
{
    char command[sizeof f->folder + 8];

    script_module.destroy(&f->script);
    assert_null(f->script);
    snprintf(command, sizeof command, "rm -r %s", f->folder);
    assert_int_equal(system(command), 0);
}

static inline enum script_status lua_start(struct lua_fixture *f, unsigned place, uint64_t k)
{
    const struct request request = {.k = k, .n = k / 4};

    return script_module.start(f->script, place, &request, &f->step);
}

/* The replies lie in a block that ends where they do. */
static inline enum script_status lua_answer(struct lua_fixture *f, unsigned place,
                                            struct str replies)
{
    char *copy = mem_zalloc(replies.len, 1);

    memcpy(copy, replies.ptr, replies.len);
    const struct script_answer answer = {.replies = {copy, replies.len}};
    const enum script_status status = script_module.resume(f->script, place, &answer, &f->step);
    free(copy);
    return status;
}

static inline enum script_status lua_lose(struct lua_fixture *f, unsigned place, struct str text)
{
    const struct script_answer answer = {.text = text};

    return script_module.resume(f->script, place, &answer, &f->step);
}

static inline void assert_str(struct str got, struct str wanted)
{
    if (!str_equal(got, wanted))
        fail_msg("got \"%.*s\", wanted \"%.*s\"", (int)got.len, got.ptr, (int)wanted.len,
                 wanted.ptr);
}

/* `what` occurs in a text that ends where its view does. */
static inline void assert_holds(struct str text, const char *what)
{
    if (!memmem(text.ptr, text.len, what, strlen(what)))
        fail_msg("\"%.*s\" does not hold \"%s\"", (int)text.len, text.ptr, what);
}

#endif
