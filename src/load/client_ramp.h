/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client_ramp: how many clients are to be open at a time.
 *
 * A staircase in totals over all workers: step s has start + s x per-step clients (linear) or
 * start x factor^s, rounded to the nearest (exponential), at most `end`; without a ramp there is
 * one step with all clients. The power is taken of the step's number, so a small factor may leave
 * some steps without a new client (1 x 1.01^s is 1 up to s = 40) but reaches the end all the same.
 *
 * Pure: time is an argument, relative to the start of the run.
 */
#ifndef LOAD_CLIENT_RAMP_H
#define LOAD_CLIENT_RAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "load/ramp.h"

struct client_ramp_config {
    uint64_t start, end; /* 0: not given */
    uint64_t per_step;
    uint64_t factor_micro;
    uint64_t interval_ns;
    enum ramp_mode mode;
};

extern const struct option_spec client_ramp_options[];

/* Immutable. */
struct client_ramp {
    struct ramp clients; /* interval 0: no ramp, `end` clients from the beginning */
};

/* Whether any part of a ramp was given. */
bool client_ramp_wanted(const struct client_ramp_config *config);

/*
 * Makes the ramp of a config of which client_ramp_wanted(). Returns 0, or -EINVAL with one
 * sentence: missing parts (named), an end below the start, a change larger than the range, a factor
 * not above 1.
 */
int client_ramp_init(struct client_ramp *ramp, const struct client_ramp_config *config,
                     struct err *err);

/* The "ramp" of a fixed number of clients. */
struct client_ramp client_ramp_fixed(uint64_t clients);

/* How many clients are to be open at `time_ns`. */
uint64_t client_ramp_count(const struct client_ramp *ramp, uint64_t time_ns);

/* When the next step after `time_ns` begins; UINT64_MAX once all clients are wanted. */
uint64_t client_ramp_next_ns(const struct client_ramp *ramp, uint64_t time_ns);

#endif
