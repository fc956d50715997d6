/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/node.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

/* A certificate is to be for the node itself. */
static void prepare_tls(struct node *node, const struct tls_config *config, const char *host)
{
    struct err err;

    if (!config->on || tls_context_create(&node->tls, config, host, &err) == 0)
        return;
    node->unfit = mem_zalloc(1, sizeof *node->unfit);
    *node->unfit = err;
}

struct node *node_create(const struct link_setup *links, const struct tls_config *tls,
                         const struct router_node *named)
{
    struct node *node = mem_zalloc(1, sizeof *node);

    prepare_tls(node, tls, named->host);
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
