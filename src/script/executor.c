/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/executor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "load/command_table.h"
#include "load/template.h"
#include "resp/reader.h"

/* What a command that opens a transaction is answered in a cluster, without being sent. */
static const char refusal_line[] = "-ERR no transactions in a cluster: each command may go to "
                                   "another node\r\n";
static const struct str refusal = {refusal_line, sizeof refusal_line - 1};

struct execution {
    struct request request;
    struct str step;        /* borrowed from the script: what is not sent so far of its commands */
    uint32_t count;         /* commands in it */
    struct execution *next; /* in the list of those that are free, or wait */
    uint64_t free_ns, sent_ns;      /* of its first command */
    uint64_t replied_ns;            /* of its last; 0: none so far */
    uint64_t waits_ns;              /* since when it waits */
    const struct router_node *node; /* who answered last */
    char *replies; /* owned: those to a step whose commands are sent one after another */
    size_t replies_len, replies_room;
    unsigned client; /* that carried its last command, if `replied_ns` */
    uint8_t error;   /* enum outcome: of the last step, unless that went well */
};

static unsigned place_of(const struct executor *executor, const struct execution *execution)
{
    return (unsigned)(execution - executor->executions);
}

/* ---- sending */

static void wait(struct executor *executor, struct execution *execution)
{
    const uint64_t timeout_ns = executor->setup->request_timeout_ns;

    execution->next = NULL;
    execution->waits_ns = clock_now_ns();
    if (executor->first)
        executor->last->next = execution;
    else
        executor->first = execution;
    executor->last = execution;
    if (executor->waiting++ == 0)
        executor->tick_ns = timeout_ns ? execution->waits_ns + timeout_ns : CLOCK_NEVER;
}

static struct request request_of(const struct executor *executor, const struct execution *execution)
{
    return (struct request){.k = execution->request.k,
                            .n = place_of(executor, execution),
                            .due_ns = execution->request.due_ns};
}

/* Over the client that it knows, if it has one, or any. */
static void post(struct executor *executor, struct execution *execution)
{
    struct driver *driver = executor->driver;
    const struct request request = request_of(executor, execution);

    if (execution->replied_ns && driver->ops->submit_again(driver, &request, execution->client))
        return;
    if (executor->waiting > 0 || !driver_submit(driver, &request))
        wait(executor, execution);
}

static void keep_replies(struct execution *execution, struct str replies)
{
    if (execution->replies_room - execution->replies_len < replies.len) {
        execution->replies_room = 2 * execution->replies_room + replies.len;
        execution->replies = mem_resize(execution->replies, execution->replies_room, 1);
    }
    memcpy(execution->replies + execution->replies_len, replies.ptr, replies.len);
    execution->replies_len += replies.len;
}

/* Picks what is to be sent next of a step: all of it, or in a cluster one command. Returns whether
 * it can be. */
static bool pick(struct executor *executor, struct execution *execution)
{
    struct command *command = &executor->commands[place_of(executor, execution)];
    struct command_facts facts = {.slot = TEMPLATE_NO_SLOT};

    *command = (struct command){.bytes = execution->step, .count = execution->count};
    if (executor->setup->cluster) {
        facts = command_facts_of(execution->step);
        command->bytes.len = command_length(execution->step);
        command->count = 1;
    }
    command->slot = (int16_t)facts.slot;
    command->reads = facts.reads;
    execution->step.ptr += command->bytes.len;
    execution->step.len -= command->bytes.len;
    execution->count -= command->count;
    return !facts.opens;
}

/* Sends what is next of a step. Returns whether there was anything: else all its replies are kept.
 */
static bool send_next(struct executor *executor, struct execution *execution)
{
    while (execution->count > 0) {
        if (pick(executor, execution)) {
            post(executor, execution);
            return true;
        }
        keep_replies(execution, refusal);
    }
    return false;
}

/* ---- ends */

static const char *last_words(const struct executor *executor, const struct execution *execution)
{
    return execution->error ? executor->said[execution->error]
                            : "the custom command said that it failed";
}

/* The place is free before its end is told, so that it can be taken at once. */
static void finish(struct executor *executor, struct execution *execution,
                   struct completion *completion)
{
    const struct request request = execution->request;

    completion->request = &request;
    completion->node = execution->node;
    completion->free_ns = execution->free_ns;
    completion->sent_ns = execution->sent_ns;
    completion->replied_ns = execution->replied_ns;
    if (!execution->replied_ns)
        completion->replied_ns = clock_now_ns();
    if (!execution->sent_ns) /* nothing of it ever left */
        completion->free_ns = completion->sent_ns = completion->replied_ns;
    execution->next = executor->free;
    executor->free = execution;
    executor->running--;
    executor->ended++;
    executor->setup->done(executor->setup->context, completion);
}

static void fail(struct executor *executor, struct execution *execution, struct str text)
{
    struct completion completion = {.text = text, .outcome = OUTCOME_SCRIPT};

    if (execution->error)
        completion.outcome = (enum outcome)execution->error;
    if (text.len == 0)
        completion.text = str_of(last_words(executor, execution));
    finish(executor, execution, &completion);
}

static void end_unanswered(struct executor *executor, struct execution *execution)
{
    struct completion completion = {.outcome = OUTCOME_UNANSWERED};

    executor->setup->host->cancel(executor->script, place_of(executor, execution));
    finish(executor, execution, &completion);
}

/* ---- turns of the script */

/* Goes on with what the script came to, until it waits for replies or is over. */
static void go_on(struct executor *executor, struct execution *execution, enum script_status status,
                  struct script_step *step)
{
    const struct executor_setup *setup = executor->setup;
    struct completion completion = {.outcome = OUTCOME_OK};

    while (status == SCRIPT_WAITS) {
        assert(step->count > 0);
        execution->step = step->bytes;
        execution->count = step->count;
        execution->replies_len = 0;
        if (send_next(executor, execution))
            return;
        const struct script_answer answer = {
            .replies = {execution->replies, execution->replies_len}, .text = STR("")};
        status =
            setup->host->resume(executor->script, place_of(executor, execution), &answer, step);
    }
    if (status == SCRIPT_OK)
        finish(executor, execution, &completion);
    else
        fail(executor, execution, step->text);
}

static void resume(struct executor *executor, struct execution *execution,
                   const struct script_answer *answer)
{
    struct script_step step = {.text = STR("")};
    const enum script_status status = executor->setup->host->resume(
        executor->script, place_of(executor, execution), answer, &step);

    go_on(executor, execution, status, &step);
}

void executor_submit(struct executor *executor, const struct request *request)
{
    struct execution *execution = executor->free;
    struct script_step step = {.text = STR("")};

    assert(execution);
    executor->free = execution->next;
    executor->running++;
    execution->request = *request;
    execution->free_ns = execution->sent_ns = execution->replied_ns = 0;
    execution->node = NULL;
    execution->error = OUTCOME_OK;
    const enum script_status status = executor->setup->host->start(
        executor->script, place_of(executor, execution), request, &step);
    go_on(executor, execution, status, &step);
}

/* ---- answers */

/* The text of the first error among replies. */
static struct str find_error(struct str replies, struct resp_reader *reader)
{
    struct resp_reply reply;
    size_t used;

    while (replies.len > 0 && resp_reader_feed(reader, replies, &used, &reply) == RESP_REPLY) {
        if (reply.kind == RESP_ERROR)
            return reply.text;
        replies.ptr += used;
        replies.len -= used;
    }
    return STR("");
}

/* What an execution says that fails now without a word of its own. */
static void note_error(struct executor *executor, struct execution *execution,
                       const struct completion *completion)
{
    struct resp_reader reader;
    struct str text = completion->text;

    execution->error = (uint8_t)completion->outcome;
    if (completion->outcome == OUTCOME_OK)
        return;
    resp_reader_init(&reader);
    if (text.len == 0)
        text = find_error(completion->replies, &reader);
    snprintf(executor->said[completion->outcome], sizeof executor->said[0], "%.*s", (int)text.len,
             text.ptr);
    resp_reader_deinit(&reader);
}

static void note_times(struct execution *execution, const struct completion *completion)
{
    if (!execution->sent_ns) {
        execution->free_ns = completion->free_ns;
        execution->sent_ns = completion->sent_ns;
    }
    execution->replied_ns = completion->replied_ns;
    execution->client = completion->client;
    execution->node = completion->node;
}

void executor_done(struct executor *executor, const struct completion *completion)
{
    const unsigned place = (unsigned)completion->request->n;
    struct execution *execution = &executor->executions[place];
    struct script_answer answer = {.replies = completion->replies,
                                   .text = completion->text,
                                   .timeout = completion->outcome == OUTCOME_TIMEOUT};

    note_times(execution, completion);
    if (completion->outcome == OUTCOME_UNANSWERED) {
        end_unanswered(executor, execution);
        return;
    }
    note_error(executor, execution, completion);
    if (answer.replies.len > 0) {
        executor->setup->answered(executor->setup->context, executor->commands[place].count);
        if (execution->count > 0 || execution->replies_len > 0)
            keep_replies(execution, answer.replies);
        if (send_next(executor, execution))
            return;
        if (execution->replies_len > 0)
            answer.replies = (struct str){execution->replies, execution->replies_len};
    }
    resume(executor, execution, &answer);
}

/* ---- time */

static struct execution *take_first(struct executor *executor)
{
    struct execution *execution = executor->first;
    const uint64_t timeout_ns = executor->setup->request_timeout_ns;

    executor->first = execution->next;
    executor->waiting--;
    executor->tick_ns =
        executor->first && timeout_ns ? executor->first->waits_ns + timeout_ns : CLOCK_NEVER;
    return execution;
}

static void give_up(struct executor *executor, struct execution *execution, uint64_t now_ns)
{
    char text[96];

    snprintf(text, sizeof text, "No client was connected within %llu ms.",
             (unsigned long long)(executor->setup->request_timeout_ns / CLOCK_NS_PER_MS));
    const struct completion completion = {.outcome = OUTCOME_TIMEOUT, .text = str_of(text)};
    note_error(executor, execution, &completion);
    execution->replied_ns = now_ns;
    resume(executor, execution, &(struct script_answer){.text = completion.text, .timeout = true});
}

void executor_tick(struct executor *executor, uint64_t now_ns)
{
    struct driver *driver = executor->driver;

    while (executor->waiting > 0 && driver->free > 0) {
        struct execution *execution = take_first(executor);
        const struct request request = request_of(executor, execution);
        const bool taken = driver_submit(driver, &request);
        assert(taken);
        (void)taken;
    }
    while (executor->waiting > 0 && now_ns >= executor->tick_ns)
        give_up(executor, take_first(executor), now_ns);
}

void executor_abandon(struct executor *executor, uint64_t now_ns)
{
    while (executor->waiting > 0) {
        struct execution *execution = take_first(executor);

        execution->replied_ns = now_ns;
        end_unanswered(executor, execution);
    }
}

/* ---- life */

int executor_create(struct executor **out, const struct executor_setup *setup, struct err *err)
{
    const unsigned places = setup->script->places;
    struct script *script = NULL;

    const int rc = setup->host->create(&script, setup->script, err);
    if (rc < 0)
        return rc;
    struct executor *executor = mem_zalloc(1, sizeof *executor);
    *executor = (struct executor){
        .setup = setup,
        .script = script,
        .tick_ns = CLOCK_NEVER,
        .commands = mem_zalloc(places, sizeof *executor->commands),
        .executions = mem_zalloc(places, sizeof *executor->executions),
        .said = mem_zalloc(OUTCOME_KINDS, sizeof *executor->said),
    };
    for (unsigned i = places; i > 0; i--) {
        executor->executions[i - 1].next = executor->free;
        executor->free = &executor->executions[i - 1];
    }
    *out = executor;
    return 0;
}

void executor_destroy(struct executor **slot)
{
    struct executor *executor = *slot;

    *slot = NULL;
    if (!executor)
        return;
    assert(executor->running == 0);
    executor->setup->host->destroy(&executor->script);
    for (unsigned i = 0; i < executor->setup->script->places; i++)
        free(executor->executions[i].replies);
    free(executor->executions);
    free(executor->commands);
    free(executor->said);
    free(executor);
}
