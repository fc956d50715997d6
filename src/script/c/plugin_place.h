/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin_place: what the host of plugins keeps of a worker and of each place of it, and the
 * functions that it lends to plugins. For plugin.c and plugin_calls.c alone.
 */
#ifndef SCRIPT_C_PLUGIN_PLACE_H
#define SCRIPT_C_PLUGIN_PLACE_H

#include "base/fiber.h"
#include "load/keyspace.h"
#include "script/c/plugin_file.h"
#include "script/c/plugin_replies.h"

/* The commands of a step. */
struct plugin_commands {
    char *bytes; /* owned */
    size_t len, room;
    uint32_t count;
    bool refused; /* one of them had no arguments: none may be sent */
};

struct plugin_place {
    struct vpb_client client; /* first, for it is what the plugin holds */
    struct script *script;
    struct fiber *fiber;
    struct request request;
    struct plugin_commands commands;
    char *error;   /* owned; the text of the last reply that was one; NULL: none was */
    char *failure; /* owned; why the plugin says that it failed; NULL: it does not */
    int result;    /* of its function */
    char key[KEYSPACE_NAME_MAX + 1]; /* empty: nobody has asked for it */
};

struct script {
    struct vpb_config config; /* first, for it is what the plugin holds */
    struct plugin_file file;
    void *state;   /* the plugin's own */
    bool ready;    /* its `init` went well */
    char *refusal; /* owned; why it did not; NULL: it does not say */
    char *data;    /* owned */
    struct keyspace keyspace;
    struct plugin_replies replies; /* to the one execution that is running */
    struct fiber_set *fibers;
    struct plugin_place *places; /* owned */
};

extern const struct vpb_calls plugin_calls;

/* Keeps the text of the last error among the replies, which are about to be lost. */
void plugin_place_note_error(struct plugin_place *place);

#endif
