/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/shapes.h"

#include <stdbool.h>

static bool is_list(PyObject *object, Py_ssize_t count)
{
    return PyList_CheckExact(object) && PyList_GET_SIZE(object) == count;
}

/* Gives one item of a list a shape. Returns false with an exception. */
static bool shape_item(PyObject *list, Py_ssize_t i, shape_fn *shape)
{
    PyObject *item = shape(Py_NewRef(PyList_GET_ITEM(list, i)));

    return item != NULL && PyList_SetItem(list, i, item) == 0;
}

static PyObject *shape_each(PyObject *list, shape_fn *shape)
{
    if (!PyList_CheckExact(list))
        return list;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (!shape_item(list, i, shape)) {
            Py_DECREF(list);
            return NULL;
        }
    return list;
}

static PyObject *shape_one(PyObject *list, Py_ssize_t i, shape_fn *shape)
{
    if (shape_item(list, i, shape))
        return list;
    Py_DECREF(list);
    return NULL;
}

static PyObject *keep(PyObject *plain)
{
    return plain;
}

PyObject *shape_bool(PyObject *plain)
{
    if (!PyLong_CheckExact(plain))
        return plain;
    const long long number = PyLong_AsLongLong(plain);

    if (number != 0 && number != 1)
        return plain;
    Py_DECREF(plain);
    return PyBool_FromLong(number == 1);
}

PyObject *shape_float(PyObject *plain)
{
    if (!PyBytes_CheckExact(plain))
        return plain;
    PyObject *number = PyFloat_FromString(plain);

    if (number == NULL) {
        PyErr_Clear();
        return plain;
    }
    Py_DECREF(plain);
    return number;
}

PyObject *shape_set(PyObject *plain)
{
    if (!PyList_CheckExact(plain))
        return plain;
    PyObject *set = PySet_New(plain);

    if (set == NULL) {
        PyErr_Clear();
        return plain;
    }
    Py_DECREF(plain);
    return set;
}

PyObject *shape_bools(PyObject *plain)
{
    return shape_each(plain, shape_bool);
}

PyObject *shape_floats(PyObject *plain)
{
    return shape_each(plain, shape_float);
}

PyObject *shape_positions(PyObject *plain)
{
    return shape_each(plain, shape_floats);
}

PyObject *shape_maps(PyObject *plain)
{
    return shape_each(plain, shape_map);
}

/* Whether a list has pairs in it; if not it may be flat. */
static bool has_pairs(PyObject *list)
{
    const Py_ssize_t count = PyList_GET_SIZE(list);

    for (Py_ssize_t i = 0; i < count; i++)
        if (!is_list(PyList_GET_ITEM(list, i), 2))
            return false;
    return count > 0;
}

static bool add_pair(PyObject *map, PyObject *key, PyObject *value, shape_fn *shape)
{
    PyObject *shaped = shape(Py_NewRef(value));
    const bool added = shaped != NULL && PyDict_SetItem(map, key, shaped) == 0;

    Py_XDECREF(shaped);
    return added;
}

static bool fill_map(PyObject *map, PyObject *list, bool flat, shape_fn *shape)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i += 1 + flat) {
        PyObject *const pair = PyList_GET_ITEM(list, i);
        PyObject *key = flat ? pair : PyList_GET_ITEM(pair, 0);
        PyObject *value = flat ? PyList_GET_ITEM(list, i + 1) : PyList_GET_ITEM(pair, 1);

        if (!add_pair(map, key, value, shape))
            return false;
    }
    return true;
}

/* The same keys, with their values shaped. */
static PyObject *shape_values(PyObject *map, shape_fn *shape)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(map, &at, &key, &value))
        if (!add_pair(map, key, value, shape)) {
            Py_DECREF(map);
            return NULL;
        }
    return map;
}

static PyObject *make_map(PyObject *plain, shape_fn *shape)
{
    if (PyDict_CheckExact(plain))
        return shape_values(plain, shape);
    if (!PyList_CheckExact(plain))
        return plain;
    const bool flat = !has_pairs(plain);

    if (flat && PyList_GET_SIZE(plain) % 2 != 0)
        return plain;
    PyObject *map = PyDict_New();

    if (map != NULL && !fill_map(map, plain, flat, shape))
        Py_CLEAR(map);
    if (map == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return plain;
    }
    Py_DECREF(plain);
    return map;
}

PyObject *shape_map(PyObject *plain)
{
    return make_map(plain, keep);
}

PyObject *shape_scores(PyObject *plain)
{
    return make_map(plain, shape_float);
}

static PyObject *shape_second_float(PyObject *pair)
{
    return is_list(pair, 2) ? shape_one(pair, 1, shape_float) : pair;
}

PyObject *shape_pairs(PyObject *plain)
{
    if (!PyList_CheckExact(plain) || has_pairs(plain) || PyList_GET_SIZE(plain) % 2 != 0)
        return plain;
    const Py_ssize_t count = PyList_GET_SIZE(plain) / 2;
    PyObject *pairs = PyList_New(count);

    for (Py_ssize_t i = 0; pairs != NULL && i < count; i++) {
        PyObject *pair = PyList_GetSlice(plain, 2 * i, 2 * i + 2);

        if (pair == NULL)
            Py_CLEAR(pairs);
        else
            PyList_SET_ITEM(pairs, i, pair);
    }
    Py_DECREF(plain);
    return pairs;
}

PyObject *shape_score_pairs(PyObject *plain)
{
    PyObject *pairs = shape_pairs(plain);

    return pairs == NULL ? NULL : shape_each(pairs, shape_second_float);
}

PyObject *shape_popped_lists(PyObject *plain)
{
    if (!is_list(plain, 2))
        return plain;
    PyObject *map = PyDict_New();

    if (map != NULL &&
        PyDict_SetItem(map, PyList_GET_ITEM(plain, 0), PyList_GET_ITEM(plain, 1)) != 0)
        Py_CLEAR(map);
    Py_DECREF(plain);
    return map;
}

PyObject *shape_popped_scores(PyObject *plain)
{
    return is_list(plain, 2) ? shape_one(plain, 1, shape_scores) : plain;
}

PyObject *shape_popped_member(PyObject *plain)
{
    return is_list(plain, 3) ? shape_one(plain, 2, shape_float) : plain;
}

PyObject *shape_rank(PyObject *plain)
{
    return shape_second_float(plain);
}

/* Distance, hash and position are told apart by what they are. */
static PyObject *shape_detail(PyObject *detail)
{
    return PyList_CheckExact(detail) ? shape_floats(detail) : shape_float(detail);
}

static PyObject *shape_place(PyObject *place)
{
    if (!PyList_CheckExact(place) || PyList_GET_SIZE(place) < 2)
        return place;
    PyObject *details = PyList_GetSlice(place, 1, PyList_GET_SIZE(place));

    details = details == NULL ? NULL : shape_each(details, shape_detail);
    if (details == NULL || PyList_SetItem(place, 1, details) != 0 ||
        PyList_SetSlice(place, 2, PyList_GET_SIZE(place), NULL) != 0) {
        Py_DECREF(place);
        return NULL;
    }
    return place;
}

PyObject *shape_places(PyObject *plain)
{
    return shape_each(plain, shape_place);
}

/* Shapes the value of one key of a map, if it is there. Steals the map. */
static PyObject *shape_member(PyObject *map, const char *name, shape_fn *shape)
{
    if (map == NULL || !PyDict_CheckExact(map))
        return map;
    PyObject *key = PyBytes_FromString(name);
    PyObject *value = key == NULL ? NULL : PyDict_GetItemWithError(map, key);

    if (value != NULL && !add_pair(map, key, value, shape))
        Py_CLEAR(map);
    Py_XDECREF(key);
    return map;
}

static PyObject *shape_function(PyObject *plain)
{
    return shape_member(shape_map(plain), "flags", shape_set);
}

static PyObject *shape_functions(PyObject *plain)
{
    return shape_each(plain, shape_function);
}

static PyObject *shape_library(PyObject *plain)
{
    return shape_member(shape_map(plain), "functions", shape_functions);
}

PyObject *shape_libraries(PyObject *plain)
{
    return shape_each(plain, shape_library);
}

static PyObject *shape_engines(PyObject *plain)
{
    return make_map(plain, shape_map);
}

PyObject *shape_function_stats(PyObject *plain)
{
    return shape_member(shape_member(shape_map(plain), "running_script", shape_map), "engines",
                        shape_engines);
}

/* Entries whose fields were deleted have none; ids alone (JUSTID) stay a list. */
PyObject *shape_entries(PyObject *plain)
{
    if (PyList_CheckExact(plain) && PyList_GET_SIZE(plain) > 0 && !has_pairs(plain))
        return plain;
    return make_map(plain, shape_pairs);
}

PyObject *shape_claimed_entries(PyObject *plain)
{
    if (!PyList_CheckExact(plain) || PyList_GET_SIZE(plain) < 2)
        return plain;
    return shape_one(plain, 1, shape_entries);
}

PyObject *shape_streams(PyObject *plain)
{
    return make_map(plain, shape_entries);
}

static PyObject *shape_group(PyObject *plain)
{
    return shape_member(shape_map(plain), "consumers", shape_maps);
}

static PyObject *shape_groups(PyObject *plain)
{
    return shape_each(plain, shape_group);
}

PyObject *shape_stream(PyObject *plain)
{
    return shape_member(shape_map(plain), "groups", shape_groups);
}
