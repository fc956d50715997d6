/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include <errno.h>

#include "base/str.h"

#define HEADER                                                                                     \
    "timestamp,request_sec,p50_usec,p90_usec,p95_usec,p99_usec,p99_9_usec,p99_99_usec,"            \
    "p99_999_usec,p100_usec,avg_usec,request_finished,requests_total_failed,requests_moved,"       \
    "requests_clusterdown,client_disconnects\n"

enum { COLUMNS = 16 };

static const struct report_run run = {
    .start_ns = START_NS,
    .start_unix_ns = UINT64_C(1700000000750000000),
};

/* Begins a run whose CSV goes to memory. */
static void fixture_begin(struct fixture *fixture)
{
    fixture_open(fixture);
    fixture->sink = report_csv_create(fixture->out, CLOCK_NS_PER_S);
    fixture->sink->ops->begin(fixture->sink, &run);
}

static void record_ns(struct snapshot *counted, const char *command, uint64_t value_ns,
                      unsigned times)
{
    record(snapshot_series(counted, command, MEASURE_RESPONSE), value_ns, times);
}

/* The end of the run, so long after its start. */
static void end_after(struct fixture *fixture, uint64_t after_ms)
{
    take_end(fixture, (struct report_end){.elapsed_ns = after_ms * CLOCK_NS_PER_MS});
}

static void test_header_is_there_at_once(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture);
    assert_int_equal(fixture.sink->period_ns, CLOCK_NS_PER_S);
    assert_string_equal(fixture.text, HEADER);
    fixture_close(&fixture);
}

static void test_lines(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture);
    record_ns(&fixture.counted, "GET", 1999, 3);
    take_interval(&fixture, 1000);
    assert_string_equal(fixture.text, HEADER "1700000001,3.000000,1,1,1,1,1,1,1,1,1,3,0,0,0,0\n");

    take_interval(&fixture, 2000); /* an outage */
    record_ns(&fixture.counted, "SET", 2002000, 1);
    record_ns(&fixture.counted, "GET", 8000, 3);
    fixture.counted.errors[OUTCOME_TIMEOUT] = 2;
    fixture.counted.errors[OUTCOME_OTHER] = 3;
    fixture.counted.events[EVENT_MOVED] = 6;
    fixture.counted.events[EVENT_CLUSTERDOWN] = 7;
    fixture.counted.events[EVENT_DISCONNECT] = 8;
    fixture.counted.events[EVENT_RECONNECT] = 9;
    take_interval(&fixture, 5000); /* late: the rate is of three seconds */
    record_ns(&fixture.counted, "GET", 8000, 1);
    end_after(&fixture, 5250);
    assert_string_equal(fixture.text,
                        HEADER "1700000001,3.000000,1,1,1,1,1,1,1,1,1,3,0,0,0,0\n"
                               "1700000002,0.000000,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
                               "1700000005,1.333333,8,2002,2002,2002,2002,2002,2002,2002,506,4,5,6,"
                               "7,8\n"
                               "1700000006,4.000000,8,8,8,8,8,8,8,8,8,1,0,0,0,0\n");
    fixture_close(&fixture);
}

/* What the last, shorter interval holds decides whether it has a line. */
static void test_last_interval(void **state)
{
    static const struct {
        const char *name;
        unsigned ok;
        enum outcome error; /* OUTCOME_KINDS: none */
        enum event event;   /* EVENT_KINDS: none */
        const char *line;
    } cases[] = {
        {"nothing", 0, OUTCOME_KINDS, EVENT_KINDS, ""},
        {"a success", 1, OUTCOME_KINDS, EVENT_KINDS, "4.000000,5,5,5,5,5,5,5,5,5,1,0,0,0,0\n"},
        {"an error", 0, OUTCOME_OOM, EVENT_KINDS, "0.000000,0,0,0,0,0,0,0,0,0,0,1,0,0,0\n"},
        {"a redirect", 0, OUTCOME_KINDS, EVENT_MOVED, "0.000000,0,0,0,0,0,0,0,0,0,0,0,1,0,0\n"},
        {"a down", 0, OUTCOME_KINDS, EVENT_CLUSTERDOWN, "0.000000,0,0,0,0,0,0,0,0,0,0,0,0,1,0\n"},
        {"a loss", 0, OUTCOME_KINDS, EVENT_DISCONNECT, "0.000000,0,0,0,0,0,0,0,0,0,0,0,0,0,1\n"},
        {"no column", 0, OUTCOME_KINDS, EVENT_HIT, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        char expected[256];

        print_message("%s\n", cases[i].name);
        fixture_begin(&fixture);
        record_ns(&fixture.counted, "SET", 7000, 2);
        take_interval(&fixture, 1000);
        record_ns(&fixture.counted, "SET", 5000, cases[i].ok);
        if (cases[i].error != OUTCOME_KINDS)
            fixture.counted.errors[cases[i].error]++;
        if (cases[i].event != EVENT_KINDS)
            fixture.counted.events[cases[i].event]++;

        const size_t before = fixture.size;

        end_after(&fixture, 1250);
        snprintf(expected, sizeof expected, "%s%s", *cases[i].line ? "1700000002," : "",
                 cases[i].line);
        assert_string_equal(fixture.text + before, expected);
        fixture_close(&fixture);
    }
}

/* A run that is ended before its start, or in the moment of a line: no line, no division by zero.
 */
static void test_no_time(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture);
    fixture.counted.time_ns = run.start_ns - 1;
    fixture.sink->ops->end(fixture.sink, &(struct report_end){.total = &fixture.counted});
    assert_string_equal(fixture.text, HEADER);
    fixture_close(&fixture);

    fixture_begin(&fixture);
    record_ns(&fixture.counted, "SET", 5000, 1);
    end_after(&fixture, 0);
    assert_string_equal(fixture.text, HEADER "1700000000,0.000000,5,5,5,5,5,5,5,5,5,1,0,0,0,0\n");
    fixture_close(&fixture);
}

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* Counts up a little of everything, latencies of all magnitudes. */
static void count_something(struct snapshot *counted, uint64_t *random)
{
    static const char *const commands[] = {"SET", "GET", "INCR"};
    const unsigned kinds = (unsigned)(next_random(random) % 5);

    for (unsigned i = 0; i < kinds; i++)
        record_ns(counted, commands[next_random(random) % COUNT(commands)],
                  next_random(random) << (next_random(random) % 6),
                  (unsigned)(next_random(random) % 2000));
    for (unsigned i = OUTCOME_OK + 1; i < OUTCOME_KINDS; i++)
        counted->errors[i] += next_random(random) % 3;
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        counted->events[i] += next_random(random) % 3;
}

/* Reads a line into its columns; returns the line after it. */
static char *read_line(char *line, double column[COLUMNS])
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        column[i] = strtod(line, &line);
        assert_int_equal(*line++, i + 1 < COLUMNS ? ',' : '\n');
    }
    return line;
}

/* Over all lines the counts add up to the totals; along each, percentiles never fall. */
static void test_sums(void **state)
{
    struct fixture fixture;
    uint64_t random = 42;
    double sum[COLUMNS] = {0};

    (void)state;
    fixture_begin(&fixture);
    for (unsigned i = 1; i <= 40; i++) {
        count_something(&fixture.counted, &random);
        take_interval(&fixture, i * 1000);
    }
    count_something(&fixture.counted, &random);
    end_after(&fixture, 40300);

    char *line = fixture.text + strlen(HEADER);

    for (unsigned lines = 0; lines < 41; lines++) {
        double column[COLUMNS];

        line = read_line(line, column);
        assert_true(column[0] == 1700000001 + lines);
        for (unsigned i = 3; i <= 9; i++)
            assert_true(column[i] >= column[i - 1]);
        assert_true(column[10] <= column[9]);
        for (unsigned i = 0; i < COLUMNS; i++)
            sum[i] += column[i];
    }
    assert_string_equal(line, "");
    assert_true(sum[11] > 0 && sum[11] == (double)snapshot_ok(&fixture.counted));
    assert_true(sum[12] > 0 && sum[12] == (double)snapshot_failed(&fixture.counted));
    assert_true(sum[13] == (double)fixture.counted.events[EVENT_MOVED]);
    assert_true(sum[14] == (double)fixture.counted.events[EVENT_CLUSTERDOWN]);
    assert_true(sum[15] == (double)fixture.counted.events[EVENT_DISCONNECT]);
    fixture_close(&fixture);
}

/* A full disk shows when the first line is flushed; nothing is tried after it. */
static void test_full_disk(void **state)
{
    FILE *full = fopen("/dev/full", "w");
    struct report_sink *sink = report_csv_create(full, CLOCK_NS_PER_S);
    struct snapshot counted;

    (void)state;
    assert_non_null(full);
    snapshot_init(&counted);
    counted.time_ns = run.start_ns;
    assert_int_equal(sink->failure, 0);
    sink->ops->begin(sink, &run);
    assert_int_equal(sink->failure, ENOSPC);

    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    sink->out = out;
    record_ns(&counted, "SET", 5000, 1);
    sink->ops->interval(sink, &counted);
    sink->ops->end(sink, &(struct report_end){.total = &counted});
    assert_int_equal(sink->failure, ENOSPC);
    fflush(out);
    assert_int_equal(size, 0);

    snapshot_deinit(&counted);
    report_destroy(&sink);
    fclose(out);
    free(text);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_is_there_at_once),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_last_interval),
        cmocka_unit_test(test_no_time),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
