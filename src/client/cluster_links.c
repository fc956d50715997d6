/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/cluster_dials.h"
#include "client/loss.h"

static struct node_link *of_link(struct link *link)
{
    return (struct node_link *)link;
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

    cluster_count_good_dial(link);
    client->linked++;
    link->retired = link->wanted = false;
    link->stuck_ns = 0;
    link->left = driver->setup->config->reconnect_interval;
    if (link->known)
        cluster_tell(driver, link->renewing ? EVENT_RENEWAL : EVENT_RECONNECT, STR(""), now_ns);
    link->known = true;
    link->renewing = link->barred = false;
    listener->connected(listener->context, &times);
    cluster_note_tried(link, now_ns);
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
    if (link->renewing && link->ring.count == 0)
        link_close(base, LINK_RENEWED);
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
            .replied_ns = loss->now_ns, .text = text, .node = cluster_node_of(link)};

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

    if (link->gathering)
        gathering_clear(link->gathering);
    if (reason == LINK_RENEWED) {
        cluster_dial_anew(link, now_ns);
        return;
    }
    const struct loss loss = {.server = cluster_node_of(link)->name,
                              .said = take_said(link, reason),
                              .reason = reason,
                              .was_up = was_up,
                              .timeout_ns = driver->setup->config->request_timeout_ns,
                              .now_ns = now_ns};
    char text[LOSS_TEXT_MAX];
    const struct str said = str_of(loss_describe(&loss, text));

    if (was_up) {
        client->linked--;
        link->renewing = false; /* it was lost before the last reply */
    } else {
        cluster_count_failed_dial(link, reason, now_ns);
    }
    link->wanted = false;
    link->barred = loss_is_auth(&loss);
    cluster_note_tried(link, now_ns);
    if (link->barred)
        cluster_tell(driver, EVENT_NO_LOGIN, STR(""), now_ns);
    if (reason != LINK_GIVEN_UP) {
        cluster_tell(driver, was_up ? EVENT_DISCONNECT : EVENT_DIAL_FAILURE, said, now_ns);
        bulletin_ask(driver->setup->cluster->bulletin, BULLETIN_STALE);
    }
    if (!was_up)
        cluster_take_back_redirects(link);
    fail_calls(link, &loss, said);
    cluster_look_by(driver, link_wake_ns(base));
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

static struct node *make_node(struct cluster_driver *driver, unsigned number)
{
    const struct driver_setup *setup = driver->setup;
    const struct link_events *events =
        source_is_dictated(setup->source) ? &gathering_events : &link_events;
    const struct link_setup links = {.loop = setup->loop,
                                     .events = events,
                                     .opening = setup->opening,
                                     .tls = setup->tls,
                                     .connect_timeout_ns = setup->connect_timeout_ns,
                                     .seed = setup->seed};

    return node_create(&links, driver->router.nodes[number]);
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
