/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/runtime.h"

#include <stdlib.h>

#include "script/python/embedded.h"
#include "script/python/group.h"
#include "script/python/method.h"

/* NULL with an exception when the script was dropped, and this is called while CPython ends. */
static struct runtime *runtime_of(PyObject *capsule)
{
    struct runtime *runtime = PyCapsule_GetPointer(capsule, NULL);

    return runtime_check(runtime) ? runtime : NULL;
}

static PyObject *gather(PyObject *self, PyObject *arguments, PyObject *names)
{
    char *keywords[] = {(char[]){"return_exceptions"}, NULL};
    PyObject *nothing = PyTuple_New(0);
    int keeps_exceptions = 0;
    const bool parsed = nothing != NULL && PyArg_ParseTupleAndKeywords(nothing, names, "|$p:gather",
                                                                       keywords, &keeps_exceptions);

    Py_XDECREF(nothing);
    struct runtime *runtime = parsed ? runtime_of(self) : NULL;

    return runtime == NULL ? NULL : group_make(runtime, arguments, keeps_exceptions != 0);
}

static PyObject *exec_batch(PyObject *self, PyObject *arguments)
{
    PyObject *batch;
    int strict;

    if (!PyArg_ParseTuple(arguments, "Op:exec", &batch, &strict))
        return NULL;
    struct runtime *runtime = runtime_of(self);

    return runtime == NULL ? NULL : batch_exec(runtime, batch, strict != 0);
}

/* Steals the value. */
static int add(PyObject *module, const char *name, PyObject *value)
{
    const int status = value == NULL ? -1 : PyModule_AddObjectRef(module, name, value);

    Py_XDECREF(value);
    return status;
}

static int add_functions(PyObject *module, PyObject *capsule, struct runtime *runtime)
{
    runtime->gather = (PyMethodDef){"gather", (PyCFunction)(void (*)(void))gather,
                                    METH_VARARGS | METH_KEYWORDS, NULL};
    runtime->exec = (PyMethodDef){"exec_batch", exec_batch, METH_VARARGS, NULL};
    const int status = add(module, "gather", PyCFunction_New(&runtime->gather, capsule));

    return status != 0 ? status
                       : add(module, "exec_batch", PyCFunction_New(&runtime->exec, capsule));
}

/* The module that host.py and glide.py build on. */
static int make_native_module(struct runtime *runtime)
{
    PyObject *module = PyImport_AddModule("_valkey_polyglot"); /* borrowed */
    PyObject *capsule = PyCapsule_New(runtime, NULL, NULL);
    int status = module == NULL || capsule == NULL ? -1 : add_functions(module, capsule, runtime);

    if (status == 0)
        status = PyObject_SetAttrString((PyObject *)runtime->batch_type, "_runtime", capsule);
    Py_XDECREF(capsule);
    if (status == 0)
        status = add(module, "Client", Py_NewRef(runtime->client_type));
    if (status == 0)
        status = add(module, "Batch", Py_NewRef(runtime->batch_type));
    if (status == 0)
        status = add(module, "client", Py_NewRef(runtime->client));
    if (status == 0)
        status = add(module, "methods", Py_NewRef(runtime->methods));
    if (status == 0)
        status = add(module, "glide_source", PyUnicode_FromString(embedded_glide));
    return status;
}

static PyObject *import_host(void)
{
    PyObject *code = Py_CompileString(embedded_host, "valkey-polyglot/host.py", Py_file_input);
    PyObject *module = code == NULL ? NULL : PyImport_ExecCodeModule("_valkey_polyglot_host", code);

    Py_XDECREF(code);
    return module;
}

int runtime_init(struct runtime *runtime)
{
    runtime->command_type = command_make_type();
    runtime->group_type = group_make_type();
    runtime->method_type = method_make_type();
    runtime->client_type = client_make_type();
    runtime->batch_type = batch_make_type();
    runtime->ok = PyUnicode_InternFromString("OK");
    runtime->throw = PyUnicode_InternFromString("throw");
    if (PyErr_Occurred())
        return -1;
    runtime->methods = method_make_dict(runtime);
    runtime->client = runtime->methods == NULL ? NULL : client_make(runtime);
    if (runtime->client == NULL || make_native_module(runtime) != 0)
        return -1;
    runtime->host = import_host();
    return runtime->host != NULL ? 0 : -1;
}

bool runtime_check(const struct runtime *runtime)
{
    if (runtime->methods != NULL)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "the run is over");
    return false;
}

void runtime_clear(struct runtime *runtime)
{
    PyObject *ended =
        runtime->host == NULL ? NULL : PyObject_CallMethod(runtime->host, "end", NULL);

    Py_XDECREF(ended);
    PyErr_Clear();
    Py_CLEAR(runtime->host);
    Py_CLEAR(runtime->client);
    Py_CLEAR(runtime->methods);
    Py_CLEAR(runtime->ok);
    Py_CLEAR(runtime->throw);
    method_clear_layouts(runtime);
    command_free_spares(runtime);
    Py_CLEAR(runtime->command_type);
    Py_CLEAR(runtime->group_type);
    Py_CLEAR(runtime->method_type);
    Py_CLEAR(runtime->client_type);
    Py_CLEAR(runtime->batch_type);
}

void runtime_deinit(struct runtime *runtime)
{
    free(runtime->layouts);
    runtime->layouts = NULL;
}

PyObject *runtime_make_error(struct runtime *runtime, const char *class_name, const char *text,
                             size_t len)
{
    PyObject *decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, "replace");

    if (decoded == NULL)
        return NULL;
    PyObject *error = PyObject_CallMethod(runtime->host, "make_error", "sO", class_name, decoded);

    Py_DECREF(decoded);
    return error;
}

PyObject *runtime_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

void runtime_raise(PyObject *exception)
{
#if PY_VERSION_HEX >= 0x030c0000
    PyErr_SetRaisedException(exception);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(exception)), exception, PyException_GetTraceback(exception));
#endif
}
