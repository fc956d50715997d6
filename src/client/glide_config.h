/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_config: what the user says about valkey-GLIDE's client library.
 */
#ifndef CLIENT_GLIDE_CONFIG_H
#define CLIENT_GLIDE_CONFIG_H

#include <stdint.h>

#include "base/option.h"

/* The library answers when the request timeout is over; what it has not answered this much later it
 * never will. */
#define GLIDE_GRACE_NS UINT64_C(1000000000)

struct glide_config {
    const char *library; /* a path; NULL: to be searched for */
    uint64_t clients;    /* of the library, in all; 0: as many as the run has */
    int log_level;       /* GLIDE_LOG_* of client/glide_abi.h */
};

extern const struct option_spec glide_options[];

#endif
