/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reply: makes Python objects of replies.
 *
 * bytes, int, float, bool, list, dict, set, None; "OK" is a str, other lines are bytes, as in
 * GLIDE. Of a verbatim string it is the text. An error is an exception object, also inside of
 * others.
 */
#ifndef SCRIPT_PYTHON_REPLY_H
#define SCRIPT_PYTHON_REPLY_H

#include "resp/cursor.h"
#include "script/python/runtime.h"

/* Takes one reply. NULL with an exception: too deep, or without memory; the cursor is then lost. */
PyObject *reply_take(struct runtime *runtime, struct resp_cursor *cursor);

#endif
