/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "load/client_ramp.h"

static struct client_ramp make(struct client_ramp_config config)
{
    struct client_ramp ramp;
    struct err err;

    assert_int_equal(client_ramp_init(&ramp, &config, &err), 0);
    return ramp;
}

static void test_fixed(void **state)
{
    const struct client_ramp ramp = client_ramp_fixed(50);

    (void)state;
    assert_int_equal(client_ramp_count(&ramp, 0), 50);
    assert_int_equal(client_ramp_count(&ramp, UINT64_MAX), 50);
    assert_int_equal(client_ramp_next_ns(&ramp, 0), UINT64_MAX);
}

static void test_steps(void **state)
{
    static const struct {
        struct client_ramp_config config;
        uint64_t counts[7]; /* of the steps; the last is the end */
    } cases[] = {
        {{.start = 10, .end = 50, .per_step = 10, .interval_ns = 1000},
         {10, 20, 30, 40, 50, 50, 50}},
        {{.start = 1, .end = 9, .per_step = 3, .interval_ns = 1000}, {1, 4, 7, 9, 9, 9, 9}},
        {{.start = 2, .end = 9, .per_step = 7, .interval_ns = 1000}, {2, 9, 9, 9, 9, 9, 9}},
        {{.start = 10,
          .end = 100,
          .factor_micro = 1500000,
          .interval_ns = 1000,
          .mode = RAMP_EXPONENTIAL},
         {10, 15, 23, 34, 51, 76, 100}},
        {{.start = 5,
          .end = 5,
          .factor_micro = 2000000,
          .interval_ns = 1000,
          .mode = RAMP_EXPONENTIAL},
         {5, 5, 5, 5, 5, 5, 5}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct client_ramp ramp = make(cases[i].config);
        const uint64_t *counts = cases[i].counts;

        for (uint64_t step = 0; step < COUNT(cases[i].counts); step++) {
            const bool done = counts[step] == cases[i].config.end;
            const uint64_t next_ns = done ? UINT64_MAX : (step + 1) * 1000;

            assert_int_equal(client_ramp_count(&ramp, step * 1000), counts[step]);
            assert_int_equal(client_ramp_count(&ramp, step * 1000 + 999), counts[step]);
            assert_int_equal(client_ramp_next_ns(&ramp, step * 1000), next_ns);
            assert_int_equal(client_ramp_next_ns(&ramp, step * 1000 + 999), next_ns);
        }
        assert_int_equal(client_ramp_count(&ramp, UINT64_MAX), cases[i].config.end);
    }
}

static void test_small_factor_reaches_the_end(void **state)
{
    const struct client_ramp ramp = make((struct client_ramp_config){.start = 1,
                                                                     .end = 100,
                                                                     .factor_micro = 1010000,
                                                                     .interval_ns = 10,
                                                                     .mode = RAMP_EXPONENTIAL});
    uint64_t time_ns = 0;
    unsigned steps = 0;

    (void)state;
    assert_int_equal(client_ramp_count(&ramp, 409), 1); /* 1.01^40 = 1.4889 */
    assert_int_equal(client_ramp_count(&ramp, 410), 2); /* 1.01^41 = 1.5038 */
    for (;;) {
        const uint64_t next_ns = client_ramp_next_ns(&ramp, time_ns);

        if (next_ns == UINT64_MAX)
            break;
        assert_int_equal(next_ns, time_ns + 10);
        assert_true(client_ramp_count(&ramp, next_ns) >= client_ramp_count(&ramp, time_ns));
        time_ns = next_ns;
        steps++;
    }
    assert_int_equal(client_ramp_count(&ramp, time_ns), 100);
    assert_int_equal(steps, 463); /* 1.01^462 = 99.19, 1.01^463 = 100.2 */
}

static void test_end_of_time(void **state)
{
    const struct client_ramp ramp = make((struct client_ramp_config){
        .start = 1, .end = 3, .per_step = 1, .interval_ns = UINT64_MAX / 2 + 2});

    (void)state;
    assert_int_equal(client_ramp_next_ns(&ramp, 0), UINT64_MAX / 2 + 2);
    assert_int_equal(client_ramp_count(&ramp, UINT64_MAX), 2);
    assert_int_equal(client_ramp_next_ns(&ramp, UINT64_MAX), UINT64_MAX);
}

static void test_wanted(void **state)
{
    const struct client_ramp_config given[] = {
        {.start = 1},       {.end = 1},          {.per_step = 1},
        {.interval_ns = 1}, {.factor_micro = 1}, {.mode = RAMP_EXPONENTIAL},
    };

    (void)state;
    assert_false(client_ramp_wanted(&(struct client_ramp_config){0}));
    for (size_t i = 0; i < COUNT(given); i++)
        assert_true(client_ramp_wanted(&given[i]));
}

static void test_refusals(void **state)
{
    static const struct {
        struct client_ramp_config config;
        const char *sentence;
    } cases[] = {
        {{.start = 1},
         "The ramp of --clients-ramp-start needs --clients-ramp-end, --client-ramp-interval and "
         "--clients-per-ramp too."},
        {{.end = 9, .per_step = 1},
         "The ramp of --clients-ramp-end needs --clients-ramp-start and --client-ramp-interval "
         "too."},
        {{.start = 1, .end = 9, .interval_ns = 1},
         "The ramp of --clients-ramp-start needs --clients-per-ramp too."},
        {{.start = 1, .end = 9, .interval_ns = 1, .factor_micro = 2000000},
         "The ramp of --clients-ramp-start needs --clients-per-ramp too; --client-ramp-factor is "
         "for --client-ramp-mode exponential."},
        {{.start = 1, .end = 9, .interval_ns = 1, .mode = RAMP_EXPONENTIAL},
         "The ramp of --clients-ramp-start needs --client-ramp-factor too."},
        {{.start = 1,
          .end = 9,
          .interval_ns = 1,
          .factor_micro = 1000000,
          .mode = RAMP_EXPONENTIAL},
         "--client-ramp-factor must be above 1, not 1."},
        {{.start = 9, .end = 1, .interval_ns = 1, .per_step = 1},
         "--clients-ramp-end must be at least --clients-ramp-start, 9, not 1."},
        {{.start = 9,
          .end = 1,
          .interval_ns = 1,
          .factor_micro = 2000000,
          .mode = RAMP_EXPONENTIAL},
         "--clients-ramp-end must be at least --clients-ramp-start, 9, not 1."},
        {{.start = 1, .end = 9, .interval_ns = 1, .per_step = 9},
         "--clients-per-ramp must be at most the difference between --clients-ramp-start and "
         "--clients-ramp-end, 8, not 9."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client_ramp ramp;
        struct err err = {""};

        assert_true(client_ramp_init(&ramp, &cases[i].config, &err) < 0);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void read_option(const char *name, const char *text, struct client_ramp_config *config)
{
    struct err err;

    for (const struct option_spec *spec = client_ramp_options; spec->name; spec++)
        if (strcmp(spec->name, name) == 0) {
            assert_int_equal(spec->read(spec, (char *)config + spec->offset, text, &err), 0);
            return;
        }
    fail_msg("there is no option %s", name);
}

static void test_options(void **state)
{
    struct client_ramp_config config = {0};

    (void)state;
    read_option("clients-ramp-start", "10", &config);
    read_option("clients-ramp-end", "1k", &config);
    read_option("clients-per-ramp", "20", &config);
    read_option("client-ramp-interval", "2", &config);
    read_option("client-ramp-factor", "1.5", &config);
    read_option("client-ramp-mode", "exponential", &config);
    assert_int_equal(config.start, 10);
    assert_int_equal(config.end, 1000);
    assert_int_equal(config.per_step, 20);
    assert_int_equal(config.interval_ns, 2000000000);
    assert_int_equal(config.factor_micro, 1500000);
    assert_int_equal(config.mode, RAMP_EXPONENTIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_small_factor_reaches_the_end),
        cmocka_unit_test(test_end_of_time),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests_name("client_ramp", tests, NULL, NULL);
}
