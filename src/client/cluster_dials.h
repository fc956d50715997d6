/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cluster_dials: when the links of a driver for clusters are dialled, renewed, left and given up.
 *
 * A link is dialled when it is wanted by a call, or is to be kept up; at most CLIENT_DIALS_MAX at
 * once, of the nodes in turn, and of each node a part of them at most, so that dials that nobody
 * answers are not in the way of others: of a node that did not answer the last one a few. Such a
 * node's links are not awaited, and those to a node that has left are given up. What comes of a
 * dial is told to cluster_links.c.
 */
#ifndef CLIENT_CLUSTER_DIALS_H
#define CLIENT_CLUSTER_DIALS_H

#include "client/cluster_driver.h"

/* Makes the next look at the links come by this time. */
void cluster_look_by(struct cluster_driver *driver, uint64_t time_ns);

/* Counts a call that was added to a link whose connection has a limit. After the last one that its
 * connection may get, the client takes no other until there is a new connection. */
void cluster_count_call(struct node_link *link);

/* From here on the client is not up before one end of the link's next dial is known. */
void cluster_await(struct node_link *link);

/* Counts a dial that has ended, well or for this reason. */
void cluster_count_good_dial(struct node_link *link);
void cluster_count_failed_dial(struct node_link *link, int reason, uint64_t now_ns);

/* One end of the dial of a link is known: that may be what its client waits for. */
void cluster_note_tried(struct node_link *link, uint64_t now_ns);

/* After a planned end of a link, which has no calls: dials it. A node that has left needs no other
 * connection. */
void cluster_dial_anew(struct node_link *link, uint64_t now_ns);

/* Redirects to where a link leads led nowhere: their calls go back to who said them, as if they had
 * not been said. */
void cluster_take_back_redirects(const struct node_link *link);

/* Wants a link that is down, for calls that wait. */
void cluster_want_link(struct node_link *link);

/* After this no link is wanted: calls that still wait are to say so again. */
void cluster_forget_wants(struct cluster_driver *driver);

/* Dials those that wait for it. */
void cluster_dial(struct cluster_driver *driver, uint64_t now_ns);

/* Looks for links that want attention: to be dialled, given up, timed out. Sets when to look next.
 */
void cluster_look_at_links(struct cluster_driver *driver, uint64_t now_ns);

#endif
