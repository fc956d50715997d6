/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/verdict.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* A loop that waited for less than this share of its time had no room left... */
#define BUSY_LIMIT 0.95
/* ... unless it had no core for more than this: then it was busy with waiting for that, too. */
#define CROWDED_LIMIT 0.10
/* Below this more workers would not help: it was not the work that made requests late. */
#define BUSY_LATE 0.70

/* Send lags from here on decide; below they are no more than a note, and nothing below the floor:
 * what a wake-up costs on any machine. All in comparison with the response time. */
#define LAG_LIMIT_NS UINT64_C(1000000)
#define LAG_FLOOR_NS UINT64_C(20000)
enum { LAG_PARTS = 10 };

/* What the loops of the workers amount to. */
struct loops {
    unsigned limits;  /* of which had a core and no time left */
    unsigned limit;   /* the busiest of these */
    unsigned crowded; /* of which had no time left, but no core to themselves either */
    unsigned crowd;   /* the one of these that had one least */
    double busy;      /* the largest share of all */
};

/* A worker that was lost early, or came late, does not stand for the run. */
static bool is_judged(const struct verdict_facts *facts, const struct report_worker *worker)
{
    return worker->loop_ns >= VERDICT_LEAST_NS && worker->loop_ns >= facts->elapsed_ns / 2;
}

static struct loops look_at_loops(const struct verdict_facts *facts)
{
    const struct report_worker *workers = facts->workers;
    struct loops loops = {0};

    for (unsigned i = 0; workers && i < facts->run->workers; i++) {
        if (!is_judged(facts, &workers[i]))
            continue;
        if (workers[i].busy > loops.busy)
            loops.busy = workers[i].busy;
        if (workers[i].busy <= BUSY_LIMIT)
            continue;
        if (workers[i].crowded <= CROWDED_LIMIT) {
            if (!loops.limits++ || workers[i].busy > workers[loops.limit].busy)
                loops.limit = i;
        } else if (!loops.crowded++ || workers[i].crowded > workers[loops.crowd].crowded) {
            loops.crowd = i;
        }
    }
    return loops;
}

/* What takes work off a worker. Each worker needs a client, and should have a core. */
static const char *advise_on_work(const struct report_run *run)
{
    if (run->workers < run->cores)
        return run->clients > run->workers ? "use more --processes or --threads"
                                           : "use more clients (-c) and more --processes";
    if (run->scheduled)
        return "ask for a lower rate, or share it with another host";
    return run->clients > run->workers ? "use fewer clients (-c), or another host as well"
                                       : "use another host, or one with faster cores";
}

static void write_busy(const struct verdict_facts *facts, const struct loops *loops, char *text)
{
    const struct report_run *run = facts->run;
    char others[64] = "";

    if (loops->limits > 1)
        snprintf(others, sizeof others, ", and %u other%s for more than %.0f%%", loops->limits - 1,
                 loops->limits == 2 ? "" : "s", 100 * BUSY_LIMIT);
    snprintf(text, VERDICT_MAX,
             "The client was the limit: worker %u was busy %.1f%% of the time%s; %s.", loops->limit,
             100 * facts->workers[loops->limit].busy, others, advise_on_work(run));
}

/* Whether requests left late by more than a part of their response time, and by more than that. */
static bool is_late(const struct verdict_facts *facts, uint64_t least_ns)
{
    return facts->run->scheduled && facts->requests >= VERDICT_LEAST_REQUESTS &&
           facts->send_lag_p99_ns > least_ns &&
           facts->send_lag_p99_ns > facts->response_p99_ns / LAG_PARTS;
}

static const char *advise_on_lag(const struct verdict_facts *facts, const struct loops *loops)
{
    if (loops->busy > BUSY_LATE)
        return advise_on_work(facts->run);
    return "its workers had time left, so keep other load off their cores";
}

static void write_late(const struct verdict_facts *facts, const struct loops *loops, char *text)
{
    snprintf(text, VERDICT_MAX,
             "The client was the limit: the 99th percentile of send lag was %.3f ms, that of "
             "response time %.3f ms; %s.",
             (double)facts->send_lag_p99_ns / CLOCK_NS_PER_MS,
             (double)facts->response_p99_ns / CLOCK_NS_PER_MS, advise_on_lag(facts, loops));
}

static void write_crowded(const struct verdict_facts *facts, const struct loops *loops, char *text)
{
    const struct report_worker *worker = &facts->workers[loops->crowd];

    snprintf(
        text, VERDICT_MAX,
        "Note: worker %u was busy %.1f%% of the time, but had no core to work on for %.1f%%; to "
        "see whether the client was the limit, give it cores of its own.",
        loops->crowd, 100 * worker->busy, 100 * worker->crowded);
}

static void write_wakes(const struct verdict_facts *facts, const char *pace, char *text)
{
    snprintf(text, VERDICT_MAX,
             "Note: the 99th percentile of send lag, %.3f ms, is more than a tenth of that of "
             "response time; --pace %s wakes up sooner, for more CPU.",
             (double)facts->send_lag_p99_ns / CLOCK_NS_PER_MS, pace);
}

/* The next better way to wait; NULL: there is none. */
static const char *better_pace(const char *pace)
{
    if (!pace)
        return "hybrid";
    return str_starts(str_of(pace), STR("hybrid")) ? "spin" : NULL;
}

enum verdict verdict_judge(const struct verdict_facts *facts, char *text)
{
    const char *pace = better_pace(facts->run->pace);

    text[0] = '\0';
    if (facts->elapsed_ns < VERDICT_LEAST_NS)
        return VERDICT_NONE;
    const struct loops loops = look_at_loops(facts);
    if (loops.limits) {
        write_busy(facts, &loops, text);
        return VERDICT_LIMIT;
    }
    if (is_late(facts, LAG_LIMIT_NS)) {
        write_late(facts, &loops, text);
        return VERDICT_LIMIT;
    }
    if (loops.crowded)
        write_crowded(facts, &loops, text);
    else if (pace && is_late(facts, LAG_FLOOR_NS))
        write_wakes(facts, pace, text);
    return text[0] ? VERDICT_NOTE : VERDICT_NONE;
}
