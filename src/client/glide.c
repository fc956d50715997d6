/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver that measures valkey-GLIDE: its library has the connections, and threads of its own
 * that call back. They leave what there is to know in the worker's inbox; everything else happens
 * on the worker's thread, as with any driver.
 *
 * A client of the library, once it is made, is up until the end: what becomes of its connections it
 * keeps to itself. Only a request that was lost with one tells.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/glide_driver.h"
#include "client/glide_request.h"
#include "load/schedule.h"

void glide_tick_by(struct glide *driver, uint64_t time_ns)
{
    if (time_ns < driver->driver.tick_ns)
        driver->driver.tick_ns = time_ns;
}

void glide_tell(struct glide *driver, enum event event, struct str text, uint64_t now_ns)
{
    const struct driver_listener *listener = &driver->setup->listener;

    listener->event(listener->context, event, text, now_ns);
}

void glide_free_slots(struct glide *driver, unsigned slots, uint64_t now_ns)
{
    if (driver->driver.free == 0)
        driver->driver.free_since_ns = now_ns;
    driver->driver.free += slots;
}

static void glide_open(struct driver *head, unsigned clients, uint64_t now_ns)
{
    glide_want(glide_of(head), clients, now_ns);
}

static bool glide_submit(struct driver *head, const struct request *request)
{
    struct glide *driver = glide_of(head);

    if (head->free == 0)
        return false;
    glide_send(driver, driver->calls.free.first, request);
    return true;
}

static bool glide_submit_again(struct driver *head, const struct request *request, unsigned client)
{
    struct glide *driver = glide_of(head);
    struct glide_call *call = driver->calls.fresh;

    if (!call || call->client != client)
        return false;
    glide_send(driver, call, request);
    return true;
}

static void glide_collect(struct driver *head)
{
    struct glide *driver = glide_of(head);
    struct glide_note *next;

    for (struct glide_note *note = glide_inbox_take(&driver->inbox); note; note = next) {
        next = note->next;
        if (note->dial)
            glide_finish_dial(driver);
        else
            glide_finish_call(driver, (struct glide_call *)note);
    }
}

static bool glide_may_sleep(struct driver *head)
{
    return glide_inbox_arm(&glide_of(head)->inbox);
}

static void glide_tick(struct driver *head, uint64_t now_ns)
{
    struct glide *driver = glide_of(head);
    const struct glide_call_list *lent = &driver->calls.lent;
    const uint64_t bound_ns = driver->setup->config->request_timeout_ns + GLIDE_GRACE_NS;

    head->tick_ns = now_ns + bound_ns; /* what is submitted from now on has time until then */
    while (lent->first && lent->first->sent_ns + bound_ns <= now_ns)
        glide_give_up(driver, lent->first, now_ns);
    if (lent->first)
        glide_tick_by(driver, lent->first->sent_ns + bound_ns);
    glide_dial_next(driver, now_ns);
}

static void glide_abandon(struct driver *head, uint64_t now_ns)
{
    struct glide *driver = glide_of(head);
    const struct driver_listener *listener = &driver->setup->listener;

    glide_close_all(driver);
    head->free = head->up = 0;
    while (driver->calls.lent.first) {
        struct glide_call *call = driver->calls.lent.first;
        const struct request request = call->request;
        const struct completion completion = {.request = &request,
                                              .outcome = OUTCOME_UNANSWERED,
                                              .free_ns = call->free_ns,
                                              .sent_ns = call->sent_ns,
                                              .replied_ns = now_ns,
                                              .client = call->client};

        head->in_flight--;
        glide_calls_put_back(&driver->calls, call);
        listener->done(listener->context, &completion);
    }
}

static void glide_threads(struct driver *head, struct driver_threads *threads)
{
    const struct glide *driver = glide_of(head);
    struct glide_threads found;

    glide_threads_read(&found);
    *threads = (struct driver_threads){.count = found.count};
    if (driver->started && found.cpu_ns > driver->threads.cpu_ns)
        threads->cpu_ns = found.cpu_ns - driver->threads.cpu_ns;
}

/* ---- life */

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
                 .async = {glide_calls_succeeded, glide_calls_failed,
                           .stack_replies = !driver->calls.keeps_replies}},
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
    glide_calls_init(&driver->calls, (size_t)setup->clients_max * setup->config->pipeline);
    int rc = glide_library_load(&driver->library, config->library, config->log_level, err);
    driver->calls.inbox = &driver->inbox;
    driver->calls.free_reply = driver->library.free_reply;
    driver->calls.keeps_replies = source_is_dictated(setup->source);
    if (rc == 0)
        rc = start_dialer(driver, err);
    if (rc < 0)
        driver_destroy(out);
    return rc;
}

static void glide_destroy(struct driver **slot)
{
    struct glide *driver = glide_of(*slot);

    glide_close_all(driver);
    glide_calls_deinit(&driver->calls);
    glide_words_deinit(&driver->words);
    glide_replies_deinit(&driver->replies);
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
    .submit_again = glide_submit_again,
    .tick = glide_tick,
    .abandon = glide_abandon,
    .collect = glide_collect,
    .may_sleep = glide_may_sleep,
    .threads = glide_threads,
};
