/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/report.h"
#include "report/window.h"

struct csv {
    struct report_sink sink;
    uint64_t start_ns, start_unix_ns;
    struct window window;
};

static const char header[] =
    "timestamp,request_sec,p50_usec,p90_usec,p95_usec,p99_usec,p99_9_usec,p99_99_usec,"
    "p99_999_usec,p100_usec,avg_usec,request_finished,requests_total_failed,requests_moved,"
    "requests_clusterdown,client_disconnects\n";

/* The percentiles of a line, in millionths of a per cent. */
static const uint64_t percentiles[] = {
    50000000, 90000000, 95000000, 99000000, 99900000, 99990000, 99999000, 100000000,
};

static void csv_begin(struct report_sink *sink, const struct report_run *run)
{
    struct csv *csv = (struct csv *)sink;

    csv->start_ns = run->start_ns;
    csv->start_unix_ns = run->start_unix_ns;
    window_start(&csv->window, run->start_ns);
    report_print(sink, "%s", header);
    report_flush(sink);
}

static void print_line(struct csv *csv)
{
    const struct window *window = &csv->window;
    const uint64_t *events = window->counted.events;
    const uint64_t ok = snapshot_ok(&window->counted);
    const uint64_t unix_ns = csv->start_unix_ns + (window->to_ns - csv->start_ns);

    report_print(&csv->sink, "%" PRIu64 ",%.6f", unix_ns / CLOCK_NS_PER_S,
                 window_rate(ok, window->to_ns - window->from_ns));
    for (size_t i = 0; i < COUNT(percentiles); i++)
        report_print(&csv->sink, ",%" PRIu64,
                     distribution_percentile_ns(&window->responses, percentiles[i]) /
                         CLOCK_NS_PER_US);
    report_print(&csv->sink,
                 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
                 (uint64_t)distribution_mean_ns(&window->responses) / CLOCK_NS_PER_US, ok,
                 snapshot_failed(&window->counted), events[EVENT_MOVED], events[EVENT_CLUSTERDOWN],
                 events[EVENT_DISCONNECT]);
    report_flush(&csv->sink);
}

static void csv_interval(struct report_sink *sink, const struct snapshot *now)
{
    struct csv *csv = (struct csv *)sink;

    window_advance(&csv->window, now);
    print_line(csv);
}

/* Whether a line about the window would show anything but zeros. */
static bool holds_data(const struct window *window)
{
    const uint64_t *events = window->counted.events;

    return snapshot_ok(&window->counted) || snapshot_failed(&window->counted) ||
           events[EVENT_MOVED] || events[EVENT_CLUSTERDOWN] || events[EVENT_DISCONNECT];
}

static void csv_end(struct report_sink *sink, const struct report_end *end)
{
    struct csv *csv = (struct csv *)sink;

    window_advance(&csv->window, end->total);
    if (holds_data(&csv->window))
        print_line(csv);
}

static void csv_destroy(struct report_sink *sink)
{
    struct csv *csv = (struct csv *)sink;

    window_deinit(&csv->window);
    free(csv);
}

static const struct report_ops csv_ops = {csv_begin, csv_interval, csv_end, csv_destroy};

struct report_sink *report_csv_create(FILE *out, uint64_t interval_ns)
{
    struct csv *csv = mem_zalloc(1, sizeof *csv);

    csv->sink =
        (struct report_sink){.ops = &csv_ops, .period_ns = interval_ns, .out = out, .stop_fd = -1};
    window_init(&csv->window);
    return &csv->sink;
}
