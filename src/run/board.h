/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * board: what workers and monitor tell one another, in shared memory.
 *
 * One anonymous mapping, made before anything is forked: a header that the monitor writes, and a
 * slot a worker with one writer each. Everything in a slot is cumulative, never reset, and stored
 * with relaxed atomics; the monitor copies and subtracts. So no worker waits for anybody, and what
 * a worker recorded outlives it. Nothing of a slot costs memory before it is written.
 */
#ifndef RUN_BOARD_H
#define RUN_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "stats/outage.h"
#include "stats/snapshot.h"

enum { BOARD_LINE = 64, BOARD_TEXTS = 8, BOARD_TEXT_MAX = 1999, BOARD_WORKERS_MAX = 1024 };

enum worker_state {
    WORKER_STARTING,
    WORKER_READY,   /* all clients that the start wants are up */
    WORKER_RUNNING, /* from T0 on */
    WORKER_FINISHED,
    WORKER_FAILED, /* its last text says why */
};

enum stop_reason { STOP_NONE, STOP_SIGNAL, STOP_GAVE_UP, STOP_OUTPUT, STOP_FAILED, STOP_HUNG };

/* Written by the monitor, but for `claimed`. */
struct board_header {
    _Atomic uint64_t start_ns; /* T0; 0: not set so far */
    _Atomic uint64_t stop_ns;  /* when the run was told to stop; 0: it was not */
    _Atomic uint32_t stop_reason;
    alignas(BOARD_LINE) _Atomic uint64_t claimed; /* indices that were handed out, by all workers */
};

/* The kind of a text that says why a worker could not start. */
enum { BOARD_TEXT_FAILURE = OUTCOME_KINDS + EVENT_KINDS };

/* A text for the user, of one worker. */
struct board_text {
    uint32_t outcome; /* enum outcome; OUTCOME_KINDS + enum event for an event; or the above */
    char text[BOARD_TEXT_MAX + 1];
};

struct board_series {
    char name[SNAPSHOT_NAME_MAX + 1];
    uint32_t measure; /* enum measure */
    alignas(BOARD_LINE) struct histogram histogram;
};

/* Written by one worker. */
struct board_slot {
    alignas(BOARD_LINE) _Atomic uint64_t issued;
    _Atomic uint64_t turns;         /* of its loop: it stands still when the worker does */
    _Atomic uint64_t last_reply_ns; /* 0: none so far */
    _Atomic uint64_t last_ok_ns;    /* the same, of successes */
    _Atomic uint64_t stopped_ns;    /* when its part of the run was over; 0: it is not */
    _Atomic uint64_t claimed;       /* indices that it took; those not issued are lost with it */
    _Atomic uint32_t state;         /* enum worker_state; stored with release */
    _Atomic uint32_t up;            /* clients */
    _Atomic uint32_t wanted;        /* clients that are to be up */
    _Atomic uint32_t in_flight;     /* requests, at the end of the last turn */
    alignas(BOARD_LINE) _Atomic uint64_t loop_ns; /* from T0 to the last turn of its loop */
    _Atomic uint64_t waited_ns;                   /* of which the loop waited */
    _Atomic uint64_t longest_ns;                  /* the longest stretch of work of it */
    _Atomic uint64_t overflows;                   /* of the kernel's room for news, in the loop */
    _Atomic uint64_t library_cpu_ns;  /* of the threads of its process that a library has made, from
                                         T0 on */
    _Atomic uint32_t library_threads; /* ... and how many there were; both 0 until its end */
    _Atomic uint64_t crowded_ns;      /* in which it had no core to work on; 0 until its end */
    alignas(BOARD_LINE) _Atomic uint64_t burst_bins; /* struct burst_counts, on a schedule only */
    _Atomic uint64_t burst_sum;
    _Atomic uint64_t burst_squares;
    _Atomic uint64_t margin_ns; /* of its pacer; stored before it says ready */
    alignas(BOARD_LINE) _Atomic uint64_t errors[OUTCOME_KINDS];
    _Atomic uint64_t events[EVENT_KINDS];
    alignas(BOARD_LINE) _Atomic uint32_t texts_put;
    _Atomic uint32_t texts_taken; /* the monitor's */
    struct board_text texts[BOARD_TEXTS];
    _Atomic uint32_t series_count; /* stored with release, after the name */
    alignas(BOARD_LINE) struct board_series series[SNAPSHOT_SERIES_MAX];
};

struct board {
    struct board_header *header; /* in the mapping */
    struct board_slot *slots;    /* `workers` of them, in the mapping */
    unsigned workers;
};

/* Maps a board. Returns 0 or a negative errno. */
int board_init(struct board *board, unsigned workers, struct err *err);
void board_deinit(struct board *board);

/*
 * The histogram of a series of this worker, taken into use when it is first asked for; beyond
 * SNAPSHOT_SERIES_MAX, that of the last. For the worker alone, outside the hot path: the pointer
 * stays.
 */
struct histogram *board_series(struct board_slot *slot, const char *name, enum measure measure);

/* Leaves a text for the monitor; it is dropped when BOARD_TEXTS of them wait. */
void board_put_text(struct board_slot *slot, unsigned outcome, struct str text);

/* Takes the oldest text of a slot. Returns whether there was one. */
bool board_take_text(struct board_slot *slot, struct board_text *text);

/* Sets `snapshot` to what all workers have counted. */
void board_read(const struct board *board, struct snapshot *snapshot, uint64_t now_ns);

/* Sets what `look` has of the workers' counts, without a look at the histograms' buckets: cheap
 * enough for many times a second. Its successes are what was issued and neither failed nor was in
 * flight: at rest exact, else up to a turn's requests too many. */
void board_count(const struct board *board, struct outage_look *look);

#endif
