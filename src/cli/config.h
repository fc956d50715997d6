/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config: the whole configuration, joined from that of the modules.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdbool.h>

#include "base/log.h"
#include "cli/options.h"
#include "cli/script_options.h"
#include "client/client.h"
#include "io/endpoint.h"
#include "io/engine.h"
#include "io/session.h"
#include "io/tls_config.h"
#include "io/uri.h"
#include "load/client_ramp.h"
#include "load/schedule.h"
#include "load/source.h"
#include "report/report.h"
#include "run/plan.h"
#include "script/script.h"

struct program_config {
    bool help, version, show_config;
};

struct config {
    struct program_config program;
    struct endpoint_config endpoint;
    struct session_config session;
    struct uri uri; /* what --uri said: the two above point into it */
    struct tls_config tls;
    struct engine_config engine;
    struct source_config source;
    struct script_config script;
    struct script_texts script_texts;
    struct client_config client;
    struct rate_config rate;
    struct client_ramp_config ramp;
    struct run_config run;
    struct report_config report;
    struct log_config log;
};

/* The tables of all modules, for options_create(). */
extern const struct option_table config_tables[];

/*
 * Settles what depends on which options were given: the server and the login that --uri names, a
 * password of the environment, the request limit of a run with a duration, a seed where there is
 * none. Returns 0, or -EINVAL with one sentence when options exclude one
 * another.
 */
int config_settle(struct config *config, const struct options *options, struct err *err);

/* Releases what config_settle() made; a zeroed one is fine. */
void config_deinit(struct config *config);

/* The parts that a plan is made of. */
struct plan_input config_plan_input(const struct config *config);

#endif
