/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client_config: what the user says about clients and about what carries their requests.
 */
#ifndef CLIENT_CLIENT_CONFIG_H
#define CLIENT_CLIENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "client/glide_config.h"

enum driver_choice { DRIVER_NATIVE, DRIVER_GLIDE };

struct client_config {
    int driver;                  /* enum driver_choice */
    uint64_t clients;            /* in all */
    uint64_t pipeline;           /* slots a client */
    uint64_t request_timeout_ns; /* 0: none */
    uint64_t keepalive;          /* 0: the next is 1, which whoever reads this sees to */
    uint64_t reconnect_interval; /* requests a connection gets; 0: no limit */
    bool cluster;
    bool read_from_replica; /* of a cluster */
    struct glide_config glide;
};

extern const struct option_spec client_options[];

#endif
