/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * standalone_driver: what the parts of the driver for one server share. For them alone.
 *
 * Each client is one link, and has a ring of the requests whose replies it is owed.
 */
#ifndef CLIENT_STANDALONE_DRIVER_H
#define CLIENT_STANDALONE_DRIVER_H

#include "client/client.h"
#include "client/flights.h"
#include "client/gathering.h"
#include "client/queue.h"
#include "io/link.h"

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
    struct client *clients;       /* owned; setup->clients_max */
    struct flight *flights;       /* owned; the rings of all clients */
    struct gathering *gatherings; /* owned; a client each, where requests are dictated, else NULL */
    struct queue queue;           /* of those with a free slot */
    unsigned wanted;              /* clients that are to be open: the first of `clients` */
    unsigned dialing;
    struct client *dial_first, *dial_last;
    uint32_t slots; /* a client */
    bool abandoned;
    const struct client *said_by; /* whose server said something unasked, and what */
    char said[RESP_TEXT_MAX + 1];
};

/* ---- standalone.c: slots, which client takes the next request */

/* Takes the slots of a client that is up, and is not to be for long, out of the count. */
void standalone_retire(struct client *client);

/* ---- standalone_links.c: links are dialled, lost, timed out */

extern const struct link_events standalone_events;

/* The same where requests are dictated, whose replies are gathered. */
extern const struct link_events standalone_gathering_events;

/* Has a client dialled when its turn comes. */
void standalone_want_dial(struct standalone *driver, struct client *client);

/* Dials those that wait for it, at most CLIENT_DIALS_MAX at once, first come, first served. */
void standalone_dial(struct standalone *driver, uint64_t now_ns);

/* When a client wants attention. Gives it to those that want it now. */
uint64_t standalone_attend(struct client *client, uint64_t now_ns);

/* The setup of the links is embedded in their driver. */
static inline struct standalone *standalone_of(const struct client *client)
{
    const char *links = (const char *)client->link.setup;

    return (struct standalone *)(uintptr_t)(links - offsetof(struct standalone, links));
}

/* Slots of a client that is up are free. */
static inline void standalone_free_slots(struct client *client, unsigned slots, uint64_t now_ns)
{
    struct standalone *driver = standalone_of(client);

    if (driver->driver.free == 0)
        driver->driver.free_since_ns = now_ns;
    driver->driver.free += slots;
    queue_add(&driver->queue, &client->queued);
}

#endif
