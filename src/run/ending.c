/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/ending.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"
#include "stats/burst.h"

static uint64_t load(_Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool all_lost(const struct watch *watch)
{
    return watch->lost == watch->board->workers;
}

/* When the last worker stopped scheduling or got its last reply, from T0 on. */
static uint64_t elapsed_ns(const struct watch *watch, uint64_t now_ns)
{
    const uint64_t start_ns = load(&watch->board->header->start_ns);
    uint64_t last_ns = start_ns;

    for (unsigned i = 0; i < watch->board->workers; i++) {
        struct board_slot *slot = &watch->board->slots[i];
        last_ns = later(last_ns, later(load(&slot->stopped_ns), load(&slot->last_reply_ns)));
    }
    if (all_lost(watch))
        return now_ns - start_ns;
    const uint64_t took_ns = last_ns - start_ns;
    return load(&watch->board->header->stop_ns) ? took_ns : later(took_ns, watch->plan->least_ns);
}

/* What a schedule had due when it was left, at least what was issued: of each worker by itself,
 * since one may have issued a request in the moment in which the run was stopped. */
static uint64_t due_requests(const struct watch *watch, uint64_t now_ns)
{
    const struct plan *plan = watch->plan;
    const uint64_t start_ns = load(&watch->board->header->start_ns);
    const uint64_t told_ns = load(&watch->board->header->stop_ns);
    const uint64_t stop_ns = all_lost(watch) && !told_ns ? now_ns : told_ns;
    uint64_t end_ns = plan->end_ns;
    uint64_t due = 0;

    if (stop_ns) {
        const uint64_t stopped_ns = stop_ns > start_ns ? stop_ns - start_ns : 0;
        end_ns = stopped_ns < end_ns ? stopped_ns : end_ns;
    }
    uint64_t count = schedule_count(&plan->schedule, end_ns);
    if (plan->requests && count > plan->requests)
        count = plan->requests;
    for (unsigned i = 0; i < plan->workers; i++)
        due += later(schedule_share(count, i, plan->workers), load(&watch->board->slots[i].issued));
    return due;
}

/* Indices that workers had taken when they died. */
static uint64_t lost_indices(const struct watch *watch)
{
    uint64_t lost = 0;

    for (unsigned i = 0; i < watch->plan->workers; i++) {
        struct board_slot *slot = &watch->board->slots[i];
        const enum worker_health health = watch->workers[i].health;

        if (health == WORKER_DEAD || health == WORKER_HUNG)
            lost += load(&slot->claimed) - load(&slot->issued);
    }
    return lost;
}

static void account(struct ending *ending, const struct watch *watch, uint64_t now_ns)
{
    struct report_end *end = &ending->end;

    if (watch->plan->scheduled) {
        end->due = due_requests(watch, now_ns);
        end->unsent = end->due - end->total->issued;
    } else {
        end->unsent = lost_indices(watch);
    }
}

static double burstiness(const struct board *board)
{
    struct burst_spread spread = {0};

    for (unsigned i = 0; i < board->workers; i++) {
        struct board_slot *slot = &board->slots[i];

        burst_merge(&spread, &(struct burst_counts){.bins = load(&slot->burst_bins),
                                                    .sum = load(&slot->burst_sum),
                                                    .squares = load(&slot->burst_squares)});
    }
    return burst_ratio(&spread);
}

static double share(uint64_t part_ns, uint64_t whole_ns)
{
    return part_ns < whole_ns ? (double)part_ns / (double)whole_ns : 1;
}

static void describe_workers(struct ending *ending, const struct watch *watch)
{
    for (unsigned i = 0; i < watch->board->workers; i++) {
        struct board_slot *slot = &watch->board->slots[i];
        const uint64_t loop_ns = load(&slot->loop_ns), waited_ns = load(&slot->waited_ns);

        ending->workers[i] = (struct report_worker){
            .busy = 1 - share(waited_ns, loop_ns),
            .crowded = loop_ns ? share(load(&slot->crowded_ns), loop_ns) : 0,
            .longest_ns = load(&slot->longest_ns),
            .overflows = load(&slot->overflows),
            .loop_ns = loop_ns,
        };
    }
    ending->end.workers = ending->workers;
}

/* Each worker of a process has seen the same threads, more or less of them. */
static void describe_library(struct report_end *end, const struct watch *watch)
{
    for (unsigned process = 0; process < watch->plan->processes; process++) {
        uint64_t cpu_ns = 0;
        uint32_t threads = 0;

        for (unsigned i = process; i < watch->board->workers; i += watch->plan->processes) {
            struct board_slot *slot = &watch->board->slots[i];
            const uint32_t seen =
                atomic_load_explicit(&slot->library_threads, memory_order_relaxed);

            cpu_ns = later(cpu_ns, load(&slot->library_cpu_ns));
            threads = seen > threads ? seen : threads;
        }
        end->library_cpu_ns += cpu_ns;
        end->library_threads += threads;
    }
}

static void explain(struct ending *ending, const struct watch *watch)
{
    const struct board_header *header = watch->board->header;
    char seconds[32];

    switch ((enum stop_reason)atomic_load_explicit(&header->stop_reason, memory_order_relaxed)) {
    case STOP_SIGNAL:
        snprintf(ending->reason, sizeof ending->reason, "interrupted by a signal");
        ending->end.interrupted = watch->lost == 0;
        break;
    case STOP_GAVE_UP:
        units_write_micro(watch->plan->give_up_ns / CLOCK_NS_PER_US, seconds, sizeof seconds);
        snprintf(ending->reason, sizeof ending->reason,
                 "gave up, since nothing was answered for %s s (--give-up)", seconds);
        break;
    case STOP_OUTPUT:
        snprintf(ending->reason, sizeof ending->reason, "the output could not be written");
        break;
    default:
        if (watch->lost > 0)
            snprintf(ending->reason, sizeof ending->reason, "%u of %u workers were lost",
                     watch->lost, watch->board->workers);
    }
    if (ending->reason[0])
        ending->end.ending = ending->reason;
}

static void warn(struct ending *ending, const struct watch *watch)
{
    const uint64_t failed = snapshot_failed(ending->end.total);
    unsigned count = 0;

    for (unsigned i = 0; i < watch->warnings_count; i++)
        ending->warnings[count++] = watch->warnings[i];
    if (watch->most_up < watch->wanted_clients) {
        snprintf(ending->missing, sizeof ending->missing,
                 "At most %u of %u clients were connected at once.", watch->most_up,
                 watch->wanted_clients);
        ending->warnings[count++] = ending->missing;
    }
    if (watch->plan->source.keys.sequential && failed > 0) {
        snprintf(ending->fill, sizeof ending->fill,
                 "%" PRIu64 " requests of the sequence failed: their keys may be missing.", failed);
        ending->warnings[count++] = ending->fill;
    }
    ending->end.warnings = ending->warnings;
}

void ending_init(struct ending *ending, const struct watch *watch, const struct snapshot *total,
                 uint64_t now_ns)
{
    *ending = (struct ending){.end.total = total, .end.elapsed_ns = elapsed_ns(watch, now_ns)};
    account(ending, watch, now_ns);
    ending->end.burstiness = burstiness(watch->board);
    describe_workers(ending, watch);
    describe_library(&ending->end, watch);
    explain(ending, watch);
    warn(ending, watch);
}

bool ending_is_early(const struct ending *ending)
{
    return ending->end.ending != NULL;
}
