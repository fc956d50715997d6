/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * schedule: from the index of a request to the time at which it is due.
 *
 * Let L(t) be the number of requests due in the first t ns: the integral of the rate. Request k is
 * due at L^-1(k), floored to a nanosecond: the first at 0, request k of a constant rate at k /
 * rate. All is integer arithmetic on the exact rate, so there is no drift, whatever the length of
 * the run, and worker w of W takes k = w, w + W, ...: the union is the schedule itself.
 *
 * A ramp is a staircase (ramp.h): step i lasts one interval, has rate start +- i x change (linear)
 * or start x factor^i up, start / factor^i down (exponential, rounded to a millionth), and the end
 * rate stays.
 *
 * Pure: time is an argument, relative to the start of the run.
 */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "base/wide.h"
#include "load/ramp.h"

/* Rates in millionths of a request a second. */
struct rate_config {
    uint64_t qps_micro; /* 0: no constant rate */
    uint64_t start_micro, end_micro, change_micro;
    uint64_t interval_ns;
    enum ramp_mode mode;
    uint64_t factor_micro; /* 1500000 is x 1.5 */
};

extern const struct option_spec rate_options[];

/* Immutable. */
struct schedule {
    struct ramp rates; /* in millionths of a request a second; a constant rate: from it to itself */
};

/* A place in a schedule, for walking it by ever larger indices: each step is entered once. */
struct schedule_cursor {
    uint64_t step;
    uint64_t rate_micro; /* of the step */
    uint64_t begin_ns;   /* when the step begins */
    wide_uint begun;     /* what was due before the step, in 1e-15 of a request */
    bool last;           /* the step never ends */
};

/* Whether the config asks for a schedule; otherwise the run is a closed loop. */
bool schedule_wanted(const struct rate_config *config);

/*
 * Makes the schedule of a config of which schedule_wanted(). Returns 0, or -EINVAL with one
 * sentence: a constant rate together with a ramp, a ramp with parts missing (which are named: a
 * linear one needs a change, an exponential one a factor), a factor that is not above 1.
 */
int schedule_init(struct schedule *schedule, const struct rate_config *config, struct err *err);

/* The rate of a step. */
uint64_t schedule_rate_micro(const struct schedule *schedule, uint64_t step);

void schedule_cursor_init(struct schedule_cursor *cursor, const struct schedule *schedule);

/*
 * When request k is due, in ns from the start; UINT64_MAX if that does not fit. From one call to
 * the next k must not fall.
 */
uint64_t schedule_due_ns(const struct schedule *schedule, struct schedule_cursor *cursor,
                         uint64_t k);

/*
 * How many requests are due before `time_ns`: the number of k with due(k) < time_ns; UINT64_MAX if
 * that does not fit. Takes constant time for a linear ramp, and time by the step for an exponential
 * one.
 */
uint64_t schedule_count(const struct schedule *schedule, uint64_t time_ns);

/* How many of the indices below `count` are among first, first + stride, first + 2 x stride, ... */
uint64_t schedule_share(uint64_t count, uint64_t first, uint64_t stride);

#endif
