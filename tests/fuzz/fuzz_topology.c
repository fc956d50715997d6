/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a reply to CLUSTER SLOTS. What becomes a topology must be consistent in itself, and
 * the same as itself.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "cluster/topology.h"

enum { BYTES_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_nodes(const struct topology *topology)
{
    require(topology->node_count <= TOPOLOGY_NODES_MAX);
    require(topology->shard_count <= topology->node_count);
    for (unsigned i = 0; i < topology->node_count; i++) {
        const struct topology_node *node = &topology->nodes[i];

        require(node->port > 0 && node->host[0] != '\0');
        require(node->shard < topology->shard_count);
        require(node->primary == (i < topology->shard_count));
        require(topology_find_node(topology, str_of(node->host), node->port) == (int)i);
    }
}

static void check_shards(const struct topology *topology)
{
    unsigned holes = 0, replicas = 0;

    for (unsigned i = 0; i < topology->shard_count; i++) {
        const struct topology_shard *shard = &topology->shards[i];

        require(shard->primary == i);
        replicas += shard->replica_count;
        for (unsigned r = 0; r < shard->replica_count; r++)
            require(topology->nodes[shard->replica_first + r].shard == i);
    }
    require(replicas + topology->shard_count == topology->node_count);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        const uint16_t shard = topology->shard_of[slot];

        require(shard == TOPOLOGY_NO_SHARD || shard < topology->shard_count);
        holes += topology_primary(topology, slot) == NULL;
    }
    require(holes == topology->holes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct topology *topology = NULL;
    struct resp_tree tree;
    struct err err;
    size_t used;

    resp_tree_init(&tree, BYTES_MAX);
    resp_tree_feed(&tree, (struct str){(const char *)data, size}, &used);
    const struct resp_item *reply = resp_tree_root(&tree);
    const int rc = reply ? topology_create(&topology, reply, "localhost", 1, &err) : -1;
    resp_tree_deinit(&tree);
    require((rc == 0) == (topology != NULL));
    if (topology) {
        check_nodes(topology);
        check_shards(topology);
        const struct topology_change change = topology_compare(topology, topology);
        require(!change.joined && !change.left && !change.roles && !change.moved);
    }
    topology_destroy(&topology);
    return 0;
}
