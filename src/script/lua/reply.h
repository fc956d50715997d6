/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reply: replies as values of Lua.
 *
 *   simple, bulk, verbatim   a string; of a verbatim one without its "txt:"
 *   integer                  a number; beyond 2^53, where numbers have gaps, an int64_t of LuaJIT's
 *   double                   a number
 *   big number               its digits, a string
 *   boolean                  a boolean
 *   null                     nil; within a reply the lightuserdata NULL, so that lengths hold
 *   array, set               a table from 1
 *   map                      a table from key to value
 *   error                    nil and the message; within a reply a table whose field `error` is it
 *
 * The bytes are whole replies. Aggregates may be nested REPLY_DEPTH_MAX deep; one that is deeper is
 * an error that says so. What is pushed lands on the thread that waits, without running it.
 */
#ifndef SCRIPT_LUA_REPLY_H
#define SCRIPT_LUA_REPLY_H

#include "script/lua/state.h"

enum { REPLY_DEPTH_MAX = 128 };

/* Pushes the reply to a command; returns how many values that are: one, or two for an error. */
int reply_push(struct script *script, lua_State *lua, struct str bytes);

/* Pushes a table of `count` replies, each as within a reply; returns as reply_push(). */
int reply_push_all(struct script *script, lua_State *lua, struct str bytes, uint32_t count);

/* Pushes nil and a message: what a call returns when there is no reply. */
int reply_push_failure(lua_State *lua, struct str message);

/* Whether the value at `at` is an error within a reply. */
bool reply_is_error(const struct script *script, lua_State *lua, int at);

#endif
