/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/local_certificate.h"
#include "run/local_cluster.h"
#include "run/local_node.h"
#include "run/local_program.h"

/* Connections beside the run's: ours, the replica's, and those of people who look on. */
enum { OTHER_CLIENTS = 100 };

struct local_server {
    struct local_node nodes[LOCAL_CLUSTER_NODES];
    unsigned count; /* that run */
    char *cacert;   /* owned; NULL: no TLS */
};

static int start_nodes(struct local_server *server, const struct local_server_setup *setup,
                       struct local_node_setup node, struct err *err)
{
    const unsigned wanted = setup->cluster ? LOCAL_CLUSTER_NODES : 1;
    uint16_t ports[LOCAL_CLUSTER_NODES];

    node.port = setup->port;
    for (; server->count < wanted; server->count++) {
        struct local_node *next = &server->nodes[server->count];
        const int rc = local_node_start(next, &node, err);
        if (rc < 0)
            return rc;
        ports[server->count] = next->port;
        node.port = 0;
    }
    const int rc = setup->cluster ? local_cluster_form(ports, setup->stop_fd, err) : 0;
    return rc == 0 && setup->replicas ? local_cluster_show_replicas(ports, setup->stop_fd, err)
                                      : rc;
}

static char *path_in(const char *directory, const char *name)
{
    const size_t size = strlen(directory) + strlen(name) + 2;
    char *path = mem_zalloc(size, 1);

    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

static int start(struct local_server *server, const struct local_server_setup *setup,
                 const struct local_program *program, struct err *err)
{
    struct local_node_setup node = {
        .program = program,
        .clients = setup->clients + OTHER_CLIENTS,
        .in_cluster = setup->cluster,
        .stop_fd = setup->stop_fd,
    };
    struct local_certificate certificate = {NULL, NULL, NULL};

    int rc = setup->tls ? local_certificate_make(&certificate, err) : 0;
    if (setup->tls)
        node.certificate = &certificate;
    if (rc == 0)
        rc = start_nodes(server, setup, node, err);
    if (rc == 0 && setup->tls)
        server->cacert = path_in(server->nodes[0].supervisor.directory, LOCAL_NODE_AUTHORITY);
    local_certificate_deinit(&certificate);
    return rc;
}

int local_server_start(struct local_server **slot, const struct local_server_setup *setup,
                       struct err *err)
{
    struct local_program program = {NULL, NULL};

    *slot = mem_zalloc(1, sizeof **slot);
    int rc = local_program_find(&program, setup->program, err);
    if (rc == 0)
        rc = start(*slot, setup, &program, err);
    local_program_deinit(&program);
    if (rc < 0)
        local_server_stop(slot);
    return rc;
}

uint16_t local_server_port(const struct local_server *server)
{
    return local_node_port(&server->nodes[0]);
}

const char *local_server_cacert(const struct local_server *server)
{
    return server->cacert;
}

void local_server_stop(struct local_server **slot)
{
    struct local_server *server = *slot;

    if (!server)
        return;
    for (unsigned i = 0; i < server->count; i++)
        supervisor_end(&server->nodes[i].supervisor);
    for (unsigned i = 0; i < server->count; i++)
        local_node_stop(&server->nodes[i]);
    free(server->cacert);
    free(server);
    *slot = NULL;
}
