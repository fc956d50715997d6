/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workers: the report's section about the loops of the workers: how busy each was.
 */
#ifndef REPORT_WORKERS_H
#define REPORT_WORKERS_H

#include "report/report.h"

enum { WORKERS_SHOWN = 16 };

/*
 * Prints a line for each worker. Of more than WORKERS_SHOWN the busiest stand there, in order of
 * their numbers, and a line sums up the others. `workers` may be NULL: nothing is known of them,
 * and nothing is printed.
 */
void workers_print(struct report_sink *sink, const struct report_worker *workers, unsigned count);

#endif
