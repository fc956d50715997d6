/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/client.h"

#include "base/clock.h"

#define FIELD(member) offsetof(struct client_config, member)

/* clang-format off */
const struct option_spec client_options[] = {
    {.name = "clients", .letters = "c", .group = OPTION_BASIC, .read = option_read_count,
     .offset = FIELD(clients), .initial = "50", .value = "N", .min = 1, .max = 1000000,
     .help = "parallel clients, in all"},
    {.name = "pipeline", .letters = "P", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(pipeline), .initial = "1", .value = "N", .min = 1, .max = 10000,
     .help = "requests in flight a client, as a sliding window"},
    {.name = "driver", .group = OPTION_BASIC, .read = option_read_choice, .offset = FIELD(driver),
     .initial = "native", .value = "NAME", .choices = "native|glide",
     .help = "what carries the requests: this program (native), or valkey-GLIDE's library (glide)"},
    {.name = "cluster", .group = OPTION_BASIC, .read = option_read_switch,
     .offset = FIELD(cluster), .help = "the server is a node of a cluster: use all of it"},
    {.name = "read-from-replica", .group = OPTION_ADVANCED, .read = option_read_switch,
     .offset = FIELD(read_from_replica),
     .help = "with --cluster: read from the replicas of a slot in turn, if there are any"},
    {.name = "keepalive", .letters = "k", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(keepalive), .initial = "1", .value = "0|1", .max = 1,
     .help = "0: a connection of its own for each request"},
    {.name = "reconnect-interval", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(reconnect_interval), .value = "N", .min = 1,
     .help = "close and dial again after N requests on a connection"},
    {.name = "request-timeout", .group = OPTION_TIMEOUTS, .read = option_read_millis,
     .offset = FIELD(request_timeout_ns), .initial = "5000", .value = "MS",
     .max = UINT64_C(86400000) * CLOCK_NS_PER_MS,
     .help = "how long a reply may take; 0: no limit"},
    {0},
};
/* clang-format on */

const struct driver_ops *client_driver(const struct client_config *config)
{
    if (config->driver == DRIVER_GLIDE)
        return &driver_glide;
    return config->cluster ? &driver_cluster : &driver_standalone;
}

uint64_t driver_turn(struct driver *driver, struct loop *loop, uint64_t deadline_ns)
{
    const struct driver_ops *ops = driver->ops;

    if (driver->tick_ns < deadline_ns)
        deadline_ns = driver->tick_ns;
    if (ops->may_sleep && !ops->may_sleep(driver))
        deadline_ns = 0;
    const uint64_t now_ns = loop_turn(loop, deadline_ns);
    if (ops->collect)
        ops->collect(driver);
    if (now_ns >= driver->tick_ns)
        ops->tick(driver, now_ns);
    return now_ns;
}
