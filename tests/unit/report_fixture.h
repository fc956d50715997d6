/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report_fixture: a sink that writes to memory, and what its run has counted, for the tests of
 * sinks.
 */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/report.h"

#define START_NS UINT64_C(5000000000)

struct fixture {
    struct report_sink *sink;
    FILE *out;
    char *text; /* what has been flushed */
    size_t size;
    struct snapshot counted;
};

/* Opens `out`, for a sink that the test creates. */
static inline void fixture_open(struct fixture *fixture)
{
    fixture->out = open_memstream(&fixture->text, &fixture->size);
    assert_non_null(fixture->out);
    snapshot_init(&fixture->counted);
}

static inline void fixture_close(struct fixture *fixture)
{
    report_destroy(&fixture->sink);
    assert_null(fixture->sink);
    snapshot_deinit(&fixture->counted);
    fclose(fixture->out);
    free(fixture->text);
}

/* Counts latencies of a command. */
static inline void record(struct series *series, uint64_t value_ns, unsigned times)
{
    struct histogram *histogram = calloc(1, sizeof *histogram);

    assert_non_null(histogram);
    while (times-- > 0)
        histogram_record(histogram, value_ns);
    distribution_add_histogram(&series->values, histogram);
    free(histogram);
}

/* Tells the sink what has been counted so long after the start. */
static inline void take_interval(struct fixture *fixture, uint64_t after_ms)
{
    fixture->counted.time_ns = START_NS + after_ms * CLOCK_NS_PER_MS;
    fixture->sink->ops->interval(fixture->sink, &fixture->counted);
}

/* Ends the run at its `elapsed_ns`, with what has been counted. */
static inline void take_end(struct fixture *fixture, struct report_end end)
{
    end.total = &fixture->counted;
    fixture->counted.time_ns = START_NS + end.elapsed_ns;
    fixture->sink->ops->end(fixture->sink, &end);
}

#endif
