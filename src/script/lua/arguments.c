/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/arguments.h"

#include <math.h>
#include <stdio.h>

#include "resp/writer.h"
#include "script/lua/raise.h"

/* LuaJIT's own type, which lua.h has no name for. */
enum { LUA_TYPE_CDATA = 10 };

/* Up to here each integer is a number of its own: 2^53. */
static const double exact_max = 9007199254740992.0;

static void add_bulk(struct bytes *bytes, struct str text)
{
    char *at = bytes_reserve(bytes, text.len + RESP_BULK_EXTRA);

    bytes->len += (size_t)(resp_write_bulk(at, text) - at);
}

static void add_array(struct bytes *bytes, uint64_t arguments)
{
    char *at = bytes_reserve(bytes, RESP_HEADER_MAX);

    bytes->len += (size_t)(resp_write_array(at, arguments) - at);
}

static void add_integer(struct bytes *bytes, bool negative, uint64_t magnitude)
{
    char text[1 + RESP_NUMBER_MAX] = "-";
    char *end = resp_write_number(text + negative, magnitude);

    add_bulk(bytes, (struct str){text, (size_t)(end - text)});
}

static void add_number(struct bytes *bytes, double number)
{
    char text[40];
    const double magnitude = fabs(number);

    if (magnitude <= exact_max && floor(magnitude) == magnitude) {
        add_integer(bytes, number < 0, (uint64_t)magnitude);
        return;
    }
    int len = snprintf(text, sizeof text, "%.15g", number);
    if (strtod(text, NULL) != number)
        len = snprintf(text, sizeof text, "%.17g", number);
    add_bulk(bytes, (struct str){text, (size_t)len});
}

/* An int64_t or uint64_t of LuaJIT's; returns false for any other cdata. */
static bool add_wide(struct script *script, lua_State *lua, int at, struct bytes *bytes)
{
    lua_rawgeti(lua, LUA_REGISTRYINDEX, script->write_wide_ref);
    lua_pushvalue(lua, at);
    lua_call(lua, 1, 1);
    const bool is_integer = lua_type(lua, -1) == LUA_TBOOLEAN;
    const bool is_signed = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    if (!is_integer)
        return false;
    const bool negative = is_signed && script->wide < 0;
    const uint64_t value = (uint64_t)script->wide;
    add_integer(bytes, negative, negative ? 0 - value : value);
    return true;
}

/* `at` is an absolute index; returns whether the value can be sent. */
static bool add_argument(struct script *script, lua_State *lua, int at, struct bytes *bytes)
{
    struct str text;

    switch (lua_type(lua, at)) {
    case LUA_TSTRING:
        text.ptr = lua_tolstring(lua, at, &text.len);
        add_bulk(bytes, text);
        return true;
    case LUA_TNUMBER:
        add_number(bytes, lua_tonumber(lua, at));
        return true;
    case LUA_TYPE_CDATA:
        return add_wide(script, lua, at, bytes);
    default:
        return false;
    }
}

void arguments_write(struct script *script, lua_State *lua, int first, struct bytes *bytes)
{
    const int top = lua_gettop(lua);

    if (top < first)
        raise_error(lua, "a command must have at least one word");
    const int count = top - first + 1;
    add_array(bytes, (uint64_t)count);
    for (int at = first; at <= top; at++)
        if (!add_argument(script, lua, at, bytes))
            raise_error(lua,
                        "argument %d of the command is a %s: only strings and numbers can be sent",
                        at - first + 1, luaL_typename(lua, at));
}

void arguments_write_table(struct script *script, lua_State *lua, int number, struct bytes *bytes)
{
    const int table = lua_gettop(lua);

    if (!lua_istable(lua, table))
        raise_error(lua, "command %d of the pipeline is a %s, not a table", number,
                    luaL_typename(lua, table));
    const int count = (int)lua_objlen(lua, table);
    if (count == 0)
        raise_error(lua, "command %d of the pipeline must have at least one word", number);
    add_array(bytes, (uint64_t)count);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, table, i);
        if (!add_argument(script, lua, table + 1, bytes))
            raise_error(lua,
                        "argument %d of command %d of the pipeline is a %s: only strings and "
                        "numbers can be sent",
                        i, number, luaL_typename(lua, table + 1));
        lua_pop(lua, 1);
    }
}
