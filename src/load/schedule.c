/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/schedule.h"

#include <assert.h>

/*
 * A rate of one millionth of a request a second is 1e-15 of a request a nanosecond: with requests
 * counted in that unit, rate x time is a whole number, and so are all sums of it.
 */
#define REQUEST ((wide_uint)UINT64_C(1000000000000000))

#define FIELD(member) offsetof(struct rate_config, member)

/* clang-format off */
const struct option_spec rate_options[] = {
    {.name = "qps", .group = OPTION_RATE, .read = option_read_rate, .offset = FIELD(qps_micro),
     .value = "N", .help = "send N requests a second in all, on a schedule", .min = 1},
    {.name = "start-qps", .group = OPTION_RATE, .read = option_read_rate,
     .offset = FIELD(start_micro), .value = "N", .help = "the rate at which a ramp starts", .min = 1},
    {.name = "end-qps", .group = OPTION_RATE, .read = option_read_rate,
     .offset = FIELD(end_micro), .value = "N", .help = "the rate at which a ramp ends and stays",
     .min = 1},
    {.name = "qps-change-interval", .group = OPTION_RATE, .read = option_read_duration,
     .offset = FIELD(interval_ns), .value = "S", .help = "how long a step of the ramp lasts",
     .min = 1},
    {.name = "qps-change", .group = OPTION_RATE, .read = option_read_rate,
     .offset = FIELD(change_micro), .value = "N",
     .help = "linear: the size of a step; the ramp gives its direction", .min = 1},
    {.name = "qps-ramp-mode", .group = OPTION_RATE, .read = option_read_choice,
     .offset = FIELD(mode), .initial = "linear", .value = "MODE",
     .help = "linear or exponential steps", .choices = "linear|exponential"},
    {.name = "qps-ramp-factor", .group = OPTION_RATE, .read = option_read_rate,
     .offset = FIELD(factor_micro), .value = "F",
     .help = "exponential: what a step multiplies (or divides) the rate by; above 1", .min = 1000001},
    {0},
};
/* clang-format on */

static const struct ramp_names names = {
    .start = "--start-qps",
    .end = "--end-qps",
    .change = "--qps-change",
    .factor = "--qps-ramp-factor",
    .interval = "--qps-change-interval",
    .mode = "--qps-ramp-mode",
};

static struct ramp ramp_of(const struct rate_config *config)
{
    return (struct ramp){
        .start = config->start_micro,
        .end = config->end_micro,
        .change = config->change_micro,
        .factor_micro = config->factor_micro,
        .interval_ns = config->interval_ns,
        .mode = config->mode,
    };
}

bool schedule_wanted(const struct rate_config *config)
{
    const struct ramp ramp = ramp_of(config);

    return config->qps_micro || ramp_given(&ramp, &names);
}

int schedule_init(struct schedule *schedule, const struct rate_config *config, struct err *err)
{
    assert(schedule_wanted(config));
    const struct ramp ramp = ramp_of(config);
    const char *given = ramp_given(&ramp, &names);

    if (config->qps_micro && given)
        return err_set(err, "--qps is a constant rate and excludes %s, which is part of a ramp.",
                       given);
    if (config->qps_micro) {
        schedule->rates = (struct ramp){.start = config->qps_micro, .end = config->qps_micro};
        return 0;
    }
    schedule->rates = ramp;
    return ramp_check(&ramp, &names, err);
}

uint64_t schedule_rate_micro(const struct schedule *schedule, uint64_t step)
{
    return ramp_value(&schedule->rates, step);
}

/* Completes a cursor of which the step and what was due before it are known. */
static void enter_step(const struct ramp *rates, struct schedule_cursor *cursor)
{
    cursor->rate_micro = ramp_value(rates, cursor->step);
    /* Whatever comes after a step that ends beyond the range of time is beyond it as well. */
    cursor->last =
        cursor->rate_micro == rates->end || rates->interval_ns > UINT64_MAX - cursor->begin_ns;
}

void schedule_cursor_init(struct schedule_cursor *cursor, const struct schedule *schedule)
{
    *cursor = (struct schedule_cursor){0};
    enter_step(&schedule->rates, cursor);
}

static wide_uint step_requests(const struct ramp *rates, const struct schedule_cursor *cursor)
{
    return (wide_uint)cursor->rate_micro * rates->interval_ns;
}

static void next_step(const struct ramp *rates, struct schedule_cursor *cursor)
{
    cursor->begun += step_requests(rates, cursor);
    cursor->begin_ns += rates->interval_ns;
    cursor->step++;
    enter_step(rates, cursor);
}

uint64_t schedule_due_ns(const struct schedule *schedule, struct schedule_cursor *cursor,
                         uint64_t k)
{
    const struct ramp *rates = &schedule->rates;
    const wide_uint before = k * REQUEST;

    assert(before >= cursor->begun);
    while (!cursor->last && before - cursor->begun >= step_requests(rates, cursor))
        next_step(rates, cursor);

    const wide_uint due_ns = cursor->begin_ns + (before - cursor->begun) / cursor->rate_micro;
    return due_ns < UINT64_MAX ? (uint64_t)due_ns : UINT64_MAX;
}

/* Enters the step of a linear ramp that holds `time_ns`, or the last whole one if it is past. */
static void jump(const struct ramp *rates, struct schedule_cursor *cursor, uint64_t time_ns)
{
    const bool up = rates->start <= rates->end;
    const uint64_t distance = up ? rates->end - rates->start : rates->start - rates->end;
    const uint64_t whole = distance / rates->change;
    const uint64_t now = time_ns / rates->interval_ns;
    const uint64_t step = now < whole ? now : whole;
    /* The sum of i x change for the steps before this one, none of which is cut at the end. */
    const wide_uint moved = step ? (wide_uint)rates->change * (step - 1) * step / 2 : 0;
    const wide_uint level = (wide_uint)rates->start * step;

    cursor->step = step;
    cursor->begin_ns = step * rates->interval_ns;
    cursor->begun = (up ? level + moved : level - moved) * rates->interval_ns;
    enter_step(rates, cursor);
}

uint64_t schedule_count(const struct schedule *schedule, uint64_t time_ns)
{
    const struct ramp *rates = &schedule->rates;
    struct schedule_cursor cursor;

    schedule_cursor_init(&cursor, schedule);
    if (!cursor.last && rates->mode == RAMP_LINEAR)
        jump(rates, &cursor, time_ns);
    while (!cursor.last && time_ns - cursor.begin_ns >= rates->interval_ns)
        next_step(rates, &cursor);

    /* Request k is due before the time if k whole requests are less than what the time holds. */
    const wide_uint held =
        cursor.begun + (wide_uint)cursor.rate_micro * (time_ns - cursor.begin_ns);
    const wide_uint count = held / REQUEST + (held % REQUEST != 0);
    return count < UINT64_MAX ? (uint64_t)count : UINT64_MAX;
}

uint64_t schedule_share(uint64_t count, uint64_t first, uint64_t stride)
{
    assert(stride);
    return count > first ? (count - first - 1) / stride + 1 : 0;
}
