/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/nodes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct row {
    const char *name;
    bool replica;
    const struct distribution *values; /* NULL: none succeeded */
    uint64_t errors;
};

struct rows {
    struct row rows[SNAPSHOT_SERIES_MAX];
    unsigned count;
};

static struct row *row_of(struct rows *rows, const char *name, bool replica)
{
    for (unsigned i = 0; i < rows->count; i++)
        if (rows->rows[i].replica == replica && strcmp(rows->rows[i].name, name) == 0)
            return &rows->rows[i];
    struct row *row = &rows->rows[rows->count++];

    *row = (struct row){.name = name, .replica = replica};
    return row;
}

static void collect(struct rows *rows, const struct series *series)
{
    switch (series->measure) {
    case MEASURE_PRIMARY:
    case MEASURE_REPLICA:
        row_of(rows, series->name, series->measure == MEASURE_REPLICA)->values = &series->values;
        break;
    case MEASURE_PRIMARY_ERRORS:
    case MEASURE_REPLICA_ERRORS:
        row_of(rows, series->name, series->measure == MEASURE_REPLICA_ERRORS)->errors =
            series->values.total;
        break;
    default:
        break;
    }
}

/* Names of nodes differ in numbers, ports and addresses, and these go up: "a:7000", "a:10000". */
static int compare(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    return a->replica != b->replica ? a->replica - b->replica : strverscmp(a->name, b->name);
}

static double percentile_ms(const struct row *row, uint64_t percent_micro)
{
    return (double)distribution_percentile_ns(row->values, percent_micro) / CLOCK_NS_PER_MS;
}

static void print_row(struct report_sink *sink, const struct row *row)
{
    report_print(sink, "%s (%s): requests %" PRIu64 ", errors %" PRIu64, row->name,
                 row->replica ? "replica" : "primary", row->values ? row->values->total : 0,
                 row->errors);
    if (row->values && row->values->total)
        report_print(sink, ", p50 %.3f ms, p99 %.3f ms", percentile_ms(row, 50000000),
                     percentile_ms(row, 99000000));
    report_print(sink, "\n");
}

void nodes_print(struct report_sink *sink, const struct snapshot *total)
{
    struct rows rows = {.count = 0};

    for (unsigned i = 0; i < total->series_count; i++)
        collect(&rows, &total->series[i]);
    if (rows.count == 0)
        return;
    qsort(rows.rows, rows.count, sizeof rows.rows[0], compare);
    report_print(sink, "\nNodes:\n=====\n");
    for (unsigned i = 0; i < rows.count; i++)
        print_row(sink, &rows.rows[i]);
}
