/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/group.h"

#include <stdlib.h>

#include "base/mem.h"
#include "script/python/command.h"

struct child {
    PyObject *iterator; /* owned; NULL: it has ended */
    PyObject *wait;     /* owned; what it waits for */
    PyObject *result;   /* owned; once it has ended: a value, or an exception if `raised` */
    bool raised;
};

struct group {
    PyObject_HEAD struct runtime *runtime;
    struct child *children; /* owned */
    size_t count;
    char *bytes; /* owned; of what the children wait for */
    size_t len;
    bool keeps_exceptions;
    bool ended;
};

/* Commands and groups both begin with the runtime. */
static bool is_group(PyObject *wait)
{
    return Py_TYPE(wait) == ((const struct group *)wait)->runtime->group_type;
}

PyObject *wait_open(PyObject *awaitable)
{
    if (PyCoro_CheckExact(awaitable))
        return Py_NewRef(awaitable);
    const PyAsyncMethods *methods = Py_TYPE(awaitable)->tp_as_async;

    if (methods == NULL || methods->am_await == NULL) {
        PyErr_Format(PyExc_TypeError, "an awaitable is required, not %s",
                     Py_TYPE(awaitable)->tp_name);
        return NULL;
    }
    return methods->am_await(awaitable);
}

/* As a generator's throw: the exception is stolen. */
static PySendResult throw_into(struct runtime *runtime, PyObject *iterator, PyObject *exception,
                               PyObject **result)
{
    *result = PyObject_CallMethodObjArgs(iterator, runtime->throw, exception, NULL);
    Py_DECREF(exception);
    if (*result != NULL)
        return PYGEN_NEXT;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    PyObject *stop = runtime_take_exception();

    *result = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *make_refusal(PyObject *yielded)
{
    PyObject *text = PyUnicode_FromFormat(
        "a custom command can await commands of its client and asyncio.gather of them, not %s: "
        "there is no event loop",
        Py_IsNone(yielded) ? "a bare yield" : Py_TYPE(yielded)->tp_name);

    if (text == NULL)
        return runtime_take_exception();
    PyObject *refusal = PyObject_CallOneArg(PyExc_RuntimeError, text);

    Py_DECREF(text);
    return refusal != NULL ? refusal : runtime_take_exception();
}

PySendResult wait_drive(struct runtime *runtime, PyObject *iterator, PyObject **result)
{
    PySendResult status = PyIter_Send(iterator, Py_None, result);

    while (status == PYGEN_NEXT && Py_TYPE(*result) != runtime->command_type &&
           Py_TYPE(*result) != runtime->group_type) {
        PyObject *refusal = make_refusal(*result);

        Py_DECREF(*result);
        status = throw_into(runtime, iterator, refusal, result);
    }
    return status;
}

static void drive_child(struct runtime *runtime, struct child *child)
{
    Py_CLEAR(child->wait);
    PyObject *result = NULL;
    const PySendResult status = wait_drive(runtime, child->iterator, &result);

    if (status == PYGEN_NEXT) {
        child->wait = result;
        return;
    }
    child->raised = status == PYGEN_ERROR;
    child->result = child->raised ? runtime_take_exception() : result;
    Py_CLEAR(child->iterator);
}

/* Returns whether any child waits. */
static bool drive_children(struct group *group)
{
    bool waits = false;

    for (size_t i = 0; i < group->count; i++) {
        struct child *child = &group->children[i];

        if (child->iterator != NULL)
            drive_child(group->runtime, child);
        waits = waits || child->wait != NULL;
    }
    return waits;
}

static void release_children(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        Py_CLEAR(group->children[i].iterator);
        Py_CLEAR(group->children[i].wait);
        Py_CLEAR(group->children[i].result);
    }
    group->count = 0;
}

static PySendResult finish(struct group *group, PyObject **result)
{
    PyObject *error = NULL;
    PyObject *results = PyList_New((Py_ssize_t)group->count);

    group->ended = true;
    for (size_t i = 0; results != NULL && i < group->count; i++) {
        struct child *child = &group->children[i];

        if (child->raised && !group->keeps_exceptions && error == NULL)
            error = Py_NewRef(child->result);
        PyList_SET_ITEM(results, (Py_ssize_t)i, child->result);
        child->result = NULL;
    }
    release_children(group);
    if (results == NULL)
        return PYGEN_ERROR;
    if (error != NULL)
        Py_SETREF(results, error);
    return command_stop(result, results, error != NULL);
}

static PySendResult send(PyObject *self, PyObject *ignored, PyObject **result)
{
    struct group *group = (struct group *)self;

    (void)ignored;
    *result = NULL;
    if (group->ended) {
        PyErr_SetString(PyExc_RuntimeError, "cannot await this gather again");
        return PYGEN_ERROR;
    }
    if (!drive_children(group))
        return finish(group, result);
    *result = Py_NewRef(self);
    return PYGEN_NEXT;
}

static PyObject *next(PyObject *self)
{
    PyObject *value;
    const PySendResult status = send(self, Py_None, &value);

    return command_next(status, value);
}

static void dealloc(PyObject *self)
{
    struct group *group = (struct group *)self;
    PyTypeObject *type = Py_TYPE(self);

    release_children(group);
    free(group->children);
    free(group->bytes);
    PyObject_Free(self);
    Py_DECREF(type);
}

PyTypeObject *group_make_type(void)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, SLOT(dealloc)},
        {Py_am_await, SLOT(PyObject_SelfIter)},
        {Py_tp_iter, SLOT(PyObject_SelfIter)},
        {Py_tp_iternext, SLOT(next)},
        {Py_am_send, SLOT(send)},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "valkey_polyglot.Gather",
        .basicsize = (int)sizeof(struct group),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}

PyObject *group_make(struct runtime *runtime, PyObject *awaitables, bool keeps_exceptions)
{
    const size_t count = (size_t)PyTuple_GET_SIZE(awaitables);
    struct group *group = PyObject_New(struct group, runtime->group_type);

    if (group == NULL)
        return NULL;
    group->runtime = runtime;
    group->children = mem_zalloc(count, sizeof *group->children);
    group->count = count;
    group->bytes = NULL;
    group->len = 0;
    group->keeps_exceptions = keeps_exceptions;
    group->ended = false;
    for (size_t i = 0; i < count; i++) {
        PyObject *iterator = wait_open(PyTuple_GET_ITEM(awaitables, (Py_ssize_t)i));

        if (iterator == NULL) {
            Py_DECREF(group);
            return NULL;
        }
        group->children[i].iterator = iterator;
    }
    return (PyObject *)group;
}

static void append(struct group *group, struct str bytes)
{
    group->bytes = mem_resize(group->bytes, group->len + bytes.len, 1);
    memcpy(group->bytes + group->len, bytes.ptr, bytes.len);
    group->len += bytes.len;
}

struct str wait_collect(PyObject *wait, uint32_t *count)
{
    if (!is_group(wait)) {
        *count += ((struct command *)wait)->count;
        return command_bytes((struct command *)wait);
    }
    struct group *group = (struct group *)wait;

    group->len = 0;
    for (size_t i = 0; i < group->count; i++)
        if (group->children[i].wait != NULL)
            append(group, wait_collect(group->children[i].wait, count));
    return (struct str){group->bytes, group->len};
}

void wait_deliver(PyObject *wait, struct resp_cursor *cursor)
{
    if (!is_group(wait)) {
        command_deliver((struct command *)wait, cursor);
        return;
    }
    struct group *group = (struct group *)wait;

    for (size_t i = 0; i < group->count; i++)
        if (group->children[i].wait != NULL)
            wait_deliver(group->children[i].wait, cursor);
}

void wait_fail(PyObject *wait, PyObject *exception)
{
    if (!is_group(wait)) {
        command_fail((struct command *)wait, exception);
        return;
    }
    struct group *group = (struct group *)wait;

    for (size_t i = 0; i < group->count; i++)
        if (group->children[i].wait != NULL)
            wait_fail(group->children[i].wait, exception);
}
