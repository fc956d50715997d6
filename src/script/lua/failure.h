/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure: texts of what went wrong in the user's code.
 */
#ifndef SCRIPT_LUA_FAILURE_H
#define SCRIPT_LUA_FAILURE_H

#include "script/lua/state.h"

/* Replaces the value on top of the stack of the script's main thread, which was thrown or returned,
 * by a string that tells it. */
void failure_describe(struct script *script);

/*
 * Writes what the error on top of a thread's stack says to `bytes`: with a traceback the first time
 * that it is met, as long as SEEN_MAX others have not been. The thread must not be used any more.
 */
void failure_write(struct script *script, lua_State *thread, struct bytes *bytes);

/* Fills `err` with the error on top of the main thread's stack, which is taken off, as one sentence
 * on one line. Returns -EINVAL. */
int failure_tell(struct script *script, struct err *err);

#endif
