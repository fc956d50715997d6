/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_driver: what the parts of the driver for clusters share. For them alone.
 *
 * A client has slots and a link to each node; which of them a call takes is decided call by call. A
 * call whose node cannot be reached, or that was told to come back later, waits in its client's
 * list: the driver looks at it every few milliseconds, or later when it is to, and whenever a link
 * comes up.
 */
#ifndef CLIENT_CLUSTER_DRIVER_H
#define CLIENT_CLUSTER_DRIVER_H

#include "base/clock.h"
#include "client/calls.h"
#include "client/client.h"
#include "client/gathering.h"
#include "client/node.h"
#include "client/queue.h"
#include "cluster/refresher.h"
#include "io/link.h"

/* Calls that wait for a link are looked at this often. */
#define CLUSTER_RETRY_NS (UINT64_C(5) * CLOCK_NS_PER_MS)

enum { CLUSTER_TEXT_MAX = TOPOLOGY_NAME_MAX + RESP_TEXT_MAX + 64 };

struct node_link {
    struct link link; /* first: events come with it */
    struct cluster_client *client;
    struct call_ring ring;
    struct gathering *gathering; /* owned; NULL where requests are not dictated */
    struct node_link *next_dial;
    uint64_t stuck_ns; /* since when it was seen with calls of which none could be sent; 0: no */
    uint64_t place_ns; /* when to ask again where its node is, which could not be told; 0: it was */
    uint64_t left;     /* requests that the connection may still get; 0: no limit */
    uint32_t travelled; /* calls in the ring that were sent elsewhere before */
    uint16_t node;
    bool initial;  /* is kept from the start */
    bool awaited;  /* the client is not up before one end of the next dial is known */
    bool wanted;   /* by a call that waits */
    bool to_dial;  /* in its node's list of those that wait for a dial */
    bool known;    /* was up before */
    bool barred;   /* its last dial ended with a login that was refused */
    bool retired;  /* is being closed: nothing is added to it */
    bool renewing; /* had all its requests: to be dialled anew once they are answered */
};

struct cluster_client {
    struct cluster_driver *driver;
    struct call *calls; /* borrowed; the driver's `slots` of them */
    struct call *free;  /* list */
    struct call *wait_first, *wait_last;
    struct node_link **links; /* owned, as are the links; by number of node, NULL: none */
    unsigned link_room;
    unsigned number;  /* among all clients */
    unsigned used;    /* slots that are not free */
    unsigned linked;  /* links that are up */
    unsigned awaited; /* links of whose dial neither end is known: at the start, and renewed ones */
    bool up;
    struct queued queued; /* among those with a free slot */
};

struct cluster_driver {
    struct driver driver; /* first: the head that the worker knows */
    const struct driver_setup *setup;
    struct cluster_client *clients; /* owned; setup->clients_max */
    struct call *calls;             /* owned; of all clients */
    struct queue queue;             /* of those with a free slot */
    unsigned wanted;                /* clients that are to be open: the first of `clients` */
    uint32_t slots;                 /* a client */
    struct router router;
    struct node **nodes; /* owned, as are the nodes; by number */
    unsigned node_count;
    unsigned waiting, dialing; /* calls; links */
    unsigned to_dial;          /* links that wait for a dial */
    unsigned dial_turn;        /* of the nodes */
    uint64_t look_ns;          /* when the links are to be looked at */
    uint64_t retry_ns;         /* when the calls that wait are */
    uint64_t poll_ns;          /* when the bulletin is */
    struct refresher_setup refreshing;
    struct refresher *refresher; /* owned; NULL: another worker has it */
    uint64_t refresh_ns;         /* when it wants its tick */
    uint64_t replicas_ns;        /* when it is to look for replicas */
    bool abandoned;
    const struct node_link *said_by; /* whose server said something unasked, and what */
    char said[RESP_TEXT_MAX + 1];
    char reasons[OUTCOME_KINDS][RESP_TEXT_MAX + 1]; /* what was waited out last, by kind */
};

/* ---- cluster.c: clients, their slots, time */

void cluster_tell(struct cluster_driver *driver, enum event event, struct str text,
                  uint64_t now_ns);

/* Makes the next tick come by this time. */
void cluster_tick_by(struct cluster_driver *driver, uint64_t time_ns);

/* A slot of a client is free again. */
void cluster_free_slot(struct cluster_client *client, uint64_t now_ns);

/* Counts a client as up or not, by its links, with its free slots. */
void cluster_count_client(struct cluster_client *client, uint64_t now_ns);

/* ---- cluster_links.c: what links bring, and how they end; see cluster_dials.h for how they begin
 */

/* The link of a client to a node, made when there was none. */
struct node_link *cluster_link(struct cluster_client *client, unsigned node);

/* Where a link leads to. Its role may be another one by the next topology. */
static inline const struct router_node *cluster_node_of(const struct node_link *link)
{
    return link->client->driver->router.nodes[link->node];
}

/* Whether calls can be added to a link (NULL: no). */
static inline bool cluster_can_send(const struct node_link *link)
{
    return link && link->link.state == LINK_UP && !link->retired;
}

/* ---- cluster_calls.c: calls are sent, kept back, redirected, given back */

/* Sends a call that was just taken, or keeps it back until there is a link. */
void cluster_begin_call(struct cluster_client *client, struct call *call);

/* A reply to a call, which is no longer in the ring of its link. */
void cluster_take_reply(struct node_link *link, struct call *call, const struct resp_reply *reply,
                        uint64_t now_ns);

/* Keeps a call back, to be sent when there is a link. */
void cluster_keep_back(struct cluster_client *client, struct call *call, uint64_t now_ns);

/* Gives a call back that is in no ring or list. */
void cluster_end_call(struct cluster_client *client, struct call *call,
                      struct completion *completion);

/* Looks at the calls of a client that wait: sends, keeps, or ends them. */
void cluster_retry_calls(struct cluster_client *client, uint64_t now_ns);

/* Gives all calls of a client that wait back as unanswered. */
void cluster_abandon_calls(struct cluster_client *client, uint64_t now_ns);

#endif
