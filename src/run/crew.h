/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crew: the workers as threads and processes.
 *
 * With one process the workers are threads of this one; with several each is a fork with its part
 * of the threads, made before this process has any thread. Forked workers ignore SIGINT and
 * SIGTERM, which are the monitor's, and die with the process that forked them. Worker w is in
 * process w mod processes.
 */
#ifndef RUN_CREW_H
#define RUN_CREW_H

#include <stdbool.h>
#include <sys/types.h>

#include "run/board.h"
#include "run/plan.h"

struct crew;

/*
 * Starts all workers of a plan. `monitor_fd` is an eventfd that they write when their state
 * changes. Plan and board are borrowed. Returns 0 or a negative errno; what had started then is
 * ended.
 */
int crew_start(struct crew **out, const struct plan *plan, const struct board *board,
               int monitor_fd, struct err *err);

/* Makes all workers look at the board. */
void crew_wake(struct crew *crew);

/*
 * Takes note of processes that have ended. Returns a process that was not known to have, with how
 * it ended in `*status` (see waitpid), or -1: call again until then.
 */
int crew_reap(struct crew *crew, int *status);

/* The process id of a process of the crew, also after it has ended. */
pid_t crew_pid(const struct crew *crew, unsigned process);

/* Waits until all workers have ended, which they must be about to do, and releases the crew. */
void crew_join(struct crew **crew);

/* Kills the processes and leaves threads to the end of this one: for workers that hang. */
void crew_abandon(struct crew **crew);

#endif
