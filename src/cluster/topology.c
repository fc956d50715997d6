/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/topology.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* While a topology is made: the slot has been claimed, by a node that nobody knows the place of. */
#define UNKNOWN_SHARD (TOPOLOGY_NO_SHARD - 1)

enum { NODES_FIRST = 16 };

struct maker {
    struct topology *topology;
    const struct resp_item *reply;
    const char *asked;
    uint16_t *shard_of; /* owned: of each entry of the reply */
    unsigned room;      /* for nodes */
    struct err *err;
};

/* Where a node is. */
struct place {
    struct str host;
    uint16_t port; /* 0: nobody knows */
};

static bool is_text(const struct resp_item *item)
{
    return item->kind == RESP_BULK || item->kind == RESP_SIMPLE;
}

/* Names and addresses end up in messages and are handed to the resolver. */
static bool is_host(struct str host)
{
    if (host.len == 0 || host.len > TOPOLOGY_HOST_MAX || str_equal(host, STR("?")))
        return false;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] > '~')
            return false;
    return true;
}

/* The value of a key of a node's metadata, or nothing. */
static struct str find_metadata(const struct resp_item *node, struct str key)
{
    if (node->count < 4)
        return STR("");
    const struct resp_item *metadata = &node->items[3];

    if (metadata->kind != RESP_ARRAY && metadata->kind != RESP_MAP)
        return STR("");
    for (size_t i = 0; i + 1 < metadata->count; i += 2)
        if (is_text(&metadata->items[i]) && is_text(&metadata->items[i + 1]) &&
            str_equal(metadata->items[i].text, key))
            return metadata->items[i + 1].text;
    return STR("");
}

/* Returns false when the item describes no node. */
static bool read_place(const struct maker *maker, const struct resp_item *node, struct place *place)
{
    if (node->kind != RESP_ARRAY || node->count < 2)
        return false;
    const struct resp_item *endpoint = &node->items[0], *port = &node->items[1];

    if (port->kind != RESP_INTEGER || port->number < 0 || port->number > UINT16_MAX)
        return false;
    if (endpoint->kind != RESP_NULL && !is_text(endpoint))
        return false;
    *place = (struct place){.host = endpoint->text, .port = (uint16_t)port->number};
    if (endpoint->kind == RESP_NULL || endpoint->text.len == 0)
        place->host = str_of(maker->asked);
    else if (str_equal(endpoint->text, STR("?")))
        place->host = find_metadata(node, STR("ip"));
    if (!is_host(place->host))
        place->port = 0;
    return true;
}

static bool is_at(const struct topology_node *node, struct str host, uint16_t port)
{
    return node->port == port && str_equal(str_of(node->host), host);
}

/* Returns the place of the new node among the nodes, or -1: there are too many. */
static int add_node(struct maker *maker, const struct place *place, uint16_t shard, bool primary)
{
    struct topology *topology = maker->topology;

    if (topology->node_count == TOPOLOGY_NODES_MAX)
        return -1;
    if (topology->node_count == maker->room) {
        maker->room = maker->room ? 2 * maker->room : NODES_FIRST;
        topology->nodes = mem_resize(topology->nodes, maker->room, sizeof *topology->nodes);
    }
    struct topology_node *node = &topology->nodes[topology->node_count];
    *node = (struct topology_node){.port = place->port, .shard = shard, .primary = primary};
    memcpy(node->host, place->host.ptr, place->host.len);
    topology_write_name(node->name, node->host, node->port);
    return (int)topology->node_count++;
}

/* While only primaries have been added, a shard has the place of its primary. */
static int take_shard(struct maker *maker, const struct place *primary)
{
    const int found = topology_find_node(maker->topology, primary->host, primary->port);

    if (primary->port == 0)
        return UNKNOWN_SHARD;
    if (found >= 0)
        return found;
    return add_node(maker, primary, (uint16_t)maker->topology->node_count, true);
}

static int claim_slots(struct maker *maker, const struct resp_item *entry, uint16_t shard)
{
    const struct resp_item *first = &entry->items[0], *last = &entry->items[1];
    uint16_t *shard_of = maker->topology->shard_of;

    if (first->kind != RESP_INTEGER || last->kind != RESP_INTEGER)
        return err_set(maker->err, "CLUSTER SLOTS was answered by a range that has no numbers.");
    if (first->number < 0 || last->number >= SLOT_COUNT || first->number > last->number)
        return err_set(maker->err, "CLUSTER SLOTS was answered by a range from %lld to %lld.",
                       (long long)first->number, (long long)last->number);
    for (int64_t slot = first->number; slot <= last->number; slot++) {
        if (shard_of[slot] != TOPOLOGY_NO_SHARD)
            return err_set(maker->err, "CLUSTER SLOTS was answered by two ranges with slot %lld.",
                           (long long)slot);
        shard_of[slot] = shard;
    }
    return 0;
}

static int too_many_nodes(struct err *err)
{
    return err_set(err, "CLUSTER SLOTS was answered by more than %d nodes.", TOPOLOGY_NODES_MAX);
}

static int add_primary(struct maker *maker, size_t at)
{
    const struct resp_item *entry = &maker->reply->items[at];
    struct place primary;

    if (entry->kind != RESP_ARRAY || entry->count < 3 ||
        !read_place(maker, &entry->items[2], &primary))
        return err_set(maker->err, "CLUSTER SLOTS was answered by what describes no shard.");
    const int shard = take_shard(maker, &primary);
    if (shard < 0)
        return too_many_nodes(maker->err);
    maker->shard_of[at] = (uint16_t)shard;
    return claim_slots(maker, entry, (uint16_t)shard);
}

static int add_replicas(struct maker *maker, const struct resp_item *entry, uint16_t shard)
{
    struct place place;

    for (size_t i = 3; i < entry->count; i++) {
        if (!read_place(maker, &entry->items[i], &place))
            return err_set(maker->err, "CLUSTER SLOTS was answered by what describes no replica.");
        if (place.port == 0 || topology_find_node(maker->topology, place.host, place.port) >= 0)
            continue;
        if (add_node(maker, &place, shard, false) < 0)
            return too_many_nodes(maker->err);
    }
    return 0;
}

static int add_shard_replicas(struct maker *maker, uint16_t number)
{
    struct topology_shard *shard = &maker->topology->shards[number];

    shard->primary = number;
    shard->replica_first = (uint16_t)maker->topology->node_count;
    for (size_t i = 0; i < maker->reply->count; i++) {
        if (maker->shard_of[i] != number)
            continue;
        const int rc = add_replicas(maker, &maker->reply->items[i], number);
        if (rc < 0)
            return rc;
    }
    shard->replica_count = (uint16_t)(maker->topology->node_count - shard->replica_first);
    return 0;
}

static void count_holes(struct topology *topology)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (topology->shard_of[slot] < UNKNOWN_SHARD)
            continue;
        topology->shard_of[slot] = TOPOLOGY_NO_SHARD;
        topology->holes++;
    }
}

static int make(struct maker *maker)
{
    struct topology *topology = maker->topology;

    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        topology->shard_of[slot] = TOPOLOGY_NO_SHARD;
    for (size_t i = 0; i < maker->reply->count; i++) {
        const int rc = add_primary(maker, i);
        if (rc < 0)
            return rc;
    }
    topology->shard_count = topology->node_count;
    topology->shards = mem_zalloc(topology->shard_count, sizeof *topology->shards);
    for (unsigned i = 0; i < topology->shard_count; i++) {
        const int rc = add_shard_replicas(maker, (uint16_t)i);
        if (rc < 0)
            return rc;
    }
    count_holes(topology);
    return 0;
}

int topology_create(struct topology **out, const struct resp_item *reply, const char *asked,
                    uint64_t generation, struct err *err)
{
    struct maker maker = {.reply = reply, .asked = asked, .err = err};

    if (reply->kind == RESP_ERROR)
        return err_set(err, "CLUSTER SLOTS was refused: %.*s%s", (int)reply->text.len,
                       reply->text.ptr, str_full_stop(reply->text));
    /* Ranges do not overlap, so there are no more of them than slots. */
    if (reply->kind != RESP_ARRAY || reply->count > SLOT_COUNT)
        return err_set(err, "CLUSTER SLOTS was not answered by a list of shards.");
    maker.topology = mem_zalloc(1, sizeof *maker.topology);
    maker.topology->generation = generation;
    maker.shard_of = mem_zalloc(reply->count, sizeof *maker.shard_of);
    const int rc = make(&maker);
    free(maker.shard_of);
    if (rc < 0)
        topology_destroy(&maker.topology);
    *out = maker.topology;
    return rc;
}

void topology_destroy(struct topology **slot)
{
    struct topology *topology = *slot;

    if (!topology)
        return;
    free(topology->shards);
    free(topology->nodes);
    free(topology);
    *slot = NULL;
}

int topology_find_node(const struct topology *topology, struct str host, uint16_t port)
{
    for (unsigned i = 0; i < topology->node_count; i++)
        if (is_at(&topology->nodes[i], host, port))
            return (int)i;
    return -1;
}

const struct topology_node *topology_primary(const struct topology *topology, unsigned slot)
{
    const uint16_t shard = topology->shard_of[slot];

    return shard == TOPOLOGY_NO_SHARD ? NULL : &topology->nodes[topology->shards[shard].primary];
}

static bool same_node(const struct topology_node *a, const struct topology_node *b)
{
    if (!a || !b)
        return a == b;
    return is_at(a, str_of(b->host), b->port);
}

static const struct topology_node *primary_of(const struct topology *topology,
                                              const struct topology_node *node)
{
    return &topology->nodes[topology->shards[node->shard].primary];
}

struct topology_change topology_compare(const struct topology *before, const struct topology *after)
{
    struct topology_change change = {.left = before->node_count};

    for (unsigned i = 0; i < after->node_count; i++) {
        const struct topology_node *node = &after->nodes[i];
        const int was = topology_find_node(before, str_of(node->host), node->port);

        if (was < 0) {
            change.joined++;
            continue;
        }
        change.left--;
        const struct topology_node *old = &before->nodes[was];
        change.roles += node->primary != old->primary ||
                        !same_node(primary_of(before, old), primary_of(after, node));
    }
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        change.moved += !same_node(topology_primary(before, slot), topology_primary(after, slot));
    return change;
}

void topology_write_name(char *name, const char *host, uint16_t port)
{
    snprintf(name, TOPOLOGY_NAME_MAX + 1, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}
