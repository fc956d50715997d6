/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include <string.h>

#include "report/workers.h"

static const struct report_ops no_ops;

/* What the section looks like; freed by the caller. */
static char *print(const struct report_worker *workers, unsigned count)
{
    struct report_sink sink = {.ops = &no_ops, .stop_fd = -1};
    char *text = NULL;
    size_t size = 0;

    sink.out = open_memstream(&text, &size);
    assert_non_null(sink.out);
    workers_print(&sink, workers, count);
    fclose(sink.out);
    return text;
}

static void test_a_line_a_worker(void **state)
{
    const struct report_worker workers[] = {
        {.busy = 0.912, .crowded = 0.013, .longest_ns = 1234000, .loop_ns = CLOCK_NS_PER_S},
        {.busy = 0, .longest_ns = 7, .overflows = 1},
        {.busy = 1, .crowded = 0.0099, .longest_ns = 2000000000, .overflows = 20},
    };
    char *text = print(workers, 3);

    (void)state;
    assert_string_equal(text,
                        "\n"
                        "Workers:\n"
                        "=======\n"
                        "Worker 0: busy 91.2%, crowded out 1.3%, longest turn 1.234 ms\n"
                        "Worker 1: busy 0.0%, longest turn 0.000 ms, 1 overflow of the queue\n"
                        "Worker 2: busy 100.0%, longest turn 2000.000 ms, 20 "
                        "overflows of the queue\n");
    free(text);
}

/* Of many the busiest have lines, in the order of their numbers, and the rest is summed up. */
static void test_many_workers(void **state)
{
    struct report_worker workers[WORKERS_SHOWN + 3];
    const unsigned count = WORKERS_SHOWN + 3;

    (void)state;
    for (unsigned i = 0; i < count; i++)
        workers[i] = (struct report_worker){.busy = 0.5, .crowded = 0.5, .longest_ns = 1000000};
    workers[2] = (struct report_worker){.busy = 0.1, .crowded = 0.1, .longest_ns = 5000000};
    workers[7] = (struct report_worker){.busy = 0.4, .crowded = 0.2, .overflows = 2};
    workers[count - 1].busy = 0.6; /* so that of those alike the last has no line */

    char *text = print(workers, count);
    unsigned lines = 0;

    for (const char *line = text; (line = strstr(line, "\nWorker ")); line++)
        lines++;
    assert_int_equal(lines, WORKERS_SHOWN);
    assert_null(strstr(text, "\nWorker 2:"));
    assert_null(strstr(text, "\nWorker 7:"));
    assert_null(strstr(text, "\nWorker 17:"));
    assert_non_null(strstr(text,
                           "\nWorker 16: busy 50.0%, crowded out 50.0%, longest turn 1.000 ms\n"
                           "Worker 18: busy 60.0%, crowded out 50.0%, longest turn 1.000 ms\n"
                           "The other 3: at most busy 50.0%, crowded out 50.0%, longest turn 5.000 "
                           "ms, 2 overflows of the queue\n"));
    free(text);
}

static void test_nothing_known(void **state)
{
    char *text = print(NULL, 3);

    (void)state;
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_a_worker),
        cmocka_unit_test(test_many_workers),
        cmocka_unit_test(test_nothing_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
