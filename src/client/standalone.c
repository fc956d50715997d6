/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The native driver for one server: each client is one link, requests go to the client whose slot
 * has been free the longest.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/standalone_driver.h"

enum {
    TICK_MIN_NS = 1 * CLOCK_NS_PER_MS, /* ticks look at all clients: not more often than this */
};

static struct standalone *self(struct driver *driver)
{
    return (struct standalone *)driver;
}

static struct client *of_queued(struct queued *queued)
{
    return (struct client *)(void *)((char *)queued - offsetof(struct client, queued));
}

/* ---- slots: which client takes the next request */

void standalone_retire(struct client *client)
{
    struct standalone *driver = standalone_of(client);

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

static inline void put(struct standalone *driver, struct client *client,
                       const struct request *request)
{
    const struct source *source = driver->setup->source;
    struct outbox *outbox = link_outbox(&client->link);
    char *at = outbox_reserve(outbox, source_room(source, request));

    outbox_add(outbox, source_render(source, request, at));
    *flights_push(&client->flights, driver->slots) = (struct flight){
        .request = *request,
        .free_ns = link_has_left(&client->link) ? driver->driver.free_since_ns : FLIGHTS_HELD,
    };
    driver->driver.in_flight++;
    link_send(&client->link);
}

/* Rendering is most of the work here, and worth to be compiled in, though other drivers do the
 * same. */
__attribute__((flatten)) static bool standalone_submit(struct driver *head,
                                                       const struct request *request)
{
    struct standalone *driver = self(head);

    if (head->free == 0)
        return false;
    struct client *client = first_free(driver);
    put(driver, client, request);
    head->free--;
    queue_drop(&driver->queue);
    if (client->left && --client->left == 0) {
        client->renewing = true; /* the reply to the last of its requests closes it */
        standalone_retire(client);
    } else if (client->flights.count < driver->slots) {
        queue_add(&driver->queue, &client->queued);
    }
    return true;
}

/* What was begun on a connection that is to be renewed ends there. */
static bool standalone_submit_again(struct driver *head, const struct request *request,
                                    unsigned number)
{
    struct standalone *driver = self(head);
    struct client *client = &driver->clients[number];

    if (client->link.state != LINK_UP || client->flights.count == driver->slots ||
        (client->retired && !client->renewing))
        return false;
    put(driver, client, request);
    head->free -= !client->retired;
    return true;
}

static void standalone_open(struct driver *head, unsigned clients, uint64_t now_ns)
{
    struct standalone *driver = self(head);

    assert(clients <= driver->setup->clients_max);
    for (; driver->wanted < clients; driver->wanted++)
        standalone_want_dial(driver, &driver->clients[driver->wanted]);
    standalone_dial(driver, now_ns);
}

/* ---- time */

static void standalone_tick(struct driver *head, uint64_t now_ns)
{
    struct standalone *driver = self(head);
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;
    /* What is sent from now on cannot time out before this. */
    uint64_t next_ns = timeout_ns ? now_ns + timeout_ns : CLOCK_NEVER;

    for (unsigned i = 0; i < driver->wanted; i++) {
        const uint64_t wake_ns = standalone_attend(&driver->clients[i], now_ns);
        if (wake_ns < next_ns)
            next_ns = wake_ns;
    }
    head->tick_ns = next_ns > now_ns + TICK_MIN_NS ? next_ns : now_ns + TICK_MIN_NS;
    standalone_dial(driver, now_ns);
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
                                        .events = &standalone_events,
                                        .opening = setup->opening,
                                        .tls = setup->tls,
                                        .connect_timeout_ns = setup->connect_timeout_ns,
                                        .seed = setup->seed};
    driver->clients = mem_zalloc(setup->clients_max, sizeof *driver->clients);
    queue_init(&driver->queue, setup->clients_max);
    driver->flights =
        mem_zalloc((size_t)setup->clients_max * driver->slots, sizeof *driver->flights);
    if (source_is_dictated(setup->source)) {
        driver->links.events = &standalone_gathering_events;
        driver->gatherings = mem_zalloc(setup->clients_max, sizeof *driver->gatherings);
    }
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

    for (unsigned i = 0; i < driver->setup->clients_max; i++) {
        link_deinit(&driver->clients[i].link);
        if (driver->gatherings)
            gathering_deinit(&driver->gatherings[i]);
    }
    free(driver->gatherings);
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
    .submit_again = standalone_submit_again,
    .tick = standalone_tick,
    .abandon = standalone_abandon,
};
