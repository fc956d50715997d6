/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refresher: asks the nodes of a cluster for its topology, and publishes what is new.
 *
 * There is one a process at a time, in the loop of one of its workers, over a link of its own. It
 * asks when the bulletin says that a newer topology is wanted: at once, then after 100 ms, and
 * after twice as long each time that nothing new was heard, up to 2 s, or 400 ms while requests
 * wait. A node whose addresses do not answer, each in turn, is left for the next one, as is one
 * that has nothing new to say: it may be the one that hears of news last. When all have failed, it
 * asks where the user said that the server is. While requests wait, what is heard is published even
 * if it says nothing new, since they may wait because of what redirects have taught a worker.
 *
 * An answer is awaited for the connection timeout, or a second if that is longer, while nothing is
 * known of the cluster. After that for a second, and for twice as long each time that a node was
 * silent, up to the same bound, until one has answered: news may be had from others.
 */
#ifndef CLUSTER_REFRESHER_H
#define CLUSTER_REFRESHER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/addresses.h"
#include "cluster/bulletin.h"
#include "io/link.h"
#include "io/tls_context.h"

/* Borrowed for the refresher's lifetime. */
struct refresher_setup {
    struct loop *loop;
    struct bulletin *bulletin;
    struct addresses *addresses;
    const struct endpoint *endpoint; /* asked while there is no topology, and when all else fails */
    const struct session_opening *opening; /* NULL: none */
    const struct tls_context *tls;         /* like that of each node; NULL: without TLS */
    uint64_t connect_timeout_ns;           /* 0: none */
    uint64_t seed;                         /* of the node to begin with, and of the jitter */
};

struct refresher;

struct refresher *refresher_create(const struct refresher_setup *setup);

/* Its link must be down: refresher_stop() and a turn of the loop before. */
void refresher_destroy(struct refresher **slot);

/* Looks whether there is something to do. Returns when it wants to be called next, at the latest;
 * to be called earlier when the bulletin has been asked. */
uint64_t refresher_tick(struct refresher *refresher, uint64_t now_ns);

/* Asks nobody from now on, and hangs up. */
void refresher_stop(struct refresher *refresher);

/* How many attempts have failed, and the sentence of the last; "" when none has. */
unsigned refresher_failures(const struct refresher *refresher);
const char *refresher_failure(const struct refresher *refresher);

/* Whether the last attempt that failed was answered, by what is no topology. */
bool refresher_was_answered(const struct refresher *refresher);

#endif
