/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * monitor: the main thread's part of a run.
 *
 * It starts the run when the workers are ready, gives the sinks their snapshots on time, ends the
 * run when it has to end, and reports. It never waits for a worker without a bound: a run always
 * ends, with a report, whatever workers, servers and outputs do.
 */
#ifndef RUN_MONITOR_H
#define RUN_MONITOR_H

#include "base/log.h"
#include "report/report.h"
#include "run/board.h"
#include "run/crew.h"
#include "run/plan.h"

/* Exit codes of the program. */
enum run_exit { RUN_COMPLETE = 0, RUN_NOT_STARTED = 1, RUN_ENDED_EARLY = 2, RUN_INTERRUPTED = 130 };

/* All borrowed. */
struct monitor_setup {
    const struct plan *plan;
    const struct board *board;
    struct crew *crew;
    const struct log_config *log;
    const char *version;        /* for the report */
    struct report_sink **sinks; /* NULL ends them */
    int signal_fd;              /* of signals_open() */
    int worker_fd;              /* the eventfd that workers write */
};

struct monitor_result {
    enum run_exit exit;
    bool hung; /* some worker hangs: nobody may wait for it */
};

/*
 * Runs a crew that has been started to its end, and prints the report to the sinks. When the run
 * could not start, `err` says why.
 */
struct monitor_result monitor_run(const struct monitor_setup *setup, struct err *err);

#endif
