/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/workers.h"

#include <inttypes.h>

#include "base/clock.h"

/* Every worker waits for a core now and then; from here on it is worth a word. */
#define CROWDED_SHOWN 0.01

/* Whether `a` stands before `b` when the busiest come first. */
static bool is_busier(const struct report_worker *workers, unsigned a, unsigned b)
{
    if (workers[a].busy != workers[b].busy)
        return workers[a].busy > workers[b].busy;
    return a < b;
}

/* Whether a worker is among the busiest. */
static bool is_shown(const struct report_worker *workers, unsigned count, unsigned worker)
{
    unsigned busier = 0;

    if (count <= WORKERS_SHOWN)
        return true;
    for (unsigned i = 0; i < count; i++)
        busier += is_busier(workers, i, worker);
    return busier < WORKERS_SHOWN;
}

static void print_effort(struct report_sink *sink, const struct report_worker *effort)
{
    report_print(sink, "busy %.1f%%", 100 * effort->busy);
    if (effort->crowded >= CROWDED_SHOWN)
        report_print(sink, ", crowded out %.1f%%", 100 * effort->crowded);
    report_print(sink, ", longest turn %.3f ms", (double)effort->longest_ns / CLOCK_NS_PER_MS);
    if (effort->overflows)
        report_print(sink, ", %" PRIu64 " overflow%s of the queue", effort->overflows,
                     effort->overflows == 1 ? "" : "s");
    report_print(sink, "\n");
}

/* Adds a worker to what the others come to: the most of each. */
static void add(struct report_worker *others, const struct report_worker *worker)
{
    if (worker->busy > others->busy)
        others->busy = worker->busy;
    if (worker->crowded > others->crowded)
        others->crowded = worker->crowded;
    if (worker->longest_ns > others->longest_ns)
        others->longest_ns = worker->longest_ns;
    others->overflows += worker->overflows;
}

void workers_print(struct report_sink *sink, const struct report_worker *workers, unsigned count)
{
    struct report_worker others = {0};

    if (!workers)
        return;
    report_print(sink, "\nWorkers:\n=======\n");
    for (unsigned i = 0; i < count; i++) {
        if (!is_shown(workers, count, i)) {
            add(&others, &workers[i]);
            continue;
        }
        report_print(sink, "Worker %u: ", i);
        print_effort(sink, &workers[i]);
    }
    if (count <= WORKERS_SHOWN)
        return;
    report_print(sink, "The other %u: at most ", count - WORKERS_SHOWN);
    print_effort(sink, &others);
}
