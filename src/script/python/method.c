/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/method.h"

#include <stddef.h>
#include <structmember.h>

#include "base/mem.h"

struct method {
    PyObject_HEAD vectorcallfunc call;
    struct runtime *runtime;
    const struct layout *layout;
    struct batch *batch; /* owned; NULL: of the client */
};

struct client {
    PyObject_HEAD struct runtime *runtime;
};

struct batch {
    PyObject_HEAD struct runtime *runtime;
    PyObject *commands; /* owned; a list */
    char atomic;
};

static PyObject *add_to_batch(struct batch *batch, PyObject *command)
{
    ((struct command *)command)->state = COMMAND_PART;
    const int status = PyList_Append(batch->commands, command);

    Py_DECREF(command);
    return status == 0 ? Py_NewRef(batch) : NULL;
}

static PyObject *call(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    const struct method *method = (const struct method *)self;

    if (!runtime_check(method->runtime))
        return NULL;
    PyObject *command = layout_encode(method->layout, method->runtime, arguments,
                                      (size_t)PyVectorcall_NARGS(count), names);

    if (command == NULL || method->batch == NULL)
        return command;
    return add_to_batch(method->batch, command);
}

static void dealloc_method(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((struct method *)self)->batch);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *represent_method(PyObject *self)
{
    return PyUnicode_FromFormat("<command method '%U'>", ((struct method *)self)->layout->name);
}

PyTypeObject *method_make_type(void)
{
    PyMemberDef members[] = {
        {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct method, call), READONLY, NULL},
        {NULL, 0, 0, 0, NULL},
    };
    PyType_Slot slots[] = {
        {Py_tp_dealloc, SLOT(dealloc_method)},
        {Py_tp_call, SLOT(PyVectorcall_Call)},
        {Py_tp_repr, SLOT(represent_method)},
        {Py_tp_members, members},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "valkey_polyglot.Method",
        .basicsize = (int)sizeof(struct method),
        .flags =
            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}

static PyObject *make_method(struct runtime *runtime, const struct layout *layout,
                             struct batch *batch)
{
    struct method *method = PyObject_New(struct method, runtime->method_type);

    if (method == NULL)
        return NULL;
    method->call = call;
    method->runtime = runtime;
    method->layout = layout;
    method->batch = (struct batch *)Py_XNewRef(batch);
    return (PyObject *)method;
}

static size_t count_rows(void)
{
    size_t count = 0;

    while (method_rows[count].name != NULL)
        count++;
    return count;
}

static bool add_method(struct runtime *runtime, size_t i, PyObject *methods)
{
    struct layout *layout = &runtime->layouts[i];

    if (layout_init(layout, &method_rows[i]) != 0)
        return false;
    PyObject *method = make_method(runtime, layout, NULL);
    const bool added = method != NULL && PyDict_SetItem(methods, layout->name, method) == 0;

    Py_XDECREF(method);
    return added;
}

PyObject *method_make_dict(struct runtime *runtime)
{
    const size_t count = count_rows();
    PyObject *methods = PyDict_New();

    runtime->layouts = mem_zalloc(count, sizeof *runtime->layouts);
    for (size_t i = 0; methods != NULL && i < count; i++)
        if (!add_method(runtime, i, methods))
            Py_CLEAR(methods);
    return methods;
}

void method_clear_layouts(struct runtime *runtime)
{
    for (size_t i = 0; runtime->layouts != NULL && i < count_rows(); i++)
        layout_deinit(&runtime->layouts[i]);
}

/* "__x__" is Python's own to look for. */
static PyObject *refuse_name(PyObject *self, PyObject *name)
{
    if (PyErr_ExceptionMatches(PyExc_AttributeError) && PyUnicode_Check(name) &&
        PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) != '_')
        PyErr_Format(PyExc_AttributeError,
                     "'%s' has no method '%U' here; %s(['COMMAND', ...]) sends any command",
                     Py_TYPE(self)->tp_name, name, "custom_command");
    return NULL;
}

static PyObject *get_of_client(PyObject *self, PyObject *name)
{
    const struct runtime *runtime = ((const struct client *)self)->runtime;

    if (!runtime_check(runtime))
        return NULL;
    PyObject *method = PyDict_GetItemWithError(runtime->methods, name);

    if (method != NULL)
        return Py_NewRef(method);
    if (PyErr_Occurred())
        return NULL;
    PyObject *found = PyObject_GenericGetAttr(self, name);

    return found != NULL ? found : refuse_name(self, name);
}

static void dealloc_client(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

PyTypeObject *client_make_type(void)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, SLOT(dealloc_client)},
        {Py_tp_getattro, SLOT(get_of_client)},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "glide.GlideClient",
        .basicsize = (int)sizeof(struct client),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}

PyObject *client_make(struct runtime *runtime)
{
    struct client *client = PyObject_New(struct client, runtime->client_type);

    if (client != NULL)
        client->runtime = runtime;
    return (PyObject *)client;
}

/* Methods of the table come bound to the batch; exec and the like are none of its. */
static PyObject *get_of_batch(PyObject *self, PyObject *name)
{
    struct batch *batch = (struct batch *)self;

    if (batch->runtime == NULL || batch->runtime->methods == NULL)
        return PyObject_GenericGetAttr(self, name);
    PyObject *method = PyDict_GetItemWithError(batch->runtime->methods, name);

    if (method != NULL && Py_TYPE(method) == batch->runtime->method_type)
        return make_method(batch->runtime, ((struct method *)method)->layout, batch);
    if (PyErr_Occurred())
        return NULL;
    PyObject *found = PyObject_GenericGetAttr(self, name);

    return found != NULL ? found : refuse_name(self, name);
}

static int init_batch(PyObject *self, PyObject *arguments, PyObject *names)
{
    char *keywords[] = {(char[]){"is_atomic"}, NULL};
    struct batch *batch = (struct batch *)self;
    int atomic;

    if (!PyArg_ParseTupleAndKeywords(arguments, names, "p", keywords, &atomic))
        return -1;
    PyObject *home = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_runtime");

    batch->runtime = home == NULL ? NULL : PyCapsule_GetPointer(home, NULL);
    Py_XDECREF(home);
    batch->atomic = (char)atomic;
    Py_XSETREF(batch->commands, PyList_New(0));
    return batch->runtime != NULL && batch->commands != NULL ? 0 : -1;
}

static int visit_batch(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct batch *)self)->commands);
    return 0;
}

static int clear_batch(PyObject *self)
{
    Py_CLEAR(((struct batch *)self)->commands);
    return 0;
}

static void dealloc_batch(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear_batch(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyTypeObject *batch_make_type(void)
{
    PyMemberDef members[] = {
        {"commands", T_OBJECT, offsetof(struct batch, commands), READONLY, NULL},
        {"is_atomic", T_BOOL, offsetof(struct batch, atomic), READONLY, NULL},
        {NULL, 0, 0, 0, NULL},
    };
    PyType_Slot slots[] = {
        {Py_tp_new, SLOT(PyType_GenericNew)},
        {Py_tp_init, SLOT(init_batch)},
        {Py_tp_dealloc, SLOT(dealloc_batch)},
        {Py_tp_traverse, SLOT(visit_batch)},
        {Py_tp_clear, SLOT(clear_batch)},
        {Py_tp_getattro, SLOT(get_of_batch)},
        {Py_tp_members, members},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "valkey_polyglot.Batch",
        .basicsize = (int)sizeof(struct batch),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}

static void append_word(struct command *all, const char *word, size_t len)
{
    command_begin(all, (struct str){word, len}, 0);
    all->count++;
}

/* Users see the list, and may have put something else into it, or never have made one. */
static bool is_sound(const struct runtime *runtime, const struct batch *batch)
{
    bool sound = batch->commands != NULL;

    for (Py_ssize_t i = 0; sound && i < PyList_GET_SIZE(batch->commands); i++)
        sound = PyObject_TypeCheck(PyList_GET_ITEM(batch->commands, i), runtime->command_type);
    if (!sound)
        PyErr_SetString(PyExc_TypeError, "this batch holds what its methods have not put there");
    return sound;
}

PyObject *batch_exec(struct runtime *runtime, PyObject *object, bool strict)
{
    if (!PyObject_TypeCheck(object, runtime->batch_type)) {
        PyErr_Format(PyExc_TypeError, "a batch is required, not %s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    const struct batch *batch = (const struct batch *)object;
    if (!is_sound(runtime, batch))
        return NULL;
    PyObject *parts = PyList_GetSlice(batch->commands, 0, PyList_GET_SIZE(batch->commands));
    struct command *all = parts == NULL ? NULL : command_make(runtime, NULL);

    if (all == NULL) {
        Py_XDECREF(parts);
        return NULL;
    }
    all->name = PyUnicode_InternFromString("exec");
    Py_XDECREF(all->name);
    all->parts = parts;
    all->strict = strict;
    all->atomic = batch->atomic && PyList_GET_SIZE(parts) > 0;
    if (all->atomic)
        append_word(all, "*1\r\n$5\r\nMULTI\r\n", 15);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(parts); i++)
        command_append(all, (const struct command *)PyList_GET_ITEM(parts, i));
    if (all->atomic)
        append_word(all, "*1\r\n$4\r\nEXEC\r\n", 14);
    return (PyObject *)all;
}
