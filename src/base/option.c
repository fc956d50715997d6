/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

static const uint64_t million = 1000000;

typedef char *write_fn(uint64_t value, char *text, size_t size);

static bool in_range(const struct option_spec *spec, uint64_t value)
{
    return value >= spec->min && (spec->max == 0 || value <= spec->max);
}

static int refuse(const struct option_spec *spec, const char *expected, const char *text,
                  struct err *err)
{
    return err_set(err, "--%s must be %s, not \"%s\".", spec->name, expected, text);
}

static char *write_plain(uint64_t value, char *text, size_t size)
{
    snprintf(text, size, "%" PRIu64, value);
    return text;
}

static char *write_millis(uint64_t ns, char *text, size_t size)
{
    return write_plain(ns / million, text, size);
}

/* Milliseconds below a second, seconds above. */
static char *write_duration(uint64_t ns, char *text, size_t size)
{
    char number[32];
    const bool is_short = ns > 0 && ns < 1000 * million;

    units_write_micro(is_short ? ns : ns / 1000, number, sizeof number);
    snprintf(text, size, "%s%s", number, is_short ? "ms" : "s");
    return text;
}

/* Appends the range of `spec` in the user's unit: " from 1 to 9", " of at least 1", or nothing. */
static void append_range(const struct option_spec *spec, write_fn *write, char *text, size_t size)
{
    char low[40];
    char high[40];
    const size_t used = strlen(text);

    write(spec->min, low, sizeof low);
    write(spec->max, high, sizeof high);
    if (spec->max != 0)
        snprintf(text + used, size - used, " from %s to %s", low, high);
    else if (spec->min != 0)
        snprintf(text + used, size - used, " of at least %s", low);
}

int option_read_switch(const struct option_spec *spec, void *field, const char *text,
                       struct err *err)
{
    (void)spec;
    (void)text;
    (void)err;
    *(bool *)field = true;
    return 0;
}

int option_read_text(const struct option_spec *spec, void *field, const char *text, struct err *err)
{
    (void)spec;
    (void)err;
    *(const char **)field = text;
    return 0;
}

int option_read_secret(const struct option_spec *spec, void *field, const char *text,
                       struct err *err)
{
    return option_read_text(spec, field, text, err);
}

int option_read_count(const struct option_spec *spec, void *field, const char *text,
                      struct err *err)
{
    uint64_t count;

    if (units_read_count(text, &count) && in_range(spec, count)) {
        *(uint64_t *)field = count;
        return 0;
    }
    char expected[128] = "a whole number";
    append_range(spec, write_plain, expected, sizeof expected);
    return refuse(spec, expected, text, err);
}

int option_read_duration(const struct option_spec *spec, void *field, const char *text,
                         struct err *err)
{
    uint64_t ns;

    if (units_read_duration(text, &ns) && in_range(spec, ns)) {
        *(uint64_t *)field = ns;
        return 0;
    }
    char expected[192] = "a time such as 30, 1.5, 250ms, 30s, 5m or 1h";
    if (spec->min != 0 || spec->max != 0) {
        strcat(expected, ",");
        append_range(spec, write_duration, expected, sizeof expected);
    }
    return refuse(spec, expected, text, err);
}

int option_read_millis(const struct option_spec *spec, void *field, const char *text,
                       struct err *err)
{
    uint64_t ms;
    uint64_t ns;

    /* A suffix would be read as one of time: 5m is not five million milliseconds. */
    const bool is_plain = strspn(text, "0123456789") == strlen(text);
    if (is_plain && units_read_count(text, &ms) && !__builtin_mul_overflow(ms, million, &ns) &&
        in_range(spec, ns)) {
        *(uint64_t *)field = ns;
        return 0;
    }
    char expected[128] = "a whole number of milliseconds";
    if (spec->min != 0 || spec->max != 0) {
        strcat(expected, ",");
        append_range(spec, write_millis, expected, sizeof expected);
    }
    return refuse(spec, expected, text, err);
}

/* What a rate must be. A least value of a millionth more than a whole one means "above" that. */
static void describe_rate(const struct option_spec *spec, char *text, size_t size)
{
    char high[48] = "";
    char number[32];

    if (spec->min % million != 1) {
        snprintf(text, size, "a number");
        append_range(spec, units_write_micro, text, size);
    } else {
        if (spec->max != 0)
            snprintf(high, sizeof high, " and at most %s",
                     units_write_micro(spec->max, number, sizeof number));
        snprintf(text, size, "a number above %" PRIu64 "%s", spec->min / million, high);
    }
    const size_t used = strlen(text);
    snprintf(text + used, size - used, " with at most 6 decimals");
}

int option_read_rate(const struct option_spec *spec, void *field, const char *text, struct err *err)
{
    uint64_t micro;

    if (units_read_micro(text, &micro) && in_range(spec, micro)) {
        *(uint64_t *)field = micro;
        return 0;
    }
    char expected[160];
    describe_rate(spec, expected, sizeof expected);
    return refuse(spec, expected, text, err);
}

/* "set|get|custom" as "set, get or custom"; cut if it does not fit. */
static void describe_choices(const char *choices, char *text, size_t size)
{
    size_t used = 0;

    for (const char *c = choices; *c != '\0' && used + sizeof " or " <= size; c++) {
        if (*c != '|') {
            text[used++] = *c;
            continue;
        }
        const char *joint = strchr(c + 1, '|') != NULL ? ", " : " or ";
        memcpy(text + used, joint, strlen(joint));
        used += strlen(joint);
    }
    text[used] = '\0';
}

int option_read_choice(const struct option_spec *spec, void *field, const char *text,
                       struct err *err)
{
    const size_t len = strlen(text);
    const char *choice = spec->choices;

    for (int i = 0;; i++) {
        const size_t choice_len = strcspn(choice, "|");
        if (choice_len == len && strncasecmp(choice, text, len) == 0) {
            *(int *)field = i;
            return 0;
        }
        if (choice[choice_len] == '\0')
            break;
        choice += choice_len + 1;
    }
    char expected[400];
    describe_choices(spec->choices, expected, sizeof expected);
    return refuse(spec, expected, text, err);
}
