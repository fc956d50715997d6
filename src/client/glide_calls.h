/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_calls: the requests that GLIDE's library has, and the slots for those that it may get.
 *
 * A call is a slot of one of the run's clients and, while it is lent, the request in it. It comes
 * back through the inbox when the library answers. One that the library holds for too long is given
 * up: its slot gets another call, and it is kept aside until the library lets go of it, so that an
 * answer that comes after all, or never, does no harm.
 */
#ifndef CLIENT_GLIDE_CALLS_H
#define CLIENT_GLIDE_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/glide_inbox.h"
#include "client/glide_library.h"
#include "load/request.h"

struct glide_conn;
struct glide_calls;

struct glide_call {
    struct glide_note note; /* first: what comes into the inbox */
    struct glide_calls *calls;
    struct glide_conn *conn; /* whose slot it is */
    unsigned client;         /* ... and of which of the run's clients */
    /* Stored when all of the call is set for the callback, which loads it: how a library that we
     * do not see into hands a number from thread to thread does not matter then. */
    atomic_bool lent;
    bool given_up;
    struct request request;
    uint64_t free_ns, sent_ns;
    uint64_t replied_ns;               /* this and below: the callback's */
    int32_t failure;                   /* enum glide_failure_type; negative: it was answered */
    bool null;                         /* the answer was */
    char *message;                     /* owned; of a failure */
    struct glide_reply *reply;         /* owned; the answer, if answers are kept */
    struct glide_call *before, *after; /* among those that are free, or lent */
    struct glide_call *next;           /* among those aside */
    struct glide_call *also;           /* among all that were made later */
};

struct glide_call_list {
    struct glide_call *first, *last;
};

struct glide_calls {
    struct glide_inbox *inbox; /* this and the next two: set by the caller */
    glide_free_reply_fn free_reply;
    bool keeps_replies;          /* until they are put back; all are on the heap then */
    struct glide_call_list free; /* the one that has been free the longest first */
    struct glide_call_list lent; /* the one sent the longest ago first */
    struct glide_call *fresh;    /* that was freed last; NULL: it is lent again */
    struct glide_call *aside;    /* that the library has let go of */
    struct glide_call *made;     /* owned; one a slot */
    unsigned made_count;         /* that are taken into use */
    struct glide_call *more;     /* owned, one by one, through `also` */
};

void glide_calls_init(struct glide_calls *calls, size_t slots);

/* The library must have no call any more. */
void glide_calls_deinit(struct glide_calls *calls);

/* Adds a free slot of a client. */
void glide_calls_add(struct glide_calls *calls, struct glide_conn *conn, unsigned client);

/* Makes a free call one that is lent. It has been filled in: the library may answer from here on.
 */
void glide_calls_lend(struct glide_calls *calls, struct glide_call *call);

/* The library has answered, or cannot any more: frees the slot, unless it was given up before. */
void glide_calls_put_back(struct glide_calls *calls, struct glide_call *call);

/* Gives up a call that is lent; another takes its place among the free ones. */
void glide_calls_give_up(struct glide_calls *calls, struct glide_call *call);

/* What the library is to call. */
void glide_calls_succeeded(uintptr_t id, const struct glide_reply *reply);
void glide_calls_failed(uintptr_t id, const char *message, int32_t type);

#endif
