/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command: what a method of the client returns, an awaitable that holds encoded commands.
 *
 * Awaited, it yields itself up to whoever drives the coroutine, who sends its bytes, delivers the
 * replies, and sends None: that is when the `await` has its result or raises. One that is never
 * awaited sends nothing, and warns. Most hold one command; a batch holds many, whose replies are
 * one list.
 */
#ifndef SCRIPT_PYTHON_COMMAND_H
#define SCRIPT_PYTHON_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "resp/cursor.h"
#include "script/python/runtime.h"
#include "script/python/shape.h"

enum command_state {
    COMMAND_NEW,
    COMMAND_WAITS, /* yielded, or delivered and not resumed yet */
    COMMAND_DONE,
    COMMAND_PART, /* of a batch: not to be awaited */
};

enum { COMMAND_INLINE = 376 }; /* makes the whole 512 bytes, pymalloc's largest */

struct command {
    PyObject_HEAD struct runtime *runtime;
    PyObject *name;       /* borrowed from its method */
    shape_fn *shape;      /* of the reply; NULL: as it came */
    PyObject *reply;      /* owned; the result or the exception, between delivery and resumption */
    PyObject *parts;      /* owned; of a batch: a list of commands; NULL otherwise */
    struct command *next; /* among the spare */
    char *bytes;          /* `inlined`, or owned */
    size_t begin, end, room; /* the commands lie in bytes[begin .. end) */
    uint32_t count;          /* of commands */
    uint32_t arguments;      /* of the command being encoded */
    uint8_t state;
    bool raises; /* `reply` is an exception to be raised */
    bool strict; /* of a batch: an error among its results is raised */
    bool atomic; /* of a batch: between MULTI and EXEC */
    char inlined[COMMAND_INLINE];
};

PyTypeObject *command_make_type(void);
/* Frees the spare ones' memory. */
void command_free_spares(struct runtime *runtime);

/* A new command without bytes. */
struct command *command_make(struct runtime *runtime, PyObject *name);

/* Begins with words that are encoded already, so many arguments. */
void command_begin(struct command *command, struct str words, uint32_t arguments);
void command_add(struct command *command, struct str argument);
/* Closes a command that was begun: it is the only one. */
void command_finish(struct command *command);

/* Appends the commands of another. */
void command_append(struct command *command, const struct command *other);

static inline struct str command_bytes(const struct command *command)
{
    return (struct str){command->bytes + command->begin, command->end - command->begin};
}

/* Takes the replies to its commands. What cannot be converted is what the `await` will raise. */
void command_deliver(struct command *command, struct resp_cursor *cursor);
/* The `await` will raise an exception, which is borrowed. */
void command_fail(struct command *command, PyObject *exception);

/* Raises `exception`, which it steals, from an `await`, or returns a value: for am_send. */
PySendResult command_stop(PyObject **result, PyObject *value, bool raises);
/* The same as tp_iternext has it: NULL, with StopIteration or an exception. */
PyObject *command_next(PySendResult status, PyObject *value);

#endif
