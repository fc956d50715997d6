/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * describe: a plan in words, for reports and for --show-config.
 */
#ifndef RUN_DESCRIBE_H
#define RUN_DESCRIBE_H

#include <stdio.h>

#include "run/plan.h"

enum { DESCRIBE_MAX = 200 };

/* "random, 1,000,000 keys from 0"; returns `text` (DESCRIBE_MAX bytes). */
const char *describe_keys(const struct plan *plan, char *text);

/* "closed loop", "open loop, 1000 requests a second"; returns `text` (DESCRIBE_MAX bytes). */
const char *describe_load(const struct plan *plan, char *text);

/* "verified", "not verified": the server's certificate; "no": without TLS. */
const char *describe_tls(const struct tls_config *tls);

/* "sleep", "hybrid, margin 63 us", without a margin that is 0; returns `text` (DESCRIBE_MAX bytes).
 */
const char *describe_pace(const struct plan *plan, uint64_t margin_ns, char *text);

/* Prints the effective settings and how the totals are split over workers. */
void describe_plan(const struct plan *plan, FILE *out);

#endif
