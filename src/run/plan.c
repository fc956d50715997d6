/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/plan.h"

#include <errno.h>

#include "base/clock.h"
#include "run/board.h"
#include "run/cores.h"

/* What a client of GLIDE's library has open beside its connections, of which it makes two to each
 * node of a cluster. */
enum { GLIDE_FILES = 4 };

#define DRAIN_MAX_NS (UINT64_C(5) * CLOCK_NS_PER_S)
/* ... with a library, whose own timeouts come a little late, to hear of them. */
#define DRAIN_MARGIN_NS    (UINT64_C(200) * CLOCK_NS_PER_MS)
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

/* Clients of the library that none of the run's clients could use. */
static int check_glide(const struct plan *plan, struct err *err)
{
    const uint64_t clients = plan->ramp.clients.end;

    if (plan->client.driver != DRIVER_GLIDE || plan->client.glide.clients <= clients)
        return 0;
    return err_set(err,
                   "--glide-clients must be at most %llu, the number of clients that share them "
                   "(-c/--clients).",
                   (unsigned long long)clients);
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
    uint64_t clients = plan->scheduled ? plan->ramp.clients.start : plan->ramp.clients.end;
    uint64_t processes = run->single_process ? 1 : run->processes;
    uint64_t threads = run->threads;

    if (plan->client.glide.clients)
        clients = least(clients, plan->client.glide.clients);
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
    if (rc == 0)
        rc = check_glide(plan, err);
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
    const uint64_t nodes = plan->cluster ? bulletin_newest(plan->cluster->bulletin)->node_count : 1;
    const uint64_t shared = plan->client.glide.clients;

    if (plan->client.driver == DRIVER_GLIDE)
        return (shared ? shared : clients) * (GLIDE_FILES + nodes * (plan->cluster ? 2 : 1));
    return clients * nodes;
}

uint64_t plan_library_clients(const struct plan *plan)
{
    const uint64_t shared = plan->client.glide.clients;

    if (plan->client.driver == DRIVER_NATIVE)
        return 0;
    return shared ? shared : plan->ramp.clients.end;
}

unsigned plan_cpu_of(const struct plan *plan, unsigned worker)
{
    return plan->cpus.cpus[worker % plan->cpus.count];
}

uint64_t plan_drain_ns(const struct plan *plan, bool signalled)
{
    const uint64_t timeout_ns = plan->client.request_timeout_ns;
    uint64_t drain_ns = timeout_ns ? least(timeout_ns, DRAIN_MAX_NS) : DRAIN_MAX_NS;

    if (plan->client.driver == DRIVER_GLIDE)
        drain_ns += GLIDE_GRACE_NS + DRAIN_MARGIN_NS;
    return signalled ? least(drain_ns, DRAIN_SIGNALLED_NS) : drain_ns;
}
