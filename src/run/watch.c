/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"

/* A year. */
#define STILL_FOREVER_NS (UINT64_C(31536000) * CLOCK_NS_PER_S)

/* How long a worker may stand still: while custom commands run, as long as they may. */
static uint64_t patience_ns(const struct plan *plan)
{
    if (!plan->language)
        return plan_drain_ns(plan, false);
    return plan->script.timeout_ns ? plan->script.timeout_ns : STILL_FOREVER_NS;
}

void watch_init(struct watch *watch, const struct plan *plan, const struct board *board,
                struct crew *crew)
{
    *watch = (struct watch){.plan = plan, .board = board, .crew = crew};
    watch->workers = mem_zalloc(board->workers, sizeof *watch->workers);
    /* The drain bound, and a second in which a worker is at least to turn. */
    watch->still_max = (unsigned)((patience_ns(plan) + CLOCK_NS_PER_S) / WATCH_PERIOD_NS);
}

void watch_deinit(struct watch *watch)
{
    free(watch->workers);
    watch->workers = NULL;
}

static void warn(struct watch *watch, const char *text)
{
    if (watch->warnings_count < WATCH_WARNINGS)
        snprintf(watch->warnings[watch->warnings_count++], WATCH_WARNING_MAX, "%s", text);
}

static enum worker_state state_of(const struct watch *watch, unsigned worker)
{
    return (enum worker_state)atomic_load_explicit(&watch->board->slots[worker].state,
                                                   memory_order_acquire);
}

static void lose(struct watch *watch, unsigned worker, enum worker_health health)
{
    watch->workers[worker].health = health;
    watch->lost++;
}

/* A process has ended: those of its workers that had not finished died with it. */
static void take_end(struct watch *watch, unsigned process, int status)
{
    const int pid = (int)crew_pid(watch->crew, process);
    char how[64], text[WATCH_WARNING_MAX];
    unsigned died = 0;

    for (unsigned i = process; i < watch->board->workers; i += watch->plan->processes) {
        if (watch->workers[i].health != WORKER_ALIVE || state_of(watch, i) >= WORKER_FINISHED)
            continue;
        lose(watch, i, WORKER_DEAD);
        died++;
    }
    if (died == 0)
        return;
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    snprintf(text, sizeof text,
             "Worker process %d, with %u of %u workers, %s; what it had recorded is kept.", pid,
             died, watch->board->workers, how);
    warn(watch, text);
}

static void describe_hang(const struct watch *watch, unsigned worker, char *text)
{
    const int pid = (int)crew_pid(watch->crew, worker % watch->plan->processes);
    char seconds[32];

    if (!watch->plan->language) {
        snprintf(text, WATCH_WARNING_MAX,
                 "Worker %u (process %d) hangs; what it had recorded is kept.", worker, pid);
        return;
    }
    units_write_micro(watch->plan->script.timeout_ns / CLOCK_NS_PER_US, seconds, sizeof seconds);
    snprintf(
        text, WATCH_WARNING_MAX,
        "%.100s has kept worker %u (process %d) for %s s without a command (--script-timeout); "
        "what it had recorded is kept.",
        watch->plan->script.file, worker, pid, seconds);
}

static void look_at(struct watch *watch, unsigned worker, bool periodic)
{
    struct watched *watched = &watch->workers[worker];
    struct board_slot *slot = &watch->board->slots[worker];
    const uint64_t turns = atomic_load_explicit(&slot->turns, memory_order_relaxed);
    char text[WATCH_WARNING_MAX];

    if (watched->health != WORKER_ALIVE)
        return;
    if (state_of(watch, worker) >= WORKER_FINISHED) {
        watched->health = WORKER_DONE;
        watch->done++;
        return;
    }
    if (turns != watched->turns) {
        watched->turns = turns;
        watched->stills = 0;
    } else if (periodic && ++watched->stills > watch->still_max) {
        describe_hang(watch, worker, text);
        lose(watch, worker, WORKER_HUNG);
        warn(watch, text);
    }
}

static bool lives(const struct watch *watch, unsigned worker)
{
    return watch->workers[worker].health == WORKER_ALIVE;
}

/* When the last reply came, or now if there is none to wait for. */
static uint64_t quiet_since(struct watch *watch, uint64_t now_ns)
{
    uint64_t since_ns = watch->quiet_since_ns;
    bool outstanding = false;

    for (unsigned i = 0; i < watch->board->workers; i++) {
        struct board_slot *slot = &watch->board->slots[i];
        const uint64_t reply_ns = atomic_load_explicit(&slot->last_reply_ns, memory_order_relaxed);

        if (reply_ns > since_ns)
            since_ns = reply_ns;
        outstanding |=
            lives(watch, i) && (atomic_load_explicit(&slot->in_flight, memory_order_relaxed) > 0 ||
                                atomic_load_explicit(&slot->up, memory_order_relaxed) <
                                    atomic_load_explicit(&slot->wanted, memory_order_relaxed));
    }
    watch->outstanding = outstanding;
    return outstanding ? since_ns : now_ns;
}

static void count_clients(struct watch *watch)
{
    unsigned up = 0, wanted = 0;

    for (unsigned i = 0; i < watch->board->workers; i++) {
        struct board_slot *slot = &watch->board->slots[i];
        up += atomic_load_explicit(&slot->up, memory_order_relaxed);
        wanted += atomic_load_explicit(&slot->wanted, memory_order_relaxed);
    }
    watch->wanted_clients = wanted;
    if (up > watch->most_up)
        watch->most_up = up;
}

void watch_look(struct watch *watch, uint64_t now_ns)
{
    const bool periodic = now_ns - watch->looked_ns >= WATCH_PERIOD_NS;
    int status;

    for (int process; (process = crew_reap(watch->crew, &status)) >= 0;)
        take_end(watch, (unsigned)process, status);
    if (periodic)
        watch->looked_ns = now_ns;
    for (unsigned i = 0; i < watch->board->workers; i++)
        look_at(watch, i, periodic);
    watch->quiet_since_ns = quiet_since(watch, now_ns);
    count_clients(watch);
}

bool watch_gave_up(const struct watch *watch, uint64_t now_ns)
{
    const uint64_t give_up_ns = watch->plan->give_up_ns;

    return give_up_ns && now_ns >= watch->quiet_since_ns &&
           now_ns - watch->quiet_since_ns >= give_up_ns;
}

unsigned watch_ready(const struct watch *watch)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < watch->board->workers; i++)
        ready += state_of(watch, i) != WORKER_STARTING;
    return ready;
}

bool watch_all_ended(const struct watch *watch)
{
    return watch->done + watch->lost == watch->board->workers;
}

bool watch_any_hung(const struct watch *watch)
{
    for (unsigned i = 0; i < watch->board->workers; i++)
        if (watch->workers[i].health == WORKER_HUNG)
            return true;
    return false;
}
