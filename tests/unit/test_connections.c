/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include "base/str.h"
#include "report/connections.h"

static const struct report_ops no_ops;

/* What the section looks like; freed by the caller. */
static char *print(const struct snapshot *total)
{
    struct report_sink sink = {.ops = &no_ops, .stop_fd = -1};
    char *text = NULL;
    size_t size = 0;

    sink.out = open_memstream(&text, &size);
    assert_non_null(sink.out);
    connections_print(&sink, total);
    fclose(sink.out);
    return text;
}

static void test_parts(void **state)
{
    static const char *const want[] = {
        "",
        "\n"
        "Time to Connect (ms):\n"
        "====================\n"
        "Connections: 4\n"
        "Connect: p50 0.030, p99 0.060, maximum 0.060\n",
        "\n"
        "Time to Connect (ms):\n"
        "====================\n"
        "Connections: 4\n"
        "Connect: p50 0.030, p99 0.060, maximum 0.060\n"
        "Handshake: p50 0.020, p99 0.020, maximum 0.020\n",
        "\n"
        "Time to Connect (ms):\n"
        "====================\n"
        "Connections: 4\n"
        "Connect: p50 0.030, p99 0.060, maximum 0.060\n"
        "TLS: p50 0.040, p99 0.040, maximum 0.040\n"
        "Handshake: p50 0.020, p99 0.020, maximum 0.020\n",
    };
    struct snapshot total;

    (void)state;
    snapshot_init(&total);
    record(snapshot_series(&total, "SET", MEASURE_RESPONSE), 1000, 5);
    for (size_t parts = 0; parts < COUNT(want); parts++) {
        if (parts == 1) {
            record(snapshot_series(&total, "", MEASURE_CONNECT), 30000, 3);
            record(snapshot_series(&total, "", MEASURE_CONNECT), 60000, 1);
        } else if (parts == 2) {
            record(snapshot_series(&total, "", MEASURE_HANDSHAKE), 20000, 4);
        } else if (parts == 3) {
            record(snapshot_series(&total, "", MEASURE_TLS), 40000, 4);
        }
        char *text = print(&total);
        assert_string_equal(text, want[parts]);
        free(text);
    }
    snapshot_deinit(&total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
