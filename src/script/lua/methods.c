/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/methods.h"

#include <math.h>

#include "base/rng.h"
#include "script/lua/arguments.h"
#include "script/lua/raise.h"
#include "script/lua/reply.h"

static struct script *script_of(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(1));
}

/* The place whose client was called. */
static struct place *take_place(lua_State *lua, const char *method)
{
    struct place *place = script_of(lua)->running;

    if (!place || lua_topointer(lua, 1) != place->client)
        raise_error(lua, "client:%s() must be called with a colon, on the client of this execution",
                    method);
    return place;
}

static struct place *take_waiting_place(lua_State *lua, const char *method)
{
    struct place *place = take_place(lua, method);

    if (place->thread != lua)
        raise_error(lua, "client:%s() cannot be called in another coroutine than execute()",
                    method);
    place->wanted = 0;
    place->bytes.len = 0;
    return place;
}

static int wait_for(lua_State *lua, struct place *place, uint32_t wanted, bool pipelined)
{
    place->wanted = wanted;
    place->pipelined = pipelined;
    return lua_yield(lua, 0);
}

static int client_call(lua_State *lua)
{
    struct place *place = take_waiting_place(lua, "call");

    arguments_write(script_of(lua), lua, 2, &place->bytes);
    return wait_for(lua, place, 1, false);
}

static int client_pipeline(lua_State *lua)
{
    struct place *place = take_waiting_place(lua, "pipeline");

    luaL_checktype(lua, 2, LUA_TTABLE);
    const int count = (int)lua_objlen(lua, 2);
    if (count == 0) {
        lua_newtable(lua);
        return 1;
    }
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, 2, i);
        arguments_write_table(script_of(lua), lua, i, &place->bytes);
        lua_pop(lua, 1);
    }
    return wait_for(lua, place, (uint32_t)count, true);
}

static int client_key(lua_State *lua)
{
    const struct place *place = take_place(lua, "key");
    char name[KEYSPACE_NAME_MAX];
    const unsigned len = keyspace_write(&script_of(lua)->keys, &place->request, name);

    lua_pushlstring(lua, name, len);
    return 1;
}

static int client_value(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(2));
    return 1;
}

static uint64_t check_whole(lua_State *lua, int at, uint64_t min)
{
    const double exact_max = 9007199254740992.0;
    const double number = luaL_checknumber(lua, at);

    if (!(number >= (double)min && number <= exact_max && floor(number) == number))
        raise_error(lua, "client:random() wants whole numbers from %d, not %f", (int)min, number);
    return (uint64_t)number;
}

/* Draws count from 0 up, streams from the other end down, so that they have none in common. */
static int client_random(lua_State *lua)
{
    struct place *place = take_place(lua, "random");
    const uint64_t range = check_whole(lua, 2, 1);
    const uint64_t index =
        lua_isnoneornil(lua, 3) ? place->draws++ : UINT64_MAX - 1 - check_whole(lua, 3, 0);
    const uint64_t seed = rng_draw(script_of(lua)->keys.seed, RNG_SCRIPT, place->request.k);

    lua_pushnumber(lua, (lua_Number)rng_below(rng_draw(seed, RNG_SCRIPT, index), range));
    return 1;
}

static int client_is_error(lua_State *lua)
{
    lua_pushboolean(lua, reply_is_error(script_of(lua), lua, 1));
    return 1;
}

static int show_error(lua_State *lua)
{
    lua_getfield(lua, 1, "error");
    return 1;
}

static void push_value(lua_State *lua, uint64_t data_bytes)
{
    char *value = mem_zalloc(data_bytes, 1);

    memset(value, 'x', data_bytes);
    lua_pushlstring(lua, value, data_bytes);
    free(value);
}

void methods_open(struct script *script)
{
    static const luaL_Reg methods[] = {{"call", client_call},   {"pipeline", client_pipeline},
                                       {"key", client_key},     {"random", client_random},
                                       {"value", client_value}, {"is_error", client_is_error}};
    lua_State *lua = script->lua;

    push_value(lua, script->setup->data_bytes);
    lua_newtable(lua);
    lua_newtable(lua);
    for (size_t i = 0; i < COUNT(methods); i++) {
        lua_pushlightuserdata(lua, script);
        lua_pushvalue(lua, -4);
        lua_pushcclosure(lua, methods[i].func, 2);
        lua_setfield(lua, -2, methods[i].name);
    }
    lua_pushlightuserdata(lua, NULL);
    lua_setfield(lua, -2, "null");
    lua_setfield(lua, -2, "__index");
    script->methods_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pop(lua, 1);

    lua_newtable(lua);
    lua_pushcfunction(lua, show_error);
    lua_setfield(lua, -2, "__tostring");
    script->error_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
}

static void set_number(lua_State *lua, const char *name, unsigned number)
{
    lua_pushnumber(lua, number);
    lua_setfield(lua, -2, name);
}

void methods_push_client(const struct script *script, unsigned place)
{
    lua_State *lua = script->lua;

    lua_createtable(lua, 0, 3);
    set_number(lua, "request", 0);
    set_number(lua, "worker", script->setup->worker);
    set_number(lua, "number", place);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, script->methods_ref);
    lua_setmetatable(lua, -2);
}
