/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "run/pacer.h"

enum { NUMBER_MAX = 32 };

const char *describe_keys(const struct plan *plan, char *text)
{
    const struct keyspace_config *keys = &plan->source.keys;
    char count[NUMBER_MAX];

    if (keys->random)
        snprintf(text, DESCRIBE_MAX, "random, %s keys from %" PRIu64,
                 units_write_count(keys->random, count, sizeof count), keys->offset);
    else if (keys->sequential)
        snprintf(text, DESCRIBE_MAX, "sequential, %s keys from %" PRIu64 "%s",
                 units_write_count(keys->sequential, count, sizeof count), keys->offset,
                 keys->random_start ? ", from a random start" : "");
    else
        snprintf(text, DESCRIBE_MAX, "each worker's own, in sequence");
    return text;
}

static void describe_ramp(const struct ramp *rates, char *text)
{
    char start[NUMBER_MAX], end[NUMBER_MAX], step[NUMBER_MAX], interval[NUMBER_MAX];
    const bool linear = rates->mode == RAMP_LINEAR;

    units_write_micro(rates->start, start, sizeof start);
    units_write_micro(rates->end, end, sizeof end);
    units_write_micro(linear ? rates->change : rates->factor_micro, step, sizeof step);
    units_write_micro(rates->interval_ns / CLOCK_NS_PER_US, interval, sizeof interval);
    snprintf(text, DESCRIBE_MAX, "open loop, %s to %s requests a second, %s %s each %s s", start,
             end, linear ? "by" : "times", step, interval);
}

const char *describe_load(const struct plan *plan, char *text)
{
    const struct ramp *rates = &plan->schedule.rates;
    char rate[NUMBER_MAX];

    if (!plan->scheduled)
        snprintf(text, DESCRIBE_MAX, "closed loop");
    else if (rates->start == rates->end)
        snprintf(text, DESCRIBE_MAX, "open loop, %s requests a second",
                 units_write_micro(rates->end, rate, sizeof rate));
    else
        describe_ramp(rates, text);
    return text;
}

const char *describe_pace(const struct plan *plan, uint64_t margin_ns, char *text)
{
    static const char *const names[] = {
        [PACE_SLEEP] = "sleep", [PACE_HYBRID] = "hybrid", [PACE_SPIN] = "spin"};
    const int len = snprintf(text, DESCRIBE_MAX, "%s", names[plan->pace]);

    if (margin_ns)
        snprintf(text + len, DESCRIBE_MAX - (size_t)len, ", margin %" PRIu64 " us",
                 margin_ns / CLOCK_NS_PER_US);
    return text;
}

const char *describe_driver(const struct plan *plan, char *text)
{
    if (plan->client.driver == DRIVER_NATIVE)
        return driver_standalone.name;
    snprintf(text, DESCRIBE_DRIVER_MAX, "valkey-GLIDE 2.%u (%s)", plan->glide_minor,
             plan->client.glide.library);
    return text;
}

const char *describe_tls(const struct plan *plan, char *text)
{
    /* of the connection that was tried: how a library's are it does not tell */
    const char *agreed = plan->client.driver == DRIVER_NATIVE ? plan->tls_agreed : "";

    if (!plan->tls.on)
        return "no";
    snprintf(text, DESCRIBE_MAX, "%s%s%s", plan->tls.insecure ? "not verified" : "verified",
             agreed[0] ? ", " : "", agreed);
    return text;
}

const char *describe_cluster(const struct plan *plan)
{
    if (!plan->client.cluster)
        return "no";
    return plan_reads_replicas(plan) ? "yes, reads from replicas" : "yes";
}

static void print_limit(FILE *out, const char *name, uint64_t value, bool is_time)
{
    char text[NUMBER_MAX];

    if (value == 0)
        snprintf(text, sizeof text, "no limit");
    else if (is_time)
        units_write_micro(value / CLOCK_NS_PER_US, text, sizeof text);
    else
        units_write_count(value, text, sizeof text);
    fprintf(out, "%s: %s%s\n", name, text, is_time && value ? " s" : "");
}

static void print_clients(const struct plan *plan, FILE *out)
{
    const struct ramp *ramp = &plan->ramp.clients;
    char text[NUMBER_MAX], step[NUMBER_MAX];

    if (ramp->interval_ns == 0) {
        fprintf(out, "Clients: %" PRIu64 "\n", ramp->end);
        return;
    }
    units_write_micro(ramp->interval_ns / CLOCK_NS_PER_US, text, sizeof text);
    if (ramp->mode == RAMP_LINEAR)
        snprintf(step, sizeof step, "%" PRIu64 " more", ramp->change);
    else
        snprintf(step, sizeof step, "times %g", (double)ramp->factor_micro / 1e6);
    fprintf(out, "Clients: %" PRIu64 " to %" PRIu64 ", %s each %s s\n", ramp->start, ramp->end,
            step, text);
}

static void print_split(const struct plan *plan, FILE *out)
{
    if (plan->cpus.count)
        fprintf(out, "CPUs: %s\n", plan->cpus.text);
    fprintf(out, "Processes: %u\nWorkers: %u\n", plan->processes, plan->workers);
    for (unsigned i = 0; i < plan->workers; i++) {
        fprintf(out, "  worker %u: process %u, %u clients", i, i % plan->processes,
                plan_clients_of(plan, plan->ramp.clients.end, i));
        if (plan->cpus.count)
            fprintf(out, ", CPU %u", plan_cpu_of(plan, i));
        if (plan->scheduled && plan->requests)
            fprintf(out, ", %" PRIu64 " requests",
                    schedule_share(plan->requests, i, plan->workers));
        if (plan->scheduled)
            fprintf(out, ", requests %u, %u, ... of the schedule", i, i + plan->workers);
        fputc('\n', out);
    }
}

/* Where a password came from is as much as may be shown of it. */
static void print_session(const struct session_config *session, FILE *out)
{
    fprintf(out, "User: %s\n", session->user ? session->user : "default");
    fprintf(out, "Password: %s%s\n", session->password ? "that of " : "none",
            session->password ? session->password_from : "");
    fprintf(out, "Database: %" PRIu64 "\n", session->db);
    fprintf(out, "Protocol: %s\n", session->resp3 ? "RESP3" : "RESP2");
}

void describe_plan(const struct plan *plan, FILE *out)
{
    char text[DESCRIBE_MAX], driver[DESCRIBE_DRIVER_MAX];

    fprintf(out, "Server: %s\n", plan->endpoint.name);
    fprintf(out, "TLS: %s\n", describe_tls(plan, text));
    print_session(plan->opening.config, out);
    fprintf(out, "Cluster: %s\n", describe_cluster(plan));
    fprintf(out, "Command: %s\n", plan->entry->arguments[0]);
    if (plan->language)
        fprintf(out, "Custom commands: %s (%s)\n", plan->script.file, plan->language->name);
    fprintf(out, "Value size: %" PRIu64 " bytes\n", plan->source.data_bytes);
    fprintf(out, "Keys: %s\n", describe_keys(plan, text));
    fprintf(out, "Load: %s\n", describe_load(plan, text));
    fprintf(out, "Driver: %s\n", describe_driver(plan, driver));
    if (plan->client.driver == DRIVER_NATIVE)
        fprintf(out, "Engine: %s\n", plan->engine.name);
    else
        fprintf(out, "Library clients: %" PRIu64 "\n", plan_library_clients(plan));
    fprintf(out, "Pace: %s\n", describe_pace(plan, 0, text));
    print_limit(out, "Requests", plan->requests, false);
    print_limit(out, "Duration", plan->duration_ns, true);
    print_clients(plan, out);
    fprintf(out, "Pipeline: %" PRIu64 "\n", plan->client.pipeline);
    print_limit(out, "Requests a connection", plan->client.reconnect_interval, false);
    print_limit(out, "Request timeout", plan->client.request_timeout_ns, true);
    print_limit(out, "Connection timeout", plan->connect_timeout_ns, true);
    print_limit(out, "Give up after", plan->give_up_ns, true);
    fprintf(out, "Seed: %" PRIu64 "\n", plan->source.keys.seed);
    print_split(plan, out);
}
