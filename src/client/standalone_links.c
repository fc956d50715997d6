/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/loss.h"
#include "client/standalone_driver.h"

static struct client *of_link(struct link *link)
{
    return (struct client *)link;
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

/* ---- dialling */

void standalone_dial(struct standalone *driver, uint64_t now_ns)
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

void standalone_want_dial(struct standalone *driver, struct client *client)
{
    client->next_dial = NULL;
    client->to_dial = true;
    if (driver->dial_first)
        driver->dial_last->next_dial = client;
    else
        driver->dial_first = client;
    driver->dial_last = client;
}

/* ---- events of the links */

static void link_up(struct link *link, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = standalone_of(client);
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
    standalone_free_slots(client, driver->slots, now_ns);
    standalone_dial(driver, now_ns);
}

static void link_sending(struct link *link, uint64_t now_ns)
{
    struct client *client = of_link(link);

    client->stuck_ns = 0;
    flights_stamp(&client->flights, now_ns, standalone_of(client)->slots);
}

static void hand_back(struct client *client, const struct flight *flight,
                      struct completion *completion)
{
    const struct standalone *driver = standalone_of(client);
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
    standalone_retire(client);
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

/* A reply was the last of the oldest request's. */
static inline __attribute__((always_inline)) void
end_oldest(struct client *client, const struct resp_reply *reply, struct completion *completion)
{
    struct standalone *driver = standalone_of(client);
    const struct flight flight = flights_pop(&client->flights, driver->slots);

    driver->driver.in_flight--;
    if (!client->retired)
        standalone_free_slots(client, 1, completion->replied_ns);
    if (reply->kind == RESP_ERROR) {
        completion->text = reply->text;
        completion->outcome = outcome_of_error(reply->text);
        note_redirects(driver, completion->outcome, reply->text, completion->replied_ns);
    }
    hand_back(client, &flight, completion);
    /* Unless an execution goes on. */
    if (client->renewing && client->flights.count == 0)
        link_close(&client->link, LINK_RENEWED);
}

static void link_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct completion completion = {.replied_ns = now_ns, .null = reply->kind == RESP_NULL};

    if (!flights_oldest_sent(&client->flights)) {
        unasked(standalone_of(client), client, reply);
        return;
    }
    link_is_well(link);
    end_oldest(client, reply, &completion);
}

/* ---- the same where requests are dictated, and their replies are looked into */

static struct gathering *gathering_of(const struct client *client)
{
    const struct standalone *driver = standalone_of(client);

    return &driver->gatherings[client - driver->clients];
}

static void link_heard(struct link *link, struct str bytes, enum link_piece piece)
{
    gathering_hear(gathering_of(of_link(link)), bytes, piece);
}

static void link_gathered(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = standalone_of(client);
    struct gathering *gathering = gathering_of(client);
    const struct flight *oldest = flights_oldest_sent(&client->flights);

    if (!oldest) {
        unasked(driver, client, reply);
        return;
    }
    link_is_well(link);
    if (!gathering_take(gathering, reply, source_replies(driver->setup->source, &oldest->request)))
        return;
    struct completion completion = {.replied_ns = now_ns,
                                    .client = (unsigned)(client - driver->clients),
                                    .outcome = (enum outcome)gathering->error,
                                    .replies = gathering_all(gathering)};
    end_oldest(client, reply, &completion);
    gathering_clear(gathering);
}

/* ---- ends */

static void link_ending(struct link *link)
{
    struct client *client = of_link(link);

    standalone_retire(client);
}

static void fail_flights(struct standalone *driver, struct client *client, const struct loss *loss,
                         struct str text)
{
    /* Of the requests under way the oldest is the one whose reply was no RESP. */
    bool garbled = loss->reason == LINK_GARBAGE && flights_oldest_sent(&client->flights);

    while (client->flights.count > 0) {
        const struct flight flight = flights_pop(&client->flights, driver->slots);
        struct completion completion = {.replied_ns = loss->now_ns,
                                        .text = text,
                                        .client = (unsigned)(client - driver->clients)};

        completion.outcome = garbled ? OUTCOME_PROTOCOL : loss_outcome(loss, &flight);
        garbled = false;
        driver->driver.in_flight--;
        hand_back(client, &flight, &completion);
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
    standalone_want_dial(driver, client);
    standalone_dial(driver, now_ns);
}

static void link_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    struct client *client = of_link(link);
    struct standalone *driver = standalone_of(client);
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

    if (driver->gatherings)
        gathering_clear(gathering_of(client));
    if (was_up) {
        driver->driver.up--;
        client->renewing = false; /* it was lost before the last reply */
        standalone_retire(client);
    } else {
        driver->dialing--;
    }
    if (reason != LINK_GIVEN_UP)
        tell(driver, was_up ? EVENT_DISCONNECT : EVENT_DIAL_FAILURE, said, now_ns);
    if (loss_is_auth(&loss))
        tell(driver, EVENT_NO_LOGIN, STR(""), now_ns);
    fail_flights(driver, client, &loss, said);
    tick_by(driver, link_wake_ns(link));
    standalone_dial(driver, now_ns);
}

const struct link_events standalone_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_reply,
    .ending = link_ending,
    .down = link_down,
};

const struct link_events standalone_gathering_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_gathered,
    .ending = link_ending,
    .down = link_down,
    .heard = link_heard,
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

uint64_t standalone_attend(struct client *client, uint64_t now_ns)
{
    struct standalone *driver = standalone_of(client);
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
        standalone_want_dial(driver, client);
        return CLOCK_NEVER;
    }
    if (link->state == LINK_UP)
        standalone_retire(client);
    link_close(link, link->state == LINK_UP ? LINK_NO_REPLY : ETIMEDOUT);
    return CLOCK_NEVER;
}
