/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a script of the Python host is expected to send and to say.
 */
#ifndef TESTS_PYTHON_EXPECT_H
#define TESTS_PYTHON_EXPECT_H

#include "python_fixture.h"

/* The words of a command between blanks, '' for an empty one, as RESP. */
static inline size_t write_command(const char *words, char *wire)
{
    char body[4096];
    size_t len = 0;
    unsigned count = 0;

    for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
        const int word = (int)strcspn(words, " ");
        const int shown = strncmp(words, "''", 2) == 0 ? 0 : word;

        len += (size_t)sprintf(body + len, "$%d\r\n%.*s\r\n", shown, shown, words);
        words += word;
        count++;
    }
    body[len] = '\0';
    return (size_t)sprintf(wire, "*%u\r\n%s", count, body);
}

/* The step has these commands, with a newline between two. */
static inline void expect_commands(const struct fixture *fixture, const char *commands)
{
    char wire[8192], one[4096];
    size_t len = 0;
    unsigned count = 0;

    for (; *commands; commands += *commands == '\n', count++) {
        const size_t line = strcspn(commands, "\n");

        memcpy(one, commands, line);
        one[line] = '\0';
        len += write_command(one, wire + len);
        commands += line;
    }
    assert_int_equal(fixture->step.count, count);
    if (fixture->step.bytes.len != len || memcmp(fixture->step.bytes.ptr, wire, len) != 0)
        fail_msg("expected:\n%.*s\ngot:\n%.*s", (int)len, wire, (int)fixture->step.bytes.len,
                 fixture->step.bytes.ptr);
}

static inline void expect_text(const struct fixture *fixture, const char *part)
{
    if (memmem(fixture->step.text.ptr, fixture->step.text.len, part, strlen(part)) == NULL)
        fail_msg("expected \"%s\" in:\n%.*s", part, (int)fixture->step.text.len,
                 fixture->step.text.ptr);
}

#endif
