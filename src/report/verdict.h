/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verdict: whether this program, and not the server, was the limit of a run.
 *
 * A pure function of what a run measured of itself. It accuses the client only when that is so: a
 * loop that had a core and hardly ever waited on it, or requests that left late by more than a
 * tenth of what the server made of their time. What is less than that is a note; what is too little
 * to judge is passed over in silence. A run that failed is not to be judged at all.
 */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/report.h"

enum { VERDICT_MAX = 400 };

/* What the whole run lasted at least, and how many requests its percentiles are of, at least. */
#define VERDICT_LEAST_NS       UINT64_C(100000000)
#define VERDICT_LEAST_REQUESTS UINT64_C(1000)

enum verdict {
    VERDICT_NONE,
    VERDICT_NOTE,  /* something of the client's disturbed the results */
    VERDICT_LIMIT, /* the client was the limit */
};

struct verdict_facts {
    const struct report_run *run;
    const struct report_worker *workers; /* run->workers of them; NULL: nothing is known */
    uint64_t elapsed_ns;
    uint64_t requests; /* of which the percentiles are */
    uint64_t response_p99_ns;
    uint64_t send_lag_p99_ns; /* on a schedule */
};

/* Judges, and writes the line of the report, without its end, to `text` (VERDICT_MAX bytes); "" for
 * VERDICT_NONE. */
enum verdict verdict_judge(const struct verdict_facts *facts, char *text);

#endif
