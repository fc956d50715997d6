/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch: whether the workers are alive, and whether the server is.
 *
 * Looks at the board and at the crew, never at a histogram. A worker whose process has ended is
 * dead; one whose turn counter stands still over many looks hangs. The looks are what counts, not
 * the clock: when the whole program was suspended, nothing hung.
 */
#ifndef RUN_WATCH_H
#define RUN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "run/board.h"
#include "run/crew.h"
#include "run/plan.h"

enum worker_health { WORKER_ALIVE, WORKER_DONE, WORKER_DEAD, WORKER_HUNG };

enum { WATCH_PERIOD_NS = 100 * 1000 * 1000, WATCH_WARNINGS = 16, WATCH_WARNING_MAX = 320 };

struct watched {
    uint64_t turns;  /* at the last look that saw them move */
    unsigned stills; /* looks since then */
    enum worker_health health;
};

struct watch {
    const struct plan *plan;
    const struct board *board;
    struct crew *crew;
    struct watched *workers; /* owned */
    unsigned still_max;      /* more looks without a turn than this: it hangs */
    uint64_t quiet_since_ns; /* the last time when a reply came or nothing was outstanding */
    bool outstanding;        /* at the last look, of workers that live */
    uint64_t looked_ns;      /* when the last look was */
    unsigned done, lost;     /* workers that have finished; that died or hang */
    unsigned wanted_clients; /* over all workers, at the last look */
    unsigned most_up;        /* clients up at once, ever */
    unsigned warnings_count;
    char warnings[WATCH_WARNINGS][WATCH_WARNING_MAX];
};

void watch_init(struct watch *watch, const struct plan *plan, const struct board *board,
                struct crew *crew);
void watch_deinit(struct watch *watch);

/* Takes note of ended processes, at any time; of standing turns at most once a WATCH_PERIOD_NS. */
void watch_look(struct watch *watch, uint64_t now_ns);

/* Whether nothing has been answered for the time after which the run is given up. */
bool watch_gave_up(const struct watch *watch, uint64_t now_ns);

/* How many workers have said that they are ready, or have gone beyond. */
unsigned watch_ready(const struct watch *watch);

/* Whether no worker has anything left to do. */
bool watch_all_ended(const struct watch *watch);

/* Whether some worker hangs, so that nobody may wait for it. */
bool watch_any_hung(const struct watch *watch);

#endif
