/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "client/glide_driver.h"

#define BACKOFF_FIRST_NS (UINT64_C(50) * CLOCK_NS_PER_MS)
#define BACKOFF_MAX_NS   ((uint64_t)CLOCK_NS_PER_S)

enum { BACKOFF_DOUBLINGS = 5 };

static unsigned number_of(const struct glide *driver, const struct glide_conn *conn)
{
    return (unsigned)(conn - driver->conns);
}

/* One of the run's clients has its connection. */
static void add_client(struct glide *driver, unsigned client, uint64_t now_ns)
{
    const unsigned slots = (unsigned)driver->setup->config->pipeline;
    struct glide_conn *conn = &driver->conns[client % driver->conns_count];

    for (unsigned i = 0; i < slots; i++)
        glide_calls_add(&driver->calls, conn, client);
    driver->driver.up++;
    glide_free_slots(driver, slots, now_ns);
}

void glide_dial_next(struct glide *driver, uint64_t now_ns)
{
    if (driver->down == 0 || driver->dialing || !driver->dialer)
        return;
    for (unsigned i = 0; i < driver->conns_count; i++) {
        struct glide_conn *conn = &driver->conns[i];

        if (conn->client || !conn->wanted)
            continue;
        if (conn->dial_ns > now_ns) {
            glide_tick_by(driver, conn->dial_ns);
            continue;
        }
        driver->dialing = conn;
        conn->dial = (struct glide_dial){.note.dial = true};
        glide_dialer_ask(driver->dialer, &conn->dial);
        return;
    }
}

void glide_want(struct glide *driver, unsigned clients, uint64_t now_ns)
{
    for (; driver->wanted < clients; driver->wanted++) {
        struct glide_conn *conn = &driver->conns[driver->wanted % driver->conns_count];

        if (conn->client) {
            add_client(driver, driver->wanted, now_ns);
        } else if (!conn->wanted) {
            conn->wanted = true;
            conn->dial_ns = now_ns;
            driver->down++;
        }
    }
    glide_dial_next(driver, now_ns);
}

static uint64_t backoff_ns(const struct glide *driver, const struct glide_conn *conn)
{
    const unsigned doublings =
        conn->failures < BACKOFF_DOUBLINGS ? conn->failures : BACKOFF_DOUBLINGS;
    const uint64_t doubled_ns = BACKOFF_FIRST_NS << doublings;
    const uint64_t whole_ns = doubled_ns < BACKOFF_MAX_NS ? doubled_ns : BACKOFF_MAX_NS;
    const uint64_t number = driver->setup->first + (uint64_t)number_of(driver, conn);
    const uint64_t draw =
        rng_draw(driver->setup->seed, RNG_BACKOFF, (number << 32) + conn->failures);

    return whole_ns / 2 + draw % (whole_ns / 2);
}

/* The library has the server's words somewhere in its own. */
static bool is_login(const char *error)
{
    return strstr(error, "WRONGPASS") || strstr(error, "NOAUTH") || strstr(error, "NOPERM");
}

static void fail_dial(struct glide *driver, struct glide_conn *conn)
{
    const uint64_t now_ns = conn->dial.ended_ns;
    char text[GLIDE_TEXT_MAX];

    snprintf(text, sizeof text, "Could not connect to %s: GLIDE: %s", driver->setup->endpoint->name,
             conn->dial.error);
    const bool refused = is_login(conn->dial.error);
    free(conn->dial.error);
    conn->dial.error = NULL;
    conn->dial_ns = now_ns + backoff_ns(driver, conn);
    conn->failures++;
    glide_tell(driver, EVENT_DIAL_FAILURE, str_of(text), now_ns);
    if (refused)
        glide_tell(driver, EVENT_NO_LOGIN, STR(""), now_ns);
}

/* The library does all of it in one call, so that it is one time. */
static void take_up(struct glide *driver, struct glide_conn *conn)
{
    const struct driver_listener *listener = &driver->setup->listener;
    const struct glide_dial *dial = &conn->dial;
    const struct dial_times times = {.connect_ns = dial->ended_ns - dial->began_ns};

    conn->client = dial->client;
    driver->down--;
    listener->connected(listener->context, &times);
    for (unsigned i = number_of(driver, conn); i < driver->wanted; i += driver->conns_count)
        add_client(driver, i, dial->ended_ns);
}

void glide_finish_dial(struct glide *driver)
{
    struct glide_conn *conn = driver->dialing;

    driver->dialing = NULL;
    if (conn->dial.client)
        take_up(driver, conn);
    else
        fail_dial(driver, conn);
    glide_dial_next(driver, conn->dial.ended_ns);
}

/* A client that was made, and that nobody has taken note of. */
static void drop_dial(struct glide *driver)
{
    struct glide_dial *dial = &driver->dialing->dial;

    driver->dialing = NULL;
    if (dial->client)
        driver->library.close_client(dial->client);
    free(dial->error);
    dial->error = NULL;
}

void glide_close_all(struct glide *driver)
{
    glide_dialer_stop(&driver->dialer);
    for (unsigned i = 0; i < driver->conns_count; i++) {
        struct glide_conn *conn = &driver->conns[i];

        if (conn->client)
            driver->library.close_client(conn->client);
        conn->client = NULL;
    }
    for (struct glide_note *note = glide_inbox_take(&driver->inbox); note; note = note->next)
        if (note->dial && driver->dialing)
            drop_dial(driver);
    driver->dialing = NULL;
}
