/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * method: what a user calls on a client or a batch.
 *
 * A client's method returns a command to be awaited; a batch's adds the command to the batch and
 * returns the batch, as GLIDE's do. Both know the same names.
 */
#ifndef SCRIPT_PYTHON_METHOD_H
#define SCRIPT_PYTHON_METHOD_H

#include "script/python/layout.h"

PyTypeObject *method_make_type(void);
PyTypeObject *client_make_type(void);
PyTypeObject *batch_make_type(void);

/* The client's methods of the table: a new dict, or NULL with an exception. */
PyObject *method_make_dict(struct runtime *runtime);

/* Drops what the layouts of the table hold of CPython's. */
void method_clear_layouts(struct runtime *runtime);

PyObject *client_make(struct runtime *runtime);

/*
 * The commands of a batch as one that can be awaited; the batch can be used again. `strict`: an
 * error among the results is raised. NULL with an exception: this is no batch of ours.
 */
PyObject *batch_exec(struct runtime *runtime, PyObject *object, bool strict);

#endif
