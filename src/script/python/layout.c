/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/layout.h"

#include <assert.h>

#include "resp/writer.h"
#include "script/python/argument.h"

/* The next part of a text of parts between blanks; empty at its end. */
static struct str take_word(const char **at)
{
    *at += strspn(*at, " ");
    const struct str word = {*at, strcspn(*at, " ")};

    *at += word.len;
    return word;
}

static void encode_words(struct layout *layout, const char *words)
{
    char *at = layout->words;

    for (struct str word = take_word(&words); word.len > 0; word = take_word(&words)) {
        assert(layout->words + sizeof layout->words - at >=
               (ptrdiff_t)(word.len + RESP_BULK_EXTRA));
        at = resp_write_bulk(at, word);
        layout->words_count++;
    }
    layout->words_len = (size_t)(at - layout->words);
}

static int read_parameters(struct layout *layout, const char *parameters)
{
    for (struct str word = take_word(&parameters); word.len > 0; word = take_word(&parameters)) {
        const bool optional = word.ptr[word.len - 1] == '?';
        const bool rest = word.ptr[0] == '*';
        PyObject *name =
            PyUnicode_FromStringAndSize(word.ptr + rest, (Py_ssize_t)(word.len - rest - optional));

        if (name == NULL)
            return -1;
        PyUnicode_InternInPlace(&name);
        assert(layout->parameters < LAYOUT_PARAMETERS_MAX);
        layout->names[layout->parameters++] = name;
        layout->takes_rest = rest;
        if (!optional && !rest)
            layout->required = layout->parameters;
    }
    return 0;
}

static void add_part(struct layout *layout, char kind, unsigned parameter, struct str word)
{
    assert(layout->parts < LAYOUT_PARTS_MAX && (kind == '=' || parameter < layout->parameters));
    layout->part[layout->parts++] = (struct layout_part){kind, (uint8_t)parameter, word};
}

static void read_order(struct layout *layout, const char *order)
{
    for (struct str word = take_word(&order); word.len > 0; word = take_word(&order)) {
        if (word.ptr[0] == '=')
            add_part(layout, '=', 0, (struct str){word.ptr + 1, word.len - 1});
        else
            add_part(layout, word.ptr[0], (unsigned)(word.ptr[1] - '0'),
                     (struct str){word.ptr + 2, word.len - 2});
    }
}

static bool is_route(const struct layout *layout, unsigned parameter)
{
    return PyUnicode_CompareWithASCIIString(layout->names[parameter], "route") == 0;
}

static void read_parts(struct layout *layout, const struct method_row *row)
{
    if (row->order != NULL)
        read_order(layout, row->order);
    layout->plain = row->order == NULL && layout->required == layout->parameters;
    for (unsigned i = 0; i < layout->parameters; i++)
        if (is_route(layout, i))
            add_part(layout, 'R', i, STR(""));
        else if (row->order == NULL)
            add_part(layout, 'a', i, STR(""));
}

/* Finds the shape by the command as it always begins, and the words that it always has. */
static shape_fn *find_shape(const struct layout *layout)
{
    char sample[512];
    uint32_t count = layout->words_count;

    for (unsigned i = 0; i < layout->parts; i++)
        count += layout->part[i].kind == '=';
    char *at = resp_write_array(sample, count);

    memcpy(at, layout->words, layout->words_len);
    at += layout->words_len;
    for (unsigned i = 0; i < layout->parts; i++)
        if (layout->part[i].kind == '=')
            at = resp_write_bulk(at, layout->part[i].word);
    return shape_find((struct str){sample, (size_t)(at - sample)});
}

int layout_init(struct layout *layout, const struct method_row *row)
{
    *layout = (struct layout){.row = row};
    layout->name = PyUnicode_InternFromString(row->name);
    if (layout->name == NULL || read_parameters(layout, row->parameters) != 0)
        return -1;
    encode_words(layout, row->words);
    read_parts(layout, row);
    if (layout->words_count > 0)
        layout->shape = find_shape(layout);
    return 0;
}

void layout_deinit(struct layout *layout)
{
    Py_CLEAR(layout->name);
    for (unsigned i = 0; i < layout->parameters; i++)
        Py_CLEAR(layout->names[i]);
}

/* Nearly always the very name, for both are interned. */
static unsigned find_parameter(const struct layout *layout, PyObject *name)
{
    for (unsigned i = 0; i < layout->parameters; i++)
        if (layout->names[i] == name)
            return i;
    for (unsigned i = 0; i < layout->parameters; i++)
        if (PyUnicode_Compare(layout->names[i], name) == 0)
            return i;
    return layout->parameters;
}

static int bind_named(const struct layout *layout, PyObject *const *values, PyObject *names,
                      PyObject **bound)
{
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        const unsigned at = find_parameter(layout, name);

        if (at == layout->parameters || bound[at] != NULL) {
            PyErr_Format(PyExc_TypeError, "%U() got %s argument '%U'", layout->name,
                         at == layout->parameters ? "an unexpected" : "twice the", name);
            return -1;
        }
        bound[at] = Py_NewRef(values[i]);
    }
    return 0;
}

static int bind_positional(const struct layout *layout, PyObject *const *values, size_t count,
                           PyObject **bound)
{
    const unsigned single = layout->parameters - layout->takes_rest;

    if (count > single && !layout->takes_rest) {
        PyErr_Format(PyExc_TypeError, "%U() takes %u arguments at most, not %zu", layout->name,
                     single, count);
        return -1;
    }
    for (size_t i = 0; i < count && i < single; i++)
        bound[i] = Py_NewRef(values[i]);
    if (!layout->takes_rest)
        return 0;
    const size_t rest = count > single ? count - single : 0;

    bound[single] = PyTuple_New((Py_ssize_t)rest);
    for (size_t i = 0; bound[single] != NULL && i < rest; i++)
        PyTuple_SET_ITEM(bound[single], (Py_ssize_t)i, Py_NewRef(values[single + i]));
    return bound[single] != NULL ? 0 : -1;
}

static int check_required(const struct layout *layout, PyObject *const *bound)
{
    for (unsigned i = 0; i < layout->required; i++)
        if (bound[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%U() misses its argument '%U'", layout->name,
                         layout->names[i]);
            return -1;
        }
    return 0;
}

static int write_bound_parts(const struct layout *layout, struct command *command,
                             PyObject *const *values, size_t count, PyObject *names)
{
    PyObject *bound[LAYOUT_PARAMETERS_MAX] = {NULL};
    int status = bind_positional(layout, values, count, bound);

    if (status == 0)
        status = bind_named(layout, values + count, names, bound);
    if (status == 0)
        status = check_required(layout, bound);
    for (unsigned i = 0; status == 0 && i < layout->parts; i++)
        status = argument_write_part(command, &layout->part[i], bound[layout->part[i].parameter]);
    for (unsigned i = 0; i < layout->parameters; i++)
        Py_XDECREF(bound[i]);
    return status;
}

static int write_plain(const struct layout *layout, struct command *command,
                       PyObject *const *values)
{
    for (unsigned i = 0; i < layout->parameters; i++)
        if (argument_write(command, values[i]) != 0)
            return -1;
    return 0;
}

static int write_parts(const struct layout *layout, struct command *command,
                       PyObject *const *values, size_t count, PyObject *names)
{
    if (layout->plain && names == NULL && count == layout->parameters)
        return write_plain(layout, command, values);
    return write_bound_parts(layout, command, values, count, names);
}

PyObject *layout_encode(const struct layout *layout, struct runtime *runtime,
                        PyObject *const *arguments, size_t count, PyObject *names)
{
    struct command *command = command_make(runtime, layout->name);

    if (command == NULL)
        return NULL;
    /* Not to warn when it is dropped for an error. */
    command->state = COMMAND_PART;
    command_begin(command, (struct str){layout->words, layout->words_len}, layout->words_count);
    int status = write_parts(layout, command, arguments, count, names);

    if (status == 0 && command->arguments == 0) {
        PyErr_SetString(PyExc_ValueError, "a command has at least one word");
        status = -1;
    }
    if (status != 0) {
        Py_DECREF(command);
        return NULL;
    }
    command_finish(command);
    command->state = COMMAND_NEW;
    command->shape = layout->words_count > 0 ? layout->shape : shape_find(command_bytes(command));
    return (PyObject *)command;
}
