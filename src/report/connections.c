/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/connections.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/str.h"

/* In the order in which they happen; the first is one that every connection has. */
static const struct {
    enum measure measure;
    const char *key;
} parts[] = {
    {MEASURE_CONNECT, "Connect"},
    {MEASURE_TLS, "TLS"},
    {MEASURE_HANDSHAKE, "Handshake"},
};

static double percentile_ms(const struct distribution *values, uint64_t percent_micro)
{
    return (double)distribution_percentile_ns(values, percent_micro) / CLOCK_NS_PER_MS;
}

static void print_title(struct report_sink *sink, uint64_t count)
{
    report_print(sink, "\nTime to Connect (ms):\n====================\n");
    report_print(sink, "Connections: %" PRIu64 "\n", count);
}

void connections_print(struct report_sink *sink, const struct snapshot *total)
{
    struct distribution values;

    distribution_init(&values);
    for (size_t i = 0; i < COUNT(parts); i++) {
        snapshot_merge_measure(total, parts[i].measure, &values);
        if (!values.total)
            continue;
        if (parts[i].measure == MEASURE_CONNECT)
            print_title(sink, values.total);
        report_print(sink, "%s: p50 %.3f, p99 %.3f, maximum %.3f\n", parts[i].key,
                     percentile_ms(&values, 50000000), percentile_ms(&values, 99000000),
                     (double)values.max_ns / CLOCK_NS_PER_MS);
    }
    distribution_deinit(&values);
}
