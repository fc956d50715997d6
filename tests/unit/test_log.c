/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

/* What log_write puts on stderr, which is a file meanwhile. */
static const char *capture(const struct log_config *config, enum log_level level, const char *text)
{
    static const char format[] = "%s, %d";
    static char seen[256];
    FILE *file = tmpfile();
    const int saved = dup(STDERR_FILENO);

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    log_write(config, level, format, text, 7);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    seen[fread(seen, 1, sizeof seen - 1, file)] = '\0';
    fclose(file);
    return seen;
}

static void test_a_line(void **state)
{
    (void)state;
    const struct log_config config = {.level = LOG_DEBUG};
    regex_t line;

    assert_int_equal(regcomp(&line,
                             "^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3} WARNING slow, 7\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&line, capture(&config, LOG_WARNING, "slow"), 0, NULL, 0), 0);
    regfree(&line);
}

static void test_levels(void **state)
{
    (void)state;
    for (int limit = LOG_DEBUG; limit <= LOG_OFF; limit++)
        for (int level = LOG_DEBUG; level < LOG_OFF; level++) {
            const struct log_config config = {.level = (enum log_level)limit};
            const char *seen = capture(&config, (enum log_level)level, "x");
            assert_int_equal(*seen != '\0', level >= limit);
        }
}

static void test_debug_is_level_debug(void **state)
{
    (void)state;
    const struct log_config config = {.level = LOG_OFF, .debug = true};

    assert_non_null(strstr(capture(&config, LOG_DEBUG, "x"), " DEBUG x, 7\n"));
}

static void test_options_read_every_level(void **state)
{
    (void)state;
    static const char *const names[] = {"debug", "Info", "WARNING", "error", "CRITICAL", "off"};
    const struct option_spec *spec = log_options;

    assert_string_equal(spec->name, "log-level");
    for (size_t i = 0; i < COUNT(names); i++) {
        struct log_config config = {.debug = false};
        struct err err;
        assert_int_equal(spec->read(spec, (char *)&config + spec->offset, names[i], &err), 0);
        assert_int_equal(config.level, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_debug_is_level_debug),
        cmocka_unit_test(test_options_read_every_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
