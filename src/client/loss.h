/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loss: how the end of a connection is told, and how a request ends that was under way on it.
 */
#ifndef CLIENT_LOSS_H
#define CLIENT_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/flights.h"
#include "io/endpoint.h"
#include "io/link.h"
#include "stats/outcome.h"

enum { LOSS_TEXT_MAX = ENDPOINT_NAME_MAX + RESP_TEXT_MAX + 64 };

/* What is known of an end. */
struct loss {
    const char *server;  /* its name, as reports show it */
    const char *said;    /* the server's last words, unasked or to refuse a login, or why TLS
                            failed; or "" */
    int reason;          /* of the link's `down` */
    bool was_up;         /* else it was a dial that failed */
    uint64_t timeout_ns; /* of requests */
    uint64_t now_ns;
};

/* One sentence; returns `text`, of LOSS_TEXT_MAX bytes. */
const char *loss_describe(const struct loss *loss, char *text);

/* Whether it was a login that was refused. */
bool loss_is_auth(const struct loss *loss);

/* The outcome of a request whose reply was not the one that was no RESP. */
enum outcome loss_outcome(const struct loss *loss, const struct flight *flight);

#endif
