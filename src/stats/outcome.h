/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outcome: how a request ended, and what else is counted beside the requests.
 *
 * Each issued request has exactly one outcome. Events are counted beside outcomes, never among
 * them: a request that was redirected and then answered is ok, and the redirect an event.
 */
#ifndef STATS_OUTCOME_H
#define STATS_OUTCOME_H

#include "base/str.h"

enum outcome {
    OUTCOME_OK,
    OUTCOME_TIMEOUT,    /* no reply within the request timeout */
    OUTCOME_DISCONNECT, /* the connection was lost while the request was under way */
    OUTCOME_AUTH,       /* NOAUTH, WRONGPASS, NOPERM */
    OUTCOME_LOADING,    /* LOADING */
    OUTCOME_READONLY,   /* READONLY, MASTERDOWN */
    OUTCOME_OOM,        /* OOM */
    OUTCOME_BUSY,       /* BUSY, TRYAGAIN */
    OUTCOME_CLUSTERDOWN,
    OUTCOME_REDIRECT,                   /* MOVED or ASK that could not be followed */
    OUTCOME_PROTOCOL,                   /* bytes that are no RESP */
    OUTCOME_SCRIPT,                     /* a custom command failed */
    OUTCOME_OTHER,                      /* any other error reply */
    OUTCOME_KINDS,                      /* how many there are */
    OUTCOME_UNANSWERED = OUTCOME_KINDS, /* in flight when the run ended; computed, never counted */
};

enum event {
    EVENT_MOVED,        /* MOVED replies */
    EVENT_ASK,          /* ASK replies */
    EVENT_CLUSTERDOWN,  /* CLUSTERDOWN replies */
    EVENT_TRYAGAIN,     /* TRYAGAIN replies */
    EVENT_RETRY,        /* replies that a request waited out, to be sent again */
    EVENT_DISCONNECT,   /* connections lost after they were up */
    EVENT_RECONNECT,    /* connections up again */
    EVENT_RENEWAL,      /* connections up again that were closed to be dialled again */
    EVENT_DIAL_FAILURE, /* dials refused, timed out or unreachable */
    EVENT_NO_LOGIN,     /* ... among them those whose login was refused: of the kind auth */
    EVENT_WAITED_OUT,   /* timeouts of requests that waited for a lost connection to be back */
    EVENT_HIT,          /* reads that found a value */
    EVENT_MISS,         /* reads that found none */
    EVENT_COMMAND,      /* commands answered, of requests that may have several */
    EVENT_KINDS         /* how many there are */
};

/*
 * The kind of an error reply, by the whole first word of its line (without the leading '-'):
 * BUSYGROUP is not BUSY.
 */
enum outcome outcome_of_error(struct str line);

/* Names for reports: "timeout", "moved replies". */
const char *outcome_name(enum outcome outcome);
const char *event_name(enum event event);

#endif
