/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request: one execution of the workload, before anything is known of connections.
 *
 * Key, value and bytes are pure functions of these numbers and the seed, so nothing else is kept of
 * a request: whoever needs its bytes again renders it again.
 */
#ifndef LOAD_REQUEST_H
#define LOAD_REQUEST_H

#include <stdint.h>

struct request {
    uint64_t k;      /* its index, global over all workers, used once */
    uint64_t n;      /* its number among the requests of its worker */
    uint64_t due_ns; /* when it should start; 0 in a closed loop: when it is sent */
};

#endif
