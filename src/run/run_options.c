/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "run/board.h"
#include "run/pacer.h"
#include "run/plan.h"

#define FIELD(member) offsetof(struct run_config, member)

/* A count, or "auto", which is 0. */
static int read_processes(const struct option_spec *spec, void *field, const char *text,
                          struct err *err)
{
    uint64_t *processes = field;

    if (strcasecmp(text, "auto") == 0) {
        *processes = 0;
        return 0;
    }
    if (units_read_count(text, processes) && *processes >= spec->min && *processes <= spec->max)
        return 0;
    return err_set(err, "--processes must be a whole number from 1 to %u or \"auto\", not \"%s\".",
                   (unsigned)spec->max, text);
}

static int read_cpus(const struct option_spec *spec, void *field, const char *text, struct err *err)
{
    return cpu_list_read(field, text, spec->name, err);
}

/* A switch with a value that may be left out: two fields, side by side. */
static int read_local_server(const struct option_spec *spec, void *field, const char *text,
                             struct err *err)
{
    struct run_config *config = (struct run_config *)(void *)((char *)field - spec->offset);

    (void)err;
    config->local_server = true;
    config->local_server_program = text && *text ? text : NULL;
    return 0;
}

/* clang-format off */
const struct option_spec run_options[] = {
    {.name = "requests", .letters = "n", .group = OPTION_BASIC, .read = option_read_count,
     .offset = FIELD(requests), .initial = "100000", .value = "N", .min = 1,
     .help = "requests in all; with --test-duration no limit unless given"},
    {.name = "test-duration", .group = OPTION_ADVANCED, .read = option_read_duration,
     .offset = FIELD(duration_ns), .value = "TIME", .min = 1,
     .help = "run for this long: 30, 1.5, 250ms, 30s, 5m, 1h"},
    {.name = "threads", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(threads), .initial = "1", .value = "N", .min = 1, .max = BOARD_WORKERS_MAX,
     .help = "worker threads a process"},
    {.name = "local-server", .group = OPTION_ADVANCED, .read = read_local_server,
     .offset = FIELD(local_server), .value = "[PROGRAM]",
     .help = "start a throwaway server for this run, on a free port unless --port is given; with "
             "--cluster three primaries and their replicas, with --tls certificates for it"},
    {.name = "pace", .group = OPTION_RATE, .read = option_read_choice, .offset = FIELD(pace),
     .initial = "sleep", .value = "MODE", .choices = PACE_CHOICES,
     .help = "wait for what is due by sleep, by sleep and a last bit of polling (hybrid), or by "
             "polling only (spin)"},
    {.name = "processes", .group = OPTION_PROCESSES, .read = read_processes,
     .offset = FIELD(processes), .initial = "auto", .value = "N", .min = 1, .max = BOARD_WORKERS_MAX,
     .help = "worker processes; auto: as many as there are cores, or clients if they are fewer"},
    {.name = "single-process", .group = OPTION_PROCESSES, .read = option_read_switch,
     .offset = FIELD(single_process),
     .help = "the same as --processes 1"},
    {.name = "cpus", .group = OPTION_PROCESSES, .read = read_cpus, .offset = FIELD(cpus),
     .value = "LIST",
     .help = "pin the workers to these CPUs, one after another: 0-3,8"},
    {.name = "give-up", .group = OPTION_TIMEOUTS, .read = option_read_duration,
     .offset = FIELD(give_up_ns), .initial = "30", .value = "TIME",
     .help = "end the run when nothing has been answered for this long; 0: never"},
    {0},
};
/* clang-format on */
