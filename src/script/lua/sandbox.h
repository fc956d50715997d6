/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sandbox: what of Lua's own library is otherwise in a script.
 *
 * print() writes to where the user's printing goes, a line at once; os.exit() is refused; the
 * file's folder comes first in package.path; math.random() is seeded by the run and the worker. It
 * is no protection: the user's code may do what the user may.
 */
#ifndef SCRIPT_LUA_SANDBOX_H
#define SCRIPT_LUA_SANDBOX_H

#include "script/lua/state.h"

void sandbox_open(struct script *script);

#endif
