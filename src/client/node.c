/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/node.h"

#include <errno.h>
#include <stdlib.h>

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
    node->links.endpoint = &node->endpoint;
    node->links.tls = node->tls;
    return node;
}

void node_destroy(struct node **slot)
{
    struct node *node = *slot;

    if (!node)
        return;
    tls_context_destroy(&node->tls);
    free(node->unfit);
    free(node);
    *slot = NULL;
}

int node_locate(struct node *node, struct addresses *addresses, const struct router_node *named,
                struct err *err)
{
    if (node->located)
        return 0;
    if (node->unfit) {
        *err = *node->unfit;
        return -EINVAL;
    }
    const int rc = addresses_find(addresses, named->host, named->port, &node->endpoint, err);
    node->located = rc == 0;
    return rc;
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
