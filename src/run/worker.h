/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker: one thread's share of a run, from dialling to the last reply.
 *
 * A worker owns its loop, its driver and its slot of the board, and shares nothing else. It goes
 * through: dial all clients, say ready, wait for T0, issue, drain, finish. It prints nothing: what
 * a user must know goes over the board.
 */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include "run/board.h"
#include "run/plan.h"

/* What a worker is made of; borrowed while it runs. */
struct worker_setup {
    const struct plan *plan;
    const struct board *board;
    unsigned number; /* over all processes */
    int wake_fd;     /* an eventfd: written when the board has something new for the worker */
    int monitor_fd;  /* an eventfd: written when the worker's state changes */
};

/* Runs a worker to its end. Failures are on the board. */
void worker_run(const struct worker_setup *setup);

#endif
