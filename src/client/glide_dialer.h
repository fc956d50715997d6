/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_dialer: makes GLIDE clients, on a thread of its own.
 *
 * The library makes a client within a call that waits for the server, up to the connection timeout.
 * A worker has no time for that: it asks for one client at a time, and finds it in its inbox.
 */
#ifndef CLIENT_GLIDE_DIALER_H
#define CLIENT_GLIDE_DIALER_H

#include <stddef.h>
#include <stdint.h>

#include "client/glide_inbox.h"
#include "client/glide_library.h"

/* A client to be made, and what became of it. */
struct glide_dial {
    struct glide_note note; /* first: what comes into the inbox */
    const void *client;     /* the library's, which close_client() ends; NULL: it failed */
    char *error;            /* owned by whoever takes it; NULL: it did not fail */
    uint64_t began_ns, ended_ns;
};

/* What a dialer works with: borrowed until it is stopped, but for the bytes, which it owns. */
struct glide_dialer_setup {
    const struct glide_library *library; /* copied */
    struct glide_inbox *inbox;
    struct glide_client_type type;
    char *request; /* by malloc() */
    size_t len;
};

struct glide_dialer;

/* Starts the thread, which inherits the CPUs of its maker. Returns 0 or a negative errno. */
int glide_dialer_start(struct glide_dialer **slot, const struct glide_dialer_setup *setup,
                       struct err *err);

/* Asks for a client; `dial` is zeroed but for its note, and must stay until it is in the inbox. The
 * one asked for before must have come. */
void glide_dialer_ask(struct glide_dialer *dialer, struct glide_dial *dial);

/* Waits for nothing: a client that is still to come is closed when it comes, and never seen. NULL
 * is fine. */
void glide_dialer_stop(struct glide_dialer **slot);

#endif
