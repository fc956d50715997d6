/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/worker.h"

#include <assert.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/crowding.h"
#include "run/custom.h"
#include "run/feed.h"
#include "run/pacer.h"
#include "run/recorder.h"
#include "stats/burst.h"

/* A loop turns at least this often, so that a turn counter that stands still means something. */
#define HEARTBEAT_NS (UINT64_C(500) * CLOCK_NS_PER_MS)

/* A pump ends after so many executions that were over at once. */
enum { ENDED_MAX = 64 };

struct worker {
    const struct worker_setup *setup;
    const struct plan *plan;
    struct board_header *header;
    struct board_slot *slot;
    struct loop *loop;
    struct tls_context *tls; /* NULL: without TLS */
    struct driver *driver;
    struct driver_setup driver_setup;
    struct source source;
    struct custom custom;
    struct executor *executor; /* of `custom`; NULL: a built-in test */
    struct recorder recorder;
    struct feed feed;
    struct pacer pacer;
    struct burst burst; /* on a schedule */
    uint64_t start_ns;
    uint64_t waited_ns;       /* by the loop, before T0 */
    struct crowding crowding; /* before T0 */
    uint64_t step_ns;         /* when more clients are to be opened */
    uint64_t busy_ns;         /* when a request was issued or ended last */
    bool issuing;             /* between T0 and the end of scheduling */
    bool pumping;             /* requests are being issued, further down on the stack */
    bool hurried;             /* the last pump ended before it had issued all it could */
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void set_state(struct worker *worker, enum worker_state state)
{
    const uint64_t one = 1;

    atomic_store_explicit(&worker->slot->state, state, memory_order_release);
    if (write(worker->setup->monitor_fd, &one, sizeof one) < 0)
        return; /* its counter is full: the monitor is awake already */
}

static void set_relaxed(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static void publish_burst(const struct worker *worker)
{
    const struct burst_counts *counts = &worker->burst.counts;

    set_relaxed(&worker->slot->burst_bins, counts->bins);
    set_relaxed(&worker->slot->burst_sum, counts->sum);
    set_relaxed(&worker->slot->burst_squares, counts->squares);
}

/* Takes the next request, to be issued now. Returns whether there is one. */
static inline bool take_next(struct worker *worker, uint64_t now_ns, struct request *request)
{
    if (feed_next(&worker->feed, now_ns, request) != FEED_REQUEST)
        return false;
    counter_add(&worker->slot->issued, 1);
    worker->busy_ns = now_ns;
    if (worker->plan->scheduled && burst_add(&worker->burst, now_ns))
        publish_burst(worker);
    return true;
}

/* Executions that send nothing end at once, and would be issued for ever: the loop has to turn. */
static void pump_executions(struct worker *worker, uint64_t now_ns)
{
    struct executor *executor = worker->executor;
    const uint64_t ended = executor->ended;
    struct request request;

    if (worker->pumping)
        return;
    worker->pumping = true;
    worker->hurried = false;
    while (worker->issuing && executor_free(executor) > 0 && !worker->hurried) {
        if (!take_next(worker, now_ns, &request))
            break;
        executor_submit(executor, &request);
        counter_add(&worker->slot->turns, 1); /* each step of user code has its own time */
        if (executor->ended != ended)
            worker->hurried =
                executor->ended - ended >= ENDED_MAX || clock_now_ns() - now_ns >= HEARTBEAT_NS;
    }
    worker->pumping = false;
}

static void pump_requests(struct worker *worker, uint64_t now_ns)
{
    struct request request;

    while (worker->issuing && worker->driver->free > 0) {
        if (!take_next(worker, now_ns, &request))
            return;
        const bool taken = driver_submit(worker->driver, &request);
        assert(taken);
        (void)taken;
    }
}

/* Issues what can be issued now. */
static void pump(struct worker *worker, uint64_t now_ns)
{
    if (worker->executor)
        pump_executions(worker, now_ns);
    else
        pump_requests(worker, now_ns);
}

static inline void record(struct worker *worker, const struct completion *completion)
{
    recorder_done(&worker->recorder, completion);
    if (completion->outcome != OUTCOME_UNANSWERED)
        worker->busy_ns = later(worker->busy_ns, completion->replied_ns);
}

/* All of what follows a reply, joined. */
__attribute__((flatten)) static void on_done(void *context, const struct completion *completion)
{
    record(context, completion);
    pump_requests(context, completion->replied_ns);
}

static void on_execution_done(void *context, const struct completion *completion)
{
    record(context, completion);
    pump_executions(context, completion->replied_ns);
}

/* The driver's requests are commands of executions, which go on with them. */
static void on_command_done(void *context, const struct completion *completion)
{
    struct worker *worker = context;

    executor_done(worker->executor, completion);
    counter_add(&worker->slot->turns, 1);
}

static void on_answered(void *context, uint32_t commands)
{
    struct worker *worker = context;

    counter_add(&worker->slot->events[EVENT_COMMAND], commands);
}

static void on_event(void *context, enum event event, struct str text, uint64_t now_ns)
{
    struct worker *worker = context;

    recorder_event(&worker->recorder, event, text, now_ns);
}

static void on_connected(void *context, const struct dial_times *times)
{
    struct worker *worker = context;

    recorder_connected(&worker->recorder, times);
}

static int create_driver(struct worker *worker, unsigned clients, struct err *err)
{
    const struct plan *plan = worker->plan;
    const unsigned number = worker->setup->number;

    worker->driver_setup = (struct driver_setup){
        .loop = worker->loop,
        .endpoint = &plan->endpoint,
        .opening = &plan->opening,
        .tls = worker->tls,
        .cluster = plan->cluster,
        .source = &worker->source,
        .config = &plan->client,
        .connect_timeout_ns = plan->connect_timeout_ns,
        .tls_config = &plan->tls,
        .wake_fd = worker->setup->wake_fd,
        .seed = plan->source.keys.seed,
        .first = number,
        .stride = plan->workers,
        .clients_max = clients,
        .listener = {worker->executor ? on_command_done : on_done, on_event, on_connected, worker}};
    const int rc =
        client_driver(&plan->client)->create(&worker->driver, &worker->driver_setup, err);
    if (rc == 0 && worker->executor)
        worker->executor->driver = worker->driver;
    return rc;
}

static int create(struct worker *worker, struct err *err)
{
    const struct plan *plan = worker->plan;
    const unsigned number = worker->setup->number;

    int rc = source_init(&worker->source, &plan->source, number, err);
    if (rc < 0)
        return rc;
    recorder_init(&worker->recorder, worker->slot, source_name(&worker->source), plan->scheduled,
                  source_reads(&worker->source));
    feed_init(&worker->feed, plan, worker->setup->board, number);
    const unsigned clients = plan_clients_of(plan, plan->ramp.clients.end, number);
    const struct loop_setup loop_setup = {.wake_fd = worker->setup->wake_fd,
                                          .channels = (unsigned)plan_connections_of(plan, clients)};
    rc = plan->engine.ops->create(&worker->loop, &loop_setup, err);
    if (rc == 0 && plan->tls.on)
        rc = tls_context_create(&worker->tls, &plan->tls, plan->endpoint.host, err);
    if (rc == 0 && plan->language) {
        const struct custom_listener listener = {on_execution_done, on_answered, worker};

        rc = custom_init(&worker->custom, plan, number, &listener, err);
        worker->executor = worker->custom.executor;
        worker->source.commands = rc == 0 ? worker->executor->commands : NULL;
    }
    return rc < 0 ? rc : create_driver(worker, clients, err);
}

static void release(struct worker *worker)
{
    driver_destroy(&worker->driver);
    custom_deinit(&worker->custom);
    tls_context_destroy(&worker->tls);
    loop_destroy(&worker->loop);
    source_deinit(&worker->source);
}

/* Opens the clients that the ramp wants at this time, and notes when it wants more. */
static void open_clients(struct worker *worker, uint64_t now_ns)
{
    const struct client_ramp *ramp = &worker->plan->ramp;
    const uint64_t since_ns = worker->start_ns ? now_ns - worker->start_ns : 0;
    const unsigned wanted =
        plan_clients_of(worker->plan, client_ramp_count(ramp, since_ns), worker->setup->number);
    const uint64_t next_ns = client_ramp_next_ns(ramp, since_ns);

    worker->step_ns = CLOCK_NEVER;
    if (worker->start_ns && next_ns < CLOCK_NEVER - worker->start_ns)
        worker->step_ns = worker->start_ns + next_ns;
    atomic_store_explicit(&worker->slot->wanted, wanted, memory_order_relaxed);
    worker->driver->ops->open(worker->driver, wanted, now_ns);
}

/* From here on the loop's time is that of the run. */
static void begin_effort(struct worker *worker)
{
    worker->waited_ns = worker->loop->waited_ns;
    crowding_read(&worker->crowding);
    worker->loop->longest_ns = 0;
}

/* How much of its time the loop works: whoever sees the results must know who was the limit. */
static void publish_effort(const struct worker *worker, uint64_t now_ns)
{
    const struct loop *loop = worker->loop;

    set_relaxed(&worker->slot->loop_ns, now_ns - worker->start_ns);
    set_relaxed(&worker->slot->waited_ns, loop->waited_ns - worker->waited_ns);
    set_relaxed(&worker->slot->longest_ns, loop->longest_ns);
    set_relaxed(&worker->slot->overflows, loop->overflows);
}

/* Also how long the loop had no core to work on, which is known at its end alone. */
static void publish_crowding(const struct worker *worker)
{
    const uint64_t loop_ns = atomic_load_explicit(&worker->slot->loop_ns, memory_order_relaxed);
    const uint64_t waited_ns = worker->loop->waited_ns - worker->waited_ns;

    set_relaxed(
        &worker->slot->crowded_ns,
        crowding_since_ns(&worker->crowding, loop_ns > waited_ns ? loop_ns - waited_ns : 0));
}

/* Requests that are under way. */
static unsigned in_flight(const struct worker *worker)
{
    return worker->executor ? worker->executor->running : worker->driver->in_flight;
}

/* When the first of the executions that wait for a slot is to be given up. */
static uint64_t executor_wake_ns(const struct worker *worker)
{
    return worker->executor ? worker->executor->tick_ns : CLOCK_NEVER;
}

/* One turn of the loop with all that belongs to it but issuing. Returns the time. */
static uint64_t turn(struct worker *worker, uint64_t deadline_ns)
{
    struct driver *driver = worker->driver;
    const uint64_t now_ns =
        driver_turn(driver, worker->loop, earlier(deadline_ns, executor_wake_ns(worker)));

    if (worker->executor && worker->executor->waiting > 0)
        executor_tick(worker->executor, now_ns);
    atomic_store_explicit(&worker->slot->up, driver->up, memory_order_relaxed);
    atomic_store_explicit(&worker->slot->in_flight, in_flight(worker), memory_order_relaxed);
    counter_add(&worker->slot->turns, 1);
    publish_effort(worker, now_ns);
    return now_ns;
}

static bool told_to_stop(const struct worker *worker)
{
    return atomic_load_explicit(&worker->header->stop_ns, memory_order_acquire) != 0;
}

/* Learns how early this thread has to wake up, while nothing else goes on. */
static void calibrate(struct worker *worker)
{
    worker->pacer.mode = worker->plan->pace;
    if (worker->pacer.mode != PACE_HYBRID)
        return;
    pacer_calibrate(&worker->pacer, worker->loop);
    set_relaxed(&worker->slot->margin_ns, worker->pacer.margin_ns);
}

/* Dials, says ready, and goes on dialling until T0 has come. Returns the time; 0: stop. */
static uint64_t wait_for_start(struct worker *worker)
{
    const struct driver *driver = worker->driver;
    uint64_t now_ns = clock_now_ns();
    bool ready = false;

    open_clients(worker, now_ns);
    while (!worker->start_ns || now_ns < worker->start_ns) {
        const uint32_t wanted = atomic_load_explicit(&worker->slot->wanted, memory_order_relaxed);

        if (told_to_stop(worker))
            return 0;
        if (!ready && driver->up == wanted) {
            ready = true;
            set_state(worker, WORKER_READY);
        }
        const uint64_t pause_ns = now_ns + HEARTBEAT_NS;
        now_ns = turn(worker, worker->start_ns ? pacer_deadline_ns(&worker->pacer, now_ns,
                                                                   worker->start_ns, pause_ns)
                                               : pause_ns);
        worker->start_ns = atomic_load_explicit(&worker->header->start_ns, memory_order_acquire);
    }
    return now_ns;
}

static void end_burst(struct worker *worker, uint64_t now_ns)
{
    if (!worker->plan->scheduled)
        return;
    burst_end(&worker->burst, earlier(now_ns, worker->feed.end_ns));
    publish_burst(worker);
}

/* Issues requests until there are no more, or the run is told to stop. Returns the time. */
static uint64_t issue(struct worker *worker, uint64_t now_ns)
{
    worker->issuing = true;
    begin_effort(worker);
    feed_start(&worker->feed, worker->start_ns);
    burst_start(&worker->burst, worker->start_ns);
    open_clients(worker, now_ns);
    set_state(worker, WORKER_RUNNING);
    for (;;) {
        if (told_to_stop(worker))
            feed_stop(&worker->feed,
                      atomic_load_explicit(&worker->header->stop_ns, memory_order_relaxed));
        if (now_ns >= worker->step_ns)
            open_clients(worker, now_ns);
        pump(worker, now_ns);
        /* What was due before the end and found a slot has left by now. */
        if (feed_is_over(&worker->feed, now_ns) || now_ns >= worker->feed.end_ns)
            break;
        const bool ready = worker->plan->scheduled && worker->driver->free > 0;
        const uint64_t due_ns = ready ? worker->feed.due_ns : CLOCK_NEVER;
        uint64_t else_ns = earlier(now_ns + HEARTBEAT_NS, worker->step_ns);
        if (worker->hurried)
            else_ns = now_ns;
        else_ns = earlier(else_ns, worker->feed.end_ns);
        now_ns = turn(worker, pacer_deadline_ns(&worker->pacer, now_ns, due_ns, else_ns));
    }
    worker->issuing = false;
    end_burst(worker, now_ns);
    return now_ns;
}

/* Until when what is in flight is awaited. A run that is given up has waited long enough. */
static uint64_t drain_end_ns(const struct worker *worker, uint64_t stopped_ns)
{
    const uint64_t end_ns = stopped_ns + plan_drain_ns(worker->plan, false);
    const uint64_t told_ns = atomic_load_explicit(&worker->header->stop_ns, memory_order_acquire);
    const uint32_t reason =
        atomic_load_explicit(&worker->header->stop_reason, memory_order_relaxed);

    if (!told_ns)
        return end_ns;
    return reason == STOP_GAVE_UP ? told_ns
                                  : earlier(end_ns, told_ns + plan_drain_ns(worker->plan, true));
}

/* Awaits what is in flight, within the bound that the end of the run has. Returns the time. */
static uint64_t drain(struct worker *worker, uint64_t now_ns)
{
    const uint64_t stopped_ns = now_ns;

    while (in_flight(worker) > 0) {
        const uint64_t deadline_ns = drain_end_ns(worker, stopped_ns);

        if (now_ns >= deadline_ns)
            break;
        const uint64_t else_ns = earlier(deadline_ns, now_ns + HEARTBEAT_NS);
        now_ns = turn(worker, pacer_deadline_ns(&worker->pacer, now_ns, CLOCK_NEVER, else_ns));
    }
    return now_ns;
}

/* The run lasted, for this worker, until its last request ended, or until the time at which it
 * had to stop: not until it heard that others had done the rest. */
static void publish_end(struct worker *worker, uint64_t now_ns)
{
    const bool waited = in_flight(worker) > 0;
    uint64_t end_ns = worker->feed.end_ns < now_ns ? worker->feed.end_ns : worker->busy_ns;

    if (end_ns < worker->busy_ns)
        end_ns = worker->busy_ns;
    atomic_store_explicit(&worker->slot->stopped_ns, waited ? now_ns : end_ns,
                          memory_order_relaxed);
}

/* Gives the thread its CPU of --cpus. What it touches first from here on lies near that. */
static int pin(const struct worker *worker, struct err *err)
{
    const struct cpu_list *cpus = &worker->plan->cpus;
    cpu_set_t set;

    if (cpus->count == 0)
        return 0;
    const unsigned cpu = plan_cpu_of(worker->plan, worker->setup->number);
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        return 0;
    return err_sys(err, "Could not pin worker %u to CPU %u", worker->setup->number, cpu);
}

void worker_run(const struct worker_setup *setup)
{
    struct worker worker = {.setup = setup,
                            .plan = setup->plan,
                            .header = setup->board->header,
                            .slot = &setup->board->slots[setup->number],
                            .step_ns = CLOCK_NEVER};
    struct err err;

    /* Deadlines to the nanosecond: without this the kernel adds up to 50 us to each wait. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (pin(&worker, &err) < 0 || create(&worker, &err) < 0) {
        board_put_text(worker.slot, BOARD_TEXT_FAILURE, str_of(err.text));
        release(&worker);
        set_state(&worker, WORKER_FAILED);
        return;
    }
    calibrate(&worker);
    uint64_t now_ns = wait_for_start(&worker);
    if (now_ns) {
        now_ns = drain(&worker, issue(&worker, now_ns));
        publish_crowding(&worker);
        recorder_library(&worker.recorder, worker.driver);
        publish_end(&worker, now_ns);
    }
    if (worker.executor)
        executor_abandon(worker.executor, now_ns);
    worker.driver->ops->abandon(worker.driver, now_ns);
    release(&worker);
    set_state(&worker, WORKER_FINISHED);
}
