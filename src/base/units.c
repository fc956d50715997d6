/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/wide.h"

enum { MAX_DECIMALS = 9 };

static const uint64_t billion = 1000000000;

struct decimal {
    uint64_t whole;
    uint64_t billionths;
    const char *rest; /* what follows the number */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool append_digit(uint64_t *number, char digit)
{
    return !__builtin_mul_overflow(*number, 10u, number) &&
           !__builtin_add_overflow(*number, (unsigned)(digit - '0'), number);
}

/* Reads digits and, if `decimals` allows any, a point with digits behind it. */
static bool scan_decimal(const char *text, int decimals, struct decimal *out)
{
    *out = (struct decimal){0};
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++)
        if (!append_digit(&out->whole, *text))
            return false;
    if (*text == '.' && decimals > 0) {
        if (!is_digit(*++text))
            return false;
        uint64_t weight = billion;
        for (; is_digit(*text); text++) {
            if (decimals-- == 0)
                return false;
            weight /= 10;
            out->billionths += weight * (unsigned)(*text - '0');
        }
    }
    out->rest = text;
    return true;
}

/* The number times `unit`, if that is whole and fits. No product here exceeds 128 bits. */
static bool scale_decimal(const struct decimal *number, uint64_t unit, uint64_t *result)
{
    const wide_uint part = (wide_uint)number->billionths * unit;
    if (part % billion != 0)
        return false;
    const wide_uint total = (wide_uint)number->whole * unit + part / billion;
    if (total > UINT64_MAX)
        return false;
    *result = (uint64_t)total;
    return true;
}

/* The factor of a suffix k, M or G; 0: it is none of them. */
static uint64_t find_factor(const char *suffix)
{
    if (*suffix == '\0')
        return 1;
    if (strcasecmp(suffix, "k") == 0)
        return 1000;
    if (strcasecmp(suffix, "m") == 0)
        return 1000000;
    if (strcasecmp(suffix, "g") == 0)
        return billion;
    return 0;
}

/* The length of a unit of time in ns; 0: it is none. */
static uint64_t find_period_ns(const char *suffix)
{
    if (*suffix == '\0' || strcmp(suffix, "s") == 0)
        return billion;
    if (strcmp(suffix, "ms") == 0)
        return billion / 1000;
    if (strcmp(suffix, "m") == 0)
        return 60 * billion;
    if (strcmp(suffix, "h") == 0)
        return 3600 * billion;
    return 0;
}

bool units_read_count(const char *text, uint64_t *count)
{
    struct decimal number;

    if (!scan_decimal(text, 0, &number))
        return false;
    const uint64_t factor = find_factor(number.rest);
    return factor != 0 && scale_decimal(&number, factor, count);
}

bool units_read_micro(const char *text, uint64_t *micro)
{
    struct decimal number;

    if (!scan_decimal(text, 6, &number))
        return false;
    const uint64_t factor = find_factor(number.rest);
    return factor != 0 && scale_decimal(&number, factor * 1000000, micro);
}

bool units_read_duration(const char *text, uint64_t *ns)
{
    struct decimal number;

    if (!scan_decimal(text, MAX_DECIMALS, &number))
        return false;
    const uint64_t period_ns = find_period_ns(number.rest);
    return period_ns != 0 && scale_decimal(&number, period_ns, ns);
}

char *units_write_count(uint64_t count, char *text, size_t size)
{
    char digits[24];
    char grouped[32];
    const int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t used = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            grouped[used++] = ',';
        grouped[used++] = digits[i];
    }
    grouped[used] = '\0';
    snprintf(text, size, "%s", grouped);
    return text;
}

char *units_write_micro(uint64_t micro, char *text, size_t size)
{
    char decimal[32];
    const int len = snprintf(decimal, sizeof decimal, "%" PRIu64 ".%06" PRIu64, micro / 1000000,
                             micro % 1000000);
    char *end = decimal + len;

    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    *end = '\0';
    snprintf(text, size, "%s", decimal);
    return text;
}
