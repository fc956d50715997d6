/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shape: makes of a reply the type that GLIDE's clients give it, by the command that it answers.
 *
 * A reply of RESP2 does not say that its strings are numbers or its pairs a map; GLIDE knows by the
 * name. Already right ones, as RESP3 has most, stay as they are, as does what does not fit.
 *
 * Types: those of valkey-GLIDE's Python client.
 */
#ifndef SCRIPT_PYTHON_SHAPE_H
#define SCRIPT_PYTHON_SHAPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/str.h"

/* Steals a reply and returns what becomes of it, or NULL with an exception. */
typedef PyObject *shape_fn(PyObject *plain);

/* The shape of a command's reply, by its bytes: one RESP array. NULL: as it came. */
shape_fn *shape_find(struct str command);

#endif
