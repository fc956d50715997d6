/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_server: a throwaway Valkey for one run, alone or a cluster.
 *
 * Starts servers without persistence, bound to 127.0.0.1, each in a temporary directory, and
 * returns when they answer; those of a cluster, three primaries with a replica each, when that is
 * ready. They end with the process that started them, however that ends, SIGKILL included, and
 * their directories with them (run/supervisor.h). Prints nothing.
 *
 * With TLS, certificates are made for the run (run/local_certificate.h).
 *
 * A server that dies in the middle of a run stays dead: to the run it is a server like any other.
 */
#ifndef RUN_LOCAL_SERVER_H
#define RUN_LOCAL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct local_server;

struct local_server_setup {
    const char *program; /* a name on PATH or a path; NULL: search (run/local_program.h) */
    uint16_t port;       /* to be taken, of a cluster by the first node; 0: any that is free */
    unsigned clients;    /* that each server is to take, where the limit on open files lets it */
    bool cluster;
    bool replicas; /* of a cluster: are to be named by it from the start */
    bool tls;
    int stop_fd; /* readable: give up the start; -1: never */
};

/*
 * Returns 0 and a server that answers, to be released with local_server_stop. Otherwise a negative
 * errno, a sentence, `*slot` NULL and nothing left behind: -ENOENT no such program, -EACCES not
 * executable, -EADDRINUSE the port is taken, -ECHILD the program ended before it answered (the
 * sentence quotes the last line it wrote), -ETIMEDOUT no answer within 10 s, -EINTR the start was
 * given up; of a cluster also those of run/local_cluster.h, with TLS those of
 * run/local_certificate.h.
 *
 * To be called while the process has one thread. The supervisors are children of the caller: nobody
 * else may wait for them.
 */
int local_server_start(struct local_server **slot, const struct local_server_setup *setup,
                       struct err *err);

/* Where the run is to connect: it speaks TLS if that was asked for. */
uint16_t local_server_port(const struct local_server *server);

/* The file of the authority to trust, there as long as the server is; NULL without TLS. */
const char *local_server_cacert(const struct local_server *server);

/*
 * Returns when the servers and their directories are gone: at once as a rule, after two seconds if
 * one ignores SIGTERM. Processes forked since may live on. Accepts NULL, leaves NULL.
 */
void local_server_stop(struct local_server **slot);

#endif
