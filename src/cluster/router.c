/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Also nodes that were members before, or that redirects have named. */
enum { NODES_MAX = 2 * TOPOLOGY_NODES_MAX };

static_assert((int)NODES_MAX < (int)ROUTER_NO_NODE, "the numbers of nodes fit");

void router_init(struct router *router)
{
    *router = (struct router){0};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        router->node_of[slot] = router->adopted[slot] = ROUTER_NO_NODE;
}

void router_deinit(struct router *router)
{
    for (unsigned i = 0; i < router->count; i++) {
        free(router->nodes[i]->replicas);
        free(router->nodes[i]);
    }
    free(router->nodes);
    router->nodes = NULL;
    router->count = 0;
}

static unsigned find(const struct router *router, struct str host, uint16_t port)
{
    for (unsigned i = 0; i < router->count; i++) {
        const struct router_node *node = router->nodes[i];

        if (node->port == port && str_equal(str_of(node->host), host))
            return i;
    }
    return ROUTER_NO_NODE;
}

static unsigned find_or_add(struct router *router, struct str host, uint16_t port)
{
    const unsigned found = find(router, host, port);

    if (found != ROUTER_NO_NODE)
        return found;
    if (router->count == NODES_MAX || host.len > TOPOLOGY_HOST_MAX)
        return ROUTER_NO_NODE;
    struct router_node *node = mem_zalloc(1, sizeof *node);

    node->port = port;
    node->number = (uint16_t)router->count;
    memcpy(node->host, host.ptr, host.len);
    topology_write_name(node->name, node->host, port);
    router->nodes = mem_resize(router->nodes, router->count + 1, sizeof(struct router_node *));
    router->nodes[router->count] = node;
    return router->count++;
}

static void forget(struct router_node *node)
{
    free(node->replicas);
    node->replicas = NULL;
    node->replica_count = 0;
    node->primary = node->replica = node->member = node->taught = false;
}

/* `numbers`: of the nodes of the topology. */
static void adopt_replicas(struct router *router, const struct topology_shard *shard,
                           const uint16_t *numbers)
{
    if (numbers[shard->primary] == ROUTER_NO_NODE || shard->replica_count == 0)
        return;
    struct router_node *primary = router->nodes[numbers[shard->primary]];

    primary->replicas = mem_resize(primary->replicas, shard->replica_count, sizeof(uint16_t));
    primary->replica_count = 0;
    for (unsigned i = 0; i < shard->replica_count; i++) {
        const uint16_t number = numbers[shard->replica_first + i];

        if (number != ROUTER_NO_NODE)
            primary->replicas[primary->replica_count++] = number;
    }
}

void router_adopt(struct router *router, const struct topology *topology)
{
    uint16_t *numbers = mem_zalloc(topology->node_count, sizeof *numbers); /* owned */

    for (unsigned i = 0; i < router->count; i++)
        forget(router->nodes[i]);
    for (unsigned i = 0; i < topology->node_count; i++) {
        const struct topology_node *node = &topology->nodes[i];
        const unsigned number = find_or_add(router, str_of(node->host), node->port);

        numbers[i] = (uint16_t)number;
        if (number == ROUTER_NO_NODE)
            continue;
        router->nodes[number]->primary = node->primary;
        router->nodes[number]->replica = !node->primary;
        router->nodes[number]->member = true;
    }
    for (unsigned i = 0; i < topology->shard_count; i++)
        adopt_replicas(router, &topology->shards[i], numbers);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        const uint16_t shard = topology->shard_of[slot];

        router->node_of[slot] = shard == TOPOLOGY_NO_SHARD
                                    ? (uint16_t)ROUTER_NO_NODE
                                    : numbers[topology->shards[shard].primary];
    }
    memcpy(router->adopted, router->node_of, sizeof router->adopted);
    router->generation = topology->generation;
    free(numbers);
}

unsigned router_follow(struct router *router, unsigned said_by, const struct redirect *redirect)
{
    const struct str host =
        redirect->host.len ? redirect->host : str_of(router->nodes[said_by]->host);
    const unsigned number = find_or_add(router, host, redirect->port);

    if (number == ROUTER_NO_NODE)
        return number;
    router->nodes[number]->member = true;
    if (redirect->ask)
        return number;
    router->node_of[redirect->slot] = (uint16_t)number;
    router->nodes[number]->taught = true;
    return number;
}

void router_unlearn(struct router *router, unsigned node)
{
    if (!router->nodes[node]->taught)
        return;
    router->nodes[node]->taught = false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (router->node_of[slot] == node)
            router->node_of[slot] = router->adopted[slot];
}

unsigned router_next_replica(struct router *router, unsigned primary)
{
    struct router_node *node = router->nodes[primary];

    if (node->replica_count == 0)
        return ROUTER_NO_NODE;
    return node->replicas[node->replica_turn++ % node->replica_count];
}

unsigned router_next_primary(struct router *router)
{
    for (unsigned i = 0; i < router->count; i++) {
        const unsigned number = router->turn++ % router->count;

        if (router->nodes[number]->primary)
            return number;
    }
    return ROUTER_NO_NODE;
}
