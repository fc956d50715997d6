/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_fixture: the driver for clusters with one client, and nodes that the test plays itself.
 */
#ifndef TESTS_CLUSTER_FIXTURE_H
#define TESTS_CLUSTER_FIXTURE_H

#include <fcntl.h>
#include <sys/eventfd.h>

#include "cluster_notes.h"
#include "notation.h"
#include "peer.h"

static inline void publish_text(struct fixture *fixture, const char *notation)
{
    struct topology *topology;
    struct resp_tree tree;
    struct err err;

    resp_tree_init(&tree, 1000);
    assert_int_equal(topology_create(&topology, notation_read(&tree, notation), "h",
                                     ++fixture->generation, &err),
                     0);
    resp_tree_deinit(&tree);
    bulletin_publish(fixture->cluster.bulletin, topology);
}

/* The slots below 8192 are the first node's, the others the second's; a node < 0 has none. */
static inline void publish(struct fixture *fixture, int low, int high)
{
    char notation[200] = "[";

    if (low >= 0)
        sprintf(notation + strlen(notation), "[0 8191 ['127.0.0.1' %u]]", fixture->nodes[low].port);
    if (high >= 0)
        sprintf(notation + strlen(notation), "[8192 16383 ['127.0.0.1' %u]]",
                fixture->nodes[high].port);
    strcat(notation, "]");
    publish_text(fixture, notation);
}

/* All slots are the first node's; the others, up to `last`, are its replicas. */
static inline void publish_replicas(struct fixture *fixture, unsigned last)
{
    char notation[200] = "[[0 16383";

    for (unsigned i = 0; i <= last; i++)
        sprintf(notation + strlen(notation), " ['127.0.0.1' %u]", fixture->nodes[i].port);
    strcat(notation, "]]");
    publish_text(fixture, notation);
}

/* A driver for requests of this type; without replicas, two primaries share the slots. */
static inline void set_up_for(struct fixture *fixture, const struct client_config *config,
                              const char *type, unsigned replicas)
{
    const struct source_config source = {
        .type = type, .data_bytes = 1, .keys = {.sequential = 1000000}};
    struct sockaddr_in address;
    struct err err;

    *fixture =
        (struct fixture){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .config = *config};
    for (unsigned i = 0; i < NODES; i++) {
        fixture->nodes[i].listener = peer_listen(&address);
        fcntl(fixture->nodes[i].listener, F_SETFL, O_NONBLOCK);
        fixture->nodes[i].port = ntohs(address.sin_port);
        fixture->nodes[i].peer = -1;
    }
    fixture->cluster = (struct cluster){.bulletin = bulletin_create(1),
                                        .addresses = addresses_create(),
                                        .endpoint = &fixture->endpoint};
    /* Nobody asks the nodes for news, but for this test. */
    assert_true(bulletin_take_press(fixture->cluster.bulletin));
    if (replicas)
        publish_replicas(fixture, replicas);
    else
        publish(fixture, A, B);
    assert_int_equal(source_init(&fixture->source, &source, 0, &err), 0);
    fixture->setup = (struct driver_setup){.endpoint = &fixture->endpoint,
                                           .cluster = &fixture->cluster,
                                           .source = &fixture->source,
                                           .config = &fixture->config,
                                           .connect_timeout_ns = CLOCK_NS_PER_S,
                                           .seed = 1,
                                           .stride = 1,
                                           .clients_max = (unsigned)config->clients,
                                           .listener = {on_done, on_event, on_connected, fixture}};
    const struct loop_setup loop_setup = {.wake_fd = fixture->wake_fd,
                                          .channels = 8 * (unsigned)config->clients};
    assert_int_equal(loop_epoll.create(&fixture->setup.loop, &loop_setup, &err), 0);
    assert_int_equal(driver_cluster.create(&fixture->driver, &fixture->setup, &err), 0);
}

static inline void set_up(struct fixture *fixture, unsigned pipeline, uint64_t timeout_ns)
{
    const struct client_config config = {
        .clients = 1, .pipeline = pipeline, .request_timeout_ns = timeout_ns, .cluster = true};

    set_up_for(fixture, &config, "get", 0);
}

static inline void tear_down(struct fixture *fixture)
{
    fixture->driver->ops->abandon(fixture->driver, clock_now_ns());
    assert_int_equal(fixture->driver->in_flight, 0);
    assert_int_equal(fixture->driver->free, 0);
    assert_int_equal(fixture->driver->up, 0);
    driver_destroy(&fixture->driver);
    loop_destroy(&fixture->setup.loop);
    source_deinit(&fixture->source);
    bulletin_destroy(&fixture->cluster.bulletin);
    addresses_destroy(&fixture->cluster.addresses);
    for (unsigned i = 0; i < NODES; i++) {
        if (fixture->nodes[i].listener >= 0)
            close(fixture->nodes[i].listener);
        if (fixture->nodes[i].peer >= 0)
            close(fixture->nodes[i].peer);
    }
    close(fixture->wake_fd);
}

#endif
