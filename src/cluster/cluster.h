/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster: what the workers of one process share of the cluster that they measure.
 *
 * It is made before anything is forked, with the topology that any node has told by then, so that a
 * server that is no cluster is refused in one sentence; each process goes on with its own copy.
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <stdint.h>

#include "base/err.h"
#include "cluster/addresses.h"
#include "cluster/bulletin.h"
#include "io/endpoint.h"
#include "io/session.h"
#include "io/tls_context.h"

struct cluster {
    struct bulletin *bulletin;       /* owned */
    struct addresses *addresses;     /* owned */
    const struct endpoint *endpoint; /* where the user said that a node is; borrowed */
};

struct cluster_setup {
    const struct endpoint *endpoint;       /* resolved */
    const struct session_opening *opening; /* NULL: none */
    const struct tls_context *tls;         /* like that of each node; NULL: without TLS */
    uint64_t timeout_ns; /* of the dial, and of the answer; 0: the refresher's own */
    unsigned readers;    /* workers of a process, by numbers of their own */
};

/*
 * Asks for the topology, which blocks, and resolves the names in it. Returns 0, or a negative errno
 * with a sentence that says what to do about it. Release with cluster_destroy().
 */
int cluster_create(struct cluster **out, const struct cluster_setup *setup, struct err *err);
void cluster_destroy(struct cluster **slot);

#endif
