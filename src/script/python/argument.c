/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/argument.h"

#include <stdio.h>

static int write_buffer(struct command *command, PyObject *argument)
{
    Py_buffer view;

    if (PyObject_GetBuffer(argument, &view, PyBUF_SIMPLE) != 0)
        return -1;
    command_add(command, (struct str){view.buf, (size_t)view.len});
    PyBuffer_Release(&view);
    return 0;
}

static int write_text(struct command *command, PyObject *text)
{
    Py_ssize_t len;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &len);

    if (utf8 == NULL)
        return -1;
    command_add(command, (struct str){utf8, (size_t)len});
    return 0;
}

/* Steals what `str` or `repr` gave. */
static int write_made_text(struct command *command, PyObject *text)
{
    if (text == NULL)
        return -1;
    const int status = write_text(command, text);

    Py_DECREF(text);
    return status;
}

static int write_int(struct command *command, PyObject *number)
{
    int overflow;
    const long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    char digits[24];

    if (overflow != 0)
        return write_made_text(command, PyLong_Type.tp_repr(number));
    if (value == -1 && PyErr_Occurred())
        return -1;
    const int len = snprintf(digits, sizeof digits, "%lld", value);

    command_add(command, (struct str){digits, (size_t)len});
    return 0;
}

static int write_value(struct command *command, PyObject *argument)
{
    PyObject *value = PyObject_GetAttrString(argument, "value");

    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "an argument must be str, bytes, int or float, not %s",
                     Py_TYPE(argument)->tp_name);
        return -1;
    }
    int status = -1;

    if (Py_EnterRecursiveCall(" in the value of an argument") == 0) {
        status = argument_write(command, value);
        Py_LeaveRecursiveCall();
    }
    Py_DECREF(value);
    return status;
}

int argument_write(struct command *command, PyObject *argument)
{
    if (PyUnicode_Check(argument))
        return write_text(command, argument);
    if (PyBytes_Check(argument)) {
        command_add(command,
                    (struct str){PyBytes_AS_STRING(argument), (size_t)PyBytes_GET_SIZE(argument)});
        return 0;
    }
    if (PyLong_Check(argument))
        return write_int(command, argument);
    if (PyFloat_Check(argument))
        return write_made_text(command, PyFloat_Type.tp_repr(argument));
    if (PyObject_CheckBuffer(argument))
        return write_buffer(command, argument);
    return write_value(command, argument);
}

static int write_word(struct command *command, struct str word)
{
    command_add(command, word);
    return 0;
}

static int write_count(struct command *command, PyObject *argument)
{
    const Py_ssize_t count = PyObject_Size(argument);
    char digits[24];

    if (count < 0)
        return -1;
    const int len = snprintf(digits, sizeof digits, "%zd", count);

    command_add(command, (struct str){digits, (size_t)len});
    return 0;
}

/* A list of an argument that must be one: a str is a likely mistake for a list of one. */
static PyObject *open_list(PyObject *argument)
{
    if (PyUnicode_Check(argument) || PyBytes_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "a list is required, not %s", Py_TYPE(argument)->tp_name);
        return NULL;
    }
    return PySequence_Fast(argument, "a list is required");
}

/* The pairs of a map, or a list of them. */
static PyObject *open_pairs(PyObject *argument)
{
    if (!PyDict_Check(argument) && PyObject_HasAttrString(argument, "items")) {
        PyObject *items = PyMapping_Items(argument);

        return items;
    }
    return PyDict_Check(argument) ? PyDict_Items(argument) : open_list(argument);
}

static int write_each(struct command *command, PyObject *argument, struct str word)
{
    PyObject *list = open_list(argument);
    int status = list == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(list); i++) {
        if (word.len > 0)
            command_add(command, word);
        status = argument_write(command, PySequence_Fast_GET_ITEM(list, i));
    }
    Py_XDECREF(list);
    return status;
}

static int write_attribute(struct command *command, PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);

    if (value == NULL)
        return -1;
    const int status = argument_write(command, value);

    Py_DECREF(value);
    return status;
}

static int write_place(struct command *command, PyObject *place)
{
    const int status = write_attribute(command, place, "longitude");

    return status != 0 ? status : write_attribute(command, place, "latitude");
}

static int write_pair(struct command *command, char kind, PyObject *first, PyObject *second)
{
    switch (kind) {
    case 'k':
        return argument_write(command, first);
    case 'v':
    case 'W':
        return argument_write(command, second);
    case 'r':
        return argument_write(command, second) != 0 ? -1 : argument_write(command, first);
    case 'g':
        return write_place(command, second) != 0 ? -1 : argument_write(command, first);
    default:
        return argument_write(command, first) != 0 ? -1 : argument_write(command, second);
    }
}

static int write_pairs(struct command *command, char kind, PyObject *argument)
{
    PyObject *pairs = open_pairs(argument);
    int status = pairs == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(pairs); i++) {
        PyObject *pair = PySequence_Fast(PySequence_Fast_GET_ITEM(pairs, i), "pairs are required");

        if (pair != NULL && PySequence_Fast_GET_SIZE(pair) == 2)
            status = write_pair(command, kind, PySequence_Fast_GET_ITEM(pair, 0),
                                PySequence_Fast_GET_ITEM(pair, 1));
        else
            status = -1;
        if (status != 0 && !PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "pairs are required");
        Py_XDECREF(pair);
    }
    Py_XDECREF(pairs);
    return status;
}

static int write_call(struct command *command, PyObject *object, const char *method)
{
    PyObject *list = PyObject_CallMethod(object, method, NULL);
    const int status = list == NULL ? -1 : write_each(command, list, (struct str){NULL, 0});

    Py_XDECREF(list);
    return status;
}

/* GLIDE's options write their arguments by one of three methods; an enum has a value. */
static int write_options(struct command *command, PyObject *options)
{
    static const char *const methods[] = {"to_args", "get_cmd_args", "_to_args"};

    for (size_t i = 0; i < COUNT(methods); i++)
        if (PyObject_HasAttrString(options, methods[i]))
            return write_call(command, options, methods[i]);
    if (PyObject_HasAttrString(options, "to_arg")) {
        PyObject *one = PyObject_CallMethod(options, "to_arg", NULL);
        const int status = one == NULL ? -1 : argument_write(command, one);

        Py_XDECREF(one);
        return status;
    }
    return argument_write(command, options);
}

static int write_each_options(struct command *command, PyObject *argument)
{
    PyObject *list = open_list(argument);
    int status = list == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(list); i++)
        status = write_options(command, PySequence_Fast_GET_ITEM(list, i));
    Py_XDECREF(list);
    return status;
}

/* Infinities hold both their spellings in a dict, other bounds their own in a str. */
static int write_bound(struct command *command, PyObject *bound, const char *spelling)
{
    PyObject *value = PyObject_GetAttrString(bound, "value");

    if (value != NULL && PyDict_Check(value))
        Py_SETREF(value, Py_XNewRef(PyDict_GetItemString(value, spelling)));
    const int status = value == NULL ? -1 : argument_write(command, value);

    Py_XDECREF(value);
    if (status != 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a bound is required");
    return status;
}

static int write_limit(struct command *command, PyObject *limit)
{
    if (Py_IsNone(limit))
        return 0;
    command_add(command, STR("LIMIT"));
    const int status = write_attribute(command, limit, "offset");

    return status != 0 ? status : write_attribute(command, limit, "count");
}

static int write_range(struct command *command, PyObject *range)
{
    const char *type = Py_TYPE(range)->tp_name;

    if (write_attribute(command, range, "start") != 0 ||
        write_attribute(command, range, "end") != 0)
        return -1;
    if (strstr(type, "RangeByScore") != NULL)
        command_add(command, STR("BYSCORE"));
    else if (strstr(type, "RangeByLex") != NULL)
        command_add(command, STR("BYLEX"));
    return 0;
}

static int write_range_limit(struct command *command, PyObject *range)
{
    if (!PyObject_HasAttrString(range, "limit"))
        return 0;
    PyObject *limit = PyObject_GetAttrString(range, "limit");
    const int status = limit == NULL ? -1 : write_limit(command, limit);

    Py_XDECREF(limit);
    return status;
}

static int write_origin(struct command *command, PyObject *origin)
{
    if (PyUnicode_Check(origin) || PyBytes_Check(origin)) {
        command_add(command, STR("FROMMEMBER"));
        return argument_write(command, origin);
    }
    command_add(command, STR("FROMLONLAT"));
    return write_place(command, origin);
}

/* Options that are written in two places. */
static int write_option(struct command *command, PyObject *options, const char *name,
                        struct str word)
{
    PyObject *value = PyObject_GetAttrString(options, name);
    int status = value == NULL ? -1 : 0;

    if (value != NULL && !Py_IsNone(value)) {
        if (word.len > 0)
            command_add(command, word);
        status = argument_write(command, value);
    }
    Py_XDECREF(value);
    return status;
}

static bool is_weighted(PyObject *keys)
{
    return PyList_Check(keys) && PyList_GET_SIZE(keys) > 0 &&
           PyTuple_Check(PyList_GET_ITEM(keys, 0));
}

static int write_weights(struct command *command, PyObject *keys)
{
    if (!is_weighted(keys))
        return 0;
    command_add(command, STR("WEIGHTS"));
    return write_pairs(command, 'W', keys);
}

/* MIGRATE takes one key in its place, or none there and several at the end. */
static int write_single(struct command *command, PyObject *keys)
{
    return PyList_Check(keys) ? write_word(command, STR("")) : argument_write(command, keys);
}

static int write_several(struct command *command, PyObject *keys)
{
    if (!PyList_Check(keys))
        return 0;
    command_add(command, STR("KEYS"));
    return write_each(command, keys, STR(""));
}

static int write_flag(struct command *command, PyObject *argument, struct str word)
{
    const int truth = PyObject_IsTrue(argument);

    if (truth > 0)
        command_add(command, word);
    return truth < 0 ? -1 : 0;
}

static int refuse_route(void)
{
    PyErr_SetString(PyExc_ValueError, "a route cannot be chosen here: a custom command's keys "
                                      "pick the node");
    return -1;
}

static int write_nothing(struct command *command, char kind)
{
    if (kind == 'N')
        command_add(command, STR("0"));
    else if (kind == 'y')
        command_add(command, STR("*"));
    return 0;
}

int argument_write_part(struct command *command, const struct layout_part *part, PyObject *argument)
{
    if (part->kind == '=')
        return write_word(command, part->word);
    if (argument == NULL || Py_IsNone(argument))
        return write_nothing(command, part->kind);
    switch (part->kind) {
    case 'a':
        return argument_write(command, argument);
    case 'w':
        command_add(command, part->word);
        return argument_write(command, argument);
    case 'f':
        return write_flag(command, argument, part->word);
    case 'l':
    case 'e':
        return write_each(command, argument, part->word);
    case 'n':
    case 'N':
        return write_count(command, argument);
    case 'K':
        return is_weighted(argument) ? write_pairs(command, 'k', argument)
                                     : write_each(command, argument, part->word);
    case 'W':
        return write_weights(command, argument);
    case 'i':
        return write_option(command, argument, "min_idle_time", STR("IDLE"));
    case 'j':
        return write_option(command, argument, "consumer_name", STR(""));
    case 'm':
        return write_single(command, argument);
    case 'h':
        return write_several(command, argument);
    case 'o':
    case 'y':
        return write_options(command, argument);
    case 'O':
        return write_each_options(command, argument);
    case 's':
        return write_bound(command, argument, "score_arg");
    case 'x':
        return write_bound(command, argument, "lex_arg");
    case 'q':
        return write_range(command, argument);
    case 'z':
        return write_range_limit(command, argument);
    case 't':
        return write_limit(command, argument);
    case 'c':
        return write_origin(command, argument);
    case 'R':
        return refuse_route();
    default:
        return write_pairs(command, part->kind, argument);
    }
}
