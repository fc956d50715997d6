/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executor: carries the executions of a worker's script over its driver.
 *
 * An execution is one request of the run: issued when it begins, timed from its first send to its
 * last reply, with one outcome. Between, its commands are requests of the driver: each is sent over
 * the client that carried the one before, as long as that is up; after that the execution waits
 * for a slot, before anything new is begun, for at most the request timeout.
 *
 * In a cluster the commands of a step are sent one after another, since each may belong to another
 * node, and a transaction is refused.
 */
#ifndef SCRIPT_EXECUTOR_H
#define SCRIPT_EXECUTOR_H

#include "client/client.h"
#include "load/command.h"
#include "script/script.h"

/* Borrowed for the executor's lifetime. */
struct executor_setup {
    const struct script_host *host;
    const struct script_setup *script;
    bool cluster;
    uint64_t request_timeout_ns;
    /* An execution is over. */
    void (*done)(void *context, const struct completion *completion);
    /* Commands were answered. */
    void (*answered)(void *context, uint32_t commands);
    void *context;
};

struct execution;

/* The head: `commands`, `running`, `waiting` and `tick_ns` are there to be read. */
struct executor {
    const struct executor_setup *setup;
    struct driver *driver; /* to be set before the first execution */
    struct script *script;
    struct command *commands;       /* owned, by place: what the source of the driver renders */
    struct execution *executions;   /* owned, by place */
    struct execution *free;         /* list */
    struct execution *first, *last; /* of those that wait for a slot */
    unsigned running, waiting;
    uint64_t tick_ns;                /* when one of those that wait is to be given up */
    uint64_t ended;                  /* executions */
    char (*said)[RESP_TEXT_MAX + 1]; /* owned: the last text of each kind of error */
};

/* Loads the script. Returns 0, or a negative errno with one sentence. */
int executor_create(struct executor **out, const struct executor_setup *setup, struct err *err);
/* Releases an executor (NULL is fine), of which nothing runs any more. */
void executor_destroy(struct executor **slot);

/* How many executions can begin now. */
static inline unsigned executor_free(const struct executor *executor)
{
    const unsigned slots = executor->driver->free;

    return slots > executor->waiting && executor->free ? slots - executor->waiting : 0;
}

/* Begins one; there must be room for it. It may be over on return. */
void executor_submit(struct executor *executor, const struct request *request);

/* The driver's `done`. */
void executor_done(struct executor *executor, const struct completion *completion);

/* Sends what waits, if there are slots, and gives up what has waited for too long. */
void executor_tick(struct executor *executor, uint64_t now_ns);

/* Ends those that wait as unanswered; the driver's have to be abandoned besides. */
void executor_abandon(struct executor *executor, uint64_t now_ns);

#endif
