/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/cores.h"
#include "run/plan.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* A config as the command line makes it, to be changed by a case. */
struct settings {
    struct run_config run;
    struct endpoint_config endpoint;
    struct source_config source;
    struct script_config script;
    struct client_config client;
    struct rate_config rate;
    struct client_ramp_config ramp;
};

static struct settings defaults(void)
{
    return (struct settings){
        .run = {.requests = 100000, .threads = 1, .give_up_ns = 30 * (uint64_t)CLOCK_NS_PER_S},
        .endpoint = {.host = "127.0.0.1",
                     .port = 6379,
                     .connect_timeout_ns = 2 * (uint64_t)CLOCK_NS_PER_S},
        .source = {.type = "set", .data_bytes = 3},
        .client = {.clients = 50,
                   .pipeline = 1,
                   .request_timeout_ns = 5 * (uint64_t)CLOCK_NS_PER_S},
    };
}

static int make(struct plan *plan, const struct settings *settings, struct err *err)
{
    const struct plan_input input = {.run = &settings->run,
                                     .endpoint = &settings->endpoint,
                                     .source = &settings->source,
                                     .script = &settings->script,
                                     .client = &settings->client,
                                     .rate = &settings->rate,
                                     .ramp = &settings->ramp};

    return plan_init(plan, &input, err);
}

static void test_split(void **state)
{
    static const struct {
        uint64_t processes, threads, clients, qps;
        uint64_t ramp_start, ramp_end;
        unsigned want_processes, want_workers;
    } cases[] = {
        {1, 1, 50, 0, 0, 0, 1, 1},
        {2, 3, 50, 0, 0, 0, 2, 6},
        {4, 1, 2, 0, 0, 0, 2, 2}, /* no process without a client */
        {2, 4, 5, 0, 0, 0, 2, 5}, /* no worker without a client */
        {3, 3, 1, 0, 0, 0, 1, 1}, /* one client, one worker */
        {1, 200, 100000, 0, 0, 0, 1, 200},
        {1024, 1024, 1000000, 0, 0, 0, 1024, 1024}, /* the board has an end */
        {2, 2, 0, 0, 1, 10, 2, 4},                  /* closed loop: workers may wait for clients */
        {2, 2, 0, 100, 1, 10, 1, 1},                /* schedule: each worker owns a part of it */
        {2, 2, 0, 100, 3, 10, 2, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = defaults();
        struct plan plan;
        struct err err;

        settings.run.processes = cases[i].processes;
        settings.run.threads = cases[i].threads;
        settings.client.clients = cases[i].clients;
        settings.rate.qps_micro = cases[i].qps * 1000000;
        if (cases[i].ramp_end)
            settings.ramp = (struct client_ramp_config){.start = cases[i].ramp_start,
                                                        .end = cases[i].ramp_end,
                                                        .per_step = 1,
                                                        .interval_ns = CLOCK_NS_PER_S};
        assert_int_equal(make(&plan, &settings, &err), 0);
        assert_int_equal(plan.processes, cases[i].want_processes);
        assert_int_equal(plan.workers, cases[i].want_workers);
        unsigned clients = 0;
        for (unsigned w = 0; w < plan.workers; w++) {
            assert_true(plan_clients_of(&plan, plan.ramp.clients.end, w) > 0);
            clients += plan_clients_of(&plan, plan.ramp.clients.end, w);
        }
        assert_int_equal(clients, plan.ramp.clients.end);
    }
}

static void test_automatic_processes(void **state)
{
    struct settings settings = defaults();
    const unsigned cores = cores_usable(&settings.run.cpus);
    struct plan plan;
    struct err err;

    (void)state;
    settings.run.processes = 0;
    assert_int_equal(make(&plan, &settings, &err), 0);
    assert_int_equal(plan.processes, cores < 50 ? cores : 50);
    settings.run.single_process = true;
    assert_int_equal(make(&plan, &settings, &err), 0);
    assert_int_equal(plan.processes, 1);
}

/* The first CPU that this process may use, and one that it may not: there is always one, since
 * masks of more CPUs than a list can hold are for larger machines than these. */
static void find_cpus(uint16_t *mine, uint16_t *other)
{
    cpu_set_t mask;

    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    for (*mine = 0; !CPU_ISSET(*mine, &mask);)
        ++*mine;
    for (*other = 0; CPU_ISSET(*other, &mask);)
        ++*other;
}

static void test_cpus(void **state)
{
    struct settings settings = defaults();
    struct cpu_list *cpus = &settings.run.cpus;
    struct plan plan;
    struct err err;
    uint16_t mine, other;
    char sentence[80];

    (void)state;
    find_cpus(&mine, &other);
    settings.run.processes = 0;
    *cpus = (struct cpu_list){.text = "some", .count = 1, .cpus = {mine}};
    assert_int_equal(make(&plan, &settings, &err), 0);
    assert_int_equal(plan.processes, 1);
    settings.run.processes = 3;
    assert_int_equal(make(&plan, &settings, &err), 0);
    assert_int_equal(plan.processes, 3); /* who wants them shares the CPU */
    *cpus = (struct cpu_list){.text = "some", .count = 2, .cpus = {mine, other}};
    assert_int_equal(make(&plan, &settings, &err), -EINVAL);
    snprintf(sentence, sizeof sentence, "--cpus names CPU %u, which this process may not use.",
             (unsigned)other);
    assert_string_equal(err.text, sentence);
}

static void test_cpus_go_round(void **state)
{
    const struct plan plan = {.workers = 7, .cpus = {.count = 3, .cpus = {8, 0, 2}}};
    static const unsigned want[] = {8, 0, 2, 8, 0, 2, 8};

    (void)state;
    for (unsigned i = 0; i < plan.workers; i++)
        assert_int_equal(plan_cpu_of(&plan, i), want[i]);
}

static void test_end(void **state)
{
    const uint64_t second = CLOCK_NS_PER_S;
    const struct {
        uint64_t requests, duration_ns, qps;
        uint64_t end_ns, least_ns;
    } cases[] = {
        {100, 0, 0, CLOCK_NEVER, 0},
        {0, second, 0, second, 0},
        {100, 0, 10, CLOCK_NEVER, 10 * second}, /* until request 100 would be due */
        {100, 3 * second, 10, 3 * second, 3 * second},
        {100, 30 * second, 10, 30 * second, 10 * second},
        {0, 3 * second, 10, 3 * second, 3 * second},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = defaults();
        struct plan plan;
        struct err err;

        settings.run.requests = cases[i].requests;
        settings.run.duration_ns = cases[i].duration_ns;
        settings.rate.qps_micro = cases[i].qps * 1000000;
        assert_int_equal(make(&plan, &settings, &err), 0);
        assert_true(plan.end_ns == cases[i].end_ns);
        assert_true(plan.least_ns == cases[i].least_ns);
    }
}

static void test_drain(void **state)
{
    static const struct {
        uint64_t timeout_ms;
        unsigned want_ms, want_signalled_ms;
    } cases[] = {{5000, 5000, 2000},
                 {100, 100, 100},
                 {3000, 3000, 2000},
                 {60000, 5000, 2000},
                 {0, 5000, 2000}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct plan plan = {.client.request_timeout_ns = cases[i].timeout_ms * CLOCK_NS_PER_MS};

        assert_int_equal(plan_drain_ns(&plan, false) / CLOCK_NS_PER_MS, cases[i].want_ms);
        assert_int_equal(plan_drain_ns(&plan, true) / CLOCK_NS_PER_MS, cases[i].want_signalled_ms);
        plan.client.driver = DRIVER_GLIDE; /* whose library says late what has timed out */
        assert_true(plan_drain_ns(&plan, false) / CLOCK_NS_PER_MS > cases[i].want_ms + 1000);
    }
}

static void test_refusals_come_from_the_parts(void **state)
{
    struct settings settings = defaults();
    struct plan plan;
    struct err err;

    (void)state;
    settings.source.type = "nothing";
    assert_true(make(&plan, &settings, &err) < 0);
    assert_non_null(strstr(err.text, "--type"));
    settings = defaults();
    settings.rate.start_micro = 1000000;
    assert_true(make(&plan, &settings, &err) < 0);
    assert_non_null(strstr(err.text, "--end-qps"));
    settings = defaults();
    settings.source.keys = (struct keyspace_config){.random = 1, .sequential = 1};
    assert_true(make(&plan, &settings, &err) < 0);
    assert_non_null(strstr(err.text, "--sequential"));
    settings = defaults();
    settings.ramp.start = 1;
    assert_true(make(&plan, &settings, &err) < 0);
    assert_non_null(strstr(err.text, "--clients-ramp-end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_automatic_processes),
        cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_cpus_go_round),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_refusals_come_from_the_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
