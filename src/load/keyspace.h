/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keyspace: the name of the key that a request touches.
 *
 * A name is a pure function of the request: rendered twice, it is the same. Modes:
 *   own         key:{worker}:{n}: n counts this worker's requests
 *   random      key:{n + offset}: n uniform in 0..size-1, drawn from (seed, k)
 *   sequential  key:{(k + rotation) mod size + offset}: size requests touch every key once,
 *               whatever the split over workers
 */
#ifndef LOAD_KEYSPACE_H
#define LOAD_KEYSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "load/request.h"

struct keyspace_config {
    uint64_t sequential; /* size of the sequence; 0: not given */
    uint64_t random;     /* size of the range; 0: not given */
    uint64_t offset;
    bool random_start;
    uint64_t seed;
};

extern const struct option_spec keyspace_options[];

enum keyspace_mode { KEYSPACE_OWN, KEYSPACE_RANDOM, KEYSPACE_SEQUENTIAL };

/* Immutable. */
struct keyspace {
    enum keyspace_mode mode;
    uint64_t size;
    uint64_t offset;
    uint64_t rotation;
    uint64_t seed;
    unsigned worker;
};

enum { KEYSPACE_NAME_MAX = 4 + 10 + 1 + 20 }; /* "key:<worker>:<u64>" */

/*
 * Checks a config. Returns 0, or -EINVAL with one sentence: both modes at once, an offset or a
 * random start without a keyspace, an offset that overflows.
 */
int keyspace_check(const struct keyspace_config *config, struct err *err);

/* The keyspace of one worker; `worker` is its number over all processes. */
struct keyspace keyspace_of(const struct keyspace_config *config, unsigned worker);

/* The length of the name of a request's key; writes it to `name` (KEYSPACE_NAME_MAX bytes). */
unsigned keyspace_write(const struct keyspace *keyspace, const struct request *request, char *name);

#endif
