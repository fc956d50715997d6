/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/connections.h"
#include "report/nodes.h"
#include "report/outages.h"
#include "report/progress.h"
#include "report/report.h"
#include "report/verdict.h"
#include "report/window.h"
#include "report/workers.h"

struct text {
    struct report_sink sink;
    struct report_run run;
    struct window window; /* since the last progress line */
    bool in_place;        /* the progress line is overwritten by the next */
    bool progressed;      /* one was printed */
};

/* The upper bounds of the latency distribution's lines. */
static const uint64_t bounds_us[] = {
    100, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000,
};

static double millis(uint64_t ns)
{
    return (double)ns / CLOCK_NS_PER_MS;
}

static double percentile_ms(const struct distribution *values, uint64_t percent_micro)
{
    return millis(distribution_percentile_ns(values, percent_micro));
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void text_begin(struct report_sink *sink, const struct report_run *run)
{
    struct text *text = (struct text *)sink;

    text->run = *run;
    text->in_place = isatty(fileno(sink->out)) == 1;
    window_start(&text->window, run->start_ns);
}

/* How much of a line fits into a row: a longer one would wrap, and not be overwritten. */
static int row_width(FILE *out)
{
    struct winsize size = {0};

    if (ioctl(fileno(out), TIOCGWINSZ, &size) || size.ws_col < 2)
        return INT_MAX;
    return size.ws_col - 1;
}

static void text_interval(struct report_sink *sink, const struct snapshot *now)
{
    struct text *text = (struct text *)sink;
    char line[400];

    window_advance(&text->window, now);
    progress_write(&text->run, &text->window, line, sizeof line);
    if (text->in_place)
        report_print(sink, "\r%.*s\033[K", row_width(sink->out), line);
    else
        report_print(sink, "%s\n", line);
    report_flush(sink);
    text->progressed = true;
}

static void print_title(struct report_sink *sink, const char *title, size_t underline)
{
    report_print(sink, "%s\n", title);
    for (size_t i = 0; i < underline; i++)
        report_print(sink, "=");
    report_print(sink, "\n");
}

/* Opens a section that comes after another; its underline leaves the colon out. */
static void open_section(struct report_sink *sink, const char *title)
{
    report_print(sink, "\n");
    print_title(sink, title, strlen(title) - 1);
}

static void print_count(struct report_sink *sink, const char *key, uint64_t count)
{
    report_print(sink, "%s: %" PRIu64 "\n", key, count);
}

static void print_results(struct text *text, const struct report_end *end)
{
    struct report_sink *sink = &text->sink;
    const uint64_t ok = snapshot_ok(end->total);

    if (text->progressed)
        report_print(sink, text->in_place ? "\n\n" : "\n");
    print_title(sink, "Final Results:", 13);
    report_print(sink, "Total time: %.2f seconds\n", (double)end->elapsed_ns / CLOCK_NS_PER_S);
    print_count(sink, "Requests completed", ok);
    report_print(sink, "Requests per second: %.2f\n", window_rate(ok, end->elapsed_ns));
    print_count(sink, "Total errors", snapshot_failed(end->total));
}

static void print_latencies(struct report_sink *sink, const struct distribution *values)
{
    report_print(sink, "\n");
    print_title(sink, "Latency Statistics (ms):", 21); /* as it has always been */
    report_print(sink, "Minimum: %.3f\n", values->total ? millis(values->min_ns) : 0);
    report_print(sink, "Average: %.3f\n", distribution_mean_ns(values) / CLOCK_NS_PER_MS);
    report_print(sink, "Maximum: %.3f\n", millis(values->max_ns));
    report_print(sink, "Median (p50): %.3f\n", percentile_ms(values, 50000000));
    report_print(sink, "95th percentile: %.3f\n", percentile_ms(values, 95000000));
    report_print(sink, "99th percentile: %.3f\n", percentile_ms(values, 99000000));
}

static void print_bucket(struct report_sink *sink, const char *relation, uint64_t bound_us,
                         uint64_t count, uint64_t total)
{
    report_print(sink, "%s %.1f ms: %.2f%% (%" PRIu64 " requests)\n", relation,
                 (double)bound_us / 1000, share(count, total), count);
}

static void print_distribution(struct report_sink *sink, const struct distribution *values)
{
    uint64_t before = 0, bound_us = 0;

    open_section(sink, "Latency Distribution:");
    for (size_t i = 0; i < COUNT(bounds_us); i++) {
        bound_us = bounds_us[i];
        const uint64_t up_to = distribution_count_to(values, bound_us * CLOCK_NS_PER_US);

        print_bucket(sink, "<=", bound_us, up_to - before, values->total);
        before = up_to;
    }
    print_bucket(sink, ">", bound_us, values->total - before, values->total);
}

static void print_tail(struct report_sink *sink, const struct distribution *values)
{
    open_section(sink, "Tail Latency (ms):");
    report_print(sink, "p99.9: %.3f\n", percentile_ms(values, 99900000));
    report_print(sink, "p99.99: %.3f\n", percentile_ms(values, 99990000));
    report_print(sink, "p99.999: %.3f\n", percentile_ms(values, 99999000));
}

/* A section about one part of the response time. */
static void print_part(struct report_sink *sink, const char *title, const struct snapshot *total,
                       enum measure measure)
{
    struct distribution values;

    distribution_init(&values);
    snapshot_merge_measure(total, measure, &values);
    open_section(sink, title);
    report_print(sink, "Average: %.3f\n", distribution_mean_ns(&values) / CLOCK_NS_PER_MS);
    report_print(sink, "Median (p50): %.3f\n", percentile_ms(&values, 50000000));
    report_print(sink, "95th percentile: %.3f\n", percentile_ms(&values, 95000000));
    report_print(sink, "99th percentile: %.3f\n", percentile_ms(&values, 99000000));
    report_print(sink, "Maximum: %.3f\n", millis(values.max_ns));
    distribution_deinit(&values);
}

static void print_parts(struct report_sink *sink, const struct report_end *end)
{
    print_part(sink, "Service Time (ms):", end->total, MEASURE_SERVICE);
    print_part(sink, "Slot Wait (ms):", end->total, MEASURE_SLOT_WAIT);
    print_part(sink, "Send Lag (ms):", end->total, MEASURE_SEND_LAG);
    report_print(sink, "Burstiness: %.2f\n", end->burstiness);
}

static void print_accounting(struct text *text, const struct report_end *end)
{
    struct report_sink *sink = &text->sink;

    open_section(sink, "Accounting:");
    print_count(sink, "Issued", end->total->issued);
    print_count(sink, "Succeeded", snapshot_ok(end->total));
    print_count(sink, "Errors", snapshot_failed(end->total));
    print_count(sink, "Unanswered", snapshot_unanswered(end->total));
    if (text->run.scheduled)
        print_count(sink, "Due", end->due);
    if (text->run.scheduled || end->unsent)
        print_count(sink, "Unsent", end->unsent);
    if (text->run.reads) {
        print_count(sink, "Hits", end->total->events[EVENT_HIT]);
        print_count(sink, "Misses", end->total->events[EVENT_MISS]);
    }
}

static void print_errors(struct report_sink *sink, const struct snapshot *total)
{
    if (!snapshot_failed(total))
        return;
    open_section(sink, "Errors by Kind:");
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        if (total->errors[i])
            print_count(sink, outcome_name((enum outcome)i), total->errors[i]);
}

static void print_events(struct report_sink *sink, const struct snapshot *total)
{
    bool open = false;

    for (unsigned i = 0; i < EVENT_KINDS; i++) {
        if (!total->events[i] || i == EVENT_HIT || i == EVENT_MISS)
            continue;
        if (!open)
            open_section(sink, "Events:");
        open = true;
        print_count(sink, event_name((enum event)i), total->events[i]);
    }
}

static void print_setting(struct report_sink *sink, const char *key, const char *value)
{
    report_print(sink, "%s: %s\n", key, value);
}

/* What the driver's library was to the run: its threads are no workers. */
static void print_library(struct text *text, const struct report_end *end)
{
    const uint64_t issued = end->total->issued;
    const double cpu_us = (double)end->library_cpu_ns / CLOCK_NS_PER_US;

    if (!text->run.library_clients)
        return;
    print_count(&text->sink, "Library clients", text->run.library_clients);
    print_count(&text->sink, "Library threads", end->library_threads);
    report_print(&text->sink, "Library CPU: %.2f us a request, %.2f cores\n",
                 issued ? cpu_us / (double)issued : 0,
                 end->elapsed_ns ? (double)end->library_cpu_ns / (double)end->elapsed_ns : 0);
}

static void print_settings(struct text *text, const struct report_end *end)
{
    struct report_sink *sink = &text->sink;
    const struct report_run *run = &text->run;

    open_section(sink, "How It Ran:");
    print_setting(sink, "Command", run->command);
    if (run->custom)
        print_setting(sink, "Custom commands", run->custom);
    print_setting(sink, "Server", run->server);
    if (run->tls)
        print_setting(sink, "TLS", run->tls);
    if (run->cluster)
        print_setting(sink, "Cluster", run->cluster);
    if (run->user)
        print_setting(sink, "User", run->user);
    if (run->db)
        print_count(sink, "Database", run->db);
    if (run->resp3)
        print_setting(sink, "Protocol", "RESP3");
    print_setting(sink, "Load", run->load);
    if (run->scheduled) {
        report_print(sink, "Offered rate: %.2f per second\n",
                     window_rate(end->due, end->elapsed_ns));
        report_print(sink, "Achieved rate: %.2f per second\n",
                     window_rate(snapshot_ok(end->total), end->elapsed_ns));
    }
    print_setting(sink, "Keys", run->keys);
    if (!run->reads) /* what a read finds, others have written */
        report_print(sink, "Value size: %" PRIu64 " byte%s\n", run->data_bytes,
                     run->data_bytes == 1 ? "" : "s");
    if (run->driver)
        print_setting(sink, "Driver", run->driver);
    print_setting(sink, "Engine", run->engine);
    if (run->pace)
        print_setting(sink, "Pace", run->pace);
    if (run->cpus)
        print_setting(sink, "CPUs", run->cpus);
    print_count(sink, "Processes", run->processes);
    print_count(sink, "Workers in all", run->workers);
    print_count(sink, "Clients", run->clients);
    print_count(sink, "Pipeline", run->pipeline);
    print_library(text, end);
    if (run->reconnect_interval)
        print_count(sink, "Requests a connection", run->reconnect_interval);
    print_count(sink, "Seed", run->seed);
    print_setting(sink, "Version", run->version);
}

/* A blank line before the first of the closing lines, which have no title. */
static void open_closing(struct report_sink *sink, bool *open)
{
    if (!*open)
        report_print(sink, "\n");
    *open = true;
}

static void warn_of_misses(struct text *text, const struct snapshot *total, bool *open)
{
    const uint64_t misses = total->events[EVENT_MISS];
    const uint64_t reads = misses + total->events[EVENT_HIT];

    if (!text->run.reads || misses <= reads / 20)
        return;
    open_closing(&text->sink, open);
    report_print(&text->sink,
                 "Warning: %.1f%% of the reads found no value; write the keys first, with the same "
                 "key options.\n",
                 share(misses, reads));
}

static void warn_of_lower_bounds(struct text *text, const struct report_end *end, bool *open)
{
    const uint64_t unanswered = snapshot_unanswered(end->total);

    if (!text->run.scheduled || !(end->unsent || unanswered))
        return;
    open_closing(&text->sink, open);
    report_print(&text->sink,
                 "Warning: the percentiles of response time are lower bounds: %" PRIu64
                 " requests were due but unsent, %" PRIu64 " unanswered.\n",
                 end->unsent, unanswered);
}

/* Whether the client was the limit; a run that failed has other troubles. */
static void print_verdict(struct text *text, const struct report_end *end,
                          const struct distribution *responses, bool *open)
{
    struct distribution lags;
    char line[VERDICT_MAX];

    if (end->ending && !end->interrupted)
        return;
    distribution_init(&lags);
    snapshot_merge_measure(end->total, MEASURE_SEND_LAG, &lags);
    const struct verdict_facts facts = {
        .run = &text->run,
        .workers = end->workers,
        .elapsed_ns = end->elapsed_ns,
        .requests = responses->total,
        .response_p99_ns = distribution_percentile_ns(responses, 99000000),
        .send_lag_p99_ns = distribution_percentile_ns(&lags, 99000000),
    };
    distribution_deinit(&lags);
    if (verdict_judge(&facts, line) == VERDICT_NONE)
        return;
    open_closing(&text->sink, open);
    report_print(&text->sink, "%s\n", line);
}

static void print_closing(struct text *text, const struct report_end *end,
                          const struct distribution *responses)
{
    struct report_sink *sink = &text->sink;
    bool open = false;

    if (responses->clamped) {
        open_closing(sink, &open);
        report_print(sink, "Clamped: %" PRIu64 " latencies above 60 s\n", responses->clamped);
    }
    if (end->ending) {
        open_closing(sink, &open);
        print_setting(sink, "Ended early", end->ending);
    }
    warn_of_misses(text, end->total, &open);
    warn_of_lower_bounds(text, end, &open);
    for (const char *const *warning = end->warnings; warning && *warning; warning++) {
        open_closing(sink, &open);
        print_setting(sink, "Warning", *warning);
    }
    print_verdict(text, end, responses, &open);
}

static void text_end(struct report_sink *sink, const struct report_end *end)
{
    struct text *text = (struct text *)sink;
    struct distribution responses;

    distribution_init(&responses);
    snapshot_merge_measure(end->total, MEASURE_RESPONSE, &responses);
    print_results(text, end);
    print_latencies(sink, &responses);
    print_distribution(sink, &responses);
    print_tail(sink, &responses);
    if (text->run.scheduled)
        print_parts(sink, end);
    print_accounting(text, end);
    print_errors(sink, end->total);
    print_events(sink, end->total);
    outages_print(sink, end->outages);
    nodes_print(sink, end->total);
    connections_print(sink, end->total);
    workers_print(sink, end->workers, (unsigned)text->run.workers);
    print_settings(text, end);
    print_closing(text, end, &responses);
    report_flush(sink);
    distribution_deinit(&responses);
}

static void text_destroy(struct report_sink *sink)
{
    struct text *text = (struct text *)sink;

    window_deinit(&text->window);
    free(text);
}

static const struct report_ops text_ops = {text_begin, text_interval, text_end, text_destroy};

struct report_sink *report_text_create(FILE *out, bool progress)
{
    struct text *text = mem_zalloc(1, sizeof *text);

    text->sink = (struct report_sink){
        .ops = &text_ops, .period_ns = progress ? CLOCK_NS_PER_S : 0, .out = out, .stop_fd = -1};
    window_init(&text->window);
    return &text->sink;
}
