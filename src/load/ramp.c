/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/ramp.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/wide.h"

enum { MICRO = 1000000, PARTS_MAX = 4 };

const char *ramp_given(const struct ramp *ramp, const struct ramp_names *names)
{
    if (ramp->start)
        return names->start;
    if (ramp->end)
        return names->end;
    if (ramp->interval_ns)
        return names->interval;
    if (ramp->change)
        return names->change;
    if (ramp->factor_micro)
        return names->factor;
    return ramp->mode == RAMP_LINEAR ? NULL : names->mode;
}

static unsigned find_missing(const struct ramp *ramp, const struct ramp_names *names,
                             const char *missing[PARTS_MAX])
{
    unsigned count = 0;

    if (!ramp->start)
        missing[count++] = names->start;
    if (!ramp->end)
        missing[count++] = names->end;
    if (!ramp->interval_ns)
        missing[count++] = names->interval;
    if (ramp->mode == RAMP_LINEAR && !ramp->change)
        missing[count++] = names->change;
    if (ramp->mode == RAMP_EXPONENTIAL && !ramp->factor_micro)
        missing[count++] = names->factor;
    return count;
}

/* "a", "a and b", "a, b and c" */
static void join(const char *const *parts, unsigned count, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < count && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 < count ? ", " : " and ";

        used += (size_t)snprintf(text + used, size - used, "%s%s", before, parts[i]);
    }
}

/* What to say to somebody who gave the part of the other mode in place of the missing one. */
static void explain_mode(const struct ramp *ramp, const struct ramp_names *names, char *text,
                         size_t size)
{
    text[0] = '\0';
    if (ramp->mode == RAMP_LINEAR && !ramp->change && ramp->factor_micro)
        snprintf(text, size, "; %s is for %s exponential", names->factor, names->mode);
    if (ramp->mode == RAMP_EXPONENTIAL && !ramp->factor_micro && ramp->change)
        snprintf(text, size, "; %s is for %s linear", names->change, names->mode);
}

int ramp_check(const struct ramp *ramp, const struct ramp_names *names, struct err *err)
{
    const char *missing[PARTS_MAX];
    const unsigned count = find_missing(ramp, names, missing);

    if (count) {
        char list[160];
        char hint[120];

        join(missing, count, list, sizeof list);
        explain_mode(ramp, names, hint, sizeof hint);
        return err_set(err, "The ramp of %s needs %s too%s.", ramp_given(ramp, names), list, hint);
    }
    if (ramp->mode == RAMP_EXPONENTIAL && ramp->factor_micro <= MICRO) {
        char factor[32];

        return err_set(err, "%s must be above 1, not %s.", names->factor,
                       units_write_micro(ramp->factor_micro, factor, sizeof factor));
    }
    return 0;
}

static uint64_t line_value(const struct ramp *ramp, uint64_t step)
{
    const bool up = ramp->start <= ramp->end;
    const uint64_t distance = up ? ramp->end - ramp->start : ramp->start - ramp->end;
    const wide_uint moved = (wide_uint)ramp->change * step;

    if (moved >= distance)
        return ramp->end;
    return up ? ramp->start + (uint64_t)moved : ramp->start - (uint64_t)moved;
}

static uint64_t power_value(const struct ramp *ramp, uint64_t step)
{
    const bool up = ramp->start <= ramp->end;
    const long double power = powl((long double)ramp->factor_micro / MICRO, (long double)step);
    const long double start = (long double)ramp->start;
    const long double value = roundl(up ? start * power : start / power);

    /* Before the conversion, which is undefined for what does not fit. */
    if (up ? value >= (long double)ramp->end : value <= (long double)ramp->end)
        return ramp->end;
    return (uint64_t)value;
}

uint64_t ramp_value(const struct ramp *ramp, uint64_t step)
{
    return ramp->mode == RAMP_LINEAR ? line_value(ramp, step) : power_value(ramp, step);
}
