/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress: the line that tells how far a run has come.
 *
 *   [1.5s] Progress: 1,234/100,000 (1.2%), RPS: current=1,234 avg=1,230.5, Errors: 0 |
 *   Latency (ms): avg=0.12 p50=0.11 p95=0.15 p99=0.18
 *
 * The current rate and the latencies are of the time since the last line, the rest since the start.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stddef.h>

#include "report/report.h"
#include "report/window.h"

/* Writes the line (above: one line, without newline) about the end of `window`; cut to `size`. */
void progress_write(const struct report_run *run, const struct window *window, char *line,
                    size_t size);

#endif
