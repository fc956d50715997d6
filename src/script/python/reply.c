/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/reply.h"

static PyObject *make_bytes(struct str text)
{
    return PyBytes_FromStringAndSize(text.ptr, (Py_ssize_t)text.len);
}

static PyObject *make_float(struct str text)
{
    PyObject *bytes = make_bytes(text);

    if (bytes == NULL)
        return NULL;
    PyObject *number = PyFloat_FromString(bytes);

    Py_DECREF(bytes);
    return number;
}

static PyObject *make_big(struct str text)
{
    PyObject *digits = PyUnicode_DecodeASCII(text.ptr, (Py_ssize_t)text.len, "replace");

    if (digits == NULL)
        return NULL;
    PyObject *number = PyLong_FromUnicodeObject(digits, 10);

    Py_DECREF(digits);
    return number;
}

static PyObject *make_error(struct runtime *runtime, struct str text)
{
    const bool aborted = str_starts(text, STR("EXECABORT"));

    return runtime_make_error(runtime, aborted ? "ExecAbortError" : "RequestError", text.ptr,
                              text.len);
}

static PyObject *take_list(struct runtime *runtime, struct resp_cursor *cursor, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);

    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = reply_take(runtime, cursor);

        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

/* A twin of a container that can be a key, of anything else the thing itself. Steals. */
static PyObject *freeze(PyObject *item)
{
    PyObject *frozen = NULL;

    if (PyList_CheckExact(item)) {
        frozen = PyTuple_New(PyList_GET_SIZE(item));
        for (Py_ssize_t i = 0; frozen != NULL && i < PyList_GET_SIZE(item); i++) {
            PyObject *part = freeze(Py_NewRef(PyList_GET_ITEM(item, i)));

            if (part == NULL)
                Py_CLEAR(frozen);
            else
                PyTuple_SET_ITEM(frozen, i, part);
        }
    } else if (PyAnySet_CheckExact(item)) {
        frozen = PyFrozenSet_New(item);
    } else if (PyDict_CheckExact(item)) {
        PyObject *pairs = PyDict_Items(item);

        frozen = pairs == NULL ? NULL : freeze(pairs);
    } else {
        return item;
    }
    Py_DECREF(item);
    return frozen;
}

static PyObject *take_key(struct runtime *runtime, struct resp_cursor *cursor)
{
    PyObject *item = reply_take(runtime, cursor);

    return item == NULL ? NULL : freeze(item);
}

static PyObject *take_set(struct runtime *runtime, struct resp_cursor *cursor, size_t count)
{
    PyObject *set = PySet_New(NULL);

    for (size_t i = 0; set != NULL && i < count; i++) {
        PyObject *item = take_key(runtime, cursor);

        if (item == NULL || PySet_Add(set, item) != 0)
            Py_CLEAR(set);
        Py_XDECREF(item);
    }
    return set;
}

static PyObject *take_map(struct runtime *runtime, struct resp_cursor *cursor, size_t count)
{
    PyObject *map = PyDict_New();

    for (size_t i = 0; map != NULL && i < count; i += 2) {
        PyObject *key = take_key(runtime, cursor);
        PyObject *value = key == NULL ? NULL : reply_take(runtime, cursor);

        if (value == NULL || PyDict_SetItem(map, key, value) != 0)
            Py_CLEAR(map);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return map;
}

static PyObject *take_aggregate(struct runtime *runtime, struct resp_cursor *cursor,
                                const struct resp_item *item)
{
    if (Py_EnterRecursiveCall(" while a reply was read"))
        return NULL;
    PyObject *made;

    if (item->kind == RESP_MAP)
        made = take_map(runtime, cursor, item->count);
    else if (item->kind == RESP_SET)
        made = take_set(runtime, cursor, item->count);
    else
        made = take_list(runtime, cursor, item->count);
    Py_LeaveRecursiveCall();
    return made;
}

/* The next item that is no attribute; `verbatim` says whether it is such a string. */
static bool take_item(struct runtime *runtime, struct resp_cursor *cursor, struct resp_item *item,
                      bool *verbatim)
{
    for (;;) {
        *verbatim = *cursor->at == '=';
        if (resp_cursor_take(cursor, item))
            return true;
        for (size_t i = 0; i < item->count; i++) {
            PyObject *part = reply_take(runtime, cursor);

            if (part == NULL)
                return false;
            Py_DECREF(part);
        }
    }
}

PyObject *reply_take(struct runtime *runtime, struct resp_cursor *cursor)
{
    struct resp_item item;
    bool verbatim;

    if (!take_item(runtime, cursor, &item, &verbatim))
        return NULL;
    switch (item.kind) {
    case RESP_SIMPLE:
        return str_equal(item.text, STR("OK")) ? Py_NewRef(runtime->ok) : make_bytes(item.text);
    case RESP_ERROR:
        return make_error(runtime, item.text);
    case RESP_INTEGER:
        return PyLong_FromLongLong(item.number);
    case RESP_BULK:
        if (verbatim && item.text.len >= 4)
            item.text = (struct str){item.text.ptr + 4, item.text.len - 4};
        return make_bytes(item.text);
    case RESP_NULL:
        return Py_NewRef(Py_None);
    case RESP_DOUBLE:
        return make_float(item.text);
    case RESP_BOOLEAN:
        return PyBool_FromLong(item.number != 0);
    case RESP_BIG_NUMBER:
        return make_big(item.text);
    default:
        return take_aggregate(runtime, cursor, &item);
    }
}
