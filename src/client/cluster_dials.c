/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/cluster_dials.h"

#include <assert.h>
#include <errno.h>

/* How often a name is asked after that is being resolved. */
#define NAME_NS (UINT64_C(20) * CLOCK_NS_PER_MS)

enum {
    NODE_DIALS_MAX = CLIENT_DIALS_MAX / 2,
    SILENT_DIALS_MAX = 4, /* each may last as long as the connection timeout */
};

/* A link is kept up while its node is a primary, if it has been used, or was to be from the start;
 * and while it is a replica that carries requests. */
static bool is_kept(const struct node_link *link)
{
    const struct router_node *node = cluster_node_of(link);

    return (link->known || link->initial || node->replica) &&
           router_uses(&link->client->driver->router, node);
}

void cluster_look_by(struct cluster_driver *driver, uint64_t time_ns)
{
    if (time_ns < driver->look_ns)
        driver->look_ns = time_ns;
    cluster_tick_by(driver, driver->look_ns);
}

/* ---- dialling: nodes in turn, the links of each first come, first served */

static bool is_to_be_dialled(const struct node_link *link)
{
    return is_kept(link) || link->wanted;
}

static struct node *node_of(const struct node_link *link)
{
    return link->client->driver->nodes[link->node];
}

static struct node_link *take_first(struct cluster_driver *driver, struct node *node)
{
    struct node_link *link = node->dial_first;

    node->dial_first = link->next_dial;
    link->to_dial = false;
    driver->to_dial--;
    return link;
}

/* Dials the first link of a node that is still to be dialled, if it may. Returns whether it did. */
static bool dial_one(struct cluster_driver *driver, struct node *node, uint64_t now_ns)
{
    while (node->dial_first && !is_to_be_dialled(node->dial_first))
        cluster_note_tried(take_first(driver, node), now_ns);
    if (!node->dial_first || node->dialing >= (node->silent ? SILENT_DIALS_MAX : NODE_DIALS_MAX))
        return false;
    struct node_link *link = take_first(driver, node);
    driver->dialing++;
    node->dialing++;
    link_dial(&link->link, now_ns);
    cluster_look_by(driver, link_wake_ns(&link->link));
    return true;
}

void cluster_dial(struct cluster_driver *driver, uint64_t now_ns)
{
    unsigned passed = 0; /* nodes in a row that have nothing to be dialled */

    while (driver->to_dial > 0 && passed < driver->node_count &&
           driver->dialing < CLIENT_DIALS_MAX && !driver->abandoned) {
        struct node *node = driver->nodes[driver->dial_turn++ % driver->node_count];

        passed = node && dial_one(driver, node, now_ns) ? 0 : passed + 1;
    }
}

static void queue_dial(struct node_link *link, uint64_t now_ns)
{
    struct node *node = node_of(link);

    link->next_dial = NULL;
    link->to_dial = true;
    link->client->driver->to_dial++;
    if (node->dial_first)
        node->dial_last->next_dial = link;
    else
        node->dial_first = link;
    node->dial_last = link;
    if (node->silent)
        cluster_note_tried(link, now_ns);
}

void cluster_count_good_dial(struct node_link *link)
{
    struct node *node = node_of(link);

    link->client->driver->dialing--;
    node->dialing--;
    node->misses = 0;
    node->silent = false;
}

void cluster_count_failed_dial(struct node_link *link, int reason, uint64_t now_ns)
{
    struct node *node = node_of(link);

    link->client->driver->dialing--;
    node->dialing--;
    if (reason == LINK_GIVEN_UP)
        return;
    node_miss(node, link->client->driver->setup->cluster->addresses, cluster_node_of(link));
    node->silent = reason == ETIMEDOUT || reason == EHOSTUNREACH;
    for (link = node->dial_first; node->silent && link; link = link->next_dial)
        cluster_note_tried(link, now_ns);
}

void cluster_want_link(struct node_link *link)
{
    if (link->wanted)
        return;
    link->wanted = true;
    cluster_look_by(link->client->driver, 0);
}

void cluster_forget_wants(struct cluster_driver *driver)
{
    for (unsigned i = 0; i < driver->wanted; i++)
        for (unsigned node = 0; node < driver->clients[i].link_room; node++)
            if (driver->clients[i].links[node])
                driver->clients[i].links[node]->wanted = false;
}

void cluster_note_tried(struct node_link *link, uint64_t now_ns)
{
    if (link->awaited)
        link->client->awaited--;
    link->awaited = false;
    cluster_count_client(link->client, now_ns);
}

void cluster_await(struct node_link *link)
{
    link->client->awaited++;
    link->awaited = true;
}

/* ---- renewing: a connection gets so many calls, and its last reply closes it */

void cluster_count_call(struct node_link *link)
{
    if (--link->left > 0)
        return;
    link->renewing = link->retired = true;
    cluster_await(link);
    cluster_count_client(link->client, 0); /* is up no longer, which needs no time */
}

void cluster_dial_anew(struct node_link *link, uint64_t now_ns)
{
    struct cluster_driver *driver = link->client->driver;

    assert(link->ring.count == 0);
    link->client->linked--;
    if (is_to_be_dialled(link))
        queue_dial(link, now_ns);
    else
        cluster_note_tried(link, now_ns);
    cluster_dial(driver, now_ns);
}

void cluster_take_back_redirects(const struct node_link *link)
{
    struct cluster_driver *driver = link->client->driver;
    struct router *router = &driver->router;

    for (struct call *call = link->client->wait_first; call; call = call->next) {
        if (call->target != link->node)
            continue;
        call->target = ROUTER_NO_NODE;
        call->hops--;
    }
    if (!router->nodes[link->node]->taught)
        return;
    for (unsigned i = 0; i < driver->wanted; i++)
        for (struct call *call = driver->clients[i].wait_first; call; call = call->next)
            if (call->hops > 0 && call->target == ROUTER_NO_NODE && call->slot >= 0 &&
                router_node_of(router, (unsigned)call->slot) == link->node)
                call->hops--;
    router_unlearn(router, link->node);
}

/* ---- time */

/* When the oldest call of the ring that was sent, or any that travelled, has had its time. */
static uint64_t first_expiry_ns(const struct node_link *link, uint64_t timeout_ns)
{
    const uint32_t sent = call_ring_sent(&link->ring);
    uint64_t first_ns = CLOCK_NEVER;

    for (uint32_t i = 0; i < sent; i++) {
        const struct call *call = *call_ring_at(&link->ring, i);

        if (call && call->first_ns + timeout_ns < first_ns)
            first_ns = call->first_ns + timeout_ns;
        if (call && link->travelled == 0)
            break;
    }
    return first_ns;
}

/* When the calls of a link that is up have been silent for too long: since one was sent, or since
 * none could be, because the server takes no bytes. */
static uint64_t expiry_ns(struct node_link *link, uint64_t now_ns)
{
    const uint64_t timeout_ns = link->client->driver->setup->config->request_timeout_ns;

    if (!timeout_ns || link->ring.count == 0)
        return CLOCK_NEVER;
    if (call_ring_sent(&link->ring) > 0)
        return first_expiry_ns(link, timeout_ns);
    if (!link->stuck_ns)
        link->stuck_ns = now_ns;
    return link->stuck_ns + timeout_ns;
}

/* Hangs up on a node that has left, and whose replies have all come. */
static void leave(struct node_link *link)
{
    if (link->ring.count > 0 || link->wanted || link->renewing || cluster_node_of(link)->member)
        return;
    link->retired = true;
    link_close(&link->link, LINK_GIVEN_UP);
}

static uint64_t look_at_up(struct node_link *link, uint64_t now_ns)
{
    const uint64_t wake_ns = expiry_ns(link, now_ns);

    if (link->retired && !link->renewing)
        return CLOCK_NEVER;
    leave(link);
    if (wake_ns > now_ns)
        return wake_ns;
    link->retired = true;
    link_close(&link->link, LINK_NO_REPLY);
    return CLOCK_NEVER;
}

/* Returns 0 when it is known where the node of a link is, else when to ask again. */
static uint64_t locate(struct node_link *link, uint64_t now_ns)
{
    struct cluster_driver *driver = link->client->driver;
    struct err err;

    const int rc = node_locate(driver->nodes[link->node], driver->setup->cluster->addresses,
                               cluster_node_of(link), &err);
    if (rc == -EAGAIN)
        return now_ns + NAME_NS;
    link->place_ns = rc == 0 ? 0 : now_ns + CLOCK_NS_PER_S;
    if (rc == 0)
        return 0;
    cluster_note_tried(link, now_ns);
    cluster_take_back_redirects(link);
    cluster_tell(driver, EVENT_DIAL_FAILURE, str_of(err.text), now_ns);
    bulletin_ask(driver->setup->cluster->bulletin, BULLETIN_STALE);
    return link->place_ns;
}

static uint64_t look_at_down(struct node_link *link, uint64_t now_ns)
{
    if (link->to_dial)
        return CLOCK_NEVER;
    if (!is_to_be_dialled(link)) {
        /* Its node may have left while its name was being resolved. */
        cluster_note_tried(link, now_ns);
        return CLOCK_NEVER;
    }
    if (link_wake_ns(&link->link) > now_ns)
        return link_wake_ns(&link->link);
    if (link->place_ns > now_ns)
        return link->place_ns;
    const uint64_t later_ns = locate(link, now_ns);
    if (later_ns)
        return later_ns;
    queue_dial(link, now_ns);
    return CLOCK_NEVER;
}

static uint64_t look_at_dialing(struct node_link *link, uint64_t now_ns)
{
    const bool late = link_wake_ns(&link->link) <= now_ns;

    if (!late && is_to_be_dialled(link))
        return link_wake_ns(&link->link);
    link_close(&link->link, late ? ETIMEDOUT : LINK_GIVEN_UP);
    return CLOCK_NEVER;
}

/* When a link wants attention. Gives it to those that want it now. */
static uint64_t look_at(struct node_link *link, uint64_t now_ns)
{
    switch ((enum link_state)link->link.state) {
    case LINK_UP:
        return look_at_up(link, now_ns);
    case LINK_DOWN:
        return look_at_down(link, now_ns);
    default:
        return look_at_dialing(link, now_ns);
    }
}

void cluster_look_at_links(struct cluster_driver *driver, uint64_t now_ns)
{
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;

    /* What is sent from now on cannot time out before this. */
    driver->look_ns = timeout_ns ? now_ns + timeout_ns : CLOCK_NEVER;
    for (unsigned i = 0; i < driver->wanted; i++) {
        struct cluster_client *client = &driver->clients[i];

        for (unsigned node = 0; node < client->link_room; node++) {
            if (!client->links[node])
                continue;
            const uint64_t wake_ns = look_at(client->links[node], now_ns);
            cluster_look_by(driver, wake_ns);
        }
    }
    cluster_dial(driver, now_ns);
}
