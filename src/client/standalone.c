/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The native driver for one server: each client is one link, requests go to the client whose slot
 * has been free the longest.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/client.h"
#include "client/flights.h"
#include "client/loss.h"
#include "client/queue.h"
#include "io/link.h"

enum {
    TICK_MIN_NS = 1 * CLOCK_NS_PER_MS, /* ticks look at all clients: not more often than this */
};

struct client {
    struct link link; /* first: events come with it */
    struct flights flights;
    struct queued queued; /* among those with a free slot */
    struct client *next_dial;
    uint64_t stuck_ns; /* since when it was seen with requests of which none could be sent; 0: no */
    bool to_dial;      /* in the list of those that wait for a dial */
    bool known;        /* was up before */
    bool retired;      /* is being closed: its free slots are no longer counted */
    bool renewing;     /* had all the requests of a connection: to be dialled anew once answered */
    uint64_t left;     /* requests that the connection may still get; 0: no limit */
};

struct standalone {
    struct driver driver; /* first: the head that the worker knows */
    const struct driver_setup *setup;
    struct link_setup links;
    struct client *clients; /* owned; setup->clients_max */
    struct flight *flights; /* owned; the rings of all clients */
    struct queue queue;     /* of those with a free slot */
    unsigned wanted;        /* clients that are to be open: the first of `clients` */
    unsigned dialing;
    struct client *dial_first, *dial_last;
    uint32_t slots; /* a client */
    bool abandoned;
    const struct client *said_by; /* whose server said something unasked, and what */
    char said[RESP_TEXT_MAX + 1];
};

static struct standalone *self(struct driver *driver)
{
    return (struct standalone *)driver;
}

static struct client *of_link(struct link *link)
{
    return (struct client *)link;
}

static struct client *of_queued(struct queued *queued)
{
    return (struct client *)(void *)((char *)queued - offsetof(struct client, queued));
}

/* The setup of the links is embedded in their driver. */
static struct standalone *driver_of(const struct client *client)
{
    const char *links = (const char *)client->link.setup;

    return (struct standalone *)(uintptr_t)(links - offsetof(struct standalone, links));
}

static void tick_by(struct standalone *driver, uint64_t time_ns)
{
    if (time_ns < driver->driver.tick_ns)
        driver->driver.tick_ns = time_ns;
}

static void tell(struct standalone *driver, enum event event, struct str text, uint64_t now_ns)
{
    const struct driver_listener *listener = &driver->setup->listener;

    listener->event(listener->context, event, text, now_ns);
}

/* ---- slots: which client takes the next request */

static void free_slots(struct standalone *driver, struct client *client, unsigned slots,
                       uint64_t now_ns)
{
    if (driver->driver.free == 0)
        driver->driver.free_since_ns = now_ns;
    driver->driver.free += slots;
    queue_add(&driver->queue, &client->queued);
}

/* Takes the slots of a client that is up, and is not to be for long, out of the count. */
static void retire(struct standalone *driver, struct client *client)
{
    if (!client->retired)
        driver->driver.free -= driver->slots - client->flights.count;
    client->retired = true;
}

/* The client at the head of the queue that has a free slot. There must be one. */
static struct client *first_free(struct standalone *driver)
{
    for (;;) {
        struct client *client = of_queued(queue_first(&driver->queue));

        if (client->link.state == LINK_UP && !client->retired &&
            client->flights.count < driver->slots)
            return client;
        queue_drop(&driver->queue);
    }
}

/* Rendering is most of the work here, and worth to be compiled in, though other drivers do the
 * same. */
__attribute__((flatten)) static bool standalone_submit(struct driver *head,
                                                       const struct request *request)
{
    struct standalone *driver = self(head);
    const struct source *source = driver->setup->source;

    if (head->free == 0)
        return false;
    struct client *client = first_free(driver);
    struct outbox *outbox = link_outbox(&client->link);
    char *at = outbox_reserve(outbox, source_room(source));

    outbox_add(outbox, source_render(source, request, at));
    *flights_push(&client->flights, driver->slots) = (struct flight){
        .request = *request,
        .free_ns = link_has_left(&client->link) ? head->free_since_ns : FLIGHTS_HELD,
    };
    head->free--;
    head->in_flight++;
    queue_drop(&driver->queue);
    if (client->left && --client->left == 0) {
        client->renewing = true; /* the reply to the last of its requests closes it */
        retire(driver, client);
    } else if (client->flights.count < driver->slots) {
        queue_add(&driver->queue, &client->queued);
    }
    link_send(&client->link);
    return true;
}

/* ---- dialling: at most CLIENT_DIALS_MAX at once, first come, first served */

static void dial_waiting(struct standalone *driver, uint64_t now_ns)
{
    while (driver->dial_first && driver->dialing < CLIENT_DIALS_MAX && !driver->abandoned) {
        struct client *client = driver->dial_first;

        driver->dial_first = client->next_dial;
        client->to_dial = false;
        driver->dialing++;
        link_dial(&client->link, now_ns);
        tick_by(driver, link_wake_ns(&client->link));
    }
}

static void wait_for_dial(struct standalone *driver, struct client *client)
{
    client->next_dial = NULL;
    client->to_dial = true;
    if (driver->dial_first)
        driver->dial_last->next_dial = client;
    else
        driver->dial_first = client;
    driver->dial_last = client;
}

static void standalone_open(struct driver *head, unsigned clients, uint64_t now_ns)
{
    struct standalone *driver = self(head);

    assert(clients <= driver->setup->clients_max);
    for (; driver->wanted < clients; driver->wanted++)
        wait_for_dial(driver, &driver->clients[driver->wanted]);
    dial_waiting(driver, now_ns);
}

/* ---- events of the links */

static void link_up(struct link *link, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = driver_of(client);
    const struct driver_listener *listener = &driver->setup->listener;
    const uint64_t secured_ns = link->secured_ns ? link->secured_ns : link->opened_ns;
    const struct dial_times times = {.connect_ns = link->opened_ns - link->dialed_ns,
                                     .tls_ns = secured_ns - link->opened_ns,
                                     .handshake_ns = now_ns - secured_ns};

    driver->dialing--;
    driver->driver.up++;
    if (client->known)
        tell(driver, client->renewing ? EVENT_RENEWAL : EVENT_RECONNECT, STR(""), now_ns);
    client->known = true;
    client->renewing = false;
    client->left = driver->setup->config->reconnect_interval;
    listener->connected(listener->context, &times);
    client->retired = false;
    client->stuck_ns = 0;
    free_slots(driver, client, driver->slots, now_ns);
    dial_waiting(driver, now_ns);
}

static void link_sending(struct link *link, uint64_t now_ns)
{
    struct client *client = of_link(link);

    client->stuck_ns = 0;
    flights_stamp(&client->flights, now_ns, driver_of(client)->slots);
}

static void hand_back(struct standalone *driver, const struct flight *flight,
                      struct completion *completion)
{
    const struct driver_listener *listener = &driver->setup->listener;

    completion->request = &flight->request;
    completion->free_ns = flight->free_ns;
    completion->sent_ns = flight->sent_ns;
    listener->done(listener->context, completion);
}

/* A reply to nothing: most likely the reason why the server hangs up next. */
static void unasked(struct standalone *driver, struct client *client,
                    const struct resp_reply *reply)
{
    driver->said_by = client;
    snprintf(driver->said, sizeof driver->said, "%.*s", (int)reply->text.len,
             reply->text.len ? reply->text.ptr : "");
    retire(driver, client);
    link_close(&client->link, LINK_UNASKED);
}

static void note_redirects(struct standalone *driver, enum outcome outcome, struct str text,
                           uint64_t now_ns)
{
    if (outcome == OUTCOME_CLUSTERDOWN)
        tell(driver, EVENT_CLUSTERDOWN, STR(""), now_ns);
    else if (outcome == OUTCOME_REDIRECT && str_starts(text, STR("MOVED")))
        tell(driver, EVENT_MOVED, STR(""), now_ns);
}

static void link_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = driver_of(client);
    struct completion completion = {.replied_ns = now_ns, .null = reply->kind == RESP_NULL};

    if (!flights_oldest_sent(&client->flights)) {
        unasked(driver, client, reply);
        return;
    }
    const struct flight flight = flights_pop(&client->flights, driver->slots);

    link_is_well(link);
    driver->driver.in_flight--;
    if (!client->retired)
        free_slots(driver, client, 1, now_ns);
    else if (client->renewing && client->flights.count == 0)
        link_close(link, LINK_RENEWED);
    if (reply->kind == RESP_ERROR) {
        completion.text = reply->text;
        completion.outcome = outcome_of_error(reply->text);
        note_redirects(driver, completion.outcome, reply->text, now_ns);
    }
    hand_back(driver, &flight, &completion);
}

static void link_ending(struct link *link)
{
    struct client *client = of_link(link);

    retire(driver_of(client), client);
}

static void fail_flights(struct standalone *driver, struct client *client, const struct loss *loss,
                         struct str text)
{
    /* Of the requests under way the oldest is the one whose reply was no RESP. */
    bool garbled = loss->reason == LINK_GARBAGE && flights_oldest_sent(&client->flights);

    while (client->flights.count > 0) {
        const struct flight flight = flights_pop(&client->flights, driver->slots);
        struct completion completion = {.replied_ns = loss->now_ns, .text = text};

        completion.outcome = garbled ? OUTCOME_PROTOCOL : loss_outcome(loss, &flight);
        garbled = false;
        driver->driver.in_flight--;
        hand_back(driver, &flight, &completion);
    }
}

/* What the server said to this client without being asked, or to refuse it; forgotten with it. */
static const char *last_words(struct standalone *driver, const struct client *client)
{
    if (driver->said_by != client)
        return link_words(&client->link);
    driver->said_by = NULL;
    return driver->said;
}

/* A planned end, after which nothing is to be waited for. */
static void dial_anew(struct standalone *driver, struct client *client, uint64_t now_ns)
{
    assert(client->flights.count == 0);
    driver->driver.up--;
    wait_for_dial(driver, client);
    dial_waiting(driver, now_ns);
}

static void link_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = driver_of(client);
    char text[LOSS_TEXT_MAX];

    if (reason == LINK_RENEWED) {
        dial_anew(driver, client, now_ns);
        return;
    }
    const struct loss loss = {.server = driver->setup->endpoint->name,
                              .said = last_words(driver, client),
                              .reason = reason,
                              .was_up = was_up,
                              .timeout_ns = driver->setup->config->request_timeout_ns,
                              .now_ns = now_ns};
    const struct str said = str_of(loss_describe(&loss, text));

    if (was_up) {
        driver->driver.up--;
        client->renewing = false; /* it was lost before the last reply */
        retire(driver, client);
    } else {
        driver->dialing--;
    }
    if (reason != LINK_GIVEN_UP)
        tell(driver, was_up ? EVENT_DISCONNECT : EVENT_DIAL_FAILURE, said, now_ns);
    fail_flights(driver, client, &loss, said);
    tick_by(driver, link_wake_ns(link));
    dial_waiting(driver, now_ns);
}

static const struct link_events link_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_reply,
    .ending = link_ending,
    .down = link_down,
};

/* ---- time */

/* When the requests of a client that is up have been silent for too long: since the oldest was
 * sent, or since none could be, because the server takes no bytes. */
static uint64_t expiry_ns(struct client *client, uint64_t timeout_ns, uint64_t now_ns)
{
    const struct flight *oldest = flights_oldest_sent(&client->flights);

    if (!timeout_ns || client->flights.count == 0)
        return CLOCK_NEVER;
    if (oldest)
        return oldest->sent_ns + timeout_ns;
    if (!client->stuck_ns)
        client->stuck_ns = now_ns;
    return client->stuck_ns + timeout_ns;
}

/* When a client wants attention. Gives it to those that want it now. */
static uint64_t attend(struct standalone *driver, struct client *client, uint64_t now_ns)
{
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;
    struct link *link = &client->link;
    uint64_t wake_ns = link_wake_ns(link);

    if (client->to_dial)
        return CLOCK_NEVER;
    if (link->state == LINK_UP)
        wake_ns = expiry_ns(client, timeout_ns, now_ns);
    if (wake_ns > now_ns)
        return wake_ns;
    if (link->state == LINK_DOWN) {
        wait_for_dial(driver, client);
        return CLOCK_NEVER;
    }
    if (link->state == LINK_UP)
        retire(driver, client);
    link_close(link, link->state == LINK_UP ? LINK_NO_REPLY : ETIMEDOUT);
    return CLOCK_NEVER;
}

static void standalone_tick(struct driver *head, uint64_t now_ns)
{
    struct standalone *driver = self(head);
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;
    /* What is sent from now on cannot time out before this. */
    uint64_t next_ns = timeout_ns ? now_ns + timeout_ns : CLOCK_NEVER;

    for (unsigned i = 0; i < driver->wanted; i++) {
        const uint64_t wake_ns = attend(driver, &driver->clients[i], now_ns);
        if (wake_ns < next_ns)
            next_ns = wake_ns;
    }
    head->tick_ns = next_ns > now_ns + TICK_MIN_NS ? next_ns : now_ns + TICK_MIN_NS;
    dial_waiting(driver, now_ns);
}

static void standalone_abandon(struct driver *head, uint64_t now_ns)
{
    struct standalone *driver = self(head);

    (void)now_ns;
    driver->abandoned = true;
    for (unsigned i = 0; i < driver->wanted; i++)
        link_close(&driver->clients[i].link, LINK_GIVEN_UP);
    loop_turn(driver->setup->loop, 0); /* closings are told within a turn */
}

/* ---- life */

static int standalone_create(struct driver **out, const struct driver_setup *setup, struct err *err)
{
    struct standalone *driver = mem_zalloc(1, sizeof *driver);

    (void)err;
    driver->driver.ops = &driver_standalone;
    driver->setup = setup;
    driver->slots = (uint32_t)setup->config->pipeline;
    driver->links = (struct link_setup){.loop = setup->loop,
                                        .endpoint = setup->endpoint,
                                        .events = &link_events,
                                        .opening = setup->opening,
                                        .tls = setup->tls,
                                        .connect_timeout_ns = setup->connect_timeout_ns,
                                        .seed = setup->seed};
    driver->clients = mem_zalloc(setup->clients_max, sizeof *driver->clients);
    queue_init(&driver->queue, setup->clients_max);
    driver->flights =
        mem_zalloc((size_t)setup->clients_max * driver->slots, sizeof *driver->flights);
    for (unsigned i = 0; i < setup->clients_max; i++) {
        struct client *client = &driver->clients[i];
        link_init(&client->link, &driver->links, setup->first + i * setup->stride);
        client->flights.ring = driver->flights + (size_t)i * driver->slots;
    }
    *out = &driver->driver;
    return 0;
}

static void standalone_destroy(struct driver **slot)
{
    struct standalone *driver = self(*slot);

    for (unsigned i = 0; i < driver->setup->clients_max; i++)
        link_deinit(&driver->clients[i].link);
    free(driver->clients);
    free(driver->flights);
    queue_deinit(&driver->queue);
    free(driver);
    *slot = NULL;
}

const struct driver_ops driver_standalone = {
    .name = "native",
    .create = standalone_create,
    .destroy = standalone_destroy,
    .open = standalone_open,
    .submit = standalone_submit,
    .tick = standalone_tick,
    .abandon = standalone_abandon,
};
