/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_cluster: makes a cluster of servers that have just started in cluster mode.
 *
 * The first half of them become primaries that share the slots evenly, in order; each of the others
 * becomes the replica of the primary that stands as far into its half. The servers are asked
 * over plain connections to 127.0.0.1. Starts and ends no process.
 */
#ifndef RUN_LOCAL_CLUSTER_H
#define RUN_LOCAL_CLUSTER_H

#include <stdint.h>

#include "base/err.h"

enum { LOCAL_CLUSTER_PRIMARIES = 3, LOCAL_CLUSTER_NODES = 2 * LOCAL_CLUSTER_PRIMARIES };

/*
 * Returns 0 when each node calls the cluster well and knows who replicates whom, and the replicas
 * are in sync, which takes the nodes a few seconds. Otherwise a negative errno with a sentence:
 * -ECONNRESET a node has gone, -EPROTO it refused, -ETIMEDOUT not ready within 30 s, -EINTR
 * `stop_fd` (-1: none) became readable.
 */
int local_cluster_form(const uint16_t ports[LOCAL_CLUSTER_NODES], int stop_fd, struct err *err);

/*
 * Has all nodes of a cluster that was formed name the replicas in CLUSTER SLOTS, as whoever reads
 * from replicas needs it: they do not while a primary has written nothing, so something is written
 * that leaves nothing behind. Takes about a second. Returns as above.
 */
int local_cluster_show_replicas(const uint16_t ports[LOCAL_CLUSTER_NODES], int stop_fd,
                                struct err *err);

#endif
