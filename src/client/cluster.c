/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The native driver for a cluster: each client has a link to each node that it uses, requests go to
 * the client whose slot has been free the longest, and from there to the node that serves their
 * key.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/cluster_dials.h"

/* Whether there is a newer topology is looked at this often. */
#define POLL_NS (UINT64_C(20) * CLOCK_NS_PER_MS)
/* No error tells of a replica that has joined, or is fit for use again: they are looked for. */
#define REPLICAS_NS (UINT64_C(5) * CLOCK_NS_PER_S)
#define TICK_MIN_NS ((uint64_t)CLOCK_NS_PER_MS)

static struct cluster_driver *self(struct driver *driver)
{
    return (struct cluster_driver *)driver;
}

static struct cluster_client *of_queued(struct queued *queued)
{
    return (struct cluster_client *)(void *)((char *)queued -
                                             offsetof(struct cluster_client, queued));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void cluster_tell(struct cluster_driver *driver, enum event event, struct str text, uint64_t now_ns)
{
    const struct driver_listener *listener = &driver->setup->listener;

    listener->event(listener->context, event, text, now_ns);
}

void cluster_tick_by(struct cluster_driver *driver, uint64_t time_ns)
{
    driver->driver.tick_ns = least(driver->driver.tick_ns, time_ns);
}

/* ---- slots: which client takes the next request */

static void add_free(struct cluster_client *client, unsigned slots, uint64_t now_ns)
{
    struct driver *head = &client->driver->driver;

    if (slots == 0)
        return;
    if (head->free == 0)
        head->free_since_ns = now_ns;
    head->free += slots;
    queue_add(&client->driver->queue, &client->queued);
}

void cluster_free_slot(struct cluster_client *client, uint64_t now_ns)
{
    client->used--;
    if (client->up)
        add_free(client, 1, now_ns);
}

void cluster_count_client(struct cluster_client *client, uint64_t now_ns)
{
    struct driver *head = &client->driver->driver;
    const unsigned unused = client->driver->slots - client->used;
    const bool up = client->linked > 0 && client->awaited == 0;

    if (up == client->up)
        return;
    client->up = up;
    if (up) {
        head->up++;
        add_free(client, unused, now_ns);
    } else {
        head->up--;
        head->free -= unused;
    }
}

/* The client at the head of the queue that has a free slot. There must be one. */
static struct cluster_client *first_free(struct cluster_driver *driver)
{
    for (;;) {
        struct cluster_client *client = of_queued(queue_first(&driver->queue));

        if (client->up && client->free)
            return client;
        queue_drop(&driver->queue);
    }
}

static struct call *take_call(struct cluster_client *client, const struct request *request)
{
    struct driver *head = &client->driver->driver;
    struct call *call = client->free;

    client->free = call->next;
    client->used++;
    *call = (struct call){
        .request = *request, .free_ns = head->free_since_ns, .target = ROUTER_NO_NODE};
    head->free--;
    head->in_flight++;
    return call;
}

static bool cluster_submit(struct driver *head, const struct request *request)
{
    struct cluster_driver *driver = self(head);

    if (head->free == 0)
        return false;
    struct cluster_client *client = first_free(driver);
    struct call *call = take_call(client, request);
    queue_drop(&driver->queue);
    if (client->free)
        queue_add(&driver->queue, &client->queued);
    cluster_begin_call(client, call);
    return true;
}

static bool cluster_submit_again(struct driver *head, const struct request *request,
                                 unsigned number)
{
    struct cluster_client *client = &self(head)->clients[number];

    if (!client->up || !client->free)
        return false;
    cluster_begin_call(client, take_call(client, request));
    return true;
}

/* ---- time */

/* From here on a client's links to the primaries of the time, and to the replicas if they carry
 * requests, are made and kept. */
static void open_client(struct cluster_client *client)
{
    const struct router *router = &client->driver->router;

    for (unsigned i = 0; i < router->count; i++) {
        if (!router_uses(router, router->nodes[i]))
            continue;
        cluster_link(client, i)->initial = true;
        cluster_await(client->links[i]);
    }
}

static void cluster_open(struct driver *head, unsigned clients, uint64_t now_ns)
{
    struct cluster_driver *driver = self(head);

    assert(clients <= driver->setup->clients_max);
    if (clients == driver->wanted)
        return;
    while (driver->wanted < clients)
        open_client(&driver->clients[driver->wanted++]);
    cluster_look_at_links(driver, now_ns);
}

static void adopt(struct cluster_driver *driver)
{
    struct bulletin *bulletin = driver->setup->cluster->bulletin;

    router_adopt(&driver->router, bulletin_adopt(bulletin, driver->setup->first));
}

/* A replica that has joined, or was a primary, is dialled before it is needed: until then others
 * carry its part. */
static void link_replicas(struct cluster_driver *driver)
{
    const struct router *router = &driver->router;

    for (unsigned i = 0; i < driver->wanted && router->from_replicas; i++)
        for (unsigned node = 0; node < router->count; node++)
            if (router->nodes[node]->replica)
                cluster_link(&driver->clients[i], node);
}

static void look_for_replicas(struct cluster_driver *driver, uint64_t now_ns)
{
    if (!driver->refresher || !driver->router.from_replicas || now_ns < driver->replicas_ns)
        return;
    bulletin_ask(driver->setup->cluster->bulletin, BULLETIN_STALE);
    driver->replicas_ns = now_ns + REPLICAS_NS;
}

static void wake_nodes(struct cluster_driver *driver, uint64_t now_ns)
{
    for (unsigned i = 0; i < driver->node_count && driver->router.from_replicas; i++)
        if (driver->nodes[i])
            node_wake(driver->nodes[i], now_ns);
}

/* One worker of a process looks for new topologies, for all of them; when it ends, another does. */
static void take_refresher(struct cluster_driver *driver)
{
    const struct driver_setup *setup = driver->setup;
    const struct cluster *cluster = setup->cluster;

    if (driver->refresher || !bulletin_take_press(cluster->bulletin))
        return;
    driver->refreshing = (struct refresher_setup){.loop = setup->loop,
                                                  .bulletin = cluster->bulletin,
                                                  .addresses = cluster->addresses,
                                                  .endpoint = cluster->endpoint,
                                                  .opening = setup->opening,
                                                  .tls = setup->tls,
                                                  .connect_timeout_ns = setup->connect_timeout_ns,
                                                  .seed = setup->seed + setup->first};
    driver->refresher = refresher_create(&driver->refreshing);
}

static void poll_topology(struct cluster_driver *driver, uint64_t now_ns)
{
    take_refresher(driver);
    wake_nodes(driver, now_ns);
    look_for_replicas(driver, now_ns);
    if (driver->refresher)
        driver->refresh_ns = refresher_tick(driver->refresher, now_ns);
    driver->poll_ns = now_ns + POLL_NS;
    if (!bulletin_is_newer(driver->setup->cluster->bulletin, driver->router.generation))
        return;
    adopt(driver);
    link_replicas(driver);
    cluster_forget_wants(driver);
    driver->retry_ns = 0; /* for what waited for this */
    driver->look_ns = 0;  /* at nodes that have left */
}

static void retry_calls(struct cluster_driver *driver, uint64_t now_ns)
{
    driver->retry_ns = CLOCK_NEVER; /* but for what waits on */
    for (unsigned i = 0; i < driver->wanted && driver->waiting > 0; i++)
        if (driver->clients[i].wait_first)
            cluster_retry_calls(&driver->clients[i], now_ns);
}

static void cluster_tick(struct driver *head, uint64_t now_ns)
{
    struct cluster_driver *driver = self(head);

    head->tick_ns = CLOCK_NEVER;
    if (now_ns >= least(driver->poll_ns, driver->refresh_ns))
        poll_topology(driver, now_ns);
    if (now_ns >= driver->retry_ns)
        retry_calls(driver, now_ns);
    if (now_ns >= driver->look_ns)
        cluster_look_at_links(driver, now_ns);
    const uint64_t next_ns =
        least(least(driver->poll_ns, driver->refresh_ns), least(driver->retry_ns, driver->look_ns));
    head->tick_ns = next_ns > now_ns + TICK_MIN_NS ? next_ns : now_ns + TICK_MIN_NS;
}

static void cluster_abandon(struct driver *head, uint64_t now_ns)
{
    struct cluster_driver *driver = self(head);

    driver->abandoned = true;
    for (unsigned i = 0; i < driver->wanted; i++) {
        struct cluster_client *client = &driver->clients[i];

        for (unsigned node = 0; node < client->link_room; node++)
            if (client->links[node]) {
                client->links[node]->retired = true;
                link_close(&client->links[node]->link, LINK_GIVEN_UP);
            }
        cluster_abandon_calls(client, now_ns);
    }
    if (driver->refresher) {
        refresher_stop(driver->refresher);
        bulletin_give_press(driver->setup->cluster->bulletin);
    }
    loop_turn(driver->setup->loop, 0); /* closings are told within a turn */
}

/* ---- life */

static void create_clients(struct cluster_driver *driver)
{
    const struct driver_setup *setup = driver->setup;

    driver->clients = mem_zalloc(setup->clients_max, sizeof *driver->clients);
    queue_init(&driver->queue, setup->clients_max);
    driver->calls = mem_zalloc((size_t)setup->clients_max * driver->slots, sizeof *driver->calls);
    for (unsigned i = 0; i < setup->clients_max; i++) {
        struct cluster_client *client = &driver->clients[i];
        struct call *calls = driver->calls + (size_t)i * driver->slots;

        client->driver = driver;
        client->number = setup->first + i * setup->stride;
        client->free = calls;
        for (uint32_t slot = 0; slot + 1 < driver->slots; slot++)
            calls[slot].next = &calls[slot + 1];
    }
}

static int cluster_driver_create(struct driver **out, const struct driver_setup *setup,
                                 struct err *err)
{
    struct cluster_driver *driver = mem_zalloc(1, sizeof *driver);

    (void)err;
    driver->driver.ops = &driver_cluster;
    driver->setup = setup;
    driver->slots = (uint32_t)setup->config->pipeline;
    driver->look_ns = driver->retry_ns = driver->refresh_ns = CLOCK_NEVER;
    create_clients(driver);
    router_init(&driver->router);
    driver->router.from_replicas =
        setup->config->read_from_replica &&
        (source_is_dictated(setup->source) || source_reads(setup->source));
    adopt(driver);
    take_refresher(driver);
    *out = &driver->driver;
    return 0;
}

static void destroy_client(struct cluster_client *client)
{
    for (unsigned node = 0; node < client->link_room; node++) {
        struct node_link *link = client->links[node];

        if (!link)
            continue;
        link_deinit(&link->link);
        if (link->gathering)
            gathering_deinit(link->gathering);
        free(link->gathering);
        free(link->ring.calls);
        free(link);
    }
    free(client->links);
}

static void cluster_driver_destroy(struct driver **slot)
{
    struct cluster_driver *driver = self(*slot);

    bulletin_leave(driver->setup->cluster->bulletin, driver->setup->first);
    refresher_destroy(&driver->refresher);
    for (unsigned i = 0; i < driver->setup->clients_max; i++)
        destroy_client(&driver->clients[i]);
    for (unsigned i = 0; i < driver->node_count; i++)
        node_destroy(&driver->nodes[i]);
    router_deinit(&driver->router);
    free(driver->nodes);
    free(driver->clients);
    free(driver->calls);
    queue_deinit(&driver->queue);
    free(driver);
    *slot = NULL;
}

const struct driver_ops driver_cluster = {
    .name = "native",
    .create = cluster_driver_create,
    .destroy = cluster_driver_destroy,
    .open = cluster_open,
    .submit = cluster_submit,
    .submit_again = cluster_submit_again,
    .tick = cluster_tick,
    .abandon = cluster_abandon,
};
