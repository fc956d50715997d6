/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include <errno.h>

#include "base/str.h"

static const struct report_run closed = {
    .version = "valkey-polyglot 0.1.0",
    .command = "SET",
    .server = "127.0.0.1:6379",
    .engine = "epoll",
    .keys = "key:{worker}:{n}",
    .load = "closed loop",
    .processes = 2,
    .workers = 6,
    .clients = 50,
    .pipeline = 1,
    .data_bytes = 3,
    .seed = 7,
    .requests = 100000,
    .start_ns = START_NS,
};

#define HOW_IT_RAN_SET                                                                             \
    "\n"                                                                                           \
    "How It Ran:\n"                                                                                \
    "==========\n"                                                                                 \
    "Command: SET\n"                                                                               \
    "Server: 127.0.0.1:6379\n"                                                                     \
    "Load: closed loop\n"                                                                          \
    "Keys: key:{worker}:{n}\n"                                                                     \
    "Value size: 3 bytes\n"                                                                        \
    "Engine: epoll\n"                                                                              \
    "Processes: 2\n"                                                                               \
    "Workers in all: 6\n"                                                                          \
    "Clients: 50\n"                                                                                \
    "Pipeline: 1\n"                                                                                \
    "Seed: 7\n"                                                                                    \
    "Version: valkey-polyglot 0.1.0\n"

/* Begins a run whose report goes to memory. */
static void fixture_begin(struct fixture *fixture, const struct report_run *run)
{
    fixture_open(fixture);
    fixture->sink = report_text_create(fixture->out, true);
    fixture->sink->ops->begin(fixture->sink, run);
}

/* Counts latencies of one command. */
static void record_us(struct fixture *fixture, enum measure measure, uint64_t value_us,
                      unsigned times)
{
    record(snapshot_series(&fixture->counted, "SET", measure), value_us * CLOCK_NS_PER_US, times);
}

static const char closed_report[] = "Final Results:\n"
                                    "=============\n"
                                    "Total time: 2.00 seconds\n"
                                    "Requests completed: 100\n"
                                    "Requests per second: 49.88\n"
                                    "Total errors: 7\n"
                                    "\n"
                                    "Latency Statistics (ms):\n"
                                    "=====================\n"
                                    "Minimum: 0.080\n"
                                    "Average: 15.153\n"
                                    "Maximum: 1500.000\n"
                                    "Median (p50): 0.080\n"
                                    "95th percentile: 0.900\n"
                                    "99th percentile: 0.900\n"
                                    "\n"
                                    "Latency Distribution:\n"
                                    "====================\n"
                                    "<= 0.1 ms: 90.00% (90 requests)\n"
                                    "<= 0.5 ms: 0.00% (0 requests)\n"
                                    "<= 1.0 ms: 9.00% (9 requests)\n"
                                    "<= 2.0 ms: 0.00% (0 requests)\n"
                                    "<= 5.0 ms: 0.00% (0 requests)\n"
                                    "<= 10.0 ms: 0.00% (0 requests)\n"
                                    "<= 20.0 ms: 0.00% (0 requests)\n"
                                    "<= 50.0 ms: 0.00% (0 requests)\n"
                                    "<= 100.0 ms: 0.00% (0 requests)\n"
                                    "<= 200.0 ms: 0.00% (0 requests)\n"
                                    "<= 500.0 ms: 0.00% (0 requests)\n"
                                    "<= 1000.0 ms: 0.00% (0 requests)\n"
                                    "> 1000.0 ms: 1.00% (1 requests)\n"
                                    "\n"
                                    "Tail Latency (ms):\n"
                                    "=================\n"
                                    "p99.9: 1500.000\n"
                                    "p99.99: 1500.000\n"
                                    "p99.999: 1500.000\n"
                                    "\n"
                                    "Accounting:\n"
                                    "==========\n"
                                    "Issued: 108\n"
                                    "Succeeded: 100\n"
                                    "Errors: 7\n"
                                    "Unanswered: 1\n"
                                    "Unsent: 3\n"
                                    "\n"
                                    "Errors by Kind:\n"
                                    "==============\n"
                                    "timeout: 5\n"
                                    "oom: 2\n"
                                    "\n"
                                    "Events:\n"
                                    "======\n"
                                    "reconnects: 4\n"
                                    "\n"
                                    "Outages:\n"
                                    "=======\n"
                                    "1: from 0.0 s to 0.0 s (0.0 s): no request "
                                    "failed\n" HOW_IT_RAN_SET "\n"
                                    "Ended early: interrupted by a signal\n"
                                    "Warning: One.\n"
                                    "Warning: Two.\n";

static void test_closed_loop(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture, &closed);
    record_us(&fixture, MEASURE_RESPONSE, 80, 90);
    record_us(&fixture, MEASURE_RESPONSE, 900, 9);
    record_us(&fixture, MEASURE_RESPONSE, 1500000, 1);
    fixture.counted.issued = 108;
    fixture.counted.errors[OUTCOME_TIMEOUT] = 5;
    fixture.counted.errors[OUTCOME_OOM] = 2;
    fixture.counted.events[EVENT_RECONNECT] = 4;
    take_end(&fixture,
             (struct report_end){.elapsed_ns = 2005000000,
                                 .unsent = 3,
                                 .ending = "interrupted by a signal",
                                 .outages = &(const struct outages){.count = 1},
                                 .warnings = (const char *const[]){"One.", "Two.", NULL}});
    assert_string_equal(fixture.text, closed_report);
    fixture_close(&fixture);
}

static const char empty_report[] = "Final Results:\n"
                                   "=============\n"
                                   "Total time: 0.00 seconds\n"
                                   "Requests completed: 0\n"
                                   "Requests per second: 0.00\n"
                                   "Total errors: 0\n"
                                   "\n"
                                   "Latency Statistics (ms):\n"
                                   "=====================\n"
                                   "Minimum: 0.000\n"
                                   "Average: 0.000\n"
                                   "Maximum: 0.000\n"
                                   "Median (p50): 0.000\n"
                                   "95th percentile: 0.000\n"
                                   "99th percentile: 0.000\n"
                                   "\n"
                                   "Latency Distribution:\n"
                                   "====================\n"
                                   "<= 0.1 ms: 0.00% (0 requests)\n"
                                   "<= 0.5 ms: 0.00% (0 requests)\n"
                                   "<= 1.0 ms: 0.00% (0 requests)\n"
                                   "<= 2.0 ms: 0.00% (0 requests)\n"
                                   "<= 5.0 ms: 0.00% (0 requests)\n"
                                   "<= 10.0 ms: 0.00% (0 requests)\n"
                                   "<= 20.0 ms: 0.00% (0 requests)\n"
                                   "<= 50.0 ms: 0.00% (0 requests)\n"
                                   "<= 100.0 ms: 0.00% (0 requests)\n"
                                   "<= 200.0 ms: 0.00% (0 requests)\n"
                                   "<= 500.0 ms: 0.00% (0 requests)\n"
                                   "<= 1000.0 ms: 0.00% (0 requests)\n"
                                   "> 1000.0 ms: 0.00% (0 requests)\n"
                                   "\n"
                                   "Tail Latency (ms):\n"
                                   "=================\n"
                                   "p99.9: 0.000\n"
                                   "p99.99: 0.000\n"
                                   "p99.999: 0.000\n"
                                   "\n"
                                   "Accounting:\n"
                                   "==========\n"
                                   "Issued: 0\n"
                                   "Succeeded: 0\n"
                                   "Errors: 0\n"
                                   "Unanswered: 0\n" HOW_IT_RAN_SET;

/* Zeros, and no "nan"; in a quiet run the report is all there is. */
static void test_nothing_completed(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture, &closed);
    take_end(&fixture, (struct report_end){.elapsed_ns = 0});
    assert_string_equal(fixture.text, empty_report);
    fixture_close(&fixture);
}

/* The text from the first occurrence of `title`, which opens a section. */
static const char *section(const struct fixture *fixture, const char *title)
{
    const char *found = strstr(fixture->text, title);

    assert_non_null(found);
    assert_true(found > fixture->text + 1 && found[-1] == '\n' && found[-2] == '\n');
    return found;
}

static const char schedule_report[] =
    "Tail Latency (ms):\n"
    "=================\n"
    "p99.9: 61000.000\n"
    "p99.99: 61000.000\n"
    "p99.999: 61000.000\n"
    "\n"
    "Service Time (ms):\n"
    "=================\n"
    "Average: 0.200\n"
    "Median (p50): 0.200\n"
    "95th percentile: 0.200\n"
    "99th percentile: 0.200\n"
    "Maximum: 0.200\n"
    "\n"
    "Slot Wait (ms):\n"
    "==============\n"
    "Average: 0.002\n"
    "Median (p50): 0.000\n"
    "95th percentile: 0.000\n"
    "99th percentile: 0.040\n"
    "Maximum: 0.040\n"
    "\n"
    "Send Lag (ms):\n"
    "=============\n"
    "Average: 0.060\n"
    "Median (p50): 0.060\n"
    "95th percentile: 0.060\n"
    "99th percentile: 0.060\n"
    "Maximum: 0.060\n"
    "Burstiness: 0.12\n"
    "\n"
    "Accounting:\n"
    "==========\n"
    "Issued: 22\n"
    "Succeeded: 20\n"
    "Errors: 0\n"
    "Unanswered: 2\n"
    "Due: 25\n"
    "Unsent: 3\n"
    "\n"
    "How It Ran:\n"
    "==========\n"
    "Command: SET\n"
    "Server: 127.0.0.1:6379\n"
    "Load: open loop, 10 requests a second\n"
    "Offered rate: 10.00 per second\n"
    "Achieved rate: 8.00 per second\n"
    "Keys: key:{worker}:{n}\n"
    "Value size: 3 bytes\n"
    "Engine: epoll\n"
    "Processes: 2\n"
    "Workers in all: 6\n"
    "Clients: 50\n"
    "Pipeline: 1\n"
    "Seed: 7\n"
    "Version: valkey-polyglot 0.1.0\n"
    "\n"
    "Clamped: 1 latencies above 60 s\n"
    "Warning: the percentiles of response time are lower bounds: 3 requests "
    "were due but unsent, 2 unanswered.\n";

static void test_schedule(void **state)
{
    struct report_run run = closed;
    struct fixture fixture;

    (void)state;
    run.scheduled = true;
    run.load = "open loop, 10 requests a second";
    fixture_begin(&fixture, &run);
    record_us(&fixture, MEASURE_RESPONSE, 300, 19);
    record_us(&fixture, MEASURE_RESPONSE, 61000000, 1);
    record_us(&fixture, MEASURE_SERVICE, 200, 20);
    record_us(&fixture, MEASURE_SLOT_WAIT, 0, 19);
    record_us(&fixture, MEASURE_SLOT_WAIT, 40, 1);
    record_us(&fixture, MEASURE_SEND_LAG, 60, 20);
    fixture.counted.issued = 22;
    take_end(&fixture, (struct report_end){
                           .elapsed_ns = 2500000000, .due = 25, .unsent = 3, .burstiness = 0.1249});
    assert_string_equal(section(&fixture, "Tail Latency"), schedule_report);
    fixture_close(&fixture);
}

/* A schedule that was kept has no warning, but says that nothing was unsent. */
static void test_schedule_kept(void **state)
{
    struct report_run run = closed;
    struct fixture fixture;

    (void)state;
    run.scheduled = true;
    fixture_begin(&fixture, &run);
    record_us(&fixture, MEASURE_RESPONSE, 300, 10);
    fixture.counted.issued = 10;
    take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S, .due = 10});
    assert_non_null(strstr(fixture.text, "\nUnanswered: 0\nDue: 10\nUnsent: 0\n"));
    assert_null(strstr(fixture.text, "Warning"));
    fixture_close(&fixture);
}

static void test_pace_and_cpus(void **state)
{
    struct report_run run = closed;
    struct fixture fixture;

    (void)state;
    run.pace = "hybrid, margin 63 us";
    run.cpus = "0-3,8";
    fixture_begin(&fixture, &run);
    take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S});
    assert_non_null(strstr(fixture.text, "\nEngine: epoll\nPace: hybrid, margin 63 us\n"
                                         "CPUs: 0-3,8\nProcesses: 2\n"));
    fixture_close(&fixture);
}

static void test_misses(void **state)
{
    static const struct {
        uint64_t hits, misses;
        const char *warning; /* how it begins; NULL: there is none */
    } cases[] = {
        {100, 0, NULL},
        {95, 5, NULL},
        {94, 6, "\n\nWarning: 6.0% of the reads found no value"},
        {0, 100, "\n\nWarning: 100.0% of the reads found no value"},
        {37, 2, "\n\nWarning: 5.1% of the reads found no value"},
        {0, 0, NULL},
    };
    struct report_run run = closed;

    (void)state;
    run.command = "GET";
    run.reads = true;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        char counts[64];

        fixture_begin(&fixture, &run);
        fixture.counted.events[EVENT_HIT] = cases[i].hits;
        fixture.counted.events[EVENT_MISS] = cases[i].misses;
        take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S});
        snprintf(counts, sizeof counts, "Unanswered: 0\nHits: %d\nMisses: %d\n\nHow It Ran:\n",
                 (int)cases[i].hits, (int)cases[i].misses);
        assert_non_null(strstr(fixture.text, counts));
        assert_null(strstr(fixture.text, "Value size"));
        if (cases[i].warning)
            assert_non_null(strstr(fixture.text, cases[i].warning));
        else
            assert_null(strstr(fixture.text, "Warning"));
        fixture_close(&fixture);
    }
}

/* The shares of the distribution's lines are of all successes, and none is lost or counted twice.
 */
static void test_distribution_is_whole(void **state)
{
    struct fixture fixture;
    unsigned long sum = 0;

    (void)state;
    fixture_begin(&fixture, &closed);
    for (uint64_t us = 1; us < 4000000; us += 1 + us / 100)
        record_us(&fixture, MEASURE_RESPONSE, us, 3);
    take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S});

    const char *line = section(&fixture, "Latency Distribution:\n");
    unsigned lines = 0;

    for (line = strstr(line, "<="); *line == '<' || *line == '>'; lines++) {
        const unsigned long count = strtoul(strchr(line, '(') + 1, NULL, 10);

        assert_true(count > 0);
        sum += count;
        line = strchr(line, '\n') + 1;
    }
    assert_int_equal(lines, 13);
    assert_int_equal(sum, snapshot_ok(&fixture.counted));
    fixture_close(&fixture);
}

static void test_quiet_wants_no_intervals(void **state)
{
    struct report_sink *sink = report_text_create(stderr, false);

    (void)state;
    assert_int_equal(sink->period_ns, 0);
    report_destroy(&sink);
    report_destroy(&sink);
    report_destroy(NULL);
}

/* A full disk shows when the first line is flushed; nothing is tried after it. */
static void test_full_disk(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture, &closed);

    FILE *full = fopen("/dev/full", "w");

    assert_non_null(full);
    fixture.sink->out = full;
    take_interval(&fixture, 1000);
    assert_int_equal(fixture.sink->failure, ENOSPC);
    fixture.sink->out = fixture.out;
    take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S});
    assert_int_equal(fixture.sink->failure, ENOSPC);
    fflush(fixture.out);
    assert_int_equal(fixture.size, 0);
    fixture_close(&fixture);
    fclose(full);
}

/* The verdict is the last line, after all warnings; a run that failed gets none. */
static void test_verdict(void **state)
{
    static const struct {
        const char *ending;
        bool interrupted;
        const char *const warnings[2];
        const char *tail; /* how the report ends */
    } cases[] = {
        {NULL, false, {NULL}, "0.1.0\n\nThe client was the limit: worker 0 was busy 99.0%"},
        {NULL, false, {"One."}, "0.1.0\n\nWarning: One.\nThe client was the limit: worker 0 was"},
        {"stopped", true, {NULL}, "0.1.0\n\nEnded early: stopped\nThe client was the limit: wo"},
        {"gave up", false, {NULL}, "0.1.0\n\nEnded early: gave up\n"},
    };
    const struct report_worker worker = {.busy = 0.99, .loop_ns = CLOCK_NS_PER_S};
    struct report_run run = closed;

    (void)state;
    run.workers = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;

        fixture_begin(&fixture, &run);
        take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S,
                                               .ending = cases[i].ending,
                                               .interrupted = cases[i].interrupted,
                                               .workers = &worker,
                                               .warnings = cases[i].warnings});
        const char *tail = section(&fixture, "How It Ran:\n");
        assert_non_null(tail = strstr(tail, cases[i].tail));
        assert_string_equal(strchr(tail + strlen(cases[i].tail) - 1, '\n'), "\n");
        assert_non_null(strstr(
            fixture.text,
            "\n\nWorkers:\n=======\nWorker 0: busy 99.0%, longest turn 0.000 ms\n\nHow It Ran:\n"));
        fixture_close(&fixture);
    }
}

/* The send lag that is judged is that of all workers. */
static void test_note_of_send_lag(void **state)
{
    struct report_run run = closed;
    struct fixture fixture;

    (void)state;
    run.scheduled = true;
    fixture_begin(&fixture, &run);
    record_us(&fixture, MEASURE_RESPONSE, 300, 1000);
    record_us(&fixture, MEASURE_SEND_LAG, 0, 980);
    record_us(&fixture, MEASURE_SEND_LAG, 60, 20);
    fixture.counted.issued = 1000;
    take_end(&fixture, (struct report_end){.elapsed_ns = CLOCK_NS_PER_S, .due = 1000});
    assert_non_null(strstr(fixture.text, "\n\nNote: the 99th percentile of send lag, 0.060 ms, "));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_nothing_completed),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_schedule_kept),
        cmocka_unit_test(test_pace_and_cpus),
        cmocka_unit_test(test_misses),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_note_of_send_lag),
        cmocka_unit_test(test_distribution_is_whole),
        cmocka_unit_test(test_quiet_wants_no_intervals),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
