/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * methods: what the user's code can do with `client`.
 *
 * Each place has a client of its own, a table with the fields `request`, `worker` and `number`. Its
 * methods are good in the execution of that place alone; those that wait for replies do so in its
 * own coroutine, not in one that the user's code has made. Misuse is an error of Lua's.
 */
#ifndef SCRIPT_LUA_METHODS_H
#define SCRIPT_LUA_METHODS_H

#include "script/lua/state.h"

/* Makes the metatables of clients and of errors within replies: methods_ref, error_ref. */
void methods_open(struct script *script);

/* Pushes a new client onto the stack of the script's main thread. */
void methods_push_client(const struct script *script, unsigned place);

#endif
