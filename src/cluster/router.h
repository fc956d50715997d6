/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * router: which node a worker sends a request to.
 *
 * A worker's own view of the cluster: the topology that it has adopted, and on top of that what
 * redirects have taught it since, which holds until it adopts the next one. Nodes have numbers that
 * stay theirs for the whole run, whether they are in the cluster at the time or not, so that a
 * number can stand for a node's connections.
 */
#ifndef CLUSTER_ROUTER_H
#define CLUSTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/redirect.h"
#include "cluster/topology.h"

/* No number of a node: nobody is known to serve the slot, or no more nodes can be known. */
enum { ROUTER_NO_NODE = 0xffff };

struct router_node {
    char host[TOPOLOGY_HOST_MAX + 1];
    char name[TOPOLOGY_NAME_MAX + 1];
    uint16_t port;
    uint16_t number;
    bool primary;           /* in the topology that was adopted */
    bool replica;           /* in that, too */
    bool member;            /* ... in any role, or named by a redirect since */
    bool taught;            /* redirects have said since that it serves slots */
    uint16_t *replicas;     /* owned: of a primary, in that topology; numbers of nodes */
    unsigned replica_count; /* 0 of any other node */
    unsigned replica_turn;  /* of requests that a replica can carry */
};

/* Zeroed, it knows nothing. */
struct router {
    struct router_node **nodes; /* owned; by number */
    unsigned count;
    unsigned turn;      /* of requests that any node can carry */
    bool from_replicas; /* the owner's: replicas are to carry requests that change nothing */
    uint64_t generation;
    uint16_t node_of[SLOT_COUNT];
    uint16_t adopted[SLOT_COUNT]; /* the same, without what redirects have taught */
};

void router_init(struct router *router);
void router_deinit(struct router *router);

/* Takes over a topology, and forgets what redirects have taught. It is not needed afterwards. */
void router_adopt(struct router *router, const struct topology *topology);

/*
 * The node that a redirect of `said_by` names, made known if it was not, or ROUTER_NO_NODE. It
 * serves the slot from now on if the redirect is for good.
 */
unsigned router_follow(struct router *router, unsigned said_by, const struct redirect *redirect);

/* Forgets what redirects have taught of a node, since it cannot be reached. */
void router_unlearn(struct router *router, unsigned node);

/* The number of the node that serves a slot, or ROUTER_NO_NODE. */
static inline unsigned router_node_of(const struct router *router, unsigned slot)
{
    return router->node_of[slot];
}

/* Whether a node carries requests as it is in the topology. */
static inline bool router_uses(const struct router *router, const struct router_node *node)
{
    return node->primary || (node->replica && router->from_replicas);
}

/*
 * The replicas of a primary in turn, as many calls as it has replicas, for requests that change
 * nothing; ROUTER_NO_NODE: it has none.
 */
unsigned router_next_replica(struct router *router, unsigned primary);

/* Primaries in turn, for requests without a slot; ROUTER_NO_NODE: there is none. */
unsigned router_next_primary(struct router *router);

#endif
