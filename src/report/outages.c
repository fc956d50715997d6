/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/outages.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/units.h"

/* The tenths are rounded before they are subtracted, so that a line agrees with itself. */
static uint64_t tenths(uint64_t ns)
{
    const uint64_t tenth_ns = CLOCK_NS_PER_S / 10;

    return (ns + tenth_ns / 2) / tenth_ns;
}

static double seconds(uint64_t count)
{
    return (double)count / 10;
}

static void print_failed(struct report_sink *sink, const struct outage *outage)
{
    const char *before = " (";
    uint64_t failed = 0;
    char count[32];

    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        failed += outage->failed[i];
    if (failed == 0) {
        report_print(sink, "no request failed");
        return;
    }
    report_print(sink, "%s request%s failed", units_write_count(failed, count, sizeof count),
                 failed == 1 ? "" : "s");
    for (unsigned i = 0; i < OUTCOME_KINDS; i++) {
        if (!outage->failed[i])
            continue;
        report_print(sink, "%s%s %s", before, outcome_name((enum outcome)i),
                     units_write_count(outage->failed[i], count, sizeof count));
        before = ", ";
    }
    report_print(sink, ")");
}

static void print_outage(struct report_sink *sink, const struct outage *outage)
{
    const uint64_t from = tenths(outage->from_ns), to = tenths(outage->to_ns);
    const uint64_t silent = tenths(outage->silent_ns);
    char count[32];

    report_print(sink, "from %.1f s to %.1f s (%.1f s): ", seconds(from), seconds(to),
                 seconds(to - from));
    print_failed(sink, outage);
    if (outage->retried)
        report_print(sink, ", %s retried", units_write_count(outage->retried, count, sizeof count));
    if (outage->silent_ns)
        report_print(sink, "; no request succeeded for %.1f s",
                     seconds(silent < to - from ? silent : to - from));
    report_print(sink, "\n");
}

void outages_print(struct report_sink *sink, const struct outages *outages)
{
    if (!outages || outages->count == 0)
        return;
    report_print(sink, "\nOutages:\n=======\n");
    for (unsigned i = 0; i < outages->count; i++) {
        report_print(sink, "%u: ", i + 1);
        print_outage(sink, &outages->kept[i]);
    }
    if (outages->more)
        report_print(sink, "More: %" PRIu64 " that are not shown\n", outages->more);
}
