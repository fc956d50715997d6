/* SPDX-License-Identifier: BSD-3-Clause */
/* The Lua host, as the engine sees it. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <lauxlib.h>
#include <luajit.h>

#include "script/lua/failure.h"
#include "script/lua/loader.h"
#include "script/lua/methods.h"
#include "script/lua/reply.h"
#include "script/lua/sandbox.h"

extern const struct script_host script_module;

/* Only want of memory is an error where nothing catches one. */
static int panic(lua_State *lua)
{
    (void)lua;
    mem_check(NULL);
    return 0;
}

/* The functions that pass an integer of 64 bits between C and Lua, whose C API has none. */
static void open_wide(struct script *script)
{
    static const char chunk[] =
        "local ffi, wide = require('ffi'), ...\n"
        "wide = ffi.cast('int64_t *', wide)\n"
        "local int64, uint64 = ffi.typeof('int64_t'), ffi.typeof('uint64_t')\n"
        "return function() return wide[0] end, function(value)\n"
        "    local is_signed = ffi.istype(int64, value)\n"
        "    if not is_signed and not ffi.istype(uint64, value) then return nil end\n"
        "    wide[0] = ffi.cast(int64, value)\n"
        "    return is_signed\n"
        "end\n";
    lua_State *lua = script->lua;

    if (luaL_loadbuffer(lua, chunk, sizeof chunk - 1, "=host") != 0)
        mem_check(NULL);
    lua_pushlightuserdata(lua, &script->wide);
    lua_call(lua, 1, 2);
    script->write_wide_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    script->read_wide_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
}

static void destroy(struct script **slot)
{
    struct script *script = *slot;

    *slot = NULL;
    if (!script)
        return;
    lua_close(script->lua);
    fflush(stdout); /* io.write's: a worker's process ends without */
    for (unsigned i = 0; i < script->setup->places; i++)
        bytes_deinit(&script->places[i].bytes);
    free(script->places);
    free(script);
}

static struct script *open_script(const struct script_setup *setup)
{
    struct script *script = mem_zalloc(1, sizeof *script);

    script->setup = setup;
    script->keys = keyspace_of(setup->keys, setup->worker);
    script->places = mem_zalloc(setup->places, sizeof *script->places);
    script->lua = mem_check(luaL_newstate());
    lua_atpanic(script->lua, panic);
    sandbox_open(script);
    open_wide(script);
    methods_open(script);
    return script;
}

static int load(struct script *script, struct err *err)
{
    struct script_option_list list = {0};
    int rc = loader_run_file(script, err);

    if (rc == 0)
        rc = loader_find_execute(script, err);
    if (rc == 0)
        rc = loader_read_options(script, &list, err);
    if (rc == 0)
        rc = loader_call_init(script, &list, err);
    script_option_list_clear(&list);
    return rc;
}

static int create(struct script **out, const struct script_setup *setup, struct err *err)
{
    struct script *script = open_script(setup);
    const int rc = load(script, err);

    if (rc < 0)
        destroy(&script);
    *out = script;
    return rc;
}

static void open_thread(struct script *script, struct place *place)
{
    lua_State *lua = script->lua;

    if (!place->client) {
        methods_push_client(script, (unsigned)(place - script->places));
        place->client = lua_topointer(lua, -1);
        place->client_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    }
    place->thread = lua_newthread(lua);
    place->thread_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_rawgeti(place->thread, LUA_REGISTRYINDEX, place->client_ref);
    lua_rawgeti(place->thread, LUA_REGISTRYINDEX, script->execute_ref);
    lua_pushliteral(place->thread, "request");
}

static void drop_thread(struct script *script, struct place *place)
{
    luaL_unref(script->lua, LUA_REGISTRYINDEX, place->thread_ref);
    place->thread = NULL;
}

static enum script_status fail(struct place *place, struct script_step *step)
{
    *step = (struct script_step){.text = bytes_view(&place->bytes)};
    return SCRIPT_FAILED;
}

/* An error was thrown, or the user's code yielded on its own: the thread is of no use any more. */
static enum script_status break_off(struct script *script, struct place *place, int rc,
                                    struct script_step *step)
{
    bytes_clear(&place->bytes);
    if (rc == LUA_YIELD)
        bytes_add(&place->bytes, STR("execute() called coroutine.yield(), which is for coroutines "
                                     "of its own; client:call() waits by itself"));
    else
        failure_write(script, place->thread, &place->bytes);
    drop_thread(script, place);
    return fail(place, step);
}

/* Above PLACE_TOP lies what execute() returned. */
static enum script_status finish(struct script *script, struct place *place,
                                 struct script_step *step)
{
    lua_State *lua = place->thread;
    const bool has_text = !lua_isnoneornil(lua, PLACE_TOP + 2);
    const bool ok =
        lua_isnoneornil(lua, PLACE_TOP + 1) ? !has_text : lua_toboolean(lua, PLACE_TOP + 1);

    bytes_clear(&place->bytes);
    if (!ok && has_text) {
        struct str text;

        lua_settop(lua, PLACE_TOP + 2);
        lua_xmove(lua, script->lua, 1);
        failure_describe(script);
        text.ptr = lua_tolstring(script->lua, -1, &text.len);
        bytes_add(&place->bytes, text);
        lua_pop(script->lua, 1);
    }
    lua_settop(lua, PLACE_TOP);
    return ok ? SCRIPT_OK : fail(place, step);
}

/* Runs the user's code until it waits or ends; `values` lie on its stack for it. */
static enum script_status go_on(struct script *script, struct place *place, int values,
                                struct script_step *step)
{
    place->wanted = 0;
    script->running = place;
    const int rc = lua_resume(place->thread, values);
    script->running = NULL;
    if (rc == 0)
        return finish(script, place, step);
    if (rc != LUA_YIELD || !place->wanted)
        return break_off(script, place, rc, step);
    *step = (struct script_step){.bytes = bytes_view(&place->bytes), .count = place->wanted};
    return SCRIPT_WAITS;
}

static enum script_status start(struct script *script, unsigned number,
                                const struct request *request, struct script_step *step)
{
    struct place *place = &script->places[number];

    if (!place->thread)
        open_thread(script, place);
    place->request = *request;
    place->draws = 0;
    lua_pushvalue(place->thread, PLACE_REQUEST);
    lua_pushnumber(place->thread, (lua_Number)request->k);
    lua_rawset(place->thread, PLACE_CLIENT);
    lua_pushvalue(place->thread, PLACE_EXECUTE);
    lua_pushvalue(place->thread, PLACE_CLIENT);
    return go_on(script, place, 1, step);
}

static enum script_status resume(struct script *script, unsigned number,
                                 const struct script_answer *answer, struct script_step *step)
{
    struct place *place = &script->places[number];
    int values;

    if (!answer->replies.len)
        values = reply_push_failure(place->thread, answer->text);
    else if (place->pipelined)
        values = reply_push_all(script, place->thread, answer->replies, place->wanted);
    else
        values = reply_push(script, place->thread, answer->replies);
    return go_on(script, place, values, step);
}

static void cancel(struct script *script, unsigned number)
{
    struct place *place = &script->places[number];

    bytes_clear(&place->bytes);
    drop_thread(script, place);
}

static const char *library(void)
{
    return LUAJIT_VERSION;
}

static int read_options(const char *file, struct script_option_list *options, struct err *err)
{
    const struct script_config config = {.file = file};
    const struct keyspace_config keys = {0};
    const struct script_setup setup = {.config = &config, .keys = &keys, .print_fd = STDERR_FILENO};
    struct script_option_list list = {0};
    struct script *script = open_script(&setup);
    int rc = loader_run_file(script, err);

    if (rc == 0)
        rc = loader_read_options(script, &list, err);
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        script_option_list_add(options, &list.items[i]);
    script_option_list_clear(&list);
    destroy(&script);
    return rc;
}

const struct script_host script_module = {
    .version = SCRIPT_HOST_VERSION,
    .name = "Lua",
    .create = create,
    .destroy = destroy,
    .start = start,
    .resume = resume,
    .cancel = cancel,
    .library = library,
    .read_options = read_options,
};
