/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe: one connection to the server, before anything else is made, to learn what is wrong.
 *
 * Dials as a run's own connections do, with the whole opening of the session. Where there is none
 * it says PING, since a server that wants a password tells that only to who asks something. A
 * server that is loading its data, or is slow to answer, is no reason to refuse a run.
 */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include "io/endpoint.h"
#include "io/session.h"
#include "io/tls_context.h"

/*
 * Tries the addresses in turn, each for at most `timeout_ns` (0: as long as the kernel tries); the
 * one that answered becomes the first. `tls` may be NULL: without TLS. Returns 0, or a negative
 * errno with a sentence that says what to do about it and holds the server's own words.
 */
int probe_server(struct endpoint *endpoint, const struct session_opening *opening,
                 struct tls_context *tls, uint64_t timeout_ns, struct err *err);

#endif
