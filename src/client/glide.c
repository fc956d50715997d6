/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver that measures valkey-GLIDE: its library has the connections, and threads of its own
 * that call back. They leave what there is to know in the worker's inbox; everything else happens
 * on the worker's thread, as with any driver.
 *
 * A client of the library, once it is made, is up until the end: what becomes of its connections it
 * keeps to itself. Only a request that was lost with one tells.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "client/client.h"
#include "client/glide_calls.h"
#include "client/glide_dialer.h"
#include "client/glide_failure.h"
#include "client/glide_request.h"
#include "client/glide_threads.h"
#include "client/glide_words.h"
#include "load/schedule.h"

#define BACKOFF_FIRST_NS (UINT64_C(50) * CLOCK_NS_PER_MS)
#define BACKOFF_MAX_NS   ((uint64_t)CLOCK_NS_PER_S)
/* The library answers when the request timeout is over; what it has not answered this much later it
 * never will. */
#define GRACE_NS ((uint64_t)CLOCK_NS_PER_S)

enum { BACKOFF_DOUBLINGS = 5, TEXT_MAX = ENDPOINT_NAME_MAX + GLIDE_FAILURE_TEXT_MAX };

/* A client of the library. */
struct glide_conn {
    struct glide_dial dial;
    const void *client; /* NULL: it is not up */
    bool wanted;
    unsigned failures; /* to make it, one after the other */
    uint64_t dial_ns;  /* when it is to be made */
    bool lost;         /* a request was lost with its connection, and none has succeeded since */
    uint64_t lost_ns;  /* when that was heard of last */
};

struct glide {
    struct driver driver; /* first: the head that the worker knows */
    const struct driver_setup *setup;
    struct glide_library library;
    struct glide_inbox inbox;
    struct glide_calls calls;
    struct glide_dialer *dialer;  /* NULL: stopped */
    struct glide_conn *conns;     /* owned */
    unsigned conns_count, down;   /* of which so many are wanted and not up */
    unsigned lost;                /* clients of the library that are */
    struct glide_conn *dialing;   /* NULL: none is being made */
    struct glide_threads threads; /* before the first request */
    bool started;
    unsigned wanted; /* of the run's clients: i has its slots with conns[i mod count] */
    struct glide_words words;
    char *bytes; /* owned; of one request */
    size_t room;
};

static struct glide *self(struct driver *driver)
{
    return (struct glide *)driver;
}

static void tick_by(struct glide *driver, uint64_t time_ns)
{
    if (time_ns < driver->driver.tick_ns)
        driver->driver.tick_ns = time_ns;
}

static void tell(struct glide *driver, enum event event, struct str text, uint64_t now_ns)
{
    const struct driver_listener *listener = &driver->setup->listener;

    listener->event(listener->context, event, text, now_ns);
}

/* ---- slots */

static void count_free(struct glide *driver, unsigned slots, uint64_t now_ns)
{
    if (driver->driver.free == 0)
        driver->driver.free_since_ns = now_ns;
    driver->driver.free += slots;
}

/* One of the run's clients has its connection. */
static void add_client(struct glide *driver, struct glide_conn *conn, uint64_t now_ns)
{
    const unsigned slots = (unsigned)driver->setup->config->pipeline;

    for (unsigned i = 0; i < slots; i++)
        glide_calls_add(&driver->calls, conn);
    driver->driver.up++;
    count_free(driver, slots, now_ns);
}

/* From the first request on the library's threads work for the run. */
static void start(struct glide *driver)
{
    if (!driver->started)
        glide_threads_read(&driver->threads);
    driver->started = true;
}

/* The request's commands, into memory that is used again. */
static void render(struct glide *driver, const struct request *request)
{
    const struct source *source = driver->setup->source;
    const size_t room = source_room(source, request);

    if (room > driver->room) {
        driver->room = room;
        driver->bytes = mem_resize(driver->bytes, room, 1);
    }
    source_render(source, request, driver->bytes);
}

static bool glide_submit(struct driver *head, const struct request *request)
{
    struct glide *driver = self(head);

    if (head->free == 0)
        return false;
    start(driver);
    struct glide_call *call = glide_calls_take(&driver->calls);
    render(driver, request);
    glide_words_take(&driver->words, driver->bytes);
    head->free--;
    head->in_flight++;
    call->request = *request;
    call->free_ns = head->free_since_ns;
    call->sent_ns = clock_now_ns();
    glide_calls_lend(&driver->calls, call);
    driver->library.command(call->conn->client, (uintptr_t)call, GLIDE_CUSTOM_COMMAND,
                            driver->words.count, driver->words.starts, driver->words.lens, NULL, 0,
                            0);
    return true;
}

/* ---- making clients, one at a time */

static void dial_next(struct glide *driver, uint64_t now_ns)
{
    if (driver->down == 0 || driver->dialing || !driver->dialer)
        return;
    for (unsigned i = 0; i < driver->conns_count; i++) {
        struct glide_conn *conn = &driver->conns[i];

        if (conn->client || !conn->wanted)
            continue;
        if (conn->dial_ns > now_ns) {
            tick_by(driver, conn->dial_ns);
            continue;
        }
        driver->dialing = conn;
        conn->dial = (struct glide_dial){.note.dial = true};
        glide_dialer_ask(driver->dialer, &conn->dial);
        return;
    }
}

static void want(struct glide *driver, struct glide_conn *conn, uint64_t now_ns)
{
    if (conn->wanted)
        return;
    conn->wanted = true;
    conn->dial_ns = now_ns;
    driver->down++;
}

static void glide_open(struct driver *head, unsigned clients, uint64_t now_ns)
{
    struct glide *driver = self(head);

    for (; driver->wanted < clients; driver->wanted++) {
        struct glide_conn *conn = &driver->conns[driver->wanted % driver->conns_count];

        if (conn->client)
            add_client(driver, conn, now_ns);
        else
            want(driver, conn, now_ns);
    }
    dial_next(driver, now_ns);
}

static uint64_t backoff_ns(const struct glide *driver, const struct glide_conn *conn)
{
    const unsigned doublings =
        conn->failures < BACKOFF_DOUBLINGS ? conn->failures : BACKOFF_DOUBLINGS;
    const uint64_t doubled_ns = BACKOFF_FIRST_NS << doublings;
    const uint64_t whole_ns = doubled_ns < BACKOFF_MAX_NS ? doubled_ns : BACKOFF_MAX_NS;
    const uint64_t number = driver->setup->first + (uint64_t)(conn - driver->conns);
    const uint64_t draw =
        rng_draw(driver->setup->seed, RNG_BACKOFF, (number << 32) + conn->failures);

    return whole_ns / 2 + draw % (whole_ns / 2);
}

static void fail_dial(struct glide *driver, struct glide_conn *conn)
{
    const uint64_t now_ns = conn->dial.ended_ns;
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "Could not connect to %s: GLIDE: %s", driver->setup->endpoint->name,
             conn->dial.error);
    free(conn->dial.error);
    conn->dial.error = NULL;
    conn->dial_ns = now_ns + backoff_ns(driver, conn);
    conn->failures++;
    tell(driver, EVENT_DIAL_FAILURE, str_of(text), now_ns);
}

static void finish_dial(struct glide *driver, struct glide_conn *conn)
{
    const struct driver_listener *listener = &driver->setup->listener;
    const struct glide_dial *dial = &conn->dial;
    const struct dial_times times = {.connect_ns = dial->ended_ns - dial->began_ns};

    driver->dialing = NULL;
    if (!dial->client) {
        fail_dial(driver, conn);
    } else {
        conn->client = dial->client;
        driver->down--;
        listener->connected(listener->context, &times);
        for (unsigned i = (unsigned)(conn - driver->conns); i < driver->wanted;
             i += driver->conns_count)
            add_client(driver, conn, dial->ended_ns);
    }
    dial_next(driver, dial->ended_ns);
}

/* ---- what came of the calls */

/* A connection that is lost takes with it what was in flight on it: one loss, however many tell of
 * it. Of which node in a cluster, nobody says. */
static void note_loss(struct glide *driver, const struct glide_call *call, struct str text)
{
    struct glide_conn *conn = call->conn;

    if (conn->lost && call->sent_ns <= conn->lost_ns)
        return;
    driver->lost += !conn->lost;
    conn->lost = true;
    conn->lost_ns = call->replied_ns;
    tell(driver, EVENT_DISCONNECT, text, call->replied_ns);
}

static void note_success(struct glide *driver, const struct glide_call *call)
{
    struct glide_conn *conn = call->conn;

    if (!conn->lost || call->sent_ns <= conn->lost_ns)
        return;
    conn->lost = false;
    driver->lost--;
    /* in a cluster it may have been another node that answered */
    if (!driver->setup->config->cluster)
        tell(driver, EVENT_RECONNECT, STR(""), call->replied_ns);
}

/* `text`: of TEXT_MAX bytes. */
static void read_failure(struct glide *driver, const struct glide_call *call,
                         struct completion *completion, char *text)
{
    completion->outcome = glide_failure_read(call->failure, call->message, text);
    completion->text = str_of(text);
    if (completion->outcome == OUTCOME_DISCONNECT)
        note_loss(driver, call, completion->text);
    else if (completion->outcome == OUTCOME_TIMEOUT && driver->lost > 0)
        tell(driver, EVENT_WAITED_OUT, STR(""), call->replied_ns);
}

/* A call has come back, or is given up: its slot is free, and its request over. */
static void hand_back(struct glide *driver, struct completion *completion)
{
    const struct driver_listener *listener = &driver->setup->listener;

    driver->driver.in_flight--;
    count_free(driver, 1, completion->replied_ns);
    listener->done(listener->context, completion);
}

static void finish_call(struct glide *driver, struct glide_call *call)
{
    const struct request request = call->request;
    struct completion completion = {.request = &request,
                                    .null = call->null,
                                    .free_ns = call->free_ns,
                                    .sent_ns = call->sent_ns,
                                    .replied_ns = call->replied_ns};
    const bool given_up = call->given_up;
    char text[TEXT_MAX];

    if (given_up)
        ;
    else if (call->failure >= 0)
        read_failure(driver, call, &completion, text);
    else
        note_success(driver, call);
    glide_calls_put_back(&driver->calls, call);
    if (!given_up)
        hand_back(driver, &completion);
}

static void glide_collect(struct driver *head)
{
    struct glide *driver = self(head);
    struct glide_note *next;

    for (struct glide_note *note = glide_inbox_take(&driver->inbox); note; note = next) {
        next = note->next;
        if (note->dial)
            finish_dial(driver, driver->dialing);
        else
            finish_call(driver, (struct glide_call *)note);
    }
}

static bool glide_may_sleep(struct driver *head)
{
    return glide_inbox_arm(&self(head)->inbox);
}

/* ---- time */

/* A request whose answer the library owes. */
static void give_up(struct glide *driver, struct glide_call *call, uint64_t now_ns)
{
    const uint64_t timeout_ns = driver->setup->config->request_timeout_ns;
    const struct request request = call->request;
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "GLIDE has not answered within %" PRIu64 " ms.",
             (timeout_ns + GRACE_NS) / CLOCK_NS_PER_MS);
    struct completion completion = {.request = &request,
                                    .outcome = OUTCOME_TIMEOUT,
                                    .free_ns = call->free_ns,
                                    .sent_ns = call->sent_ns,
                                    .replied_ns = now_ns,
                                    .text = str_of(text)};
    glide_calls_give_up(&driver->calls, call);
    hand_back(driver, &completion);
}

static void glide_tick(struct driver *head, uint64_t now_ns)
{
    struct glide *driver = self(head);
    const uint64_t bound_ns = driver->setup->config->request_timeout_ns + GRACE_NS;

    head->tick_ns = now_ns + bound_ns; /* what is submitted from now on has time until then */
    while (driver->calls.lent && driver->calls.lent->sent_ns + bound_ns <= now_ns)
        give_up(driver, driver->calls.lent, now_ns);
    if (driver->calls.lent)
        tick_by(driver, driver->calls.lent->sent_ns + bound_ns);
    dial_next(driver, now_ns);
}

/* ---- life */

/* After this no callback runs, and what it would have told is what nobody will hear. */
static void close_all(struct glide *driver)
{
    glide_dialer_stop(&driver->dialer);
    for (unsigned i = 0; i < driver->conns_count; i++) {
        struct glide_conn *conn = &driver->conns[i];

        if (conn->client)
            driver->library.close_client(conn->client);
        conn->client = NULL;
    }
    for (struct glide_note *note = glide_inbox_take(&driver->inbox); note; note = note->next) {
        if (!note->dial)
            continue;
        if (driver->dialing->dial.client)
            driver->library.close_client(driver->dialing->dial.client);
        free(driver->dialing->dial.error);
    }
    driver->dialing = NULL;
}

static void glide_abandon(struct driver *head, uint64_t now_ns)
{
    struct glide *driver = self(head);
    const struct driver_listener *listener = &driver->setup->listener;

    close_all(driver);
    head->free = head->up = 0;
    while (driver->calls.lent) {
        struct glide_call *call = driver->calls.lent;
        const struct completion completion = {.request = &call->request,
                                              .outcome = OUTCOME_UNANSWERED,
                                              .free_ns = call->free_ns,
                                              .sent_ns = call->sent_ns,
                                              .replied_ns = now_ns};

        head->in_flight--;
        listener->done(listener->context, &completion);
        glide_calls_put_back(&driver->calls, call);
    }
}

static void glide_threads(struct driver *head, struct driver_threads *threads)
{
    struct glide_threads found;

    glide_threads_read(&found);
    *threads = (struct driver_threads){.count = found.count};
    if (self(head)->started && found.cpu_ns > self(head)->threads.cpu_ns)
        threads->cpu_ns = found.cpu_ns - self(head)->threads.cpu_ns;
}

static int start_dialer(struct glide *driver, struct err *err)
{
    const struct driver_setup *setup = driver->setup;
    const uint64_t clients = setup->clients_max / driver->conns_count + 1;
    const struct glide_wishes wishes = {
        .endpoint = setup->endpoint,
        .session = setup->opening ? setup->opening->config : NULL,
        .tls = setup->tls_config,
        .request_timeout_ns = setup->config->request_timeout_ns,
        .connect_timeout_ns = setup->connect_timeout_ns,
        .slots = clients * setup->config->pipeline,
        .cluster = setup->config->cluster,
        .read_from_replica = setup->config->read_from_replica,
    };
    struct glide_dialer_setup dialer = {
        .library = &driver->library,
        .inbox = &driver->inbox,
        .type = {.tag = GLIDE_ASYNC_CLIENT,
                 .async = {glide_calls_succeeded, glide_calls_failed, true}},
    };

    const int rc = glide_request_write(&wishes, &dialer.request, &dialer.len, err);
    return rc < 0 ? rc : glide_dialer_start(&driver->dialer, &dialer, err);
}

/* How many of the library's clients are this worker's. */
static unsigned conns_of(const struct driver_setup *setup)
{
    const uint64_t all = setup->config->glide.clients;
    const uint64_t share = all ? schedule_share(all, setup->first, setup->stride) : UINT64_MAX;

    return share < setup->clients_max ? (unsigned)share : setup->clients_max;
}

static int glide_create(struct driver **out, const struct driver_setup *setup, struct err *err)
{
    const struct glide_config *config = &setup->config->glide;
    struct glide *driver = mem_zalloc(1, sizeof *driver);

    *out = &driver->driver;
    driver->driver.ops = &driver_glide;
    driver->setup = setup;
    driver->inbox.wake_fd = setup->wake_fd;
    driver->conns_count = conns_of(setup);
    driver->conns = mem_zalloc(driver->conns_count, sizeof *driver->conns);
    int rc = glide_library_load(&driver->library, config->library, config->log_level, err);
    glide_calls_init(&driver->calls, (size_t)setup->clients_max * setup->config->pipeline,
                     &driver->inbox, driver->library.free_reply);
    if (rc == 0)
        rc = start_dialer(driver, err);
    if (rc < 0)
        driver_destroy(out);
    return rc;
}

static void glide_destroy(struct driver **slot)
{
    struct glide *driver = self(*slot);

    close_all(driver);
    glide_calls_deinit(&driver->calls);
    glide_words_deinit(&driver->words);
    free(driver->conns);
    free(driver->bytes);
    free(driver);
    *slot = NULL;
}

const struct driver_ops driver_glide = {
    .name = "glide",
    .create = glide_create,
    .destroy = glide_destroy,
    .open = glide_open,
    .submit = glide_submit,
    .tick = glide_tick,
    .abandon = glide_abandon,
    .collect = glide_collect,
    .may_sleep = glide_may_sleep,
    .threads = glide_threads,
};
