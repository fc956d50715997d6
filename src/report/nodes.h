/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nodes: the section of the report on what came of the requests of each node of a cluster.
 */
#ifndef REPORT_NODES_H
#define REPORT_NODES_H

#include "report/report.h"

/*
 * Prints a line for each node and role in which it had requests, the primaries first, each in the
 * order of their names. A node whose role changed has two. Without a cluster nothing is printed.
 */
void nodes_print(struct report_sink *sink, const struct snapshot *total);

#endif
