/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/glide_driver.h"

/* ---- handing over */

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

/* Several commands are one write and one answer. */
static void hand_over(struct glide *driver, const struct glide_call *call, size_t commands)
{
    const struct glide_words *words = &driver->words;
    const struct glide_batch batch = {.count = commands, .commands = words->list};
    const uintptr_t id = (uintptr_t)call;

    if (commands == 1)
        driver->library.command(call->conn->client, id, GLIDE_CUSTOM_COMMAND, words->count,
                                words->starts, words->lens, NULL, 0, 0);
    else
        driver->library.batch(call->conn->client, id, &batch, false, NULL, 0);
}

void glide_send(struct glide *driver, struct glide_call *call, const struct request *request)
{
    const uint32_t commands = source_replies(driver->setup->source, request);

    start(driver);
    render(driver, request);
    glide_words_take(&driver->words, driver->bytes, commands);
    call->request = *request;
    call->free_ns = driver->driver.free_since_ns;
    driver->driver.free--;
    driver->driver.in_flight++;
    call->sent_ns = clock_now_ns();
    glide_calls_lend(&driver->calls, call);
    hand_over(driver, call, commands);
}

/* ---- what came of it */

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
    glide_tell(driver, EVENT_DISCONNECT, text, call->replied_ns);
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
        glide_tell(driver, EVENT_RECONNECT, STR(""), call->replied_ns);
}

/* `text`: of GLIDE_TEXT_MAX bytes. What a server said to one command is its reply. */
static void read_failure(struct glide *driver, const struct glide_call *call,
                         struct completion *completion, char *text)
{
    bool said;

    completion->outcome = glide_failure_read(call->failure, call->message, text, &said);
    completion->text = str_of(text);
    if (completion->outcome == OUTCOME_DISCONNECT)
        note_loss(driver, call, completion->text);
    else if (completion->outcome == OUTCOME_TIMEOUT && driver->lost > 0)
        glide_tell(driver, EVENT_WAITED_OUT, STR(""), call->replied_ns);
    if (!said || !driver->calls.keeps_replies ||
        source_replies(driver->setup->source, &call->request) > 1)
        return;
    glide_replies_add_error(&driver->replies, completion->text);
    completion->text = STR("");
}

static void read_reply(struct glide *driver, const struct glide_call *call,
                       struct completion *completion)
{
    struct glide_replies *replies = &driver->replies;

    note_success(driver, call);
    completion->null = call->null;
    if (!call->reply)
        return;
    if (source_replies(driver->setup->source, &call->request) > 1)
        glide_replies_add_batch(replies, call->reply);
    else
        glide_replies_add(replies, call->reply);
    completion->outcome = replies->outcome;
}

/* The slot is free, and the request over. */
static void hand_back(struct glide *driver, struct completion *completion)
{
    const struct driver_listener *listener = &driver->setup->listener;

    driver->driver.in_flight--;
    glide_free_slots(driver, 1, completion->replied_ns);
    listener->done(listener->context, completion);
}

void glide_finish_call(struct glide *driver, struct glide_call *call)
{
    const struct request request = call->request;
    struct completion completion = {.request = &request,
                                    .free_ns = call->free_ns,
                                    .sent_ns = call->sent_ns,
                                    .replied_ns = call->replied_ns,
                                    .client = call->client};
    char text[GLIDE_TEXT_MAX];

    if (call->given_up) {
        glide_calls_put_back(&driver->calls, call);
        return;
    }
    glide_replies_clear(&driver->replies);
    if (call->failure >= 0)
        read_failure(driver, call, &completion, text);
    else
        read_reply(driver, call, &completion);
    completion.replies = (struct str){driver->replies.bytes, driver->replies.len};
    glide_calls_put_back(&driver->calls, call);
    hand_back(driver, &completion);
}

void glide_give_up(struct glide *driver, struct glide_call *call, uint64_t now_ns)
{
    const uint64_t waited_ns = driver->setup->config->request_timeout_ns + GLIDE_GRACE_NS;
    const struct request request = call->request;
    char text[GLIDE_TEXT_MAX];

    snprintf(text, sizeof text, "GLIDE has not answered within %" PRIu64 " ms.",
             waited_ns / CLOCK_NS_PER_MS);
    struct completion completion = {.request = &request,
                                    .outcome = OUTCOME_TIMEOUT,
                                    .free_ns = call->free_ns,
                                    .sent_ns = call->sent_ns,
                                    .replied_ns = now_ns,
                                    .client = call->client,
                                    .text = str_of(text)};
    glide_calls_give_up(&driver->calls, call);
    hand_back(driver, &completion);
}
