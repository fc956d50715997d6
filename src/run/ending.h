/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ending: what a run came to, from its last snapshot: how long it took, what was due, what to warn
 * of.
 */
#ifndef RUN_ENDING_H
#define RUN_ENDING_H

#include "report/report.h"
#include "run/board.h"
#include "run/plan.h"
#include "run/watch.h"

enum { ENDING_WARNINGS = WATCH_WARNINGS + 3, ENDING_TEXT_MAX = 200 };

struct ending {
    struct report_end end; /* points into this struct */
    const char *warnings[ENDING_WARNINGS + 1];
    struct report_worker workers[BOARD_WORKERS_MAX];
    char reason[ENDING_TEXT_MAX];
    char missing[ENDING_TEXT_MAX];
    char fill[ENDING_TEXT_MAX];
};

/* Everything is borrowed by `ending`. Workers that hang may go on counting: `total` is what counts.
 */
void ending_init(struct ending *ending, const struct watch *watch, const struct snapshot *total,
                 uint64_t now_ns);

/* Whether the run was cut short; the exit code and the report say so. */
bool ending_is_early(const struct ending *ending);

#endif
