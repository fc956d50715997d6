/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resp/slot.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* As a server says: CLUSTER KEYSLOT. */
static const struct {
    struct str key;
    uint16_t slot;
} cases[] = {
    {TEXT(""), 0},
    {TEXT("123456789"), 0x31c3},
    {TEXT("foo"), 12182},
    {TEXT("{foo}"), 12182},
    {TEXT("{foo}bar"), 12182},
    {TEXT("a{foo}b{bar}"), 12182},
    {TEXT("{}"), 15257},
    {TEXT("{}foo"), 9500},
    {TEXT("foo{}{bar}"), 8363},
    {TEXT("foo{{bar}}zap"), 4015},
    {TEXT("foo{bar}{zap}"), 5061},
    {TEXT("foo{bar"), 15278},
    {TEXT("foo}bar{"), 11073},
    {TEXT("}{"), 12793},
    {TEXT("{"), 4092},
    {TEXT("}"), 12090},
    {TEXT("{user1000}.following"), 3443},
    {TEXT("key:0:0"), 3132},
    {TEXT("key:12345"), 11223},
    {TEXT("a\000b"), 8383},
    {TEXT("{\000}x"), 0},
    {TEXT("\377\376"), 3374},
    {TEXT("x{\377}"), 7920},
    {TEXT("{a"), 10276},
    {TEXT("{a}"), 15495},
    {TEXT("{ab}"), 13567},
    {TEXT("ab{c}"), 7365},
    {TEXT("{{}x"), 4092},
    {TEXT("{}}{a}"), 16105},
};

static struct str copy(struct str bytes)
{
    char *exact = malloc(bytes.len ? bytes.len : 1);

    memcpy(exact, bytes.ptr, bytes.len);
    return (struct str){exact, bytes.len};
}

static void test_slots_are_those_of_a_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct str key = copy(cases[i].key);

        assert_int_equal(resp_slot(key), cases[i].slot);
        free((char *)key.ptr);
    }
}

/* Cut at two places, which may be the same, or the ends. */
static void test_pieces_make_a_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct str key = cases[i].key;

        for (size_t a = 0; a <= key.len; a++) {
            for (size_t b = a; b <= key.len; b++) {
                struct slot_hash hash = {0};

                slot_hash_add(&hash, (struct str){key.ptr, a});
                slot_hash_add(&hash, (struct str){key.ptr + a, b - a});
                slot_hash_add(&hash, (struct str){key.ptr + b, key.len - b});
                assert_int_equal(slot_hash_end(&hash), cases[i].slot);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_are_those_of_a_server),
        cmocka_unit_test(test_pieces_make_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
