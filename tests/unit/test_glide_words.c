/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/glide_words.h"

/* An exact-size copy of a text: what reads beyond it is seen. */
static char *copy_of(const char *text, size_t len)
{
    char *copy = malloc(len);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void check(const struct glide_words *words, size_t at, const char *text, size_t len)
{
    assert_true(at < words->count);
    assert_int_equal(words->lens[at], len);
    assert_true(words->starts[at] != 0);
    assert_memory_equal((const char *)words->starts[at], text, len);
}

static void test_takes_commands_apart(void **state)
{
    static const char both[] = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\na\r\n\0$3\r\n*1\r\n\r\n"
                               "*1\r\n$4\r\nPING\r\n";
    const size_t len = sizeof both - 1;
    char *bytes = copy_of(both, len);
    struct glide_words words = {0};

    (void)state;
    glide_words_take(&words, bytes, 1);
    assert_int_equal(words.count, 3);
    check(&words, 0, "SET", 3);
    check(&words, 1, "", 0);
    check(&words, 2, "a\r\n\0$3\r\n*1\r\n", 12);
    glide_words_take(&words, bytes, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct glide_command *command = words.list[i];

        assert_int_equal(command->type, GLIDE_CUSTOM_COMMAND);
        assert_int_equal(command->count, i == 0 ? 3 : 1);
        assert_memory_equal(command->arguments[0], i == 0 ? "SET" : "PING", command->lens[0]);
    }
    check(&words, 3, "PING", 4);
    assert_ptr_equal(words.list[0]->arguments[2], words.starts[2]);
    glide_words_deinit(&words);
    assert_null(words.starts);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_takes_commands_apart)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
