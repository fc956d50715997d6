/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * argument: writes the argument of a method into a command, in one of the ways of layout.h.
 */
#ifndef SCRIPT_PYTHON_ARGUMENT_H
#define SCRIPT_PYTHON_ARGUMENT_H

#include "script/python/layout.h"

/* str, bytes, int, float and whatever has a buffer or a `value`. Returns 0, or -1 with an
 * exception. */
int argument_write(struct command *command, PyObject *argument);

/* As the part of the layout has it; `argument` may be NULL or None when it was left out. */
int argument_write_part(struct command *command, const struct layout_part *part,
                        PyObject *argument);

#endif
