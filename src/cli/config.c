/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/config.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"

#define FIELD(member) offsetof(struct program_config, member)

/* clang-format off */
static const struct option_spec program_options[] = {
    {.name = "help", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(help), .help = "print this help"},
    {.name = "version", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(version), .help = "print the versions of the program and what it is made of"},
    {.name = "show-config", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(show_config),
     .help = "print the effective settings and their split over workers, without a run"},
    {0},
};

const struct option_table config_tables[] = {
    {program_options, offsetof(struct config, program)},
    {endpoint_options, offsetof(struct config, endpoint)},
    {engine_options, offsetof(struct config, engine)},
    {source_options, offsetof(struct config, source)},
    {keyspace_options, offsetof(struct config, source.keys)},
    {client_options, offsetof(struct config, client)},
    {rate_options, offsetof(struct config, rate)},
    {client_ramp_options, offsetof(struct config, ramp)},
    {run_options, offsetof(struct config, run)},
    {report_options, offsetof(struct config, report)},
    {log_options, offsetof(struct config, log)},
    {NULL, 0},
};
/* clang-format on */

static int check_pairs(const struct config *config, const struct options *options, struct err *err)
{
    const bool keyspace = config->source.keys.random || config->source.keys.sequential;

    if (options_given(options, "keyspace-offset") && !keyspace)
        return err_set(err, "--keyspace-offset needs a keyspace: -r/--random or --sequential.");
    if (options_given(options, "clients") && client_ramp_wanted(&config->ramp))
        return err_set(err, "-c/--clients and a client ramp exclude one another: leave out one of "
                            "-c and --clients-ramp-start.");
    if (config->run.single_process && options_given(options, "processes") &&
        config->run.processes != 1)
        return err_set(err, "--single-process is --processes 1: leave out one of the two.");
    if (config->run.local_server && options_given(options, "host"))
        return err_set(err, "--local-server starts its own server on 127.0.0.1: leave out --host.");
    return 0;
}

int config_settle(struct config *config, const struct options *options, struct err *err)
{
    const int rc = check_pairs(config, options, err);

    if (rc < 0)
        return rc;
    if (config->run.duration_ns && !options_given(options, "requests"))
        config->run.requests = 0;
    if (config->run.local_server && !options_given(options, "port"))
        config->endpoint.port = 0;
    if (!options_given(options, "seed"))
        /* Short enough to be typed again. */
        config->source.keys.seed =
            rng_mix(clock_unix_ns() ^ ((uint64_t)getpid() << 32)) % UINT64_C(1000000000);
    return 0;
}

struct plan_input config_plan_input(const struct config *config)
{
    return (struct plan_input){.run = &config->run,
                               .endpoint = &config->endpoint,
                               .source = &config->source,
                               .client = &config->client,
                               .rate = &config->rate,
                               .ramp = &config->ramp};
}
