/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * raise: an error of Lua's out of a C function, for compilers a call that does not return.
 */
#ifndef SCRIPT_LUA_RAISE_H
#define SCRIPT_LUA_RAISE_H

#include <stdarg.h>
#include <stdlib.h>

#include <lauxlib.h>

/* `format` is one of lua_pushfstring(); where the user's code called comes before the text. */
__attribute__((noreturn)) static inline void raise_error(lua_State *lua, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    luaL_where(lua, 1);
    lua_pushvfstring(lua, format, values);
    va_end(values);
    lua_concat(lua, 2);
    lua_error(lua);
    abort();
}

#endif
