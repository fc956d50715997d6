/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "load/keyspace.h"

/* The name of a request's key, written to memory of its exact size first. */
static const char *name_of(const struct keyspace *keyspace, struct request request,
                           char text[KEYSPACE_NAME_MAX + 1])
{
    char *exact = malloc(KEYSPACE_NAME_MAX);
    const unsigned len = keyspace_write(keyspace, &request, exact);

    assert_true(len <= KEYSPACE_NAME_MAX);
    memcpy(text, exact, len);
    text[len] = '\0';
    free(exact);
    return text;
}

static uint64_t number_of(const struct keyspace *keyspace, uint64_t k)
{
    char text[KEYSPACE_NAME_MAX + 1];
    char again[KEYSPACE_NAME_MAX + 1];
    char *end;

    name_of(keyspace, (struct request){.k = k}, text);
    const uint64_t number = strtoull(text + 4, &end, 10);
    snprintf(again, sizeof again, "key:%" PRIu64, number);
    assert_string_equal(text, again);
    return number;
}

static void test_names(void **state)
{
    static const struct {
        struct keyspace_config config;
        unsigned worker;
        struct request request;
        const char *name;
    } cases[] = {
        {{0}, 0, {.k = 9, .n = 0}, "key:0:0"},
        {{0}, 3, {.k = 9, .n = 12}, "key:3:12"},
        {{0}, UINT32_MAX, {.n = UINT64_MAX}, "key:4294967295:18446744073709551615"},
        {{.sequential = 10}, 7, {.k = 0, .n = 5}, "key:0"},
        {{.sequential = 10}, 7, {.k = 9}, "key:9"},
        {{.sequential = 10}, 7, {.k = 10}, "key:0"},
        {{.sequential = 10, .offset = 100}, 7, {.k = 23}, "key:103"},
        {{.sequential = 1, .offset = UINT64_MAX}, 0, {.k = 5}, "key:18446744073709551615"},
        {{.sequential = UINT64_MAX}, 0, {.k = UINT64_MAX - 1}, "key:18446744073709551614"},
        {{.sequential = UINT64_MAX}, 0, {.k = UINT64_MAX}, "key:0"},
        {{.random = 1}, 0, {.k = 5}, "key:0"},
        {{.random = 1, .offset = 42}, 0, {.k = 5}, "key:42"},
        /* These three hold the hash still, so that a seed means the same in every version. */
        {{.random = 1000000, .seed = 1}, 0, {.k = 0}, "key:368189"},
        {{.random = 1000000, .seed = 1}, 5, {.k = 1}, "key:943564"},
        {{.random = 1000000, .seed = 2, .offset = 7}, 0, {.k = 0}, "key:392223"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct keyspace keyspace = keyspace_of(&cases[i].config, cases[i].worker);
        char text[KEYSPACE_NAME_MAX + 1];

        assert_string_equal(name_of(&keyspace, cases[i].request, text), cases[i].name);
    }
}

static void test_sequence_covers_each_key_once(void **state)
{
    enum { SIZE = 1000, OFFSET = 5000 };
    unsigned starts[SIZE] = {0};
    unsigned different = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        const struct keyspace keyspace = keyspace_of(
            &(struct keyspace_config){
                .sequential = SIZE, .offset = OFFSET, .random_start = true, .seed = seed},
            0);
        unsigned seen[SIZE] = {0};

        for (uint64_t k = 0; k < SIZE; k++) {
            const uint64_t number = number_of(&keyspace, k);

            assert_true(number >= OFFSET && number < OFFSET + SIZE);
            assert_int_equal(seen[number - OFFSET]++, 0);
            assert_int_equal(number_of(&keyspace, k + SIZE), number);
            if (k > 0)
                assert_int_equal(number - OFFSET,
                                 (number_of(&keyspace, k - 1) - OFFSET + 1) % SIZE);
        }
        different += starts[number_of(&keyspace, 0) - OFFSET]++ == 0;
    }
    assert_true(different > 10);
}

static void test_rotation_of_a_huge_sequence(void **state)
{
    const struct keyspace keyspace = keyspace_of(
        &(struct keyspace_config){.sequential = UINT64_MAX, .random_start = true, .seed = 3}, 0);
    const uint64_t start = number_of(&keyspace, 0);

    (void)state;
    assert_int_equal(number_of(&keyspace, UINT64_MAX - 1 - start), UINT64_MAX - 1);
    assert_int_equal(number_of(&keyspace, UINT64_MAX - start), 0);
    assert_int_equal(number_of(&keyspace, UINT64_MAX - 1), start - 1);
}

static void test_random_is_uniform(void **state)
{
    enum { BINS = 100, DRAWS = 100000, OFFSET = 1000 };
    const struct keyspace keyspace =
        keyspace_of(&(struct keyspace_config){.random = BINS, .offset = OFFSET, .seed = 12345}, 0);
    unsigned seen[BINS] = {0};
    double chi_square = 0;

    (void)state;
    for (uint64_t k = 0; k < DRAWS; k++) {
        const uint64_t number = number_of(&keyspace, k);

        assert_true(number >= OFFSET && number < OFFSET + BINS);
        seen[number - OFFSET]++;
    }
    for (unsigned i = 0; i < BINS; i++) {
        const double difference = seen[i] - (double)DRAWS / BINS;

        chi_square += difference * difference / ((double)DRAWS / BINS);
    }
    /* 99 degrees of freedom: beyond 161 with a chance of 1 in 10,000, below 51 likewise. */
    assert_true(chi_square < 161);
    assert_true(chi_square > 51);
}

static void test_random_is_a_function_of_seed_and_index(void **state)
{
    const struct keyspace_config config = {.random = 1000000000, .seed = 1};
    const struct keyspace_config other = {.random = 1000000000, .seed = 2};
    const struct keyspace first = keyspace_of(&config, 0);
    const struct keyspace second = keyspace_of(&config, 9);
    const struct keyspace third = keyspace_of(&other, 0);
    unsigned same = 0;

    (void)state;
    for (uint64_t k = 0; k < 1000; k++) {
        assert_int_equal(number_of(&first, k), number_of(&second, k));
        same += number_of(&first, k) == number_of(&third, k);
        same += number_of(&first, k) == number_of(&first, k + 1);
    }
    assert_int_equal(same, 0);
}

static void test_check(void **state)
{
    static const struct {
        struct keyspace_config config;
        const char *sentence; /* "": it is fine */
    } cases[] = {
        {{0}, ""},
        {{.seed = 7}, ""},
        {{.random = 10}, ""},
        {{.sequential = 10, .offset = 10, .random_start = true}, ""},
        {{.random = 10, .offset = UINT64_MAX - 9}, ""},
        {{.random = 10, .sequential = 10},
         "-r/--random and --sequential exclude each other: keys are random or in sequence."},
        {{.offset = 1}, "--keyspace-offset needs -r or --sequential."},
        {{.random_start = true}, "--sequential-random-start needs --sequential."},
        {{.random = 10, .random_start = true}, "--sequential-random-start needs --sequential."},
        {{.random = 10, .offset = UINT64_MAX - 8},
         "--keyspace-offset must be at most 18446744073709551606 for 10 keys, not "
         "18446744073709551607."},
        {{.sequential = UINT64_MAX, .offset = 2},
         "--keyspace-offset must be at most 1 for 18446744073709551615 keys, not 2."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        const int rc = keyspace_check(&cases[i].config, &err);

        assert_string_equal(err.text, cases[i].sentence);
        assert_int_equal(rc < 0, cases[i].sentence[0] != '\0');
    }
}

static void read_option(const char *name, const char *text, struct keyspace_config *config)
{
    struct err err;

    for (const struct option_spec *spec = keyspace_options; spec->name; spec++)
        if (strcmp(spec->name, name) == 0) {
            assert_int_equal(spec->read(spec, (char *)config + spec->offset, text, &err), 0);
            return;
        }
    fail_msg("there is no option %s", name);
}

static void test_options(void **state)
{
    struct keyspace_config config = {0};

    (void)state;
    read_option("sequential", "1k", &config);
    read_option("random", "2M", &config);
    read_option("keyspace-offset", "0", &config);
    assert_int_equal(config.offset, 0);
    read_option("keyspace-offset", "5", &config);
    read_option("sequential-random-start", NULL, &config);
    read_option("seed", "18446744073709551615", &config);
    assert_int_equal(config.sequential, 1000);
    assert_int_equal(config.random, 2000000);
    assert_int_equal(config.offset, 5);
    assert_true(config.random_start);
    assert_int_equal(config.seed, UINT64_MAX);
    read_option("seed", "0", &config);
    assert_int_equal(config.seed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sequence_covers_each_key_once),
        cmocka_unit_test(test_rotation_of_a_huge_sequence),
        cmocka_unit_test(test_random_is_uniform),
        cmocka_unit_test(test_random_is_a_function_of_seed_and_index),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests_name("keyspace", tests, NULL, NULL);
}
