/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * describe: a plan in words, for reports and for --show-config.
 */
#ifndef RUN_DESCRIBE_H
#define RUN_DESCRIBE_H

#include <limits.h>
#include <stdio.h>

#include "run/plan.h"

enum { DESCRIBE_MAX = 200, DESCRIBE_DRIVER_MAX = PATH_MAX + 40 };

/* "random, 1,000,000 keys from 0"; returns `text` (DESCRIBE_MAX bytes). */
const char *describe_keys(const struct plan *plan, char *text);

/* "closed loop", "open loop, 1000 requests a second"; returns `text` (DESCRIBE_MAX bytes). */
const char *describe_load(const struct plan *plan, char *text);

/* "native", "valkey-GLIDE 2.6 (/path/of/library)"; `text` has DESCRIBE_DRIVER_MAX bytes. */
const char *describe_driver(const struct plan *plan, char *text);

/* "verified, TLSv1.3, TLS_AES_256_GCM_SHA384": whether the server's certificate is, and what was
 * agreed on when the server has been reached; "no": without TLS. May use `text` (DESCRIBE_MAX
 * bytes). */
const char *describe_tls(const struct plan *plan, char *text);

/* "no", "yes", "yes, reads from replicas". Constant. */
const char *describe_cluster(const struct plan *plan);

/* "sleep", "hybrid, margin 63 us", without a margin that is 0; returns `text` (DESCRIBE_MAX bytes).
 */
const char *describe_pace(const struct plan *plan, uint64_t margin_ns, char *text);

/* Prints the effective settings and how the totals are split over workers. */
void describe_plan(const struct plan *plan, FILE *out);

#endif
