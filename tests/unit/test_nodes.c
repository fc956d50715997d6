/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include "report/nodes.h"

static const struct report_ops no_ops;

/* What the section looks like; freed by the caller. */
static char *print(const struct snapshot *total)
{
    struct report_sink sink = {.ops = &no_ops, .stop_fd = -1};
    char *text = NULL;
    size_t size = 0;

    sink.out = open_memstream(&text, &size);
    assert_non_null(sink.out);
    nodes_print(&sink, total);
    fclose(sink.out);
    return text;
}

static void test_nothing_without_a_cluster(void **state)
{
    struct snapshot total;

    (void)state;
    snapshot_init(&total);
    record(snapshot_series(&total, "GET", MEASURE_RESPONSE), 1000, 5);
    char *text = print(&total);
    assert_string_equal(text, "");
    free(text);
    snapshot_deinit(&total);
}

static void test_a_line_for_each_node_and_role(void **state)
{
    struct snapshot total;

    (void)state;
    snapshot_init(&total);
    record(snapshot_series(&total, "h:7", MEASURE_REPLICA), 30000, 3);
    record(snapshot_series(&total, "h:10000", MEASURE_PRIMARY_ERRORS), 0, 2);
    record(snapshot_series(&total, "h:9999", MEASURE_PRIMARY), 40000, 99);
    record(snapshot_series(&total, "h:9999", MEASURE_PRIMARY), 80000, 2);
    record(snapshot_series(&total, "h:9999", MEASURE_PRIMARY_ERRORS), 0, 1);
    record(snapshot_series(&total, "h:9999", MEASURE_REPLICA), 50000, 1);
    record(snapshot_series(&total, "h:7", MEASURE_REPLICA_ERRORS), 0, 4);
    char *text = print(&total);
    assert_string_equal(text,
                        "\n"
                        "Nodes:\n"
                        "=====\n"
                        "h:9999 (primary): requests 101, errors 1, p50 0.040 ms, p99 0.080 ms\n"
                        "h:10000 (primary): requests 0, errors 2\n"
                        "h:7 (replica): requests 3, errors 4, p50 0.030 ms, p99 0.030 ms\n"
                        "h:9999 (replica): requests 1, errors 0, p50 0.050 ms, p99 0.050 ms\n");
    free(text);
    snapshot_deinit(&total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_without_a_cluster),
        cmocka_unit_test(test_a_line_for_each_node_and_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
