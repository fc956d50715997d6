/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/keyspace.h"

#include <inttypes.h>
#include <string.h>

#include "base/rng.h"
#include "base/str.h"
#include "resp/writer.h"

#define FIELD(member) offsetof(struct keyspace_config, member)

/* clang-format off */
const struct option_spec keyspace_options[] = {
    {.name = "sequential", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(sequential), .value = "N", .help = "use N keys one after the other", .min = 1},
    {.name = "random", .letters = "r", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(random), .value = "N", .help = "use random keys out of N", .min = 1},
    {.name = "keyspace-offset", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(offset), .initial = "0", .value = "N",
     .help = "the first key of -r or --sequential"},
    {.name = "sequential-random-start", .group = OPTION_ADVANCED, .read = option_read_switch,
     .offset = FIELD(random_start), .help = "begin --sequential at a random key"},
    {.name = "seed", .group = OPTION_ADVANCED, .read = option_read_count, .offset = FIELD(seed),
     .value = "N", .help = "repeat the randomness of the run that reported N"},
    {0},
};
/* clang-format on */

int keyspace_check(const struct keyspace_config *config, struct err *err)
{
    const uint64_t size = config->sequential ? config->sequential : config->random;

    if (config->sequential && config->random)
        return err_set(err, "-r/--random and --sequential exclude each other: keys are random "
                            "or in sequence.");
    if (config->offset && !size)
        return err_set(err, "--keyspace-offset needs -r or --sequential.");
    if (config->random_start && !config->sequential)
        return err_set(err, "--sequential-random-start needs --sequential.");
    if (size && config->offset > UINT64_MAX - (size - 1))
        return err_set(err,
                       "--keyspace-offset must be at most %" PRIu64 " for %" PRIu64
                       " keys, not %" PRIu64 ".",
                       UINT64_MAX - (size - 1), size, config->offset);
    return 0;
}

struct keyspace keyspace_of(const struct keyspace_config *config, unsigned worker)
{
    struct keyspace keyspace = {
        .mode = KEYSPACE_OWN, .offset = config->offset, .seed = config->seed, .worker = worker};

    if (config->random) {
        keyspace.mode = KEYSPACE_RANDOM;
        keyspace.size = config->random;
    } else if (config->sequential) {
        keyspace.mode = KEYSPACE_SEQUENTIAL;
        keyspace.size = config->sequential;
        if (config->random_start)
            keyspace.rotation = rng_below(rng_draw(config->seed, RNG_START, 0), keyspace.size);
    }
    return keyspace;
}

static uint64_t pick_number(const struct keyspace *keyspace, uint64_t k)
{
    if (keyspace->mode == KEYSPACE_RANDOM)
        return keyspace->offset + rng_below(rng_draw(keyspace->seed, RNG_KEY, k), keyspace->size);

    /* (k + rotation) mod size, without a sum that could overflow */
    const uint64_t place = k % keyspace->size;
    const uint64_t room = keyspace->size - keyspace->rotation;
    return keyspace->offset + (place < room ? place + keyspace->rotation : place - room);
}

unsigned keyspace_write(const struct keyspace *keyspace, const struct request *request, char *name)
{
    static const char prefix[] = {'k', 'e', 'y', ':'};
    char *at = name;

    memcpy(at, prefix, sizeof prefix);
    at += sizeof prefix;
    if (keyspace->mode == KEYSPACE_OWN) {
        at = resp_write_number(at, keyspace->worker);
        *at++ = ':';
        at = resp_write_number(at, request->n);
    } else {
        at = resp_write_number(at, pick_number(keyspace, request->k));
    }
    return (unsigned)(at - name);
}
