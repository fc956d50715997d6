/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/cluster_driver.h"
#include "client/loss.h"

/* How often a name is asked after that is being resolved. */
#define NAME_NS (UINT64_C(20) * CLOCK_NS_PER_MS)

static struct node_link *of_link(struct link *link)
{
    return (struct node_link *)link;
}

static const struct router_node *node_of(const struct node_link *link)
{
    return link->client->driver->router.nodes[link->node];
}

static void look_by(struct cluster_driver *driver, uint64_t time_ns)
{
    if (time_ns < driver->look_ns)
        driver->look_ns = time_ns;
    cluster_tick_by(driver, driver->look_ns);
}

/* ---- dialling: at most CLIENT_DIALS_MAX at once, first come, first served */

void cluster_dial(struct cluster_driver *driver, uint64_t now_ns)
{
    while (driver->dial_first && driver->dialing < CLIENT_DIALS_MAX && !driver->abandoned) {
        struct node_link *link = driver->dial_first;

        driver->dial_first = link->next_dial;
        link->to_dial = false;
        driver->dialing++;
        link_dial(&link->link, now_ns);
        look_by(driver, link_wake_ns(&link->link));
    }
}

static void queue_dial(struct node_link *link)
{
    struct cluster_driver *driver = link->client->driver;

    link->next_dial = NULL;
    link->to_dial = true;
    if (driver->dial_first)
        driver->dial_last->next_dial = link;
    else
        driver->dial_first = link;
    driver->dial_last = link;
}

void cluster_want_link(struct node_link *link)
{
    if (link->wanted)
        return;
    link->wanted = true;
    look_by(link->client->driver, 0);
}

/* One end of the first dial of a link is known: that may be what its client waits for. */
static void note_tried(struct node_link *link)
{
    if (link->initial && !link->tried)
        link->client->untried--;
    link->tried = true;
}

/* ---- events of the links */

static void link_up(struct link *base, uint64_t now_ns)
{
    struct node_link *link = of_link(base);
    struct cluster_client *client = link->client;
    struct cluster_driver *driver = client->driver;
    const struct driver_listener *listener = &driver->setup->listener;
    const uint64_t secured_ns = base->secured_ns ? base->secured_ns : base->opened_ns;
    const struct dial_times times = {.connect_ns = base->opened_ns - base->dialed_ns,
                                     .tls_ns = secured_ns - base->opened_ns,
                                     .handshake_ns = now_ns - secured_ns};

    driver->dialing--;
    client->linked++;
    link->retired = link->wanted = false;
    link->stuck_ns = 0;
    note_tried(link);
    if (link->known)
        cluster_tell(driver, EVENT_RECONNECT, STR(""), now_ns);
    link->known = true;
    listener->connected(listener->context, &times);
    cluster_count_client(client, now_ns);
    cluster_retry_calls(client, now_ns);
    cluster_dial(driver, now_ns);
}

static void link_sending(struct link *base, uint64_t now_ns)
{
    struct node_link *link = of_link(base);

    link->stuck_ns = 0;
    call_ring_stamp(&link->ring, now_ns);
}

static struct call *take_oldest(struct node_link *link)
{
    struct call *call = call_ring_pop(&link->ring);

    if (call)
        link->travelled -= call->travelled;
    return call;
}

/* A reply to nothing: most likely the reason why the server hangs up next. */
static void take_unasked(struct node_link *link, const struct resp_reply *reply)
{
    struct cluster_driver *driver = link->client->driver;

    driver->said_by = link;
    snprintf(driver->said, sizeof driver->said, "%.*s", (int)reply->text.len,
             reply->text.len ? reply->text.ptr : "");
    link->retired = true;
    link_close(&link->link, LINK_UNASKED);
}

static void link_reply(struct link *base, const struct resp_reply *reply, uint64_t now_ns)
{
    struct node_link *link = of_link(base);

    if (call_ring_sent(&link->ring) == 0) {
        take_unasked(link, reply);
        return;
    }
    struct call *call = take_oldest(link);
    link_is_well(base);
    if (call)
        cluster_take_reply(link, call, reply, now_ns);
}

/* Where requests are dictated each is one command: a node may serve one and redirect the next. */
static void link_gathered(struct link *base, const struct resp_reply *reply, uint64_t now_ns)
{
    struct gathering *gathering = of_link(base)->gathering;

    gathering_take(gathering, reply, 1);
    link_reply(base, reply, now_ns);
    gathering_clear(gathering);
}

static void link_heard(struct link *base, struct str bytes, enum link_piece piece)
{
    gathering_hear(of_link(base)->gathering, bytes, piece);
}

static void link_ending(struct link *base)
{
    of_link(base)->retired = true;
}

/* How a call ends that was sent over a connection which has ended. */
static enum outcome outcome_of(const struct cluster_driver *driver, const struct call *call,
                               const struct loss *loss)
{
    const struct flight flight = {.sent_ns = call->first_ns};

    return driver->abandoned ? OUTCOME_UNANSWERED : loss_outcome(loss, &flight);
}

/* What was sent may have been executed, and is lost. What was not is sent elsewhere. */
static void fail_calls(struct node_link *link, const struct loss *loss, struct str text)
{
    struct cluster_client *client = link->client;
    /* Of the calls under way the oldest is the one whose reply was no RESP. */
    bool garbled = loss->reason == LINK_GARBAGE;

    while (link->ring.count > 0) {
        const bool sent = call_ring_sent(&link->ring) > 0;
        struct call *call = take_oldest(link);
        struct completion completion = {
            .replied_ns = loss->now_ns, .text = text, .node = node_of(link)};

        if (!call)
            continue;
        if (!sent && !client->driver->abandoned) {
            cluster_keep_back(client, call, loss->now_ns);
            continue;
        }
        completion.outcome = garbled ? OUTCOME_PROTOCOL : outcome_of(client->driver, call, loss);
        garbled = false;
        cluster_end_call(client, call, &completion);
    }
}

/* An ASK led nowhere: its calls go back to who said it, as if it had not. */
static void drop_targets(struct node_link *link)
{
    for (struct call *call = link->client->wait_first; call; call = call->next) {
        if (call->target != link->node)
            continue;
        call->target = ROUTER_NO_NODE;
        call->hops--;
    }
}

/* What the server of a link said last, to nobody or to refuse a login, or why TLS failed. */
static const char *take_said(struct node_link *link, int reason)
{
    struct cluster_driver *driver = link->client->driver;
    const bool said = driver->said_by == link;

    if (said)
        driver->said_by = NULL;
    if (reason == LINK_REFUSED || reason == LINK_INSECURE)
        return link_words(&link->link);
    return said ? driver->said : "";
}

static void link_down(struct link *base, int reason, bool was_up, uint64_t now_ns)
{
    struct node_link *link = of_link(base);
    struct cluster_client *client = link->client;
    struct cluster_driver *driver = client->driver;
    const struct loss loss = {.server = node_of(link)->name,
                              .said = take_said(link, reason),
                              .reason = reason,
                              .was_up = was_up,
                              .timeout_ns = driver->setup->config->request_timeout_ns,
                              .now_ns = now_ns};
    char text[LOSS_TEXT_MAX];
    const struct str said = str_of(loss_describe(&loss, text));

    if (link->gathering)
        gathering_clear(link->gathering);
    if (was_up)
        client->linked--;
    else
        driver->dialing--;
    link->wanted = false;
    note_tried(link);
    cluster_count_client(client, now_ns);
    if (reason != LINK_GIVEN_UP) {
        cluster_tell(driver, was_up ? EVENT_DISCONNECT : EVENT_DIAL_FAILURE, said, now_ns);
        bulletin_ask(driver->setup->cluster->bulletin, BULLETIN_STALE);
    }
    if (!was_up)
        drop_targets(link);
    fail_calls(link, &loss, said);
    look_by(driver, link_wake_ns(base));
    cluster_dial(driver, now_ns);
}

static const struct link_events link_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_reply,
    .ending = link_ending,
    .down = link_down,
};

static const struct link_events gathering_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_gathered,
    .ending = link_ending,
    .down = link_down,
    .heard = link_heard,
};

/* ---- making */

/* A certificate is to be for the node itself. Nothing is sent to a node without TLS where TLS is
 * wanted and cannot be spoken. */
static void prepare_tls(struct node *node, const struct tls_config *config, const char *host)
{
    struct err err;

    if (!config->on || tls_context_create(&node->tls, config, host, &err) == 0)
        return;
    node->unfit = mem_zalloc(1, sizeof *node->unfit);
    *node->unfit = err;
}

static struct node *make_node(struct cluster_driver *driver, unsigned number)
{
    const struct driver_setup *setup = driver->setup;
    struct node *node = mem_zalloc(1, sizeof *node);

    prepare_tls(node, setup->cluster->tls, driver->router.nodes[number]->host);
    node->links = (struct link_setup){
        .loop = setup->loop,
        .endpoint = &node->endpoint,
        .events = source_is_dictated(setup->source) ? &gathering_events : &link_events,
        .opening = setup->opening,
        .tls = node->tls,
        .connect_timeout_ns = setup->connect_timeout_ns,
        .seed = setup->seed};
    return node;
}

static struct node_link *make_link(struct cluster_client *client, unsigned number)
{
    struct cluster_driver *driver = client->driver;
    struct node_link *link = mem_zalloc(1, sizeof *link);

    while (driver->node_count < driver->router.count) {
        driver->nodes = mem_resize(driver->nodes, driver->node_count + 1, sizeof(struct node *));
        driver->nodes[driver->node_count++] = NULL;
    }
    if (!driver->nodes[number])
        driver->nodes[number] = make_node(driver, number);
    if (source_is_dictated(driver->setup->source))
        link->gathering = mem_zalloc(1, sizeof *link->gathering);
    link->client = client;
    link->node = (uint16_t)number;
    /* Each call may have an ASKING before it. */
    link->ring.room = 2 * driver->slots;
    link->ring.calls = mem_zalloc(link->ring.room, sizeof(struct call *));
    link_init(&link->link, &driver->nodes[number]->links, client->number * ROUTER_NO_NODE + number);
    return link;
}

struct node_link *cluster_link(struct cluster_client *client, unsigned node)
{
    if (node >= client->link_room) {
        const unsigned room = client->driver->router.count;

        client->links = mem_resize(client->links, room, sizeof(struct node_link *));
        memset(client->links + client->link_room, 0,
               (room - client->link_room) * sizeof(struct node_link *));
        client->link_room = room;
    }
    if (!client->links[node])
        client->links[node] = make_link(client, node);
    return client->links[node];
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
    if (link->ring.count > 0 || link->wanted || node_of(link)->member)
        return;
    link->retired = true;
    link_close(&link->link, LINK_GIVEN_UP);
}

static uint64_t look_at_up(struct node_link *link, uint64_t now_ns)
{
    const uint64_t wake_ns = expiry_ns(link, now_ns);

    if (link->retired)
        return CLOCK_NEVER;
    leave(link);
    if (wake_ns > now_ns)
        return wake_ns;
    link->retired = true;
    link_close(&link->link, LINK_NO_REPLY);
    return CLOCK_NEVER;
}

/* Finds out where a node is. Returns 0, -EAGAIN: it is being found out, or another negative errno.
 */
static int find_node(struct cluster_driver *driver, unsigned number, struct err *err)
{
    const struct router_node *named = driver->router.nodes[number];
    struct node *node = driver->nodes[number];

    if (node->unfit) {
        *err = *node->unfit;
        return -EINVAL;
    }
    const int rc = addresses_find(driver->setup->cluster->addresses, named->host, named->port,
                                  &node->endpoint, err);
    node->located = rc == 0;
    return rc;
}

/* Returns 0 when it is known where the node of a link is, else when to ask again. */
static uint64_t locate(struct node_link *link, uint64_t now_ns)
{
    struct cluster_driver *driver = link->client->driver;
    struct err err;

    const int rc = driver->nodes[link->node]->located ? 0 : find_node(driver, link->node, &err);
    if (rc == 0)
        return 0;
    if (rc == -EAGAIN)
        return now_ns + NAME_NS;
    note_tried(link);
    cluster_count_client(link->client, now_ns);
    cluster_tell(driver, EVENT_DIAL_FAILURE, str_of(err.text), now_ns);
    return now_ns + CLOCK_NS_PER_S;
}

/* A link is kept up while its node is a primary, if it has been used, or was to be from the start;
 * and while it is a replica that carries requests. */
static uint64_t look_at_down(struct node_link *link, uint64_t now_ns)
{
    const struct router_node *node = node_of(link);
    const bool kept = (link->known || link->initial || node->replica) &&
                      router_uses(&link->client->driver->router, node);

    if (link->to_dial || (!kept && !link->wanted))
        return CLOCK_NEVER;
    if (link_wake_ns(&link->link) > now_ns)
        return link_wake_ns(&link->link);
    const uint64_t later_ns = locate(link, now_ns);
    if (later_ns)
        return later_ns;
    queue_dial(link);
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
        if (link_wake_ns(&link->link) > now_ns)
            return link_wake_ns(&link->link);
        link_close(&link->link, ETIMEDOUT);
        return CLOCK_NEVER;
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
            look_by(driver, wake_ns);
        }
    }
    cluster_dial(driver, now_ns);
}
