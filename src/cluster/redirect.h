/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redirect: reads where a node sends a request that it does not serve.
 *
 * "MOVED 3999 host:port" for good, "ASK 3999 host:port" for this time. The port stands after the
 * last ':', since an IPv6 address has others and no brackets; an empty host means that of the node
 * that said it.
 *
 * Format: https://valkey.io/topics/cluster-spec/
 */
#ifndef CLUSTER_REDIRECT_H
#define CLUSTER_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct redirect {
    bool ask; /* else moved */
    uint16_t slot;
    struct str host; /* borrowed from the line; empty: the one that said it */
    uint16_t port;
};

/*
 * Reads the text of an error reply, without its '-'. Returns false when it is no redirect, or one
 * that leads nowhere: of another form, a host "?", a port 0.
 */
bool redirect_parse(struct str line, struct redirect *redirect);

#endif
