/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runtime: what all objects of the interpreter that this host runs share.
 *
 * It is made after CPython was started, and outlives CPython's end, since objects of the user's may
 * live until then. Everything here belongs to the worker's thread, which holds the GIL throughout.
 */
#ifndef SCRIPT_PYTHON_RUNTIME_H
#define SCRIPT_PYTHON_RUNTIME_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* A function in the slot of a type, which ISO C does not let one put into a `void *`. */
#define SLOT(function) (__extension__(void *)(function))

struct command;
struct layout;

struct runtime {
    PyTypeObject *command_type, *group_type, *method_type, *client_type, *batch_type; /* owned */
    PyObject *client;       /* owned; the one that every execution gets */
    PyObject *methods;      /* owned; a dict: name -> method of the client */
    PyObject *host;         /* owned; the module host.py */
    PyObject *ok;           /* owned; "OK" */
    PyObject *throw;        /* owned; "throw" */
    struct layout *layouts; /* owned; one a row of the table of methods */
    struct command *spare;  /* commands to be used again, a list */
    unsigned spares;
    PyMethodDef gather, exec; /* CPython wants them for as long as the functions live */
};

/* Makes types, methods, client and modules. Returns 0, or -1 with a Python exception. */
int runtime_init(struct runtime *runtime);
/* Drops what it holds, while CPython is still there: what is left of the user's objects raises. */
void runtime_clear(struct runtime *runtime);
/* False, with an exception, once it was cleared. */
bool runtime_check(const struct runtime *runtime);
/* Frees the rest, once CPython has ended. */
void runtime_deinit(struct runtime *runtime);

/* A new exception of a class of the module glide, NULL with an exception when that fails. */
PyObject *runtime_make_error(struct runtime *runtime, const char *class_name, const char *text,
                             size_t len);

/* The exception that is set, which is no longer: a new reference, with its traceback. */
PyObject *runtime_take_exception(void);
/* Sets an exception; steals it. */
void runtime_raise(PyObject *exception);

#endif
