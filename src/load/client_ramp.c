/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/client_ramp.h"

#include <assert.h>
#include <inttypes.h>

#include "base/wide.h"

#define FIELD(member) offsetof(struct client_ramp_config, member)

/* clang-format off */
const struct option_spec client_ramp_options[] = {
    {.name = "clients-ramp-start", .group = OPTION_RAMP, .read = option_read_count,
     .offset = FIELD(start), .value = "N", .help = "clients at the start, in all", .min = 1},
    {.name = "clients-ramp-end", .group = OPTION_RAMP, .read = option_read_count,
     .offset = FIELD(end), .value = "N", .help = "clients at the end, in all", .min = 1},
    {.name = "client-ramp-interval", .group = OPTION_RAMP, .read = option_read_duration,
     .offset = FIELD(interval_ns), .value = "S", .help = "how long a step of the ramp lasts",
     .min = 1},
    {.name = "clients-per-ramp", .group = OPTION_RAMP, .read = option_read_count,
     .offset = FIELD(per_step), .value = "N", .help = "linear: clients that a step adds, in all",
     .min = 1},
    {.name = "client-ramp-mode", .group = OPTION_RAMP, .read = option_read_choice,
     .offset = FIELD(mode), .initial = "linear", .value = "MODE",
     .help = "linear or exponential steps", .choices = "linear|exponential"},
    {.name = "client-ramp-factor", .group = OPTION_RAMP, .read = option_read_rate,
     .offset = FIELD(factor_micro), .value = "F",
     .help = "exponential: what a step multiplies the clients by; above 1", .min = 1000001},
    {0},
};
/* clang-format on */

static const struct ramp_names names = {
    .start = "--clients-ramp-start",
    .end = "--clients-ramp-end",
    .change = "--clients-per-ramp",
    .factor = "--client-ramp-factor",
    .interval = "--client-ramp-interval",
    .mode = "--client-ramp-mode",
};

static struct ramp ramp_of(const struct client_ramp_config *config)
{
    return (struct ramp){
        .start = config->start,
        .end = config->end,
        .change = config->per_step,
        .factor_micro = config->factor_micro,
        .interval_ns = config->interval_ns,
        .mode = config->mode,
    };
}

bool client_ramp_wanted(const struct client_ramp_config *config)
{
    const struct ramp ramp = ramp_of(config);

    return ramp_given(&ramp, &names) != NULL;
}

int client_ramp_init(struct client_ramp *ramp, const struct client_ramp_config *config,
                     struct err *err)
{
    assert(client_ramp_wanted(config));
    ramp->clients = ramp_of(config);
    const int rc = ramp_check(&ramp->clients, &names, err);

    if (rc)
        return rc;
    if (config->end < config->start)
        return err_set(err,
                       "--clients-ramp-end must be at least --clients-ramp-start, %" PRIu64
                       ", not %" PRIu64 ".",
                       config->start, config->end);
    if (config->mode == RAMP_LINEAR && config->per_step > config->end - config->start)
        return err_set(err,
                       "--clients-per-ramp must be at most the difference between "
                       "--clients-ramp-start and --clients-ramp-end, %" PRIu64 ", not %" PRIu64 ".",
                       config->end - config->start, config->per_step);
    return 0;
}

struct client_ramp client_ramp_fixed(uint64_t clients)
{
    return (struct client_ramp){.clients = {.start = clients, .end = clients}};
}

static uint64_t step_at(const struct client_ramp *ramp, uint64_t time_ns)
{
    return ramp->clients.interval_ns ? time_ns / ramp->clients.interval_ns : 0;
}

uint64_t client_ramp_count(const struct client_ramp *ramp, uint64_t time_ns)
{
    return ramp_value(&ramp->clients, step_at(ramp, time_ns));
}

uint64_t client_ramp_next_ns(const struct client_ramp *ramp, uint64_t time_ns)
{
    if (client_ramp_count(ramp, time_ns) == ramp->clients.end)
        return UINT64_MAX;
    const wide_uint next_ns = ((wide_uint)step_at(ramp, time_ns) + 1) * ramp->clients.interval_ns;
    return next_ns < UINT64_MAX ? (uint64_t)next_ns : UINT64_MAX;
}
