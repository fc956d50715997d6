/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>

#include "base/clock.h"

#define FIELD(member) offsetof(struct report_config, member)

const struct option_spec report_options[] = {
    {.name = "interval-metrics-interval-duration-sec",
     .group = OPTION_OUTPUT,
     .read = option_read_duration,
     .offset = FIELD(interval_ns),
     .value = "N",
     .help = "write a CSV line to stdout every N seconds, and all else to stderr",
     .min = CLOCK_NS_PER_MS},
    {.name = "quiet",
     .letters = "q",
     .group = OPTION_OUTPUT,
     .read = option_read_switch,
     .offset = FIELD(quiet),
     .help = "no progress, the final report only; with interval CSV, neither"},
    {0},
};

static void note_failure(struct report_sink *sink)
{
    sink->failure = errno ? errno : EIO;
}

/* Waits until `out` takes what a buffer holds. A reader that has stopped reading stops the sink,
 * but not a run that is told to end. Returns whether to write. */
static bool wait_for_reader(struct report_sink *sink)
{
    struct pollfd fds[] = {{.fd = fileno(sink->out), .events = POLLOUT},
                           {.fd = sink->stop_fd, .events = POLLIN}};

    if (sink->failure)
        return false;
    if (fds[0].fd < 0)
        return true;
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    if (!fds[0].revents) {
        errno = EINTR;
        note_failure(sink);
    }
    return !sink->failure;
}

void report_print(struct report_sink *sink, const char *format, ...)
{
    if (!wait_for_reader(sink))
        return;

    va_list args;

    va_start(args, format);
    if (vfprintf(sink->out, format, args) < 0)
        note_failure(sink);
    va_end(args);
}

void report_flush(struct report_sink *sink)
{
    if (wait_for_reader(sink) && fflush(sink->out))
        note_failure(sink);
}

void report_destroy(struct report_sink **sink)
{
    if (!sink || !*sink)
        return;
    (*sink)->ops->destroy(*sink);
    *sink = NULL;
}
