/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ramp: a staircase from one number to another, which rates and clients climb alike.
 *
 * Step i has start +- i x change (linear) or start x factor^i going up, start / factor^i going down
 * (exponential, rounded to a whole number in long double), until it reaches the end, where it
 * stays. Each step is computed from its number, never from the rounded one before it, so that no
 * factor above 1 can fall short of the end: a step may repeat the one before it, but not for ever.
 *
 * Knows neither units nor options' names: both are the caller's.
 */
#ifndef LOAD_RAMP_H
#define LOAD_RAMP_H

#include <stdint.h>

#include "base/err.h"

enum ramp_mode { RAMP_LINEAR, RAMP_EXPONENTIAL };

struct ramp {
    uint64_t start, end;
    uint64_t change;       /* linear: a step's difference, without sign */
    uint64_t factor_micro; /* exponential: 1500000 is x 1.5 */
    uint64_t interval_ns;  /* how long a step lasts */
    enum ramp_mode mode;
};

/* The options that the parts of a ramp are given by, with their dashes. */
struct ramp_names {
    const char *start, *end, *change, *factor, *interval, *mode;
};

/* The name of the first part that is given (not 0), or NULL: no ramp is wanted. */
const char *ramp_given(const struct ramp *ramp, const struct ramp_names *names);

/*
 * Returns 0, or -EINVAL with one sentence: parts missing (named), or an exponential ramp whose
 * factor is not above 1. The change of an exponential ramp and the factor of a linear one are not
 * looked at.
 */
int ramp_check(const struct ramp *ramp, const struct ramp_names *names, struct err *err);

/* The number of a step; `end` for all steps of a ramp from a number to itself. */
uint64_t ramp_value(const struct ramp *ramp, uint64_t step);

#endif
