/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_driver: what the files of the driver for valkey-GLIDE share.
 *
 * glide.c is the driver, glide_conns.c makes the library's clients, glide_requests.c hands requests
 * to them and takes back what came of them.
 */
#ifndef CLIENT_GLIDE_DRIVER_H
#define CLIENT_GLIDE_DRIVER_H

#include "client/client.h"
#include "client/glide_calls.h"
#include "client/glide_dialer.h"
#include "client/glide_failure.h"
#include "client/glide_reply.h"
#include "client/glide_threads.h"
#include "client/glide_words.h"

enum { GLIDE_TEXT_MAX = ENDPOINT_NAME_MAX + GLIDE_FAILURE_TEXT_MAX };

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
    unsigned conns_count;         /* client i of the worker has its slots with i mod this */
    unsigned down;                /* that are wanted and not up */
    unsigned lost;                /* that are */
    struct glide_conn *dialing;   /* NULL: none is being made */
    unsigned wanted;              /* of the run's clients */
    struct glide_threads threads; /* before the first request */
    bool started;                 /* there was one */
    struct glide_words words;     /* of one request, as are `bytes` and `replies` */
    struct glide_replies replies; /* ... that was dictated */
    char *bytes;                  /* owned */
    size_t room;
};

static inline struct glide *glide_of(struct driver *driver)
{
    return (struct glide *)driver;
}

void glide_tick_by(struct glide *driver, uint64_t time_ns);
void glide_tell(struct glide *driver, enum event event, struct str text, uint64_t now_ns);

/* Slots are free. */
void glide_free_slots(struct glide *driver, unsigned slots, uint64_t now_ns);

/* Begins to make the next client that is to be made, if none is being made. */
void glide_dial_next(struct glide *driver, uint64_t now_ns);

/* So many of the run's clients are wanted. */
void glide_want(struct glide *driver, unsigned clients, uint64_t now_ns);

/* What was being made is made, or has failed. */
void glide_finish_dial(struct glide *driver);

/* After this no callback runs, and what one would have told nobody will hear. */
void glide_close_all(struct glide *driver);

/* Hands a request over in a call that is free. */
void glide_send(struct glide *driver, struct glide_call *call, const struct request *request);

/* A call has come back. */
void glide_finish_call(struct glide *driver, struct glide_call *call);

/* The library owes an answer, and will not give it. */
void glide_give_up(struct glide *driver, struct glide_call *call, uint64_t now_ns);

#endif
