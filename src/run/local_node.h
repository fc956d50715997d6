/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_node: one throwaway Valkey, alone or yet to be made part of a cluster.
 *
 * Without persistence, bound to 127.0.0.1, in a directory of its own, under a supervisor
 * (run/supervisor.h). One with a certificate has a port that speaks TLS beside the plain one, by
 * which it is looked after.
 */
#ifndef RUN_LOCAL_NODE_H
#define RUN_LOCAL_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "run/local_certificate.h"
#include "run/local_program.h"
#include "run/supervisor.h"

/* The authority's certificate, in the directory of a node that speaks TLS. */
#define LOCAL_NODE_AUTHORITY "authority.crt"

/* After which a cluster takes a node that is silent for lost. */
enum { LOCAL_NODE_TIMEOUT_MS = 2000 };

struct local_node {
    struct supervisor supervisor;
    uint16_t port;     /* plain */
    uint16_t tls_port; /* 0: none */
};

/* Everything is borrowed, and not needed after the start. */
struct local_node_setup {
    const struct local_program *program;
    const struct local_certificate *certificate; /* NULL: no TLS */
    uint16_t port;    /* to be taken; with a certificate that of TLS; 0: any that is free */
    unsigned clients; /* connections that it is to take, where the limit on open files lets it */
    bool in_cluster;  /* in cluster mode: takes the port 10000 above the plain one, too */
    int stop_fd;      /* readable: give up; -1: never */
};

/*
 * Returns 0 and a node that answers, to be released with local_node_stop. Otherwise a negative
 * errno, a sentence and nothing left behind; see local_server_start.
 */
int local_node_start(struct local_node *node, const struct local_node_setup *setup,
                     struct err *err);

/* The port that the run is to use. */
uint16_t local_node_port(const struct local_node *node);

/* Whether `fd` (-1: none) is readable, which is not waited for. */
bool local_node_is_told(int fd);

void local_node_stop(struct local_node *node);

#endif
