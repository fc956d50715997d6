/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/failure.h"

#include <lauxlib.h>

#include "base/rng.h"
#include "script/lua/reply.h"

/* Runs protected, since `__tostring` is the user's code. */
static int describe(lua_State *lua)
{
    const struct script *script = lua_touserdata(lua, 1);

    if (lua_isstring(lua, 2))
        lua_tostring(lua, 2);
    else if (reply_is_error(script, lua, 2))
        lua_getfield(lua, 2, "error");
    else if (!luaL_callmeta(lua, 2, "__tostring") || !lua_isstring(lua, -1))
        lua_pushfstring(lua, "(an error that is a %s)", luaL_typename(lua, 2));
    return 1;
}

void failure_describe(struct script *script)
{
    lua_State *lua = script->lua;

    lua_pushcfunction(lua, describe);
    lua_insert(lua, -2);
    lua_pushlightuserdata(lua, script);
    lua_insert(lua, -2);
    if (lua_pcall(lua, 2, 1, 0) == 0)
        return;
    lua_pop(lua, 1);
    lua_pushliteral(lua, "(an error that cannot be shown)");
}

static uint64_t hash(struct str text)
{
    uint64_t sum = text.len;

    for (size_t i = 0; i < text.len; i++)
        sum = rng_mix(sum ^ (unsigned char)text.ptr[i]);
    return sum;
}

/* Whether it was seen before, or so many were that it is taken for seen. */
static bool see(struct script *script, struct str text)
{
    const uint64_t sum = hash(text);

    for (unsigned i = 0; i < script->seen_count; i++)
        if (script->seen[i] == sum)
            return true;
    if (script->seen_count == SEEN_MAX)
        return true;
    script->seen[script->seen_count++] = sum;
    return false;
}

static struct str text_at_top(lua_State *lua)
{
    struct str text;

    text.ptr = lua_tolstring(lua, -1, &text.len);
    return text.ptr ? text : STR("");
}

void failure_write(struct script *script, lua_State *thread, struct bytes *bytes)
{
    lua_State *lua = script->lua;
    const int top = lua_gettop(lua);

    lua_xmove(thread, lua, 1);
    failure_describe(script);
    if (!see(script, text_at_top(lua)))
        luaL_traceback(lua, thread, lua_tostring(lua, -1), 0);
    bytes_add(bytes, text_at_top(lua));
    lua_settop(lua, top);
}

/* A line of at most `size` - 1 bytes: runs of blanks and line ends become one blank, and what ends
 * a sentence is left off. */
static void flatten(struct str text, char *line, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < size - 1; i++) {
        const char c = (unsigned char)text.ptr[i] <= ' ' ? ' ' : text.ptr[i];

        if (c != ' ' || (len && line[len - 1] != ' '))
            line[len++] = c;
    }
    while (len && strchr(".! ", line[len - 1]))
        len--;
    line[len] = '\0';
}

int failure_tell(struct script *script, struct err *err)
{
    char line[sizeof err->text - 1];

    failure_describe(script);
    flatten(text_at_top(script->lua), line, sizeof line);
    lua_pop(script->lua, 1);
    return err_set(err, "%s.", line);
}
