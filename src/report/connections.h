/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * connections: the section of the report on how long connections took to come up.
 */
#ifndef REPORT_CONNECTIONS_H
#define REPORT_CONNECTIONS_H

#include "report/report.h"

/* Prints a line for each part of that time. Parts that no connection had are left out, and so is
 * all of it when none came up. */
void connections_print(struct report_sink *sink, const struct snapshot *total);

#endif
