/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/command.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resp/writer.h"
#include "script/python/reply.h"

enum {
    SPARES_MAX = 64,
    SPARE_ROOM_MAX = 16384, /* a larger buffer is freed with its command */
};

static_assert(sizeof(struct command) <= 512, "a command is an object of pymalloc's");

struct command *command_make(struct runtime *runtime, PyObject *name)
{
    struct command *command = runtime->spare;

    if (command != NULL) {
        runtime->spare = command->next;
        runtime->spares--;
        PyObject_Init((PyObject *)command, runtime->command_type);
    } else {
        command = PyObject_New(struct command, runtime->command_type);
        if (command == NULL)
            return NULL;
        command->bytes = command->inlined;
        command->room = sizeof command->inlined;
    }
    command->runtime = runtime;
    command->name = name;
    command->shape = NULL;
    command->reply = NULL;
    command->parts = NULL;
    command->begin = command->end = RESP_HEADER_MAX;
    command->count = 0;
    command->arguments = 0;
    command->state = COMMAND_NEW;
    command->raises = command->strict = command->atomic = false;
    return command;
}

static void free_memory(struct command *command)
{
    if (command->bytes != command->inlined)
        free(command->bytes);
    PyObject_Free(command);
}

void command_free_spares(struct runtime *runtime)
{
    while (runtime->spare != NULL) {
        struct command *command = runtime->spare;

        runtime->spare = command->next;
        free_memory(command);
    }
    runtime->spares = 0;
}

static void warn(const struct command *command)
{
    PyObject *pending = PyErr_Occurred() ? runtime_take_exception() : NULL;

    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "command '%U' was never awaited", command->name) <
        0)
        PyErr_WriteUnraisable(NULL);
    if (pending != NULL)
        runtime_raise(pending);
}

static void dealloc(PyObject *self)
{
    struct command *command = (struct command *)self;
    struct runtime *runtime = command->runtime;
    PyTypeObject *type = Py_TYPE(self);

    if (command->state == COMMAND_NEW)
        warn(command);
    Py_CLEAR(command->reply);
    Py_CLEAR(command->parts);
    if (runtime->spares < SPARES_MAX && command->room <= SPARE_ROOM_MAX) {
        command->next = runtime->spare;
        runtime->spare = command;
        runtime->spares++;
    } else {
        free_memory(command);
    }
    Py_DECREF(type);
}

static void grow(struct command *command, size_t more)
{
    const size_t room = (command->end + more) * 2;

    if (command->bytes == command->inlined) {
        command->bytes = mem_resize(NULL, room, 1);
        memcpy(command->bytes, command->inlined, command->end);
    } else {
        command->bytes = mem_resize(command->bytes, room, 1);
    }
    command->room = room;
}

static void reserve(struct command *command, size_t more)
{
    if (command->room - command->end < more)
        grow(command, more);
}

void command_begin(struct command *command, struct str words, uint32_t arguments)
{
    reserve(command, words.len);
    memcpy(command->bytes + command->end, words.ptr, words.len);
    command->end += words.len;
    command->arguments = arguments;
}

void command_add(struct command *command, struct str argument)
{
    reserve(command, argument.len + RESP_BULK_EXTRA);
    command->end =
        (size_t)(resp_write_bulk(command->bytes + command->end, argument) - command->bytes);
    command->arguments++;
}

/* How many arguments there are is known last, and is written into the room left for it. */
void command_finish(struct command *command)
{
    const size_t len = resp_number_digits(command->arguments) + 3;

    assert(command->begin == RESP_HEADER_MAX);
    command->begin -= len;
    resp_write_array(command->bytes + command->begin, command->arguments);
    command->count = 1;
}

void command_append(struct command *command, const struct command *other)
{
    const struct str bytes = command_bytes(other);

    reserve(command, bytes.len);
    memcpy(command->bytes + command->end, bytes.ptr, bytes.len);
    command->end += bytes.len;
    command->count += other->count;
}

static PyObject *shape_reply(PyObject *reply, shape_fn *shape)
{
    if (reply == NULL || shape == NULL || PyExceptionInstance_Check(reply))
        return reply;
    return shape(reply);
}

static const struct command *part_of(const struct command *command, Py_ssize_t i)
{
    return (const struct command *)PyList_GET_ITEM(command->parts, i);
}

/* The replies to the commands of a pipeline: a list. */
static PyObject *take_pipeline(struct command *command, struct resp_cursor *cursor)
{
    const Py_ssize_t count = PyList_GET_SIZE(command->parts);
    PyObject *results = PyList_New(count);

    for (Py_ssize_t i = 0; results != NULL && i < count; i++) {
        PyObject *result =
            shape_reply(reply_take(command->runtime, cursor), part_of(command, i)->shape);

        if (result == NULL)
            Py_CLEAR(results);
        else
            PyList_SET_ITEM(results, i, result);
    }
    return results;
}

/* The reply to EXEC is what counts: a list, None when a watched key was touched, or an error. */
static PyObject *take_transaction(struct command *command, struct resp_cursor *cursor)
{
    for (uint32_t i = 1; i < command->count; i++) {
        PyObject *queued = reply_take(command->runtime, cursor);

        if (queued == NULL)
            return NULL;
        Py_DECREF(queued);
    }
    PyObject *results = reply_take(command->runtime, cursor);

    if (results == NULL || !PyList_CheckExact(results) ||
        PyList_GET_SIZE(results) != PyList_GET_SIZE(command->parts))
        return results;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(results); i++) {
        PyObject *plain = Py_NewRef(PyList_GET_ITEM(results, i));
        PyObject *result = shape_reply(plain, part_of(command, i)->shape);

        if (result == NULL || PyList_SetItem(results, i, result) != 0) {
            Py_DECREF(results);
            return NULL;
        }
    }
    return results;
}

/* The first error among the results of a batch, or NULL; borrowed. */
static PyObject *find_error(PyObject *results)
{
    if (PyList_CheckExact(results))
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(results); i++)
            if (PyExceptionInstance_Check(PyList_GET_ITEM(results, i)))
                return PyList_GET_ITEM(results, i);
    return NULL;
}

void command_deliver(struct command *command, struct resp_cursor *cursor)
{
    if (command->parts == NULL)
        command->reply = shape_reply(reply_take(command->runtime, cursor), command->shape);
    else if (command->atomic)
        command->reply = take_transaction(command, cursor);
    else
        command->reply = take_pipeline(command, cursor);
    if (command->reply == NULL)
        command->reply = runtime_take_exception();
    else if (command->strict && find_error(command->reply) != NULL)
        Py_SETREF(command->reply, Py_NewRef(find_error(command->reply)));
    command->raises = PyExceptionInstance_Check(command->reply);
}

void command_fail(struct command *command, PyObject *exception)
{
    command->reply = Py_NewRef(exception);
    command->raises = true;
}

PySendResult command_stop(PyObject **result, PyObject *value, bool raises)
{
    if (!raises) {
        *result = value;
        return PYGEN_RETURN;
    }
    *result = NULL;
    runtime_raise(value);
    return PYGEN_ERROR;
}

PyObject *command_next(PySendResult status, PyObject *value)
{
    if (status == PYGEN_NEXT)
        return value;
    if (status == PYGEN_RETURN) {
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);

        Py_DECREF(value);
        if (stop != NULL)
            runtime_raise(stop);
    }
    return NULL;
}

static PySendResult send(PyObject *self, PyObject *ignored, PyObject **result)
{
    struct command *command = (struct command *)self;

    (void)ignored;
    *result = NULL;
    if (command->state == COMMAND_NEW) {
        command->state = command->count > 0 ? COMMAND_WAITS : COMMAND_DONE;
        *result = command->count > 0 ? Py_NewRef(self) : PyList_New(0);
        return command->count > 0 ? PYGEN_NEXT : PYGEN_RETURN;
    }
    if (command->state != COMMAND_WAITS || command->reply == NULL) {
        PyErr_Format(PyExc_RuntimeError, "cannot await the command '%U' again", command->name);
        return PYGEN_ERROR;
    }
    PyObject *reply = command->reply;

    command->reply = NULL;
    command->state = COMMAND_DONE;
    return command_stop(result, reply, command->raises);
}

static PyObject *next(PyObject *self)
{
    PyObject *value;
    const PySendResult status = send(self, Py_None, &value);

    return command_next(status, value);
}

PyTypeObject *command_make_type(void)
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
        .name = "valkey_polyglot.Command",
        .basicsize = (int)sizeof(struct command),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}
