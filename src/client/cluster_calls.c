/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "client/cluster_dials.h"
#include "resp/writer.h"

enum {
    HOPS_MAX = 5,
    WAIT_DOUBLINGS = 5, /* a reply is waited out for 5 ms, the next one for 10, up to 160 */
    WAITS_MAX = 200,
};

static const char asking[] = "*1\r\n$6\r\nASKING\r\n";

enum { ASKING_LEN = sizeof asking - 1 };

static void want_topology(const struct cluster_driver *driver, enum bulletin_want want)
{
    bulletin_ask(driver->setup->cluster->bulletin, want);
}

/* Of the primaries in turn the first that can be sent to, or any. */
static unsigned route_anywhere(struct cluster_client *client)
{
    struct router *router = &client->driver->router;
    unsigned node = ROUTER_NO_NODE;

    for (unsigned i = 0; i < router->count; i++) {
        node = router_next_primary(router);
        if (node < client->link_room && cluster_can_send(client->links[node]))
            break;
    }
    return node;
}

static bool can_read_from(const struct cluster_client *client, unsigned node)
{
    return node < client->link_room && cluster_can_send(client->links[node]) &&
           !client->driver->nodes[node]->resting;
}

/* Of the replicas of a primary in turn the first that can be sent to, or else the primary. */
static unsigned route_to_replica(struct cluster_client *client, unsigned primary)
{
    struct router *router = &client->driver->router;

    for (unsigned i = router->nodes[primary]->replica_count; i > 0; i--) {
        const unsigned node = router_next_replica(router, primary);

        if (can_read_from(client, node))
            return node;
    }
    return primary;
}

/* What a node did not answer, or not yet, is the primary's: replicas may lag behind in what they
 * know. */
static bool is_for_replica(const struct cluster_client *client, const struct call *call)
{
    const struct cluster_driver *driver = client->driver;

    return driver->router.from_replicas && call->hops == 0 && call->waits == 0 &&
           source_only_reads(driver->setup->source, &call->request);
}

static unsigned route(struct cluster_client *client, const struct call *call)
{
    if (call->target != ROUTER_NO_NODE)
        return call->target;
    if (call->slot < 0)
        return route_anywhere(client);
    const unsigned node = router_node_of(&client->driver->router, (unsigned)call->slot);
    if (node == ROUTER_NO_NODE || !is_for_replica(client, call))
        return node;
    return route_to_replica(client, node);
}

/* ---- sending */

/* Looks at the links early enough for a call that has been under way for some time. */
static void note_travelled(struct node_link *link, struct call *call)
{
    struct cluster_driver *driver = link->client->driver;
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;

    call->travelled = call->first_ns != 0;
    if (!call->travelled)
        return;
    link->travelled++;
    if (timeout_ns && call->first_ns + timeout_ns < driver->look_ns) {
        driver->look_ns = call->first_ns + timeout_ns;
        cluster_tick_by(driver, driver->look_ns);
    }
}

static void send_call(struct node_link *link, struct call *call)
{
    const struct source *source = link->client->driver->setup->source;
    struct outbox *outbox = link_outbox(&link->link);
    char *at = outbox_reserve(outbox, source_room(source, &call->request) + ASKING_LEN);
    size_t len = 0;

    if (!call->first_ns && !link_has_left(&link->link))
        call->free_ns = CALL_HELD;
    if (call->target != ROUTER_NO_NODE) {
        memcpy(at, asking, ASKING_LEN);
        len = ASKING_LEN;
        call_ring_push(&link->ring, NULL);
        call->target = ROUTER_NO_NODE;
    }
    len += source_render(source, &call->request, at + len);
    outbox_add(outbox, len);
    note_travelled(link, call);
    call_ring_push(&link->ring, call);
    if (link->left)
        cluster_count_call(link);
    link_send(&link->link);
}

/* When a call that waits is to be looked at next. */
static uint64_t due_ns(const struct cluster_client *client, const struct call *call,
                       uint64_t now_ns)
{
    const uint64_t timeout_ns = client->driver->setup->config->request_timeout_ns;
    const uint64_t due_ns = call->retry_ns > now_ns ? call->retry_ns : now_ns + CLUSTER_RETRY_NS;

    return timeout_ns && call->first_ns + timeout_ns < due_ns ? call->first_ns + timeout_ns
                                                              : due_ns;
}

static void wait(struct cluster_client *client, struct call *call, uint64_t now_ns)
{
    struct cluster_driver *driver = client->driver;
    const uint64_t next_ns = due_ns(client, call, now_ns);

    if (next_ns < driver->retry_ns)
        driver->retry_ns = next_ns;
    cluster_tick_by(driver, driver->retry_ns);
    call->next = NULL;
    if (client->wait_first)
        client->wait_last->next = call;
    else
        client->wait_first = call;
    client->wait_last = call;
    driver->waiting++;
}

/* Sends a call if there is a way, else sees to it that there will be one. Returns whether it was
 * sent. */
static bool try_to_send(struct cluster_client *client, struct call *call)
{
    const unsigned node = route(client, call);

    if (node == ROUTER_NO_NODE) {
        want_topology(client->driver, BULLETIN_WAITING);
        return false;
    }
    struct node_link *link = cluster_link(client, node);
    if (cluster_can_send(link)) {
        send_call(link, call);
        return true;
    }
    cluster_want_link(link);
    if (link->link.failures > 0 || link->place_ns)
        want_topology(client->driver, BULLETIN_WAITING);
    return false;
}

void cluster_keep_back(struct cluster_client *client, struct call *call, uint64_t now_ns)
{
    if (!call->first_ns)
        call->first_ns = now_ns;
    if (call->free_ns == CALL_HELD)
        call->free_ns = call->first_ns;
    wait(client, call, now_ns);
}

void cluster_begin_call(struct cluster_client *client, struct call *call)
{
    const struct source *source = client->driver->setup->source;

    call->slot = (int16_t)source_slot(source, &call->request);
    const unsigned node = route(client, call);
    if (node < client->link_room && cluster_can_send(client->links[node]))
        send_call(client->links[node], call);
    else if (!try_to_send(client, call))
        cluster_keep_back(client, call, clock_now_ns());
}

/* ---- ends */

void cluster_end_call(struct cluster_client *client, struct call *call,
                      struct completion *completion)
{
    const struct driver_listener *listener = &client->driver->setup->listener;
    const struct request request = call->request; /* the slot may carry another one by the end */

    completion->request = &request;
    completion->free_ns = call->free_ns;
    completion->sent_ns = call->first_ns;
    completion->client = (unsigned)(client - client->driver->clients);
    call->next = client->free;
    client->free = call;
    client->driver->driver.in_flight--;
    cluster_free_slot(client, completion->replied_ns);
    listener->done(listener->context, completion);
}

/* What a call is waiting for that no reply sent back: a sentence, and its kind. */
static enum outcome describe_wait(const struct cluster_client *client, unsigned node, char *text)
{
    const struct cluster_driver *driver = client->driver;
    const bool known = node != ROUTER_NO_NODE;
    const bool barred =
        known && node < client->link_room && client->links[node] && client->links[node]->barred;

    snprintf(text, CLUSTER_TEXT_MAX, "No %s to %s within %llu ms.", barred ? "login" : "connection",
             known ? driver->router.nodes[node]->name : "a node that serves the slot",
             (unsigned long long)driver->setup->config->request_timeout_ns / CLOCK_NS_PER_MS);
    return barred ? OUTCOME_AUTH : OUTCOME_TIMEOUT;
}

/* The request timeout has passed while the call waited. */
static void expire(struct cluster_client *client, struct call *call, uint64_t now_ns)
{
    struct cluster_driver *driver = client->driver;
    const unsigned node = route(client, call);
    struct completion completion = {
        .replied_ns = now_ns, .node = node == ROUTER_NO_NODE ? NULL : driver->router.nodes[node]};
    char text[CLUSTER_TEXT_MAX];

    if (call->reason != OUTCOME_OK) {
        completion.outcome = (enum outcome)call->reason;
        snprintf(text, sizeof text, "%s", driver->reasons[call->reason]);
    } else {
        completion.outcome = describe_wait(client, node, text);
    }
    completion.text = str_of(text);
    cluster_end_call(client, call, &completion);
}

static void reconsider(struct cluster_client *client, struct call *call, uint64_t now_ns)
{
    const uint64_t timeout_ns = client->driver->setup->config->request_timeout_ns;

    if (timeout_ns && now_ns >= call->first_ns + timeout_ns)
        expire(client, call, now_ns);
    else if (call->retry_ns > now_ns || !try_to_send(client, call))
        wait(client, call, now_ns);
}

/* The list of all calls of a client that wait, which is empty then. */
static struct call *take_waiting(struct cluster_client *client)
{
    struct call *first = client->wait_first;

    client->wait_first = client->wait_last = NULL;
    for (const struct call *call = first; call; call = call->next)
        client->driver->waiting--;
    return first;
}

void cluster_retry_calls(struct cluster_client *client, uint64_t now_ns)
{
    struct call *next;

    for (struct call *call = take_waiting(client); call; call = next) {
        next = call->next;
        reconsider(client, call, now_ns);
    }
}

void cluster_abandon_calls(struct cluster_client *client, uint64_t now_ns)
{
    struct call *next;

    for (struct call *call = take_waiting(client); call; call = next) {
        struct completion completion = {.replied_ns = now_ns, .outcome = OUTCOME_UNANSWERED};

        next = call->next;
        cluster_end_call(client, call, &completion);
    }
}

/* ---- replies */

static struct str replies_of(const struct node_link *link)
{
    return link->gathering ? gathering_all(link->gathering) : STR("");
}

static void end_by_error(struct node_link *link, struct call *call, struct str text,
                         uint64_t now_ns)
{
    struct completion completion = {.replied_ns = now_ns,
                                    .outcome = outcome_of_error(text),
                                    .text = text,
                                    .node = cluster_node_of(link),
                                    .replies = replies_of(link)};

    cluster_end_call(link->client, call, &completion);
}

/* The request was not executed, and is to be sent again. */
static void note_reason(struct cluster_client *client, struct call *call, struct str text,
                        uint64_t now_ns)
{
    struct cluster_driver *driver = client->driver;

    call->reason = (uint8_t)outcome_of_error(text);
    snprintf(driver->reasons[call->reason], sizeof driver->reasons[0], "%.*s", (int)text.len,
             text.ptr);
    call->hops = 0;
    if (call->waits < WAITS_MAX)
        call->waits++;
    cluster_tell(driver, EVENT_RETRY, STR(""), now_ns);
}

static void wait_out(struct cluster_client *client, struct call *call, struct str text,
                     uint64_t now_ns)
{
    const unsigned doublings = call->waits < WAIT_DOUBLINGS ? call->waits : WAIT_DOUBLINGS;

    call->retry_ns = now_ns + (CLUSTER_RETRY_NS << doublings);
    note_reason(client, call, text, now_ns);
    cluster_keep_back(client, call, now_ns);
}

/* Whether a replica of whose slots others can serve a read has said that it cannot. */
static bool is_unfit(const struct node_link *link, const struct call *call, enum outcome outcome)
{
    return (outcome == OUTCOME_LOADING || outcome == OUTCOME_READONLY) &&
           cluster_node_of(link)->replica && is_for_replica(link->client, call);
}

/* The primary can serve it now, and for some time only it and the other replicas are asked. */
static void leave_replica(struct node_link *link, struct call *call, struct str text,
                          uint64_t now_ns)
{
    struct cluster_client *client = link->client;

    node_rest(client->driver->nodes[link->node], now_ns);
    want_topology(client->driver, BULLETIN_STALE);
    note_reason(client, call, text, now_ns);
    if (!try_to_send(client, call))
        cluster_keep_back(client, call, now_ns);
}

static void follow(struct node_link *link, struct call *call, struct str text, uint64_t now_ns)
{
    struct cluster_client *client = link->client;
    struct cluster_driver *driver = client->driver;
    unsigned node = ROUTER_NO_NODE;
    struct redirect redirect;

    cluster_tell(driver, str_starts(text, STR("ASK")) ? EVENT_ASK : EVENT_MOVED, STR(""), now_ns);
    if (call->hops < HOPS_MAX && redirect_parse(text, &redirect))
        node = router_follow(&driver->router, link->node, &redirect);
    if (node == ROUTER_NO_NODE || !redirect.ask)
        want_topology(driver, BULLETIN_STALE);
    if (node == ROUTER_NO_NODE) {
        end_by_error(link, call, text, now_ns);
        return;
    }
    call->hops++;
    if (redirect.ask)
        call->target = (uint16_t)node;
    if (!try_to_send(client, call))
        cluster_keep_back(client, call, now_ns);
}

static void take_error(struct node_link *link, struct call *call, struct str text, uint64_t now_ns)
{
    struct cluster_client *client = link->client;
    struct cluster_driver *driver = client->driver;

    const enum outcome outcome = outcome_of_error(text);
    if (is_unfit(link, call, outcome)) {
        leave_replica(link, call, text, now_ns);
        return;
    }
    switch (outcome) {
    case OUTCOME_REDIRECT:
        follow(link, call, text, now_ns);
        return;
    case OUTCOME_CLUSTERDOWN:
        cluster_tell(driver, EVENT_CLUSTERDOWN, STR(""), now_ns);
        want_topology(driver, BULLETIN_WAITING);
        break;
    case OUTCOME_READONLY:
        want_topology(driver, BULLETIN_WAITING);
        break;
    case OUTCOME_LOADING:
        want_topology(driver, BULLETIN_STALE);
        break;
    case OUTCOME_BUSY:
        if (str_starts(text, STR("TRYAGAIN"))) {
            cluster_tell(driver, EVENT_TRYAGAIN, STR(""), now_ns);
            break;
        }
        /* fall through */
    default:
        end_by_error(link, call, text, now_ns);
        return;
    }
    wait_out(client, call, text, now_ns);
}

void cluster_take_reply(struct node_link *link, struct call *call, const struct resp_reply *reply,
                        uint64_t now_ns)
{
    struct completion completion = {.replied_ns = now_ns,
                                    .null = reply->kind == RESP_NULL,
                                    .node = cluster_node_of(link),
                                    .replies = replies_of(link)};

    if (reply->kind == RESP_ERROR)
        take_error(link, call, reply->text, now_ns);
    else
        cluster_end_call(link->client, call, &completion);
}
