/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_server: a throwaway Valkey for one run.
 *
 * Starts a server without persistence, bound to 127.0.0.1, in a temporary directory, and returns
 * when it answers. It ends with the process that started it, however that ends, SIGKILL included,
 * and its directory with it (run/supervisor.h). Prints nothing.
 *
 * A server that dies in the middle of a run stays dead: to the run it is a server like any other.
 */
#ifndef RUN_LOCAL_SERVER_H
#define RUN_LOCAL_SERVER_H

#include <stdint.h>

#include "base/err.h"

struct local_server;

/*
 * `program` is as in run/local_program.h; `port` is the one to take, 0 for any that
 * is free; it takes `clients` connections, where the limit on open files lets it. Returns 0 and a
 * server that answers, to be released with local_server_stop. Otherwise a negative errno, a
 * sentence, `*slot` NULL and nothing left behind: -ENOENT no such program, -EACCES not executable,
 * -EADDRINUSE the port is taken, -ECHILD the program ended before it answered (the sentence quotes
 * the last line it wrote), -ETIMEDOUT no answer within 10 s.
 *
 * To be called while the process has one thread. The supervisor is a child of the caller: nobody
 * else may wait for it.
 */
int local_server_start(struct local_server **slot, const char *program, uint16_t port,
                       unsigned clients, struct err *err);

uint16_t local_server_port(const struct local_server *server);

/*
 * Returns when the server and its directory are gone: at once as a rule, after two seconds if it
 * ignores SIGTERM. Processes forked since may live on. Accepts NULL, leaves NULL.
 */
void local_server_stop(struct local_server **slot);

#endif
