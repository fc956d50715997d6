/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/cores.h"
#include "run/describe.h"
#include "run/ending.h"
#include "run/messages.h"
#include "run/pacer.h"
#include "run/signals.h"
#include "run/watch.h"

/* From the decision to start until T0: enough for all workers to hear of it. */
#define START_DELAY_NS (UINT64_C(20) * CLOCK_NS_PER_MS)

enum { SINKS_MAX = 8 };

struct monitor {
    const struct monitor_setup *setup;
    const struct plan *plan;
    struct board_header *header;
    struct watch watch;
    struct messages messages;
    struct snapshot now;
    struct outages outages;
    uint64_t start_ns;
    uint64_t next_ns[SINKS_MAX]; /* when each sink wants its next interval */
    int signal;                  /* that was taken, or 0 */
    bool told_last;              /* the workers were woken when the last request had been taken */
    char tls[DESCRIBE_MAX], keys[DESCRIBE_MAX], load[DESCRIBE_MAX], pace[DESCRIBE_MAX]; /* shown */
    char driver[DESCRIBE_DRIVER_MAX];
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void stop(struct monitor *monitor, enum stop_reason reason, uint64_t now_ns)
{
    if (atomic_load_explicit(&monitor->header->stop_ns, memory_order_relaxed))
        return;
    log_write(monitor->setup->log, LOG_DEBUG, "the workers are told to stop");
    atomic_store_explicit(&monitor->header->stop_reason, reason, memory_order_relaxed);
    atomic_store_explicit(&monitor->header->stop_ns, now_ns, memory_order_release);
    crew_wake(monitor->setup->crew);
}

static bool stopping(const struct monitor *monitor)
{
    return atomic_load_explicit(&monitor->header->stop_ns, memory_order_relaxed) != 0;
}

/* Waits until a signal or a worker has something to say, or until the deadline. */
static void wait_for_news(struct monitor *monitor, uint64_t now_ns, uint64_t deadline_ns)
{
    struct pollfd news[] = {{.fd = monitor->setup->signal_fd, .events = POLLIN},
                            {.fd = monitor->setup->worker_fd, .events = POLLIN}};
    const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    const struct timespec left = {.tv_sec = (time_t)(left_ns / CLOCK_NS_PER_S),
                                  .tv_nsec = (long)(left_ns % CLOCK_NS_PER_S)};
    uint64_t writes;

    if (ppoll(news, COUNT(news), &left, NULL) <= 0)
        return;
    if (news[1].revents && read(monitor->setup->worker_fd, &writes, sizeof writes) < 0)
        return;
    const int signal = signals_read(monitor->setup->signal_fd);
    if (!signal)
        return;
    monitor->signal = signal;
    signals_release();
    stop(monitor, STOP_SIGNAL, clock_now_ns());
}

static void look(struct monitor *monitor, uint64_t now_ns)
{
    watch_look(&monitor->watch, now_ns);
    messages_take(&monitor->messages, monitor->setup->board, now_ns);
}

static bool any_failed(const struct monitor *monitor)
{
    for (unsigned i = 0; i < monitor->plan->workers; i++)
        if (atomic_load_explicit(&monitor->setup->board->slots[i].state, memory_order_acquire) ==
            WORKER_FAILED)
            return true;
    return false;
}

/*
 * Waits until all clients are up. As long as more of them come up, within twice the connection
 * timeout of one another, they are waited for: a server that is slow to accept gets all it was
 * promised. Returns 0, or a negative errno when the run cannot start.
 */
static int wait_until_ready(struct monitor *monitor, struct err *err)
{
    const struct plan *plan = monitor->plan;
    const uint64_t patience_ns =
        plan->connect_timeout_ns ? 2 * plan->connect_timeout_ns : plan->give_up_ns;
    uint64_t now_ns = clock_now_ns(), progress_ns = now_ns;
    unsigned most_up = 0;

    for (;;) {
        look(monitor, now_ns);
        if (any_failed(monitor)) {
            look(monitor, now_ns); /* its text was there before */
            return err_set(err, "%s", monitor->messages.failure);
        }
        if (monitor->watch.lost > 0)
            return err_set(err, "A worker was lost before the run began: %s",
                           monitor->watch.warnings[0]);
        if (stopping(monitor) || watch_ready(&monitor->watch) == plan->workers)
            return 0;
        if (monitor->watch.most_up > most_up) {
            most_up = monitor->watch.most_up;
            progress_ns = now_ns;
        }
        if (patience_ns && now_ns - progress_ns >= patience_ns)
            break;
        wait_for_news(monitor, now_ns, now_ns + WATCH_PERIOD_NS / 10);
        now_ns = clock_now_ns();
    }
    if (most_up == 0) {
        err_set(err, "No client could connect to %s within %llu ms.", plan->endpoint.name,
                (unsigned long long)(patience_ns / CLOCK_NS_PER_MS));
        return -ETIMEDOUT;
    }
    fprintf(stderr, "Warning: %u of %u clients are connected; the others are dialled on.\n",
            most_up, monitor->watch.wanted_clients);
    return 0;
}

/* Workers that are not ready so far have measured none, and are left out. */
static uint64_t widest_margin_ns(const struct board *board)
{
    uint64_t widest_ns = 0;

    for (unsigned i = 0; i < board->workers; i++) {
        const uint64_t margin_ns =
            atomic_load_explicit(&board->slots[i].margin_ns, memory_order_relaxed);
        widest_ns = margin_ns > widest_ns ? margin_ns : widest_ns;
    }
    return widest_ns;
}

/* How the workers wait, for the report; NULL when in no special way. */
static const char *pace(struct monitor *monitor)
{
    if (monitor->plan->pace == PACE_SLEEP)
        return NULL;
    return describe_pace(monitor->plan, widest_margin_ns(monitor->setup->board), monitor->pace);
}

static void begin_sinks(struct monitor *monitor)
{
    const struct plan *plan = monitor->plan;
    const struct catalogue_entry *entry = plan->entry;
    const struct report_run run = {
        .version = monitor->setup->version,
        .command = entry->arguments[0],
        .custom = plan->language ? plan->script.file : NULL,
        .server = plan->endpoint.name,
        .tls = plan->tls.on ? describe_tls(plan, monitor->tls) : NULL,
        .cluster = plan->client.cluster ? describe_cluster(plan) : NULL,
        .user = plan->opening.config->user,
        .db = plan->opening.config->db,
        .resp3 = plan->opening.config->resp3,
        .driver = describe_driver(plan, monitor->driver),
        .engine = plan->client.driver == DRIVER_NATIVE ? plan->engine.name : "the library's",
        .library_clients = plan_library_clients(plan),
        .keys = describe_keys(plan, monitor->keys),
        .load = describe_load(plan, monitor->load),
        .pace = pace(monitor),
        .cpus = plan->cpus.count ? plan->cpus.text : NULL,
        .scheduled = plan->scheduled,
        .reads = entry->reads,
        .processes = plan->processes,
        .workers = plan->workers,
        .clients = plan->ramp.clients.end,
        .pipeline = plan->client.pipeline,
        .reconnect_interval = plan->client.reconnect_interval,
        .data_bytes = plan->source.data_bytes,
        .seed = plan->source.keys.seed,
        .cores = cores_usable(&plan->cpus),
        .requests = plan->requests,
        .start_ns = monitor->start_ns,
        .start_unix_ns = clock_unix_ns() + (monitor->start_ns - clock_now_ns()),
    };
    struct report_sink **sinks = monitor->setup->sinks;

    for (unsigned i = 0; sinks[i]; i++) {
        sinks[i]->ops->begin(sinks[i], &run);
        monitor->next_ns[i] =
            sinks[i]->period_ns ? monitor->start_ns + sinks[i]->period_ns : CLOCK_NEVER;
    }
}

static void start(struct monitor *monitor)
{
    monitor->start_ns = clock_now_ns() + START_DELAY_NS;
    monitor->watch.quiet_since_ns = monitor->start_ns;
    outage_start(&monitor->outages, monitor->start_ns);
    log_write(monitor->setup->log, LOG_INFO, "%u clients are up; the run begins",
              monitor->watch.most_up);
    begin_sinks(monitor);
    atomic_store_explicit(&monitor->header->start_ns, monitor->start_ns, memory_order_release);
    crew_wake(monitor->setup->crew);
}

/* A run whose results nobody reads is over; beside them (progress beside a CSV) all may fail. */
static void check_output(struct monitor *monitor, const struct report_sink *sink, uint64_t now_ns)
{
    if (sink->failure && sink->out == stdout)
        stop(monitor, STOP_OUTPUT, now_ns);
}

/* Gives each sink whose time has come a snapshot. Times that were missed are not made up for: the
 * next interval is longer, and says so by its time. */
static void feed_sinks(struct monitor *monitor, uint64_t now_ns)
{
    struct report_sink **sinks = monitor->setup->sinks;
    bool taken = false;

    for (unsigned i = 0; sinks[i]; i++) {
        if (now_ns < monitor->next_ns[i])
            continue;
        if (!taken)
            board_read(monitor->setup->board, &monitor->now, now_ns);
        taken = true;
        sinks[i]->ops->interval(sinks[i], &monitor->now);
        while (monitor->next_ns[i] <= now_ns)
            monitor->next_ns[i] += sinks[i]->period_ns;
        check_output(monitor, sinks[i], now_ns);
    }
}

static uint64_t next_deadline_ns(const struct monitor *monitor, uint64_t now_ns)
{
    uint64_t deadline_ns = now_ns + WATCH_PERIOD_NS;
    const uint64_t least_ns = monitor->start_ns + monitor->plan->least_ns;

    for (unsigned i = 0; monitor->setup->sinks[i]; i++)
        deadline_ns = earlier(deadline_ns, monitor->next_ns[i]);
    return least_ns > now_ns ? earlier(deadline_ns, least_ns) : deadline_ns;
}

/* A scheduled run lasts as long as its schedule, also when all its requests have been answered. */
static bool has_ended(const struct monitor *monitor, uint64_t now_ns)
{
    return watch_all_ended(&monitor->watch) &&
           (stopping(monitor) || monitor->watch.lost > 0 ||
            now_ns >= monitor->start_ns + monitor->plan->least_ns);
}

/* Workers that have no client learn that the others have taken the last requests. */
static void tell_last_taken(struct monitor *monitor)
{
    const struct plan *plan = monitor->plan;

    if (monitor->told_last || plan->scheduled || !plan->requests ||
        atomic_load_explicit(&monitor->header->claimed, memory_order_relaxed) < plan->requests)
        return;
    monitor->told_last = true;
    crew_wake(monitor->setup->crew);
}

static void count_outages(const struct monitor *monitor, uint64_t now_ns, struct outage_look *look)
{
    board_count(monitor->setup->board, look);
    look->time_ns = now_ns;
    look->clients = monitor->watch.wanted_clients;
    look->outstanding = monitor->watch.outstanding;
}

static void look_for_outages(struct monitor *monitor, uint64_t now_ns)
{
    struct outage_look look;

    count_outages(monitor, now_ns, &look);
    outage_look(&monitor->outages, &look);
}

static void watch_run(struct monitor *monitor)
{
    uint64_t now_ns = clock_now_ns();

    for (unsigned i = 0; monitor->setup->sinks[i]; i++)
        check_output(monitor, monitor->setup->sinks[i], now_ns);

    for (;;) {
        look(monitor, now_ns);
        look_for_outages(monitor, now_ns);
        feed_sinks(monitor, now_ns);
        if (has_ended(monitor, now_ns))
            return;
        tell_last_taken(monitor);
        if (watch_gave_up(&monitor->watch, now_ns))
            stop(monitor, STOP_GAVE_UP, now_ns);
        /* What keeps one worker from its turns will keep the others. */
        if (monitor->plan->language && watch_any_hung(&monitor->watch))
            stop(monitor, STOP_HUNG, now_ns);
        wait_for_news(monitor, now_ns, next_deadline_ns(monitor, now_ns));
        now_ns = clock_now_ns();
    }
}

static bool end_sinks(struct monitor *monitor, const struct report_end *end)
{
    struct report_sink **sinks = monitor->setup->sinks;
    bool written = true;

    for (unsigned i = 0; sinks[i]; i++) {
        sinks[i]->ops->end(sinks[i], end);
        /* A reader that has gone away has seen what it wanted. */
        if (sinks[i]->failure && sinks[i]->failure != EPIPE && sinks[i]->failure != EINTR)
            fprintf(stderr, "Could not write the results: %s.\n", strerror(sinks[i]->failure));
        written &= sinks[i]->failure == 0 || sinks[i]->out != stdout;
    }
    return written;
}

static enum run_exit finish(struct monitor *monitor)
{
    const uint64_t now_ns = clock_now_ns();
    struct outage_look last;
    struct ending ending;

    look(monitor, now_ns);
    board_read(monitor->setup->board, &monitor->now, now_ns);
    ending_init(&ending, &monitor->watch, &monitor->now, now_ns);
    count_outages(monitor, now_ns, &last);
    outage_end(&monitor->outages, &last);
    ending.end.outages = &monitor->outages;
    log_write(monitor->setup->log, LOG_INFO, "the run has ended: %s",
              ending.end.ending ? ending.end.ending : "complete");
    const bool written = end_sinks(monitor, &ending.end);
    if (monitor->signal)
        return RUN_INTERRUPTED;
    return ending_is_early(&ending) || !written ? RUN_ENDED_EARLY : RUN_COMPLETE;
}

/* After a start that failed: the workers are told, and given the time to hear of it. */
static void call_off(struct monitor *monitor)
{
    const uint64_t until_ns = clock_now_ns() + CLOCK_NS_PER_S;

    stop(monitor, STOP_FAILED, clock_now_ns());
    for (uint64_t now_ns = clock_now_ns(); now_ns < until_ns; now_ns = clock_now_ns()) {
        look(monitor, now_ns);
        if (watch_all_ended(&monitor->watch))
            return;
        wait_for_news(monitor, now_ns, now_ns + WATCH_PERIOD_NS / 10);
    }
}

struct monitor_result monitor_run(const struct monitor_setup *setup, struct err *err)
{
    struct monitor monitor = {.setup = setup, .plan = setup->plan, .header = setup->board->header};
    struct monitor_result result = {.exit = RUN_NOT_STARTED};

    watch_init(&monitor.watch, setup->plan, setup->board, setup->crew);
    messages_init(&monitor.messages, setup->log);
    snapshot_init(&monitor.now);
    if (wait_until_ready(&monitor, err) < 0) {
        call_off(&monitor);
    } else {
        start(&monitor);
        watch_run(&monitor);
        result.exit = finish(&monitor);
    }
    result.hung = !watch_all_ended(&monitor.watch) || watch_any_hung(&monitor.watch);
    snapshot_deinit(&monitor.now);
    watch_deinit(&monitor.watch);
    return result;
}
