/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/plan.h"

#include <errno.h>

#include "base/clock.h"
#include "run/board.h"
#include "run/cores.h"

#define DRAIN_MAX_NS       (UINT64_C(5) * CLOCK_NS_PER_S)
#define DRAIN_SIGNALLED_NS (UINT64_C(2) * CLOCK_NS_PER_S)

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int init_clients(struct plan *plan, const struct plan_input *input, struct err *err)
{
    if (client_ramp_wanted(input->ramp))
        return client_ramp_init(&plan->ramp, input->ramp, err);
    plan->ramp = client_ramp_fixed(input->client->clients);
    return 0;
}

/* When the run ends by the clock, and before when it does not. */
static void init_end(struct plan *plan)
{
    plan->end_ns = plan->duration_ns ? plan->duration_ns : CLOCK_NEVER;
    if (!plan->scheduled)
        return;
    plan->least_ns = plan->end_ns;
    if (plan->requests) {
        struct schedule_cursor cursor;
        schedule_cursor_init(&cursor, &plan->schedule);
        const uint64_t last_ns = schedule_due_ns(&plan->schedule, &cursor, plan->requests);
        plan->least_ns = least(plan->least_ns, last_ns);
    }
}

static void split(struct plan *plan, const struct run_config *run)
{
    /* On a schedule each worker owns its part of the requests from the start on, so each must have
     * a client by then; in a closed loop those without one claim nothing. */
    const uint64_t clients = plan->scheduled ? plan->ramp.clients.start : plan->ramp.clients.end;
    uint64_t processes = run->single_process ? 1 : run->processes;
    uint64_t threads = run->threads;

    if (processes == 0)
        processes = cores_usable(&run->cpus);
    processes = least(processes, clients);
    plan->folded = plan->language && plan->language->one_a_process && threads > 1;
    if (plan->folded)
        threads = 1;
    plan->wanted_workers = (unsigned)(processes * threads);
    plan->workers = (unsigned)least(plan->wanted_workers, clients);
    plan->workers = (unsigned)least(plan->workers, BOARD_WORKERS_MAX);
    plan->processes = (unsigned)least(processes, plan->workers);
}

int plan_init(struct plan *plan, const struct plan_input *input, struct err *err)
{
    const struct run_config *run = input->run;

    *plan = (struct plan){.source = *input->source,
                          .script = *input->script,
                          .print_fd = 1,
                          .client = *input->client,
                          .connect_timeout_ns = input->endpoint->connect_timeout_ns,
                          .give_up_ns = run->give_up_ns,
                          .pace = run->pace,
                          .cpus = run->cpus,
                          .requests = run->requests,
                          .duration_ns = run->duration_ns,
                          .scheduled = schedule_wanted(input->rate)};
    plan->entry = catalogue_find(input->source->type, err);
    if (!plan->entry)
        return -EINVAL;
    if (plan->entry->dictated)
        plan->language = script_language_of(plan->script.file, err);
    if (plan->entry->dictated && !plan->language)
        return -EINVAL;
    int rc = plan->client.cluster ? catalogue_check_slots(plan->entry, err) : 0;
    if (rc < 0)
        return rc;
    rc = keyspace_check(&input->source->keys, err);
    if (rc < 0)
        return rc;
    rc = cores_check(&run->cpus, err);
    if (rc < 0)
        return rc;
    rc = init_clients(plan, input, err);
    if (rc < 0)
        return rc;
    rc = plan->scheduled ? schedule_init(&plan->schedule, input->rate, err) : 0;
    if (rc < 0)
        return rc;
    init_end(plan);
    split(plan, run);
    return 0;
}

unsigned plan_clients_of(const struct plan *plan, uint64_t clients, unsigned worker)
{
    return (unsigned)schedule_share(clients, worker, plan->workers);
}

bool plan_reads_replicas(const struct plan *plan)
{
    return plan->client.read_from_replica && (plan->entry->reads || plan->language);
}

uint64_t plan_connections_of(const struct plan *plan, uint64_t clients)
{
    return plan->cluster ? clients * bulletin_newest(plan->cluster->bulletin)->node_count : clients;
}

unsigned plan_cpu_of(const struct plan *plan, unsigned worker)
{
    return plan->cpus.cpus[worker % plan->cpus.count];
}

uint64_t plan_drain_ns(const struct plan *plan, bool signalled)
{
    const uint64_t timeout_ns = plan->client.request_timeout_ns;
    const uint64_t drain_ns = timeout_ns ? least(timeout_ns, DRAIN_MAX_NS) : DRAIN_MAX_NS;

    return signalled ? least(drain_ns, DRAIN_SIGNALLED_NS) : drain_ns;
}
