/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_library: valkey-GLIDE's client library, found and loaded at run time.
 *
 * It starts threads and cannot be unloaded: it belongs into processes that will not fork. Whether
 * there is one that fits is found out before, in a process of its own that ends at once.
 */
#ifndef CLIENT_GLIDE_LIBRARY_H
#define CLIENT_GLIDE_LIBRARY_H

#include <limits.h>

#include "base/err.h"
#include "client/glide_abi.h"
#include "client/glide_config.h"

/* Since this minor version it can use Unix sockets. */
enum { GLIDE_MINOR_SOCKETS = 6 };

/* What is known of a library without having it loaded. */
struct glide_facts {
    char path[PATH_MAX]; /* of the file; "": nothing is known */
    unsigned minor;      /* of its version 2.x */
};

struct glide_library {
    void *handle; /* owned, and never given back */
    unsigned minor;
    glide_create_client_fn create_client;
    glide_free_connection_fn free_connection;
    glide_close_client_fn close_client;
    glide_command_fn command;
    glide_batch_fn batch;
    glide_free_reply_fn free_reply;
    glide_init_fn init;
    glide_free_log_result_fn free_log_result;
};

/*
 * Looks for the library: --glide-library, else VALKEY_GLIDE_LIBRARY, else in the system's library
 * directories, else where scripts/fetch-glide puts it. Returns 0, or a negative errno with a
 * sentence: there is none, it cannot be loaded, or it is of no version that was verified.
 */
int glide_library_look(struct glide_facts *facts, const struct glide_config *config,
                       struct err *err);

/*
 * Loads the library of `path` and sets up its log. Returns 0, or a negative errno with a sentence.
 * SIGPIPE must be ignored from here on: the library writes to sockets that may be closed.
 */
int glide_library_load(struct glide_library *library, const char *path, int log_level,
                       struct err *err);

#endif
