/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"

static const struct report_run limited = {.requests = 100000, .start_ns = START_NS};

/* Begins a run whose report goes to memory. */
static void fixture_begin(struct fixture *fixture, const struct report_run *run)
{
    fixture_open(fixture);
    fixture->sink = report_text_create(fixture->out, true);
    fixture->sink->ops->begin(fixture->sink, run);
}

static void record_us(struct fixture *fixture, uint64_t value_us, unsigned times)
{
    record(snapshot_series(&fixture->counted, "SET", MEASURE_RESPONSE), value_us * CLOCK_NS_PER_US,
           times);
}

static void test_progress(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture, &limited);
    assert_int_equal(fixture.sink->period_ns, CLOCK_NS_PER_S);
    record_us(&fixture, 110, 1845);
    take_interval(&fixture, 1500);
    assert_string_equal(fixture.text,
                        "[1.5s] Progress: 1,845/100,000 (1.8%), RPS: current=1,230 avg=1,230.0, "
                        "Errors: 0 | Latency (ms): avg=0.11 p50=0.11 p95=0.11 p99=0.11\n");

    const size_t first = fixture.size;

    record_us(&fixture, 2000, 155);
    fixture.counted.errors[OUTCOME_OTHER] = 1000;
    take_interval(&fixture, 3000);
    assert_string_equal(fixture.text + first,
                        "[3.0s] Progress: 3,000/100,000 (3.0%), RPS: current=103 avg=666.7, "
                        "Errors: 1,000 | Latency (ms): avg=2.00 p50=2.00 p95=2.00 p99=2.00\n");

    const size_t second = fixture.size;

    take_interval(&fixture, 4000);
    assert_string_equal(fixture.text + second,
                        "[4.0s] Progress: 3,000/100,000 (3.0%), RPS: current=0 avg=500.0, "
                        "Errors: 1,000 | Latency (ms): avg=0.00 p50=0.00 p95=0.00 p99=0.00\n");

    const size_t third = fixture.size;

    take_end(&fixture, (struct report_end){.elapsed_ns = UINT64_C(5000000000)});
    assert_memory_equal(fixture.text + third, "\nFinal Results:\n", 16);
    fixture_close(&fixture);
}

static void test_progress_without_limit(void **state)
{
    struct report_run run = limited;
    struct fixture fixture;

    (void)state;
    run.requests = 0;
    fixture_begin(&fixture, &run);
    record_us(&fixture, 110, 1234);
    take_interval(&fixture, 1000);
    assert_string_equal(fixture.text,
                        "[1.0s] Progress: 1,234, RPS: current=1,234 avg=1,234.0, Errors: 0 | "
                        "Latency (ms): avg=0.11 p50=0.11 p95=0.11 p99=0.11\n");
    fixture_close(&fixture);
}

/* No time has passed before the start. */
static void test_progress_before_the_start(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_begin(&fixture, &limited);
    record_us(&fixture, 110, 1);
    fixture.counted.time_ns = START_NS - 1;
    fixture.sink->ops->interval(fixture.sink, &fixture.counted);
    assert_string_equal(fixture.text,
                        "[0.0s] Progress: 1/100,000 (0.0%), RPS: current=0 avg=0.0, Errors: 0 | "
                        "Latency (ms): avg=0.11 p50=0.11 p95=0.11 p99=0.11\n");
    fixture_close(&fixture);
}

/* Opens a raw pseudo terminal of that width (0: unknown): `*screen` reads what `*out` writes. */
static void open_terminal(unsigned short columns, int *screen, FILE **out)
{
    *screen = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*screen >= 0);
    assert_int_equal(grantpt(*screen), 0);
    assert_int_equal(unlockpt(*screen), 0);
    *out = fopen(ptsname(*screen), "w");
    assert_non_null(*out);

    struct termios raw;

    assert_int_equal(tcgetattr(fileno(*out), &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(fileno(*out), TCSANOW, &raw), 0);
    assert_int_equal(
        ioctl(fileno(*out), TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = columns}), 0);
}

/* On a terminal a line replaces the one before, and is cut where it would wrap. */
static void test_progress_in_place(void **state)
{
    static const struct {
        unsigned short columns;
        const char *screen;
    } cases[] = {
        {30, "\r[1.0s] Progress: 0/100,000 (0\033[K\r[2.0s] Progress: 0/100,000 (0\033[K\n"
             "\nFinal Results:\n"},
        {200, "\r[1.0s] Progress: 0/100,000 (0.0%), RPS: current=0 avg=0.0, Errors: 0 | Latency "
              "(ms): avg=0.00 p50=0.00 p95=0.00 p99=0.00\033[K\r[2.0s] Prog"},
        {0, "\r[1.0s] Progress: 0/100,000 (0.0%), RPS: current=0 avg=0.0, Errors: 0 | Latency "
            "(ms): avg=0.00 p50=0.00 p95=0.00 p99=0.00\033[K\r[2.0s] Prog"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture = {0};
        char screen[4096];
        int fd;

        open_terminal(cases[i].columns, &fd, &fixture.out);
        fixture.sink = report_text_create(fixture.out, true);
        snapshot_init(&fixture.counted);
        fixture.sink->ops->begin(fixture.sink, &limited);
        take_interval(&fixture, 1000);
        take_interval(&fixture, 2000);
        take_end(&fixture, (struct report_end){.elapsed_ns = UINT64_C(2000000000)});

        size_t got = 0;

        while (got < strlen(cases[i].screen)) {
            const ssize_t n = read(fd, screen + got, sizeof screen - got);

            assert_true(n > 0);
            got += (size_t)n;
        }
        assert_memory_equal(screen, cases[i].screen, strlen(cases[i].screen));
        assert_int_equal(fixture.sink->failure, 0);
        fixture_close(&fixture);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_progress_without_limit),
        cmocka_unit_test(test_progress_before_the_start),
        cmocka_unit_test(test_progress_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
