/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * addresses: where the nodes of a cluster are, as the kernel knows it, for the workers of a
 * process.
 *
 * Addresses are read at once. Names are resolved by one thread of the process, begun when the first
 * name comes up that was not resolved before the run: a resolver may take its time, and a worker
 * has none. What a name was resolved to serves until it is resolved again, which whoever cannot
 * reach it asks for: once a second at most, as it is tried again when it could not be resolved.
 */
#ifndef CLUSTER_ADDRESSES_H
#define CLUSTER_ADDRESSES_H

#include <stdint.h>

#include "base/err.h"
#include "io/endpoint.h"

struct addresses;

struct addresses *addresses_create(void);

/* May be called while the resolver is at work, and does not wait for it. */
void addresses_destroy(struct addresses **slot);

/* Resolves a name here and now; does nothing for an address. Returns 0, or a negative errno with a
 * sentence. */
int addresses_resolve(struct addresses *addresses, const char *host, uint16_t port,
                      struct err *err);

/*
 * Fills `endpoint`. Returns 0; -EAGAIN: the name is being resolved, ask again; or another negative
 * errno, with a sentence: it could not be, and is tried again later. Any thread may ask.
 */
int addresses_find(struct addresses *addresses, const char *host, uint16_t port,
                   struct endpoint *endpoint, struct err *err);

/*
 * Has a name resolved again, since nobody could be reached there; does nothing for an address.
 * Until something else is found, if it is, addresses_find() tells what it told before. Any thread
 * may ask.
 */
void addresses_renew(struct addresses *addresses, const char *host, uint16_t port);

#endif
