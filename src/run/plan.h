/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan: what a run is to do, settled before anything starts.
 *
 * All options turned into one immutable description: how the totals are split over processes and
 * workers, which requests are due when, when the run ends. Everybody reads it, nobody changes it.
 */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cpu_list.h"
#include "base/log.h"
#include "base/option.h"
#include "client/client.h"
#include "io/endpoint.h"
#include "io/engine.h"
#include "io/session.h"
#include "io/tls_config.h"
#include "load/client_ramp.h"
#include "load/schedule.h"
#include "load/source.h"
#include "script/language.h"

struct run_config {
    uint64_t requests;    /* 0: no limit */
    uint64_t duration_ns; /* 0: no limit */
    uint64_t processes;   /* 0: as many as there are cores to use */
    uint64_t threads;     /* a process */
    uint64_t give_up_ns;  /* 0: never */
    int pace;             /* enum pace */
    struct cpu_list cpus; /* to pin workers to */
    bool single_process;
    bool local_server;
    const char *local_server_program; /* NULL: search */
};

extern const struct option_spec run_options[];

struct plan {
    struct endpoint endpoint; /* this and the next four: filled in by the caller of plan_init() */
    struct engine engine;
    struct session_opening opening;
    struct tls_config tls;
    char tls_agreed[TLS_AGREED_MAX]; /* protocol and cipher, once the server was reached; or "" */
    struct cluster *cluster;         /* borrowed; NULL: a server that stands alone */
    struct source_config source;
    const struct catalogue_entry *entry; /* what `source` names */
    struct script_config script;
    const struct script_language *language; /* of custom commands; NULL: a built-in test */
    bool folded;  /* the threads of a process are one, since its language takes no more */
    int print_fd; /* where custom commands print to; filled in by the caller */
    struct client_config client;
    unsigned glide_minor; /* the version 2.x of the library that `client` names; filled in by the
                             caller too, as is its path */
    uint64_t connect_timeout_ns;
    uint64_t give_up_ns;
    int pace; /* enum pace */
    struct cpu_list cpus;
    bool scheduled;
    struct schedule schedule; /* if scheduled */
    struct client_ramp ramp;
    uint64_t requests;    /* 0: no limit */
    uint64_t duration_ns; /* 0: no limit */
    uint64_t end_ns;      /* from T0: nothing is issued from here on; CLOCK_NEVER: no limit */
    uint64_t least_ns;    /* from T0: the run does not end before; 0 in a closed loop */
    unsigned processes, workers;
    unsigned
        wanted_workers; /* processes x threads as configured; those beyond `workers` are surplus */
};

/* The configs that a plan is made of. */
struct plan_input {
    const struct run_config *run;
    const struct endpoint_config *endpoint;
    const struct source_config *source;
    const struct script_config *script;
    const struct client_config *client;
    const struct rate_config *rate;
    const struct client_ramp_config *ramp;
};

/*
 * Settles everything but the endpoint's addresses, the engine, TLS, the session's opening and the
 * cluster. Returns 0, or a negative errno with one sentence: what contradicts what.
 */
int plan_init(struct plan *plan, const struct plan_input *input, struct err *err);

/* How many clients of `clients` in all belong to a worker: client i to worker i mod workers. */
unsigned plan_clients_of(const struct plan *plan, uint64_t clients, unsigned worker);

/* Whether replicas of a cluster carry requests: they are wanted, and the command changes nothing.
 */
bool plan_reads_replicas(const struct plan *plan);

/* How many connections `clients` clients have, as far as is known before the run; with GLIDE's
 * library, how many files it has open for them. */
uint64_t plan_connections_of(const struct plan *plan, uint64_t clients);

/* How many clients the driver's library has in all; 0: it has no library. */
uint64_t plan_library_clients(const struct plan *plan);

/* The CPU of a worker: worker i has the (i mod count)th of the list, which must not be empty. */
unsigned plan_cpu_of(const struct plan *plan, unsigned worker);

/* How long what is in flight is awaited when scheduling has stopped. */
uint64_t plan_drain_ns(const struct plan *plan, bool signalled);

#endif
