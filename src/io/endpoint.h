/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * endpoint: where the server is, as the user named it and as the kernel knows it.
 *
 * Names are resolved once, before any worker exists. An address list keeps all that the name
 * stands for; dials try them in turn, beginning with the one that answered first (io/probe.h).
 */
#ifndef IO_ENDPOINT_H
#define IO_ENDPOINT_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/option.h"

struct endpoint_config {
    const char *host;
    uint64_t port;
    uint64_t connect_timeout_ns; /* 0: none */
    const char *socket; /* the path of a Unix socket, instead of host and port; NULL: none */
    const char *from;   /* the option that named the server, for messages; NULL: its own */
};

extern const struct option_spec endpoint_options[];

enum { ENDPOINT_ADDRESSES_MAX = 8, ENDPOINT_NAME_MAX = 300 };

struct endpoint_address {
    struct sockaddr_storage socket;
    socklen_t len;
};

struct endpoint {
    char name[ENDPOINT_NAME_MAX]; /* for messages: "127.0.0.1:6379", "[::1]:6379", a path */
    const char *host;             /* as it was configured, borrowed */
    struct endpoint_address addresses[ENDPOINT_ADDRESSES_MAX];
    unsigned count;
};

/*
 * Resolves the configured host. Returns 0, or a negative errno with a sentence that names the host
 * and the option. A Unix socket is looked for when it is dialled.
 */
int endpoint_resolve(struct endpoint *endpoint, const struct endpoint_config *config,
                     struct err *err);

#endif
