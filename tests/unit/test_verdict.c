/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "report/verdict.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define LIMIT "The client was the limit: "

enum { WORKERS_MAX = 4 };

/* A case of an area of the rules; what it leaves out is a quiet run of 10 s on 8 cores. */
struct judged {
    const char *name;
    double busy[WORKERS_MAX], crowded[WORKERS_MAX];
    uint64_t loop_ns[WORKERS_MAX]; /* 0: all the time; 1: none */
    uint64_t elapsed_ns, requests;
    uint64_t lag_ns, response_ns; /* lag 0: a closed loop */
    unsigned workers, cores, clients;
    const char *pace;
    enum verdict verdict;
    const char *text; /* a part of it, or NULL */
};

static void set_workers(struct report_worker *workers, const struct judged *one,
                        uint64_t elapsed_ns)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        workers[i] = (struct report_worker){
            .busy = one->busy[i],
            .crowded = one->crowded[i],
            .loop_ns = one->loop_ns[i] ? one->loop_ns[i] : elapsed_ns,
        };
}

static enum verdict judge(const struct judged *one, char *text)
{
    struct report_worker workers[WORKERS_MAX];
    const struct report_run run = {
        .scheduled = one->lag_ns > 0,
        .pace = one->pace,
        .workers = one->workers ? one->workers : 1,
        .cores = one->cores ? one->cores : 8,
        .clients = one->clients ? one->clients : 50,
    };
    const struct verdict_facts facts = {
        .run = &run,
        .workers = workers,
        .elapsed_ns = one->elapsed_ns ? one->elapsed_ns : 10 * S,
        .requests = one->requests ? one->requests : 100000,
        .response_p99_ns = one->response_ns,
        .send_lag_p99_ns = one->lag_ns,
    };

    set_workers(workers, one, facts.elapsed_ns);
    memset(text, 'x', VERDICT_MAX);
    return verdict_judge(&facts, text);
}

static void check(const struct judged *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[VERDICT_MAX];
        const enum verdict verdict = judge(&cases[i], text);

        if (verdict != cases[i].verdict || (cases[i].text && !strstr(text, cases[i].text)))
            fail_msg("%s: %d, \"%s\"", cases[i].name, (int)verdict, text);
        assert_non_null(memchr(text, '\0', VERDICT_MAX));
        assert_int_equal(verdict == VERDICT_NONE, text[0] == '\0');
        assert_int_equal(verdict == VERDICT_LIMIT, strncmp(text, LIMIT, strlen(LIMIT)) == 0);
        assert_int_equal(verdict == VERDICT_NOTE, strncmp(text, "Note: ", 6) == 0);
        if (text[0])
            assert_int_equal(text[strlen(text) - 1], '.');
    }
}

static void test_busy_loops(void **state)
{
    static const struct judged cases[] = {
        {.name = "idle", .busy = {0.3}},
        {.name = "at the boundary", .busy = {0.95}},
        {.name = "beyond it",
         .busy = {0.951},
         .verdict = VERDICT_LIMIT,
         .text = LIMIT "worker 0 was busy 95.1% of the time; use more --processes or --threads."},
        {.name = "one of four",
         .workers = 4,
         .busy = {0.3, 0.3, 0.99, 0.3},
         .verdict = VERDICT_LIMIT,
         .text = "worker 2 was busy 99.0% of the time; "},
        {.name = "two of four, the busiest is named",
         .workers = 4,
         .busy = {0.3, 0.96, 0.99, 0.3},
         .verdict = VERDICT_LIMIT,
         .text = "worker 2 was busy 99.0% of the time, and 1 other for more than 95%; "},
        {.name = "all of four",
         .workers = 4,
         .busy = {1, 1, 0.99, 1},
         .verdict = VERDICT_LIMIT,
         .text = "worker 0 was busy 100.0% of the time, and 3 others for more than 95%; "},
        {.name = "workers beyond those that there are", .workers = 2, .busy = {0.3, 0.3, 1, 1}},
    };

    (void)state;
    check(cases, COUNT(cases));
}

/* Whoever waits for a core is busy, too, by the clock: that accuses nobody, but is said. */
static void test_crowded_cores(void **state)
{
    static const struct judged cases[] = {
        {.name = "half a core",
         .busy = {0.989},
         .crowded = {0.497},
         .verdict = VERDICT_NOTE,
         .text = "worker 0 was busy 98.9% of the time, but had no core to work on for 49.7%; "},
        {.name = "at the boundary", .busy = {0.989}, .crowded = {0.10}, .verdict = VERDICT_LIMIT},
        {.name = "beyond it", .busy = {0.989}, .crowded = {0.101}, .verdict = VERDICT_NOTE},
        {.name = "half a core, and not busy", .busy = {0.94}, .crowded = {0.5}},
        {.name = "the one that lacked a core most is named",
         .workers = 3,
         .busy = {0.96, 0.99, 0.97},
         .crowded = {0.4, 0.5, 0.45},
         .verdict = VERDICT_NOTE,
         .text = "worker 1 was busy 99.0%"},
        {.name = "one that had its core decides",
         .workers = 2,
         .busy = {0.99, 0.96},
         .crowded = {0.5, 0.02},
         .verdict = VERDICT_LIMIT,
         .text = "worker 1 was busy 96.0% of the time; "},
        {.name = "late on top of it",
         .busy = {0.99},
         .crowded = {0.5},
         .lag_ns = 5 * MS,
         .response_ns = 6 * MS,
         .verdict = VERDICT_LIMIT,
         .text = "send lag"},
        {.name = "a little late on top of it",
         .busy = {0.99},
         .crowded = {0.5},
         .lag_ns = 500 * US,
         .response_ns = MS,
         .verdict = VERDICT_NOTE,
         .text = "had no core"},
    };

    (void)state;
    check(cases, COUNT(cases));
}

/* More than 1 ms and more than a tenth of the response time. */
static void test_send_lag(void **state)
{
    static const struct judged cases[] = {
        {.name = "1 ms is the boundary", .lag_ns = MS, .response_ns = 2 * MS, .pace = "spin"},
        {.name = "beyond it",
         .lag_ns = MS + 1,
         .response_ns = 2 * MS,
         .verdict = VERDICT_LIMIT,
         .text = LIMIT "the 99th percentile of send lag was 1.000 ms, that of response time "
                       "2.000 ms; its workers had time left, so keep other load off their cores."},
        {.name = "a tenth is the boundary", .lag_ns = 90 * MS, .response_ns = 900 * MS},
        {.name = "more than a tenth",
         .lag_ns = 90 * MS + 1,
         .response_ns = 900 * MS,
         .verdict = VERDICT_LIMIT},
        {.name = "a server that stood for a second", .lag_ns = 2 * MS, .response_ns = 940 * MS},
        {.name = "with spin it is a verdict, too",
         .lag_ns = 2 * MS,
         .response_ns = 3 * MS,
         .pace = "spin",
         .verdict = VERDICT_LIMIT},
        {.name = "much work, so that more workers help",
         .lag_ns = 2 * MS,
         .response_ns = 3 * MS,
         .busy = {0.75},
         .verdict = VERDICT_LIMIT,
         .text = "3.000 ms; use more --processes or --threads."},
        {.name = "busy comes first",
         .lag_ns = 2 * MS,
         .response_ns = 3 * MS,
         .busy = {0.97},
         .verdict = VERDICT_LIMIT,
         .text = "busy 97.0%"},
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void test_wakes(void **state)
{
    static const struct judged cases[] = {
        {.name = "at the floor", .lag_ns = 20 * US, .response_ns = 30 * US},
        {.name = "beyond it",
         .lag_ns = 20 * US + 1,
         .response_ns = 30 * US,
         .verdict = VERDICT_NOTE,
         .text = "Note: the 99th percentile of send lag, 0.020 ms, is more than a tenth of that of "
                 "response time; --pace hybrid wakes up sooner"},
        {.name = "a tenth is the boundary", .lag_ns = 50 * US, .response_ns = 500 * US},
        {.name = "more than a tenth",
         .lag_ns = 51 * US,
         .response_ns = 500 * US,
         .verdict = VERDICT_NOTE,
         .text = "--pace hybrid "},
        {.name = "up to 1 ms",
         .lag_ns = MS,
         .response_ns = 2 * MS,
         .verdict = VERDICT_NOTE,
         .text = "--pace hybrid "},
        {.name = "hybrid",
         .lag_ns = 51 * US,
         .response_ns = 500 * US,
         .pace = "hybrid, margin 63 us",
         .verdict = VERDICT_NOTE,
         .text = "--pace spin "},
        {.name = "spin can do no better",
         .lag_ns = 51 * US,
         .response_ns = 500 * US,
         .pace = "spin"},
    };

    (void)state;
    check(cases, COUNT(cases));
}

/* Workers are advised only where there are cores and clients for them. */
static void test_advice(void **state)
{
    static const struct judged cases[] = {
        {.name = "a core is left",
         .busy = {1, 1},
         .workers = 2,
         .cores = 3,
         .verdict = VERDICT_LIMIT,
         .text = "; use more --processes or --threads."},
        {.name = "a core, but no client",
         .busy = {1, 1},
         .workers = 2,
         .cores = 3,
         .clients = 2,
         .verdict = VERDICT_LIMIT,
         .text = "; use more clients (-c) and more --processes."},
        {.name = "no core",
         .busy = {1, 1},
         .workers = 2,
         .cores = 2,
         .verdict = VERDICT_LIMIT,
         .text = "; use fewer clients (-c), or another host as well."},
        {.name = "fewer cores than workers",
         .busy = {0.96, 0.96},
         .workers = 2,
         .cores = 1,
         .verdict = VERDICT_LIMIT,
         .text = "; use fewer clients (-c), or another host as well."},
        {.name = "no core, and as few clients as can be",
         .busy = {1},
         .cores = 1,
         .clients = 1,
         .verdict = VERDICT_LIMIT,
         .text = "; use another host, or one with faster cores."},
        {.name = "no core, on a schedule",
         .busy = {1},
         .cores = 1,
         .lag_ns = 1,
         .response_ns = MS,
         .verdict = VERDICT_LIMIT,
         .text = "; ask for a lower rate, or share it with another host."},
        {.name = "a core is left, on a schedule",
         .busy = {1},
         .lag_ns = 1,
         .response_ns = MS,
         .verdict = VERDICT_LIMIT,
         .text = "; use more --processes or --threads."},
    };

    (void)state;
    check(cases, COUNT(cases));
}

/* Too little to judge, or a worker that does not stand for the run. */
static void test_too_little(void **state)
{
    static const struct judged cases[] = {
        {.name = "a short run", .busy = {1}, .elapsed_ns = 100 * MS - 1},
        {.name = "not so short", .busy = {1}, .elapsed_ns = 100 * MS, .verdict = VERDICT_LIMIT},
        {.name = "a short run, late",
         .elapsed_ns = 100 * MS - 1,
         .lag_ns = 5 * MS,
         .response_ns = 6 * MS},
        {.name = "few requests, late", .requests = 999, .lag_ns = 5 * MS, .response_ns = 6 * MS},
        {.name = "few requests, a little late",
         .requests = 999,
         .lag_ns = 500 * US,
         .response_ns = MS},
        {.name = "enough of them, late",
         .requests = 1000,
         .lag_ns = 5 * MS,
         .response_ns = 6 * MS,
         .verdict = VERDICT_LIMIT},
        {.name = "few requests, busy", .requests = 10, .busy = {1}, .verdict = VERDICT_LIMIT},
        {.name = "a worker that ended early", .busy = {1}, .loop_ns = {5 * S - 1}},
        {.name = "one that did not", .busy = {1}, .loop_ns = {5 * S}, .verdict = VERDICT_LIMIT},
        {.name = "a worker that never turned", .busy = {1}, .loop_ns = {1}},
        {.name = "a worker that turned for a moment in a short run",
         .busy = {1},
         .elapsed_ns = 150 * MS,
         .loop_ns = {100 * MS - 1}},
    };

    (void)state;
    check(cases, COUNT(cases));
}

/* Without anything about the workers the send lags can be judged still. */
static void test_nothing_known(void **state)
{
    const struct report_run run = {.workers = 1, .cores = 8, .scheduled = true};
    struct verdict_facts facts = {.run = &run, .elapsed_ns = 10 * S, .requests = 100000};
    char text[VERDICT_MAX];

    (void)state;
    assert_int_equal(verdict_judge(&facts, text), VERDICT_NONE);
    facts.send_lag_p99_ns = facts.response_p99_ns = 2 * MS;
    assert_int_equal(verdict_judge(&facts, text), VERDICT_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_busy_loops),    cmocka_unit_test(test_crowded_cores),
        cmocka_unit_test(test_send_lag),      cmocka_unit_test(test_wakes),
        cmocka_unit_test(test_advice),        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_nothing_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
