/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arguments: values of Lua as commands in RESP.
 *
 * Strings are sent as they are, whatever bytes they hold. Numbers are sent in decimal: whole ones
 * without a fraction, others with as many digits as it takes to read the same number again; the
 * 64-bit integers of LuaJIT as what they are. Nothing else has one obvious meaning as an argument,
 * so everything else is refused, as an error of Lua's that names the argument.
 */
#ifndef SCRIPT_LUA_ARGUMENTS_H
#define SCRIPT_LUA_ARGUMENTS_H

#include "script/lua/state.h"

/* Appends the command that the values from `first` to the top of the stack are. */
void arguments_write(struct script *script, lua_State *lua, int first, struct bytes *bytes);

/* Appends the command that the items of the table on top of the stack are; `number` is its own in
 * the pipeline, for the error. */
void arguments_write_table(struct script *script, lua_State *lua, int number, struct bytes *bytes);

#endif
