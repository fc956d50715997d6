/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node: how a worker gets to a node of a cluster: where it is, the TLS by which it proves its name,
 * and whether it is to be left alone for a while. It knows nothing of the node's role.
 */
#ifndef CLIENT_NODE_H
#define CLIENT_NODE_H

#include <stdbool.h>

#include "cluster/addresses.h"
#include "cluster/router.h"
#include "io/link.h"
#include "io/tls_context.h"

struct node_link;

/* What a name was resolved to, kept as long as dials may be under way to there. */
struct place {
    struct endpoint endpoint;
    struct place *former; /* owned */
};

struct node {
    struct place *place;                      /* owned; NULL: it is not known where it is */
    struct link_setup links;                  /* of all links to it */
    struct tls_context *tls;                  /* owned; NULL: without TLS */
    struct err *unfit;                        /* owned: why it must not be dialled; NULL: it may */
    struct node_link *dial_first, *dial_last; /* borrowed: links that wait for a dial */
    unsigned dialing;                         /* links */
    unsigned misses;                          /* dials that failed in a row */
    bool outdated;                            /* it may be somewhere else by now */
    bool silent;                              /* nothing answered the last dial */
    bool resting;                  /* nothing that others can serve is to be sent to it */
    uint64_t rest_ns, rest_end_ns; /* how long the last rest was to be, and its end */
};

/* Makes a node that is not located. Its links are made as `links` says, but for the endpoint, and
 * for the name that a certificate must be for; nothing is sent without TLS where TLS is wanted and
 * cannot be spoken. */
struct node *node_create(const struct link_setup *links, const struct router_node *named);

/* Releases a node; NULL is fine. */
void node_destroy(struct node **slot);

/* Finds out where a node is, if that is not known, or may be so no longer. Returns 0, -EAGAIN: it
 * is being found out, or another negative errno with `err` filled in. */
int node_locate(struct node *node, struct addresses *addresses, const struct router_node *named,
                struct err *err);

/* Counts a dial that has failed. When all addresses may have been tried the name is resolved again;
 * if it stands for others then, the next dials go there. */
void node_miss(struct node *node, struct addresses *addresses, const struct router_node *named);

/* Lets a node rest that could not serve a request: for 100 ms, and twice as long each time that it
 * still cannot soon after, up to 1 s. */
void node_rest(struct node *node, uint64_t now_ns);

/* Ends the rest of a node that has had it. */
void node_wake(struct node *node, uint64_t now_ns);

#endif
