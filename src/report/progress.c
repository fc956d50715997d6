/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/progress.h"

#include "base/clock.h"
#include "base/units.h"

enum { NUMBER_MAX = 32 };

/* Writes "1,234/100,000 (1.2%)", without a limit "1,234". */
static void write_done(const struct report_run *run, uint64_t done, char *text, size_t size)
{
    char number[NUMBER_MAX], limit[NUMBER_MAX];

    units_write_count(done, number, sizeof number);
    if (run->requests)
        snprintf(text, size, "%s/%s (%.1f%%)", number,
                 units_write_count(run->requests, limit, sizeof limit),
                 100.0 * (double)done / (double)run->requests);
    else
        snprintf(text, size, "%s", number);
}

/* Writes a rate rounded to tenths ("1,230.5"). */
static void write_tenths(double rate, char *text, size_t size)
{
    const uint64_t tenths = (uint64_t)(rate * 10 + 0.5);
    char whole[NUMBER_MAX];

    snprintf(text, size, "%s.%u", units_write_count(tenths / 10, whole, sizeof whole),
             (unsigned)(tenths % 10));
}

static double percentile_ms(const struct window *window, uint64_t percent_micro)
{
    return (double)distribution_percentile_ns(&window->responses, percent_micro) / CLOCK_NS_PER_MS;
}

void progress_write(const struct report_run *run, const struct window *window, char *line,
                    size_t size)
{
    const uint64_t elapsed_ns = window->to_ns - run->start_ns;
    const uint64_t ok = snapshot_ok(&window->seen);
    const uint64_t failed = snapshot_failed(&window->seen);
    const double current =
        window_rate(snapshot_ok(&window->counted), window->to_ns - window->from_ns);
    char done[3 * NUMBER_MAX], rate[NUMBER_MAX], average[2 * NUMBER_MAX], errors[NUMBER_MAX];

    write_done(run, ok + failed, done, sizeof done);
    write_tenths(window_rate(ok, elapsed_ns), average, sizeof average);
    snprintf(line, size,
             "[%.1fs] Progress: %s, RPS: current=%s avg=%s, Errors: %s | Latency (ms): avg=%.2f "
             "p50=%.2f p95=%.2f p99=%.2f",
             (double)elapsed_ns / CLOCK_NS_PER_S, done,
             units_write_count((uint64_t)(current + 0.5), rate, sizeof rate), average,
             units_write_count(failed, errors, sizeof errors),
             distribution_mean_ns(&window->responses) / CLOCK_NS_PER_MS,
             percentile_ms(window, 50000000), percentile_ms(window, 95000000),
             percentile_ms(window, 99000000));
}
