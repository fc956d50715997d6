/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout: how the arguments of a method become those of a command.
 *
 * A row of the table of methods has the words of the command, the names of the parameters in their
 * order ("key fields? *rest": a `?` may be left out or None, a `*` takes all that follow), and the
 * order in which they are sent, each with how it is written; none: all as they are, in their order.
 * A part of that order is a letter and the digit of a parameter, from 0, some with a word:
 *
 *   =WORD   that word
 *   a0      the argument; an object that has a `value`, its value
 *   l0      each of a list              n0      how many are in a list or map
 *   p0      each pair of a map or list  r0      the same, turned round
 *   k0, v0  firsts, seconds of its pairs
 *   K0, W0  keys of a list of keys or of pairs of key and weight; WEIGHTS and those, if any
 *   o0      an object that writes its own arguments          O0  each of a list of those
 *   f0WORD  that word, if it is true    w0WORD  that word and the argument, unless it is None
 *   e0WORD  that word before each of a list
 *   s0, x0  a bound of scores, of a lexical range
 *   q0, z0  a range: its bounds and kind; its limit          t0  a limit
 *   c0      a place to search from      g0      a map of places
 *   N0      how many are in a list, 0 if it is None
 *   i0, j0  options of pending entries: how idle; the consumer
 *   m0, h0  a key, or "" for a list; KEYS and the list
 *   y0      an object that writes its own arguments, "*" if it is None
 *
 * A parameter "route" is there to be refused: the engine picks the nodes.
 */
#ifndef SCRIPT_PYTHON_LAYOUT_H
#define SCRIPT_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "script/python/command.h"

struct method_row {
    const char *name;
    const char *words;
    const char *parameters;
    const char *order; /* NULL: as they are */
};

/* The methods of the client; a row without a name ends it. */
extern const struct method_row method_rows[];

enum { LAYOUT_PARAMETERS_MAX = 10, LAYOUT_PARTS_MAX = 14, LAYOUT_WORDS_MAX = 96 };

struct layout_part {
    char kind;
    uint8_t parameter;
    struct str word; /* borrowed from the row */
};

struct layout {
    const struct method_row *row;
    PyObject *name;                         /* owned, interned */
    PyObject *names[LAYOUT_PARAMETERS_MAX]; /* owned, interned */
    unsigned parameters, required;
    bool takes_rest; /* the last parameter is all that follow */
    bool plain;      /* every parameter is required and sent as it is */
    unsigned parts;
    struct layout_part part[LAYOUT_PARTS_MAX];
    char words[LAYOUT_WORDS_MAX]; /* encoded */
    size_t words_len;
    uint32_t words_count;
    shape_fn *shape; /* of its reply; NULL: as it came, or found for each command */
};

/* Makes a layout of a row. Returns 0, or -1 with an exception. */
int layout_init(struct layout *layout, const struct method_row *row);
void layout_deinit(struct layout *layout);

/* Encodes a call, its arguments as vectorcall has them. NULL with an exception. */
PyObject *layout_encode(const struct layout *layout, struct runtime *runtime,
                        PyObject *const *arguments, size_t count, PyObject *names);

#endif
