/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client: the seam between what is to be done and what carries it, the drivers.
 *
 * A driver has a worker's share of the clients. It takes requests while one of its slots is free
 * and gives each back through `done`, exactly once, on the worker's own thread, whatever happens to
 * connections and servers meanwhile. It never decides when a request starts.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client_config.h"
#include "cluster/cluster.h"
#include "cluster/router.h"
#include "io/endpoint.h"
#include "io/loop.h"
#include "io/session.h"
#include "io/tls_config.h"
#include "io/tls_context.h"
#include "load/request.h"
#include "load/source.h"
#include "stats/outcome.h"

/* Dials under way at once, of a worker: a server's accept queue is finite. */
enum { CLIENT_DIALS_MAX = 128 };

/* How a request went. Borrowed until `done` returns. */
struct completion {
    const struct request *request;
    enum outcome outcome; /* OUTCOME_UNANSWERED too, when the driver is abandoned */
    bool null;            /* OK: the reply was null */
    uint64_t free_ns;     /* when a slot was there for it, and the bytes before it had left */
    uint64_t sent_ns;     /* just before the write that carried it; 0: it never left */
    uint64_t replied_ns;  /* just after the receive that ended its reply */
    struct str text;      /* what there is to say of an error */
    /* Of a cluster: who answered, or lost it, or was waited for; NULL: nobody in particular. */
    const struct router_node *node;
    struct str replies; /* of a dictated request: all its replies, as they came; empty: they did not
                         * come whole */
    unsigned client;    /* ... and which of the clients carried it, for submit_again() */
};

/* How long a connection took that came up. */
struct dial_times {
    uint64_t connect_ns;
    uint64_t tls_ns;       /* 0: without TLS */
    uint64_t handshake_ns; /* 0: there was none */
};

/* What a driver tells the worker that it belongs to. `context` is the worker's. */
struct driver_listener {
    void (*done)(void *context, const struct completion *completion);
    /* Something to be counted beside requests; `text` (may be empty) is borrowed. */
    void (*event)(void *context, enum event event, struct str text, uint64_t now_ns);
    void (*connected)(void *context, const struct dial_times *times);
    void *context;
};

/* What a driver is made of; borrowed for its lifetime. Client i of the run is one of this worker's
 * if i mod stride == first. */
struct driver_setup {
    struct loop *loop;
    const struct endpoint *endpoint;
    const struct session_opening *opening; /* NULL: none */
    const struct tls_config *tls_config;
    struct tls_context *tls;       /* NULL: without TLS; of a cluster: like all nodes' */
    const struct cluster *cluster; /* NULL: a server that stands alone */
    const struct source *source;
    const struct client_config *config;
    uint64_t connect_timeout_ns;
    uint64_t seed;
    int wake_fd; /* the eventfd that wakes the loop */
    unsigned first, stride;
    unsigned clients_max; /* of this worker, ever */
    struct driver_listener listener;
};

struct driver;

/* What the threads of a driver's library are to this process. */
struct driver_threads {
    unsigned count;
    uint64_t cpu_ns; /* since the first request was submitted */
};

struct driver_ops {
    const char *name;
    int (*create)(struct driver **driver, const struct driver_setup *setup, struct err *err);
    void (*destroy)(struct driver **driver);
    /* How many of this worker's clients are to be open from now on; never fewer than before. */
    void (*open)(struct driver *driver, unsigned clients, uint64_t now_ns);
    /* Takes a request, if a slot is free. */
    bool (*submit)(struct driver *driver, const struct request *request);
    /* Takes a further request of an execution, from within `done` of the one before, if the client
     * that carried that can carry this. Others may come between only when it is refused. */
    bool (*submit_again)(struct driver *driver, const struct request *request, unsigned client);
    /* Dials, times out. To be called when `tick_ns` has come. */
    void (*tick)(struct driver *driver, uint64_t now_ns);
    /* Gives all that is in flight back as unanswered and closes every client. */
    void (*abandon)(struct driver *driver, uint64_t now_ns);

    /* This and below: of a driver with threads of its own, else NULL. Tells what they have left for
     * the worker; to be called after each turn of the loop. */
    void (*collect)(struct driver *driver);
    /* Whether the loop may sleep: not if there is something left. From here to the next `collect`
     * threads wake the loop. */
    bool (*may_sleep)(struct driver *driver);
    void (*threads)(struct driver *driver, struct driver_threads *threads);
};

/* The head of every driver; the worker reads it. */
struct driver {
    const struct driver_ops *ops;
    uint64_t tick_ns;       /* when it wants its next tick */
    uint64_t free_since_ns; /* since when a slot has been free; means nothing while none is */
    unsigned free;          /* free slots of clients that are up */
    unsigned in_flight;
    unsigned up; /* clients */
};

extern const struct driver_ops driver_standalone;
extern const struct driver_ops driver_cluster;
extern const struct driver_ops driver_glide;

/* The driver for what is configured. */
const struct driver_ops *client_driver(const struct client_config *config);

static inline bool driver_submit(struct driver *driver, const struct request *request)
{
    return driver->ops->submit(driver, request);
}

/* A turn of the loop with all that belongs to it: dials, timeouts, what other threads have left.
 * Does not sleep beyond the deadline. Returns the time, as the loop does. */
uint64_t driver_turn(struct driver *driver, struct loop *loop, uint64_t deadline_ns);

/* Releases a driver (NULL is fine); what is in flight is not given back: abandon it before. */
static inline void driver_destroy(struct driver **driver)
{
    if (*driver)
        (*driver)->ops->destroy(driver);
}

#endif
