/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_request: what a GLIDE client is asked to be, as the bytes that its library reads.
 *
 * A protobuf message, `connection_request.ConnectionRequest` of glide-core, which has had the same
 * field numbers since 2.0. It is written by hand: a handful of numbers and texts.
 * https://protobuf.dev/programming-guides/encoding/
 */
#ifndef CLIENT_GLIDE_REQUEST_H
#define CLIENT_GLIDE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/endpoint.h"
#include "io/session.h"
#include "io/tls_config.h"

struct glide_wishes {
    const struct endpoint *endpoint;
    const struct session_config *session; /* NULL: no login, database 0, RESP2 */
    const struct tls_config *tls;         /* its files are read */
    uint64_t request_timeout_ns;
    uint64_t connect_timeout_ns;
    uint64_t slots; /* requests that it may have in flight */
    bool cluster;
    bool read_from_replica;
};

/*
 * Writes the request into new memory, which the caller frees. It holds the password. Returns 0, or
 * a negative errno with a sentence when a file cannot be read.
 */
int glide_request_write(const struct glide_wishes *wishes, char **bytes, size_t *len,
                        struct err *err);

#endif
