/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uri: a server, and who logs in to it, in one text.
 *
 *   valkey://[[USER:]PASSWORD@][HOST[:PORT]][/DB][?db=DB]     also redis://
 *   valkeys://...                                             also rediss://: over TLS
 *   unix://[[USER:]PASSWORD@]/PATH[?db=DB]
 *
 * An IPv6 address stands in brackets. %XX is a byte by its number in user, password, host and path.
 * What stands before an @ without a colon is the password, as valkey-cli has it. A refusal names
 * the part at fault and quotes none: any of them may be a password that was typed wrongly.
 */
#ifndef IO_URI_H
#define IO_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct uri {
    char *text;           /* owned: what the others point into */
    const char *user;     /* NULL: none */
    const char *password; /* NULL: none */
    const char *host;     /* NULL: none */
    const char *socket;   /* the path of a Unix socket; NULL: over TCP */
    uint64_t port;        /* 0: none */
    uint64_t db;
    bool tls;
};

/* Returns 0, or -EINVAL with a sentence and nothing to release. */
int uri_parse(struct uri *uri, const char *text, struct err *err);

/* Releases it; a zeroed one is fine. */
void uri_deinit(struct uri *uri);

#endif
