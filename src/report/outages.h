/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outages: the section of the report on the windows in which the server, or a node, was not there.
 */
#ifndef REPORT_OUTAGES_H
#define REPORT_OUTAGES_H

#include "report/report.h"

/* Prints a line for each window that was kept, to a tenth of a second. Prints nothing when there
 * was none, or when nothing is known of them (NULL). */
void outages_print(struct report_sink *sink, const struct outages *outages);

#endif
