/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader: the user's file, from its text to a script whose `execute` can be called.
 *
 * What the file offers (init, execute, options) are fields of the table that it returns, or its
 * globals. Errors are sentences that name the file, and the line where that is known.
 */
#ifndef SCRIPT_LUA_LOADER_H
#define SCRIPT_LUA_LOADER_H

#include "script/lua/state.h"

/* Runs the file, and leaves what it returned on the main thread's stack, for the others. Returns 0
 * or a negative errno with a sentence. */
int loader_run_file(struct script *script, struct err *err);

/* Adds the options that the file declares; returns likewise, -EINVAL for a list that is none. */
int loader_read_options(struct script *script, struct script_option_list *list, struct err *err);

/* Finds `execute`: execute_ref. Returns likewise, -EINVAL when there is none. */
int loader_find_execute(struct script *script, struct err *err);

/* Calls `init`, if there is one, with the settings. Returns likewise, -EINVAL when it fails. */
int loader_call_init(struct script *script, const struct script_option_list *list, struct err *err);

#endif
