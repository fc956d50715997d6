/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state: what the parts of the Lua host share: one interpreter with all of its places.
 *
 * A place has a Lua thread that is used from execution to execution. Its stack holds, from the
 * bottom, the constants of enum place_stack; a call puts `execute` and its client above them and
 * resumes the thread anew, which costs no allocation. An execution that ends with an error or is
 * cancelled takes its thread with it.
 */
#ifndef SCRIPT_LUA_STATE_H
#define SCRIPT_LUA_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "load/keyspace.h"
#include "load/request.h"
#include "script/lua/bytes.h"
#include "script/script.h"

enum place_stack {
    PLACE_CLIENT = 1, /* the table that the user's code calls `client` */
    PLACE_EXECUTE,
    PLACE_REQUEST, /* the name of the client's field with the index of the request */
    PLACE_TOP = PLACE_REQUEST
};

struct place {
    lua_State *thread;  /* NULL: it has none yet, or none any more */
    const void *client; /* identifies its client table; NULL: it has none yet */
    int thread_ref, client_ref;
    uint32_t wanted; /* the replies that it waits for; 0: none */
    bool pipelined;  /* they are those of a pipeline */
    uint64_t draws;  /* random numbers that this execution took */
    struct request request;
    struct bytes bytes; /* the commands, or the text of a failure, that it came to */
};

/* Errors whose traceback was shown: a bound on what a run prints and keeps of them. */
enum { SEEN_MAX = 64 };

struct script {
    const struct script_setup *setup; /* borrowed */
    lua_State *lua;                   /* owned */
    struct place *places;             /* owned */
    struct place *running;            /* whose code is being run; NULL: none */
    struct keyspace keys;
    int execute_ref, methods_ref, error_ref; /* the last two are metatables */
    int read_wide_ref, write_wide_ref; /* functions: an int64_t out of `wide`, a cdata into it */
    int64_t wide;                      /* an integer beyond those that a Lua number holds */
    uint64_t seen[SEEN_MAX];           /* hashes */
    unsigned seen_count;
};

#endif
