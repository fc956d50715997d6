/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interpreter: starts and ends CPython in this process.
 *
 * There is one at a time, on one thread, which holds the GIL from start to stop. It leaves signals,
 * the locale and the arguments of the process alone; it knows the packages of VIRTUAL_ENV, and
 * honours PYTHONPATH and its like. The symbols of its library are made visible to extension
 * modules.
 */
#ifndef SCRIPT_PYTHON_INTERPRETER_H
#define SCRIPT_PYTHON_INTERPRETER_H

#include "base/err.h"

/*
 * Starts it; what Python code prints goes to `print_fd`, line by line. Returns 0, or a negative
 * errno with a sentence.
 */
int interpreter_start(int print_fd, struct err *err);
/* Flushes what was printed, waits for threads of the user's and runs what is registered for exit.
 */
void interpreter_stop(void);

#endif
