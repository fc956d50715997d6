/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * script: the seam between custom commands, which users write, and the engine that carries them.
 *
 * A host runs the code of one language. Each worker has one script, made and used on its own thread
 * alone, with a coroutine in each of its places (one a slot of the worker's clients). An execution
 * is one call of the user's code and one request of the run. It runs in a place until it has
 * commands to be sent, is resumed with their replies, and so on until it says how it went. A host
 * sends, waits and measures nothing, and never calls back.
 *
 * Hosts whose interpreter a plain run should not map are modules of their own, which export one
 * symbol, SCRIPT_MODULE_SYMBOL.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "base/str.h"
#include "load/keyspace.h"
#include "load/request.h"
#include "script/option_list.h"

struct script_config {
    const char *file;    /* NULL: none */
    const char *args;    /* NULL: none were given */
    uint64_t timeout_ns; /* for how long the user's code may keep the worker; 0: for ever */
    const struct script_value *values; /* of the script's own options: those that were given */
    size_t value_count;
    const char *prepared; /* what the host's `prepare` made of `file`; NULL: nothing */
};

/* What a script is made with. Borrowed for its lifetime. */
struct script_setup {
    const struct script_config *config;
    const struct keyspace_config *keys; /* as the options have it; `seed` is the run's */
    uint64_t data_bytes;
    unsigned worker, workers; /* its number over all processes, and how many there are */
    unsigned clients;         /* of this worker */
    unsigned places;          /* executions that it has at once, at most: clients x pipeline */
    int print_fd;             /* where the user's own printing goes: 1, or 2 when stdout is taken */
};

/* What became of the commands of a step. Borrowed until the host returns. */
struct script_answer {
    /* The replies, whole, one behind the other, one for each command, error replies and attributes
     * among them, pushes not. Empty: they did not come, for the reason below. */
    struct str replies;
    struct str text; /* "Lost the connection to ...", when there are none */
    bool timeout;    /* when there are none: it was waited for too long */
};

enum script_status {
    SCRIPT_WAITS,  /* for the replies to `step` */
    SCRIPT_OK,     /* the execution is over: the place is free */
    SCRIPT_FAILED, /* the same, and it went wrong */
};

/* What an execution came to. Borrowed from the host, until the place is resumed, started or
 * cancelled. */
struct script_step {
    struct str bytes; /* WAITS: RESP arrays of bulk strings, `count` of them */
    uint32_t count;   /* WAITS: at least one */
    struct str text;  /* FAILED: why, perhaps of several lines; may be empty */
};

struct script;

struct script_host {
    uint32_t version; /* SCRIPT_HOST_VERSION */
    const char *name; /* "Lua" */

    /* Loads the file and calls its `init`. Returns 0, or a negative errno with a sentence that
     * names the file, and the line where that is known. */
    int (*create)(struct script **script, const struct script_setup *setup, struct err *err);
    void (*destroy)(struct script **script);

    /* Begins an execution in a place that is free. `request` is borrowed until return. */
    enum script_status (*start)(struct script *script, unsigned place,
                                const struct request *request, struct script_step *step);
    /* Goes on with an execution that waits. */
    enum script_status (*resume)(struct script *script, unsigned place,
                                 const struct script_answer *answer, struct script_step *step);
    /* Frees a place whose execution waits, without running any more of it. */
    void (*cancel)(struct script *script, unsigned place);
    /* The versions of the language and its library, for --version: "LuaJIT 2.1". */
    const char *(*library)(void);
    /* Adds the options that the file declares to `options`, before there is a run: it is loaded
     * for that, and released again. Errors as of `create`, then nothing is added. NULL: files of
     * this language declare none. */
    int (*read_options)(const char *file, struct script_option_list *options, struct err *err);
    /* Once for the run, before other processes and threads are made: turns the file into something
     * that `create` takes less time to load, and sets `*prepared` to its name, owned by the caller,
     * or to NULL. It serves this process and those that it forks, and leaves nothing behind. Errors
     * as of `create`. NULL: there is nothing to prepare in this language. */
    int (*prepare)(const struct script_config *config, char **prepared, struct err *err);
};

enum { SCRIPT_HOST_VERSION = 1 };

/* The symbol of a module: `const struct script_host script_module`. */
#define SCRIPT_MODULE_SYMBOL "script_module"

extern const struct option_spec script_options[];

#endif
