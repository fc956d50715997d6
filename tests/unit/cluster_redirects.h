/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_redirects: nodes of a cluster_fixture that send requests elsewhere, and what then comes.
 */
#ifndef TESTS_CLUSTER_REDIRECTS_H
#define TESTS_CLUSTER_REDIRECTS_H

#include "cluster_talk.h"

/* A request arrives at a node with an ASKING before it. */
static inline void answer_asking(struct fixture *fixture, unsigned node, uint64_t k,
                                 const char *reply)
{
    char command[COMMAND_MAX] = "*1\r\n$6\r\nASKING\r\n";

    get_command(command + strlen(command), k);
    expect_bytes(fixture, node, command);
    peer_say(fixture->nodes[node].peer, reply);
}

static inline char *redirect(const struct fixture *fixture, const char *kind, uint64_t k,
                             unsigned node, char *reply)
{
    char key[32];

    sprintf(key, "key:%llu", (unsigned long long)k);
    sprintf(reply, "-%s %u 127.0.0.1:%u\r\n", kind, resp_slot(str_of(key)),
            fixture->nodes[node].port);
    return reply;
}

#endif
