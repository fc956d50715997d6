/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/reply.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "resp/cursor.h"

/* What a level of nesting needs on the stack: a table, a key, a value; and something to spare. */
enum { LEVEL_SLOTS = 8 };

static const int64_t exact_max = INT64_C(1) << 53;

struct conversion {
    struct script *script;
    lua_State *lua;
    struct resp_cursor cursor;
    unsigned depth;
};

static void push_text(lua_State *lua, struct str text)
{
    lua_pushlstring(lua, text.ptr, text.len);
}

static void skip_items(struct resp_cursor *cursor, size_t pending)
{
    struct resp_item item;

    while (pending) {
        pending -= resp_cursor_take(cursor, &item);
        pending += item.count;
    }
}

/* Takes the next item that is one, and the type byte that it began with. */
static char take_item(struct resp_cursor *cursor, struct resp_item *item)
{
    char type = *cursor->at;

    while (!resp_cursor_take(cursor, item)) {
        skip_items(cursor, item->count);
        type = *cursor->at;
    }
    return type;
}

/* A number is read behind the line's end no further: a CR stands there. */
static void push_double(lua_State *lua, struct str text)
{
    lua_pushnumber(lua, strtod(text.ptr, NULL));
}

static void push_integer(struct conversion *conversion, int64_t number)
{
    struct script *script = conversion->script;

    if (number >= -exact_max && number <= exact_max) {
        lua_pushnumber(conversion->lua, (lua_Number)number);
        return;
    }
    /* Only the language can make a cdata, and a thread that waits cannot be called on. */
    script->wide = number;
    lua_rawgeti(script->lua, LUA_REGISTRYINDEX, script->read_wide_ref);
    lua_call(script->lua, 0, 1);
    lua_xmove(script->lua, conversion->lua, 1);
}

static void push_error(const struct conversion *conversion, struct str text)
{
    lua_State *lua = conversion->lua;

    lua_createtable(lua, 0, 1);
    push_text(lua, text);
    lua_setfield(lua, -2, "error");
    lua_rawgeti(lua, LUA_REGISTRYINDEX, conversion->script->error_ref);
    lua_setmetatable(lua, -2);
}

static bool push_item(struct conversion *conversion);

static bool push_list(struct conversion *conversion, size_t count)
{
    lua_createtable(conversion->lua, count < INT_MAX ? (int)count : INT_MAX, 0);
    for (size_t i = 1; i <= count; i++) {
        if (!push_item(conversion))
            return false;
        lua_rawseti(conversion->lua, -2, (int)i);
    }
    return true;
}

/* NaN, which Lua takes for no key, is its text. */
static void mend_key(lua_State *lua)
{
    if (lua_type(lua, -1) != LUA_TNUMBER || !isnan(lua_tonumber(lua, -1)))
        return;
    lua_pop(lua, 1);
    lua_pushliteral(lua, "nan");
}

static bool push_map(struct conversion *conversion, size_t pairs)
{
    lua_createtable(conversion->lua, 0, pairs < INT_MAX ? (int)pairs : INT_MAX);
    for (size_t i = 0; i < pairs; i++) {
        if (!push_item(conversion))
            return false;
        mend_key(conversion->lua);
        if (!push_item(conversion))
            return false;
        lua_rawset(conversion->lua, -3);
    }
    return true;
}

static bool push_aggregate(struct conversion *conversion, const struct resp_item *item)
{
    if (conversion->depth == REPLY_DEPTH_MAX || !lua_checkstack(conversion->lua, LEVEL_SLOTS))
        return false;
    conversion->depth++;
    const bool pushed = item->kind == RESP_MAP ? push_map(conversion, item->count / 2)
                                               : push_list(conversion, item->count);
    conversion->depth--;
    return pushed;
}

/* Pushes an item whose header was taken; returns false, with something pushed, if it is too deep.
 */
static bool push_taken(struct conversion *conversion, const struct resp_item *item, char type)
{
    lua_State *lua = conversion->lua;
    const size_t label = type == '=' && item->text.len >= 4 ? 4 : 0; /* "txt:" */

    switch (item->kind) {
    case RESP_SIMPLE:
    case RESP_BULK:
    case RESP_BIG_NUMBER:
        push_text(lua, (struct str){item->text.ptr + label, item->text.len - label});
        return true;
    case RESP_ERROR:
        push_error(conversion, item->text);
        return true;
    case RESP_INTEGER:
        push_integer(conversion, item->number);
        return true;
    case RESP_NULL:
        lua_pushlightuserdata(lua, NULL);
        return true;
    case RESP_DOUBLE:
        push_double(lua, item->text);
        return true;
    case RESP_BOOLEAN:
        lua_pushboolean(lua, (int)item->number);
        return true;
    default:
        return push_aggregate(conversion, item);
    }
}

static bool push_item(struct conversion *conversion)
{
    struct resp_item item;
    const char type = take_item(&conversion->cursor, &item);

    return push_taken(conversion, &item, type);
}

static int refuse_depth(lua_State *lua, int top)
{
    lua_settop(lua, top);
    return reply_push_failure(lua, STR("The reply is nested more than 128 deep."));
}

int reply_push(struct script *script, lua_State *lua, struct str bytes)
{
    struct conversion conversion = {.script = script, .lua = lua, .cursor = {bytes.ptr}};
    const int top = lua_gettop(lua);
    struct resp_item item;
    const char type = take_item(&conversion.cursor, &item);

    if (item.kind == RESP_ERROR)
        return reply_push_failure(lua, item.text);
    if (item.kind == RESP_NULL)
        lua_pushnil(lua);
    else if (!push_taken(&conversion, &item, type))
        return refuse_depth(lua, top);
    return 1;
}

int reply_push_all(struct script *script, lua_State *lua, struct str bytes, uint32_t count)
{
    struct conversion conversion = {.script = script, .lua = lua, .cursor = {bytes.ptr}};
    const int top = lua_gettop(lua);

    return push_list(&conversion, count) ? 1 : refuse_depth(lua, top);
}

int reply_push_failure(lua_State *lua, struct str message)
{
    lua_pushnil(lua);
    push_text(lua, message);
    return 2;
}

bool reply_is_error(const struct script *script, lua_State *lua, int at)
{
    if (!lua_istable(lua, at) || !lua_getmetatable(lua, at))
        return false;
    lua_rawgeti(lua, LUA_REGISTRYINDEX, script->error_ref);
    const bool equal = lua_rawequal(lua, -1, -2);
    lua_pop(lua, 2);
    return equal;
}
