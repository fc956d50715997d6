/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outage: windows of a run in which the server, or a node of it, was not there.
 *
 * Fed with cumulative counts, a look each OUTAGE_LOOK_NS or so; windows come from the differences,
 * so their bounds and counts are those of looks. A look sees trouble when since the one before
 *   - half of the clients' number of connections, rounded up, were lost, beside those that were
 *     closed on purpose after a timeout or a protocol error; or
 *   - a dial failed, after some connection of the run was lost; or
 *   - at least OUTAGE_FAILING requests, and a fifth of those that ended or were kept back, met a
 *     node that is not there or does not serve: timeout, disconnect, loading, readonly,
 *     clusterdown, or a retry because of these;
 * or when nothing has succeeded for OUTAGE_SILENCE_NS and OUTAGE_SILENCE_USUAL mean service times,
 * though at each look something was outstanding or had failed; before the first success there is no
 * silence. A window is open from the first trouble to the last, until there was none for
 * OUTAGE_CALM_NS and a success (or nobody wanted any). All that failed in it is counted, of any
 * kind. A few errors among many successes, and what a server that is there refuses, thus open none.
 *
 * Reads no clock. Looks that come late, because this program was held up, show no silence.
 */
#ifndef STATS_OUTAGE_H
#define STATS_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "stats/outcome.h"

#define OUTAGE_LOOK_NS    UINT64_C(100000000)
#define OUTAGE_LATE_NS    UINT64_C(500000000) /* looks further apart than this: held up */
#define OUTAGE_SILENCE_NS UINT64_C(500000000)
#define OUTAGE_CALM_NS    UINT64_C(1000000000)

enum { OUTAGE_KEPT = 16, OUTAGE_FAILING = 5, OUTAGE_SILENCE_USUAL = 4 };

/* What a run has counted up to `time_ns`. */
struct outage_look {
    uint64_t time_ns;
    uint64_t last_ok_ns; /* when the last success came; 0: none so far */
    uint64_t usual_ns;   /* the mean service time of successes; 0: none so far */
    uint64_t ok;         /* successes; about right will do */
    uint64_t errors[OUTCOME_KINDS];
    uint64_t events[EVENT_KINDS];
    unsigned clients; /* that are to be up */
    bool outstanding; /* there are requests in flight, or clients to be connected */
};

struct outage {
    uint64_t from_ns, to_ns;        /* since the start of the run */
    uint64_t silent_ns;             /* the longest time without a success; 0: not worth a word */
    uint64_t failed[OUTCOME_KINDS]; /* requests, by kind */
    uint64_t retried;               /* replies that a request waited out */
};

struct outages {
    struct outage kept[OUTAGE_KEPT]; /* the first ones, in order */
    unsigned count;                  /* of those */
    uint64_t more;                   /* windows that found no room */
    uint64_t start_ns;
    bool open;
    struct outage current;    /* while one is open */
    struct outage_look base;  /* what had been counted when it began */
    struct outage_look seen;  /* the last look */
    struct outage_look prior; /* the one before */
    struct outage_look calm;  /* the last look before the silence, if it is one */
    uint64_t quiet_since_ns;  /* the last success, or time when nobody wanted any */
};

/* Begins with a run that has counted nothing, at `start_ns`. */
void outage_start(struct outages *outages, uint64_t start_ns);

/* Takes a look; one that is too close to the last is left to the next. */
void outage_look(struct outages *outages, const struct outage_look *look);

/* Takes the last look, however close, and closes the window that is open. */
void outage_end(struct outages *outages, const struct outage_look *look);

#endif
