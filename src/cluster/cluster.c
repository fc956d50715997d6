/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cluster/refresher.h"

/* Why there is no topology: what was answered, or that nothing was. */
static int explain(const struct refresher *refresher, const char *name, struct err *err)
{
    const char *failure = refresher_failure(refresher);

    if (!refresher_was_answered(refresher))
        return err_set(err,
                       "%s did not tell which nodes its cluster has. %s Allow more time by "
                       "--connection-timeout, or leave out --cluster for a server that stands "
                       "alone.",
                       name, failure);
    if (strstr(failure, ": NOPERM"))
        return err_set(err,
                       "The user may not ask %s which nodes its cluster has. %s Allow the user "
                       "CLUSTER SLOTS.",
                       name, failure);
    return err_set(err,
                   "%s is no node of a cluster that can be measured. %s Leave out --cluster for a "
                   "server that stands alone.",
                   name, failure);
}

/* Turns until there is a topology or one attempt has failed. */
static int fetch(struct cluster *cluster, const struct cluster_setup *setup, struct loop *loop,
                 struct err *err)
{
    const struct refresher_setup wanted = {.loop = loop,
                                           .bulletin = cluster->bulletin,
                                           .addresses = cluster->addresses,
                                           .endpoint = setup->endpoint,
                                           .opening = setup->opening,
                                           .tls = setup->tls,
                                           .connect_timeout_ns = setup->timeout_ns};
    struct refresher *refresher = refresher_create(&wanted);
    int rc = 0;

    bulletin_ask(cluster->bulletin, BULLETIN_WAITING);
    while (!bulletin_newest(cluster->bulletin) && refresher_failures(refresher) == 0)
        loop_turn(loop, refresher_tick(refresher, clock_now_ns()));
    if (!bulletin_newest(cluster->bulletin))
        rc = explain(refresher, setup->endpoint->name, err);
    refresher_stop(refresher);
    loop_turn(loop, 0);
    refresher_destroy(&refresher);
    return rc;
}

/* The fetch has a loop of its own, gone before anything is forked. */
static int fetch_topology(struct cluster *cluster, const struct cluster_setup *setup,
                          struct err *err)
{
    const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const struct loop_setup loop_setup = {.wake_fd = wake_fd, .channels = 1};
    struct loop *loop = NULL;

    if (wake_fd < 0)
        return err_sys(err, "Could not make an eventfd");
    int rc = loop_epoll.create(&loop, &loop_setup, err);
    if (rc == 0)
        rc = fetch(cluster, setup, loop, err);
    loop_destroy(&loop);
    close(wake_fd);
    return rc;
}

/* A node whose name cannot be resolved may still be reached later. */
static void resolve_names(struct cluster *cluster)
{
    const struct topology *topology = bulletin_newest(cluster->bulletin);
    struct err err;

    for (unsigned i = 0; i < topology->node_count; i++)
        addresses_resolve(cluster->addresses, topology->nodes[i].host, topology->nodes[i].port,
                          &err);
}

int cluster_create(struct cluster **out, const struct cluster_setup *setup, struct err *err)
{
    struct cluster *cluster = mem_zalloc(1, sizeof *cluster);

    cluster->endpoint = setup->endpoint;
    cluster->bulletin = bulletin_create(setup->readers);
    cluster->addresses = addresses_create();
    const int rc = fetch_topology(cluster, setup, err);
    if (rc < 0)
        cluster_destroy(&cluster);
    else
        resolve_names(cluster);
    *out = cluster;
    return rc;
}

void cluster_destroy(struct cluster **slot)
{
    struct cluster *cluster = *slot;

    if (!cluster)
        return;
    bulletin_destroy(&cluster->bulletin);
    addresses_destroy(&cluster->addresses);
    free(cluster);
    *slot = NULL;
}
