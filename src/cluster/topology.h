/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topology: which nodes a cluster has, and which of them serves a slot.
 *
 * Made from a reply to CLUSTER SLOTS, checked, and never changed after: whoever learns something
 * new makes another one, with a higher generation. A slot may have no shard: a cluster that is
 * being built or repaired has such holes. A topology holds names and numbers alone, no addresses,
 * and does no I/O.
 *
 * Format: https://valkey.io/commands/cluster-slots/
 */
#ifndef CLUSTER_TOPOLOGY_H
#define CLUSTER_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "resp/slot.h"
#include "resp/tree.h"

enum {
    TOPOLOGY_NODES_MAX = 2000,
    TOPOLOGY_HOST_MAX = 255,                   /* the longest name of a host */
    TOPOLOGY_NAME_MAX = TOPOLOGY_HOST_MAX + 8, /* "[host]:65535" */
    TOPOLOGY_NO_SHARD = 0xffff
};

struct topology_node {
    char host[TOPOLOGY_HOST_MAX + 1]; /* a name, an IPv4 or an IPv6 address */
    char name[TOPOLOGY_NAME_MAX + 1]; /* for messages: "host:port", "[::1]:port" */
    uint16_t port;
    uint16_t shard;
    bool primary;
};

/* Nodes by their place in topology.nodes; the replicas of a shard follow one another. */
struct topology_shard {
    uint16_t primary;
    uint16_t replica_first, replica_count;
};

struct topology {
    uint64_t generation;
    uint16_t shard_of[SLOT_COUNT]; /* TOPOLOGY_NO_SHARD: a hole */
    struct topology_shard *shards; /* owned */
    unsigned shard_count;
    struct topology_node *nodes; /* owned: the primaries, in the order of the shards, then others */
    unsigned node_count;
    unsigned holes; /* slots without a shard */
};

/*
 * Makes a topology of a reply. `asked` is the host that was asked: nodes that the cluster has no
 * endpoint for (null or empty) are there, at their own port. Nodes whose place nobody knows ("?"
 * without another address, port 0) are left out; slots of such a primary are holes. Returns 0, or a
 * negative errno with a sentence: an error reply, not of this format, ranges inverted, too high or
 * overlapping. Release with topology_destroy().
 */
int topology_create(struct topology **out, const struct resp_item *reply, const char *asked,
                    uint64_t generation, struct err *err);
void topology_destroy(struct topology **slot);

/* The place of a node among the nodes, or -1. */
int topology_find_node(const struct topology *topology, struct str host, uint16_t port);

/* The primary of a slot, or NULL: a hole. */
const struct topology_node *topology_primary(const struct topology *topology, unsigned slot);

/* How a topology differs from the one before it. */
struct topology_change {
    unsigned joined, left; /* nodes */
    unsigned roles;        /* nodes that stay, with another role or another primary */
    unsigned moved;        /* slots that another primary serves, or none, or one again */
};

/* Both must be there. All is 0 when the two say the same, whatever their generations. */
struct topology_change topology_compare(const struct topology *before,
                                        const struct topology *after);

/* Writes the name of a node for messages: "host:port"; `name` has TOPOLOGY_NAME_MAX + 1 bytes. */
void topology_write_name(char *name, const char *host, uint16_t port);

#endif
