/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot: all that a run has counted up to one moment, over all its workers.
 *
 * Cumulative numbers. What an interval holds is the difference of two snapshots; what a run holds
 * is its last one. Progress, interval lines and the final report are made from snapshots alone and
 * so cannot disagree. Successes are counted by the histograms, so a count and its percentiles
 * are always of the same requests.
 */
#ifndef STATS_SNAPSHOT_H
#define STATS_SNAPSHOT_H

#include <stdint.h>

#include "stats/histogram.h"
#include "stats/outcome.h"

/* What a series measures; see docs/measuring.md for the four parts of a response time. */
enum measure {
    MEASURE_RESPONSE,
    MEASURE_SERVICE, /* on a schedule only: in a closed loop it is the response time */
    MEASURE_SLOT_WAIT,
    MEASURE_SEND_LAG,
    MEASURE_CONNECT,   /* of a connection that came up: from the dial until it was connected */
    MEASURE_TLS,       /* ... and from then until TLS was there, if it was wanted */
    MEASURE_HANDSHAKE, /* ... and from then until the session was open, if there is anything to it
                        */
    MEASURE_PRIMARY, /* as MEASURE_RESPONSE, a node of a cluster: of what it answered as primary */
    MEASURE_REPLICA, /* ... and as replica */
    MEASURE_PRIMARY_ERRORS, /* a value, 0, for each of its errors */
    MEASURE_REPLICA_ERRORS,
    MEASURE_KINDS
};

enum { SNAPSHOT_NAME_MAX = 47, SNAPSHOT_SERIES_MAX = 256 };

/* The name of what a full snapshot, or a full board, has no series of its own for. */
#define SNAPSHOT_OTHER "other"

/* A histogram with a name: the latencies of a command, the send lag of the workers. */
struct series {
    char name[SNAPSHOT_NAME_MAX + 1];
    enum measure measure;
    struct distribution values;
};

struct snapshot {
    uint64_t time_ns; /* when it was taken */
    uint64_t issued;
    uint64_t errors[OUTCOME_KINDS]; /* final errors by kind; errors[OUTCOME_OK] stays 0 */
    uint64_t events[EVENT_KINDS];
    struct series *series; /* owned; in order of first use */
    unsigned series_count;
};

void snapshot_init(struct snapshot *snapshot);
void snapshot_deinit(struct snapshot *snapshot);

/* Sets every number to zero; keeps series and memory. */
void snapshot_clear(struct snapshot *snapshot);

/*
 * The series of that name (cut at SNAPSHOT_NAME_MAX) and measure, added (empty) when there is none;
 * when there is no room, the series SNAPSHOT_OTHER of that measure. Valid until the next is added.
 */
struct series *snapshot_series(struct snapshot *snapshot, const char *name, enum measure measure);

/* Adds `from`, series by name; `time_ns` becomes the later one. */
void snapshot_add(struct snapshot *to, const struct snapshot *from);

/*
 * Sets `to`, which is neither of the others, to what happened after `before` and up to `now`:
 * `time_ns` and the series, with their order, are those of `now`; a series that `before` lacks was
 * empty then. Memory of `to` is used again.
 */
void snapshot_subtract(struct snapshot *to, const struct snapshot *now,
                       const struct snapshot *before);

/* Sets `to` to the sum of all series of one measure. */
void snapshot_merge_measure(const struct snapshot *snapshot, enum measure measure,
                            struct distribution *to);

/*
 * Requests that succeeded (the values of all response times); that ended in an error; that have no
 * outcome so far, which has a meaning for cumulative numbers only.
 */
uint64_t snapshot_ok(const struct snapshot *snapshot);
uint64_t snapshot_failed(const struct snapshot *snapshot);
uint64_t snapshot_unanswered(const struct snapshot *snapshot);

#endif
