/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "load/template.h"
#include "resp/slot.h"

enum { WORDS_MAX = 4 };

static struct template *compile(const char *const *words, const char *value)
{
    struct str arguments[WORDS_MAX];
    unsigned count = 0;
    struct template *template;
    struct err err;

    for (; count < WORDS_MAX && words[count]; count++)
        arguments[count] = str_of(words[count]);
    assert_int_equal(template_create(&template, arguments, count, str_of(value), &err), 0);
    return template;
}

/* Into memory of the promised size, so that a sanitizer sees a byte beyond it. */
static char *render(const struct template *template, const struct keyspace *keyspace,
                    struct request request, size_t *len)
{
    char *bytes = malloc(template_bytes_max(template) + 1);
    char *exact = malloc(template_room(template));

    *len = template_render(template, keyspace, &request, exact);
    assert_true(*len <= template_bytes_max(template));
    memcpy(bytes, exact, *len);
    bytes[*len] = '\0';
    free(exact);
    return bytes;
}

static void test_bytes(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *value;
        uint64_t k;
        const char *bytes;
    } cases[] = {
        {{"PING"}, "", 0, "*1\r\n$4\r\nPING\r\n"},
        {{"SET", "__key__", "__data__"},
         "xxx",
         7,
         "*3\r\n$3\r\nSET\r\n$5\r\nkey:7\r\n$3\r\nxxx\r\n"},
        {{"SET", "__key__", "__data__"},
         "",
         123456,
         "*3\r\n$3\r\nSET\r\n$10\r\nkey:123456\r\n$0\r\n\r\n"},
        {{"GET", "__key__"}, "xxx", 99999, "*2\r\n$3\r\nGET\r\n$9\r\nkey:99999\r\n"},
        {{"GET", "__key__"}, "xxx", 100000, "*2\r\n$3\r\nGET\r\n$10\r\nkey:100000\r\n"},
        {{"GET", "user:__key__:x"}, "", 7, "*2\r\n$3\r\nGET\r\n$12\r\nuser:key:7:x\r\n"},
        {{"GET", "__key____key__"}, "", 7, "*2\r\n$3\r\nGET\r\n$10\r\nkey:7key:7\r\n"},
        {{"MSET", "__key__", "a__data__b__key__", "c"},
         "xy",
         1,
         "*4\r\n$4\r\nMSET\r\n$5\r\nkey:1\r\n$9\r\naxybkey:1\r\n$1\r\nc\r\n"},
        {{"__key__"}, "", 1, "*1\r\n$5\r\nkey:1\r\n"},
        {{"__data____data__"}, "12", 1, "*1\r\n$4\r\n1212\r\n"},
        {{"ECHO", ""}, "", 1, "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"},
        {{"_key__", "__key_", "__", "__KEY__"},
         "",
         1,
         "*4\r\n$6\r\n_key__\r\n$6\r\n__key_\r\n$2\r\n__\r\n$7\r\n__KEY__\r\n"},
        {{"___key___"}, "", 1, "*1\r\n$7\r\n_key:1_\r\n"},
    };
    const struct keyspace keyspace =
        keyspace_of(&(struct keyspace_config){.sequential = UINT64_MAX}, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct template *template = compile(cases[i].words, cases[i].value);
        size_t len;
        char *bytes = render(template, &keyspace, (struct request){.k = cases[i].k}, &len);

        assert_string_equal(bytes, cases[i].bytes);
        assert_int_equal(len, strlen(cases[i].bytes));
        free(bytes);
        template_destroy(&template);
        assert_null(template);
    }
    template_destroy(&(struct template *){NULL});
}

static void test_longest_key_fills_the_bound(void **state)
{
    static const char *const commands[][WORDS_MAX] = {
        {"SET", "__key__", "__data__"},
        {"SET", "a__key__b__key__c__key__", "__data__"},
        {"PING"},
    };
    const struct keyspace keyspace = keyspace_of(&(struct keyspace_config){0}, UINT32_MAX);

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct template *template = compile(commands[i], "xxx");
        size_t len;
        char *bytes = render(template, &keyspace, (struct request){.n = UINT64_MAX}, &len);

        assert_int_equal(len, template_bytes_max(template));
        free(bytes);
        template_destroy(&template);
    }
}

static void test_value_may_hold_any_bytes(void **state)
{
    const struct str arguments[] = {STR("SET"), STR("k"), STR("__data__")};
    const struct str value = STR("\0\r\n__key__\xff");
    const struct str expected = STR("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$11\r\n\0\r\n__key__\xff\r\n");
    const struct keyspace keyspace = keyspace_of(&(struct keyspace_config){0}, 0);
    struct template *template;
    struct err err;
    size_t len;

    (void)state;
    assert_int_equal(template_create(&template, arguments, COUNT(arguments), value, &err), 0);
    char *bytes = render(template, &keyspace, (struct request){0}, &len);
    assert_true(str_equal((struct str){bytes, len}, expected));
    free(bytes);
    template_destroy(&template);
}

/* Every prefix of an argument with placeholders, in memory of its exact size. */
static void test_cut_placeholders(void **state)
{
    const char text[] = "a__key__b__data__c";
    const struct keyspace keyspace = keyspace_of(&(struct keyspace_config){.sequential = 1}, 0);

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        char *exact = malloc(cut ? cut : 1);
        const struct str argument = {memcpy(exact, text, cut), cut};
        struct template *template;
        struct err err;
        size_t len;

        assert_int_equal(template_create(&template, &argument, 1, STR("xy"), &err), 0);
        free(exact);
        char *bytes = render(template, &keyspace, (struct request){0}, &len);
        const size_t body = cut - (cut >= 8 ? 2 : 0) - (cut >= 17 ? 6 : 0);
        assert_int_equal(len, body + (body < 10 ? 10 : 11));
        assert_int_equal(strstr(bytes, "key:0") != NULL, cut >= 8);
        assert_int_equal(strstr(bytes, "bxy") != NULL, cut >= 17);
        free(bytes);
        template_destroy(&template);
    }
}

static void test_slots(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *value;
        const char *key; /* whose slot it is; NULL: none */
    } cases[] = {
        {{"PING"}, "x", NULL},
        {{"SET", "a", "__data__"}, "x", NULL},
        {{"SET", "__key__", "__data__"}, "x", "key:7"},
        {{"EVAL", "return 1", "1", "__key__"}, "x", "key:7"},
        {{"SET", "a:__key__:b", "__key__"}, "x", "a:key:7:b"},
        {{"GET", "{__key__}:b"}, "x", "key:7"},
        {{"GET", "__key____key__"}, "x", "key:7key:7"},
        {{"GET", "{__data__}__key__"}, "tag", "tag"},
        {{"GET", "{__data__}__key__"}, "", "{}key:7"},
    };
    const struct keyspace keyspace = {.mode = KEYSPACE_SEQUENTIAL, .size = 1000};
    const struct request request = {.k = 7};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct template *template = compile(cases[i].words, cases[i].value);
        const int want = cases[i].key ? resp_slot(str_of(cases[i].key)) : TEMPLATE_NO_SLOT;

        assert_int_equal(template_slot(template, &keyspace, &request), want);
        template_destroy(&template);
    }
}

static void test_no_argument(void **state)
{
    struct template *template = NULL;
    struct err err;

    (void)state;
    assert_true(template_create(&template, NULL, 0, STR(""), &err) < 0);
    assert_string_equal(err.text, "A command must have at least one word.");
    assert_null(template);
}

static void test_slots_of_several_keys(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        bool one;
    } cases[] = {
        {{"PING"}, true},
        {{"SET", "__key__", "__data__"}, true},
        {{"MGET", "__key__", "__key__"}, true},
        {{"MGET", "__key__", "other"}, true}, /* one that is no key of the run is not known */
        {{"MGET", "__key__", "__key__:b"}, false},
        {{"MGET", "a:__key__", "b:__key__"}, false},
        {{"MGET", "{__key__}:a", "{__key__}:b"}, true},
        {{"MGET", "__key__", "{__key__}:b"}, true},
        {{"MGET", "{__key__}:a", "__key__:b"}, false},
        {{"MGET", "{same}:__key__", "{same}__key__:b"}, true},
        {{"MGET", "{one}:__key__", "{other}:__key__"}, false},
        {{"MGET", "{}__key__:a", "{}__key__:b"}, false},
        {{"MGET", "{__key__:a", "{__key__:b"}, false},
        {{"MGET", "}{__key__}", "x{__key__}y{z}"}, true},
    };
    const struct keyspace_config keys = {.sequential = 100000};
    const struct keyspace keyspace = keyspace_of(&keys, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str arguments[WORDS_MAX];
        unsigned count = 0;

        for (; count < WORDS_MAX && cases[i].words[count]; count++)
            arguments[count] = str_of(cases[i].words[count]);
        if (template_has_one_slot(arguments, count) != cases[i].one)
            fail_msg("%s %s", cases[i].words[1], cases[i].words[2]);
        if (count < 3 || !cases[i].one || !strstr(cases[i].words[2], "__key__"))
            continue;
        /* Not because it says so. */
        const char *one[] = {"GET", cases[i].words[1], NULL, NULL},
                   *other[] = {"GET", cases[i].words[2], NULL, NULL};
        struct template *first = compile(one, ""), *second = compile(other, "");
        for (uint64_t k = 0; k < 1000; k++) {
            const struct request request = {.k = k};
            assert_int_equal(template_slot(first, &keyspace, &request),
                             template_slot(second, &keyspace, &request));
        }
        template_destroy(&first);
        template_destroy(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_longest_key_fills_the_bound),
        cmocka_unit_test(test_value_may_hold_any_bytes),
        cmocka_unit_test(test_cut_placeholders),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_no_argument),
        cmocka_unit_test(test_slots_of_several_keys),
    };

    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
