/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * group: what this host's asyncio.gather returns, an awaitable of several that go on at the same
 * time.
 *
 * It runs each until all wait, and yields itself; whoever drives sends the commands that they wait
 * for as one step, delivers the replies, and sends None. It ends when all have, with a list of the
 * results; the first exception is raised then, unless exceptions are wanted as results.
 *
 * What a coroutine can wait for is a command or a group, here called a wait.
 */
#ifndef SCRIPT_PYTHON_GROUP_H
#define SCRIPT_PYTHON_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "resp/cursor.h"
#include "script/python/runtime.h"

PyTypeObject *group_make_type(void);

/* gather(*awaitables, return_exceptions=False). NULL with an exception. */
PyObject *group_make(struct runtime *runtime, PyObject *awaitables, bool keeps_exceptions);

/*
 * Runs an awaitable's iterator until it yields a wait (PYGEN_NEXT), returns or raises. Anything
 * else that it yields is refused by an exception that is raised in it.
 */
PySendResult wait_drive(struct runtime *runtime, PyObject *iterator, PyObject **result);

/* The bytes of all commands of a wait, borrowed from it until it is delivered or fails. */
struct str wait_collect(PyObject *wait, uint32_t *count);
void wait_deliver(PyObject *wait, struct resp_cursor *cursor);
void wait_fail(PyObject *wait, PyObject *exception);

/* The iterator behind an awaitable: a new reference, or NULL with an exception. */
PyObject *wait_open(PyObject *awaitable);

#endif
