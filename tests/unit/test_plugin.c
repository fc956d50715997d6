/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "plugin_fixture.h"

static void create(struct plugin_fixture *fixture, const char *mode, unsigned places)
{
    plugin_fixture_init(fixture, PLUGIN_TALKER, mode, places);
    assert_int_equal(plugin_fixture_create(fixture), 0);
}

/* Answers the command of a fresh execution by bytes in memory of exactly their size. */
static enum script_status answer(struct plugin_fixture *fixture, struct str replies)
{
    char *copy = malloc(replies.len);

    assert_non_null(copy);
    memcpy(copy, replies.ptr, replies.len);
    assert_int_equal(plugin_fixture_start(fixture, 0, 3), SCRIPT_WAITS);
    const enum script_status status =
        plugin_fixture_reply(fixture, 0, (struct str){copy, replies.len});
    free(copy);
    return status;
}

static void a_command_is_rendered(void **state)
{
    struct plugin_fixture fixture;
    char expected[128], name[KEYSPACE_NAME_MAX];
    const struct request request = {.k = 12345};

    (void)state;
    create(&fixture, "describe", 1);
    const struct keyspace keyspace = keyspace_of(&fixture.keys, fixture.setup.worker);
    const int len = (int)keyspace_write(&keyspace, &request, name);
    snprintf(expected, sizeof expected, "*2\r\n$3\r\nGET\r\n$%d\r\n%.*s\r\n", len, len, name);
    assert_waits(plugin_fixture_start(&fixture, 0, request.k), &fixture, 1, str_of(expected));
    plugin_fixture_deinit(&fixture);
}

static void replies_of_every_type_arrive(void **state)
{
    const struct {
        struct str replies;
        const char *seen;
    } cases[] = {
        {STR("+OK\r\n"), "status'OK'"},
        {STR("-ERR no\r\n"), "server'ERR no'"},
        {STR("!6\r\nERR\r\nx\r\n"), "server'ERR\r\nx'"},
        {STR(":-5\r\n"), "-5"},
        {STR(":9223372036854775807\r\n"), "9223372036854775807"},
        {STR("$3\r\na\0b\r\n"), "'a0b'"},
        {STR("$0\r\n\r\n"), "''"},
        {STR("$-1\r\n"), "null"},
        {STR("*-1\r\n"), "null"},
        {STR("_\r\n"), "null"},
        {STR(",1.5\r\n"), "double 1.5"},
        {STR(",-inf\r\n"), "double -inf"},
        {STR("#t\r\n"), "true"},
        {STR("#f\r\n"), "false"},
        {STR("(12345678901234567890\r\n"), "big'12345678901234567890'"},
        {STR("=7\r\ntxt:a\0b\r\n"), "verbatim'a0b'"},
        {STR("=4\r\ntxt:\r\n"), "verbatim''"},
        {STR("*0\r\n"), "[]"},
        {STR("%0\r\n"), "map[]"},
        {STR("*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n$1\r\nb\r\n"), "[1 [status'a' []] 'b']"},
        {STR("%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n_\r\n"), "map[status'a' 1 status'b' set[null]]"},
        {STR("|1\r\n+ttl\r\n:1\r\n$1\r\nx\r\n"), "'x'"},
        {STR("*2\r\n|1\r\n+a\r\n*1\r\n|1\r\n+b\r\n:1\r\n:2\r\n:3\r\n|0\r\n:4\r\n"), "[3 4]"},
        {STR("*2\r\n-ERR in\r\n+OK\r\n"), "[server'ERR in' status'OK']"},
    };
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "describe", 1);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_failed(answer(&fixture, cases[i].replies), &fixture, cases[i].seen);
    plugin_fixture_deinit(&fixture);
}

/* "*1" `depth` times, and a number. */
static struct str nest(char *bytes, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        memcpy(bytes + (size_t)4 * i, "*1\r\n", 4);
    memcpy(bytes + (size_t)4 * depth, ":1\r\n", 4);
    return (struct str){bytes, (size_t)4 * depth + 4};
}

static void nesting_has_a_limit(void **state)
{
    enum { DEEP = 100000 };
    struct plugin_fixture fixture;
    char *bytes = malloc(4 * (DEEP + 1));
    char expected[128] = "";

    (void)state;
    assert_non_null(bytes);
    create(&fixture, "describe", 1);
    for (int i = 0; i < 32; i++)
        strcat(expected, "[");
    strcat(expected, "1");
    for (int i = 0; i < 32; i++)
        strcat(expected, "]");
    assert_failed(answer(&fixture, nest(bytes, 32)), &fixture, expected);
    assert_failed(answer(&fixture, nest(bytes, 33)), &fixture,
                  "refused'The reply is nested too deep.'");
    assert_failed(answer(&fixture, nest(bytes, DEEP)), &fixture,
                  "refused'The reply is nested too deep.'");
    plugin_fixture_deinit(&fixture);
    free(bytes);
}

static void a_deep_reply_spoils_no_other(void **state)
{
    struct plugin_fixture fixture;
    char bytes[1024] = "*3\r\n:1\r\n";
    size_t len = strlen(bytes);

    (void)state;
    create(&fixture, "pipeline", 1);
    len += nest(bytes + len, 40).len;
    memcpy(bytes + len, "+x\r\n+y\r\n+z\r\n", 12);
    assert_failed(answer(&fixture, (struct str){bytes, len + 12}), &fixture,
                  "0 refused'The reply is nested too deep.' status'y' status'z'");
    plugin_fixture_deinit(&fixture);
}

static void replies_that_did_not_come_are_errors(void **state)
{
    const struct script_answer lost = {.text = STR("Lost the connection.")};
    const struct script_answer late = {.text = STR("Too late."), .timeout = true};
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "describe", 1);
    plugin_fixture_start(&fixture, 0, 0);
    assert_failed(script_host_c.resume(fixture.script, 0, &lost, &fixture.step), &fixture,
                  "lost'Lost the connection.'");
    plugin_fixture_start(&fixture, 0, 1);
    assert_failed(script_host_c.resume(fixture.script, 0, &late, &fixture.step), &fixture,
                  "timeout'Too late.'");
    plugin_fixture_deinit(&fixture);

    create(&fixture, "pipeline", 1);
    plugin_fixture_start(&fixture, 0, 0);
    assert_failed(script_host_c.resume(fixture.script, 0, &late, &fixture.step), &fixture,
                  "0 timeout'Too late.' timeout'Too late.' timeout'Too late.'");
    plugin_fixture_deinit(&fixture);
}

static void a_pipeline_is_one_step(void **state)
{
    const struct str expected = STR("*2\r\n$4\r\nECHO\r\n$1\r\n0\r\n*2\r\n$4\r\nECHO\r\n$1\r\n1\r\n"
                                    "*2\r\n$4\r\nECHO\r\n$1\r\n2\r\n");
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "pipeline", 1);
    assert_waits(plugin_fixture_start(&fixture, 0, 0), &fixture, 3, expected);
    assert_failed(plugin_fixture_reply(&fixture, 0, STR("*2\r\n:1\r\n:2\r\n-ERR\r\n*1\r\n:3\r\n")),
                  &fixture, "0 [1 2] server'ERR' [3]");
    plugin_fixture_deinit(&fixture);
}

static void arguments_may_hold_any_bytes(void **state)
{
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "binary", 1);
    assert_waits(plugin_fixture_start(&fixture, 0, 0), &fixture, 1,
                 STR("*4\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n$2\r\n\r\n\r\n"));
    assert_int_equal(plugin_fixture_reply(&fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
    plugin_fixture_deinit(&fixture);
}

static void a_large_command_is_whole(void **state)
{
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "large", 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(plugin_fixture_start(&fixture, 0, 0), SCRIPT_WAITS);
        assert_int_equal(fixture.step.bytes.len, strlen("*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n"
                                                        "$200000\r\n\r\n") +
                                                     200000);
        assert_int_equal(plugin_fixture_reply(&fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
    }
    plugin_fixture_deinit(&fixture);
}

static void a_command_without_arguments_is_refused(void **state)
{
    const char *refused = "Nothing was sent, for there was a command without arguments.";
    struct plugin_fixture fixture;
    char expected[256];

    (void)state;
    create(&fixture, "nothing", 1);
    assert_waits(plugin_fixture_start(&fixture, 0, 0), &fixture, 1, STR("*1\r\n$4\r\nPING\r\n"));
    snprintf(expected, sizeof expected, "refused'%s' status'PONG', before: %s", refused, refused);
    assert_failed(plugin_fixture_reply(&fixture, 0, STR("+PONG\r\n")), &fixture, expected);
    plugin_fixture_deinit(&fixture);
}

static void what_a_plugin_returns_decides(void **state)
{
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "silent", 1);
    assert_failed(answer(&fixture, STR("-OOM full\r\n")), &fixture, "OOM full");
    assert_int_equal(answer(&fixture, STR("+PONG\r\n")), SCRIPT_OK);
    plugin_fixture_deinit(&fixture);

    create(&fixture, "swallow", 1);
    assert_int_equal(answer(&fixture, STR("-OOM full\r\n")), SCRIPT_OK);
    assert_failed(answer(&fixture, STR("+PONG\r\n")), &fixture, "");
    plugin_fixture_deinit(&fixture);
}

static void commands_that_were_not_flushed_are_a_failure(void **state)
{
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "forget", 1);
    for (int i = 0; i < 2; i++)
        assert_failed(plugin_fixture_start(&fixture, 0, 0), &fixture,
                      "Commands were appended and never flushed: they were not sent.");
    plugin_fixture_deinit(&fixture);
}

static void numbers_depend_on_seed_request_and_stream(void **state)
{
    struct plugin_fixture fixture;
    char first[128], again[128], other[128];
    char *const texts[] = {first, again, other};
    const uint64_t requests[] = {3, 3, 4};
    unsigned long long a, b, c, d;

    (void)state;
    create(&fixture, "draw", 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(plugin_fixture_start(&fixture, i % 2, requests[i]), SCRIPT_FAILED);
        snprintf(texts[i], sizeof first, "%.*s", (int)fixture.step.text.len, fixture.step.text.ptr);
    }
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_int_equal(sscanf(first, "%llu %llu %llu %llu", &a, &b, &c, &d), 4);
    assert_true(a != b && c < 10 && d == 0);
    plugin_fixture_deinit(&fixture);
}

/* Answers the number that a place has sent by ten more. */
static enum script_status add_ten(struct plugin_fixture *fixture, unsigned place,
                                  const char *number)
{
    char reply[32];

    snprintf(reply, sizeof reply, ":%d\r\n", atoi(number) + 9);
    return plugin_fixture_reply(fixture, place, str_of(reply));
}

static void many_executions_take_turns(void **state)
{
    enum { PLACES = 1000 };
    struct plugin_fixture fixture;
    const char *const sent[] = {"0", "10", "20"};

    (void)state;
    create(&fixture, "count", PLACES);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < PLACES; i++)
            assert_int_equal(plugin_fixture_start(&fixture, i, i), SCRIPT_WAITS);
        for (unsigned turn = 0; turn < 3; turn++)
            for (unsigned i = PLACES; i-- > 0;)
                assert_int_equal(add_ten(&fixture, i, sent[turn]),
                                 turn < 2 ? SCRIPT_WAITS : SCRIPT_OK);
    }
    plugin_fixture_deinit(&fixture);
}

static void a_cancelled_place_is_free(void **state)
{
    enum { PLACES = 100 };
    struct plugin_fixture fixture;

    (void)state;
    create(&fixture, "count", PLACES);
    for (unsigned i = 0; i < PLACES; i++) {
        assert_int_equal(plugin_fixture_start(&fixture, i, i), SCRIPT_WAITS);
        if (i % 2)
            assert_int_equal(add_ten(&fixture, i, "0"), SCRIPT_WAITS);
        script_host_c.cancel(fixture.script, i);
        assert_waits(plugin_fixture_start(&fixture, i, i), &fixture, 1,
                     STR("*2\r\n$4\r\nECHO\r\n$1\r\n0\r\n"));
    }
    for (unsigned i = 0; i < PLACES; i += 3)
        script_host_c.cancel(fixture.script, i);
    plugin_fixture_deinit(&fixture);
}

static void a_reply_of_100_megabytes_arrives(void **state)
{
    enum { BYTES = 100 * 1000 * 1000, ITEMS = 100 * 1000 };
    struct plugin_fixture fixture;
    char *bytes = malloc(BYTES + 32);
    size_t len;

    (void)state;
    assert_non_null(bytes);
    create(&fixture, "silent", 1);
    len = (size_t)sprintf(bytes, "$%d\r\n", BYTES);
    memset(bytes + len, 'x', BYTES);
    memcpy(bytes + len + BYTES, "\r\n", 2);
    plugin_fixture_start(&fixture, 0, 0);
    assert_int_equal(plugin_fixture_reply(&fixture, 0, (struct str){bytes, len + BYTES + 2}),
                     SCRIPT_OK);
    len = (size_t)sprintf(bytes, "*%d\r\n", ITEMS);
    for (int i = 0; i < ITEMS; i++, len += 6)
        memcpy(bytes + len, "+abc\r\n", 6);
    plugin_fixture_start(&fixture, 0, 1);
    assert_int_equal(plugin_fixture_reply(&fixture, 0, (struct str){bytes, len}), SCRIPT_OK);
    plugin_fixture_deinit(&fixture);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_rendered),
        cmocka_unit_test(replies_of_every_type_arrive),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_deep_reply_spoils_no_other),
        cmocka_unit_test(replies_that_did_not_come_are_errors),
        cmocka_unit_test(a_pipeline_is_one_step),
        cmocka_unit_test(arguments_may_hold_any_bytes),
        cmocka_unit_test(a_large_command_is_whole),
        cmocka_unit_test(a_command_without_arguments_is_refused),
        cmocka_unit_test(what_a_plugin_returns_decides),
        cmocka_unit_test(commands_that_were_not_flushed_are_a_failure),
        cmocka_unit_test(numbers_depend_on_seed_request_and_stream),
        cmocka_unit_test(many_executions_take_turns),
        cmocka_unit_test(a_cancelled_place_is_free),
        cmocka_unit_test(a_reply_of_100_megabytes_arrives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
