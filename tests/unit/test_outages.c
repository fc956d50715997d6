/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_fixture.h"

#include "report/outages.h"

#define MS UINT64_C(1000000)

static const struct report_ops no_ops;

/* What the section looks like; freed by the caller. */
static char *print(const struct outages *outages)
{
    struct report_sink sink = {.ops = &no_ops, .stop_fd = -1};
    char *text = NULL;
    size_t size = 0;

    sink.out = open_memstream(&text, &size);
    assert_non_null(sink.out);
    outages_print(&sink, outages);
    fclose(sink.out);
    return text;
}

static void test_lines(void **state)
{
    static const struct outages outages = {
        .kept = {{.from_ns = 5100 * MS,
                  .to_ns = 7300 * MS,
                  .silent_ns = 2100 * MS,
                  .failed = {[OUTCOME_DISCONNECT] = 6, [OUTCOME_CLUSTERDOWN] = 1306},
                  .retried = 1204},
                 {.from_ns = 9040 * MS, .to_ns = 10060 * MS, .silent_ns = 1020 * MS},
                 {.from_ns = 12000 * MS, .to_ns = 12100 * MS, .failed = {[OUTCOME_TIMEOUT] = 1}},
                 /* Rounding makes no line disagree with itself. */
                 {.from_ns = 20050 * MS, .to_ns = 20640 * MS, .silent_ns = 590 * MS}},
        .count = 4,
        .more = 2,
    };
    char *text = print(&outages);

    (void)state;
    assert_string_equal(
        text, "\n"
              "Outages:\n"
              "=======\n"
              "1: from 5.1 s to 7.3 s (2.2 s): 1,312 requests failed (disconnect 6, clusterdown "
              "1,306), 1,204 retried; no request succeeded for 2.1 s\n"
              "2: from 9.0 s to 10.1 s (1.1 s): no request failed; no request succeeded for 1.0 s\n"
              "3: from 12.0 s to 12.1 s (0.1 s): 1 request failed (timeout 1)\n"
              "4: from 20.1 s to 20.6 s (0.5 s): no request failed; no request succeeded for 0.5 "
              "s\n"
              "More: 2 that are not shown\n");
    free(text);
}

static void test_none(void **state)
{
    static const struct outages none;
    char *unknown = print(NULL), *text = print(&none);

    (void)state;
    assert_string_equal(unknown, "");
    assert_string_equal(text, "");
    free(unknown);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
