/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define REST_FIRST_NS (UINT64_C(100) * CLOCK_NS_PER_MS)
#define REST_MAX_NS   ((uint64_t)CLOCK_NS_PER_S)

/* A certificate is to be for the node itself. */
static void prepare_tls(struct node *node, const struct tls_context *tls, const char *host)
{
    struct err err;

    if (!tls || tls_context_create_like(&node->tls, tls, host, &err) == 0)
        return;
    node->unfit = mem_zalloc(1, sizeof *node->unfit);
    *node->unfit = err;
}

struct node *node_create(const struct link_setup *links, const struct router_node *named)
{
    struct node *node = mem_zalloc(1, sizeof *node);

    prepare_tls(node, links->tls, named->host);
    node->links = *links;
    node->links.tls = node->tls;
    return node;
}

void node_destroy(struct node **slot)
{
    struct node *node = *slot;

    if (!node)
        return;
    while (node->place) {
        struct place *former = node->place->former;

        free(node->place);
        node->place = former;
    }
    tls_context_destroy(&node->tls);
    free(node->unfit);
    free(node);
    *slot = NULL;
}

static bool is_at(const struct node *node, const struct endpoint *endpoint)
{
    const struct endpoint *known = node->links.endpoint;

    if (!node->place || known->count != endpoint->count)
        return false;
    for (unsigned i = 0; i < known->count; i++) {
        const struct endpoint_address *one = &known->addresses[i];
        const struct endpoint_address *other = &endpoint->addresses[i];

        if (one->len != other->len || memcmp(&one->socket, &other->socket, one->len) != 0)
            return false;
    }
    return true;
}

static void move_to(struct node *node, const struct endpoint *endpoint)
{
    struct place *place = mem_zalloc(1, sizeof *place);

    place->endpoint = *endpoint;
    place->former = node->place;
    node->place = place;
    node->links.endpoint = &place->endpoint;
}

int node_locate(struct node *node, struct addresses *addresses, const struct router_node *named,
                struct err *err)
{
    struct endpoint found;

    if (node->place && !node->outdated)
        return 0;
    if (node->unfit) {
        *err = *node->unfit;
        return -EINVAL;
    }
    const int rc = addresses_find(addresses, named->host, named->port, &found, err);
    if (rc < 0)
        return rc;
    node->outdated = false;
    if (!is_at(node, &found))
        move_to(node, &found);
    return 0;
}

void node_miss(struct node *node, struct addresses *addresses, const struct router_node *named)
{
    node->outdated = true;
    if (++node->misses < node->links.endpoint->count)
        return;
    node->misses = 0;
    addresses_renew(addresses, named->host, named->port);
}

/* What was under way to a node that rests already says nothing new. */
void node_rest(struct node *node, uint64_t now_ns)
{
    if (node->resting)
        return;
    const bool soon = node->rest_ns && now_ns - node->rest_end_ns < node->rest_ns;
    const uint64_t rest_ns = soon ? 2 * node->rest_ns : REST_FIRST_NS;

    node->resting = true;
    node->rest_ns = rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS;
    node->rest_end_ns = now_ns + node->rest_ns;
}

void node_wake(struct node *node, uint64_t now_ns)
{
    if (now_ns >= node->rest_end_ns)
        node->resting = false;
}
