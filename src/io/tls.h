/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls: TLS for one connection, as a filter on bytes.
 *
 * Knows no socket and no clock. What the peer sent is fed in and comes out as plaintext; plaintext
 * to be sent goes into an outbox as records, and so do the messages that TLS has of its own: those
 * of the handshake, answers to key updates, alerts. Whoever owns the outbox looks at it after each
 * call.
 *
 * A connection that waits holds no buffer for records, unless one has come in part.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>

#include "base/str.h"
#include "io/outbox.h"
#include "io/tls_context.h"

struct tls;

enum tls_event {
    TLS_MORE,   /* all that was fed has been used */
    TLS_OPENED, /* the handshake is done: plaintext may be sent */
    TLS_BYTES,  /* plaintext has come */
    TLS_ENDED,  /* the peer has said that it sends nothing more */
    TLS_FAILED  /* tls_reason() says why; an alert may be in the outbox */
};

enum { TLS_REASON_MAX = 400 };

/* Makes a connection, whose messages go into `outbox`; tls_next() puts the first there. Both
 * arguments are borrowed. */
struct tls *tls_create(struct tls_context *context, struct outbox *outbox);

/* Releases a connection (NULL is fine). */
void tls_destroy(struct tls **slot);

/* Takes what the peer sent; borrowed until tls_next() returns TLS_MORE, as it must before more is
 * fed, or the connection is destroyed. */
void tls_feed(struct tls *tls, struct str ciphertext);

/*
 * What comes next out of what was fed. `plaintext`, with TLS_BYTES, is borrowed until the next call
 * with any connection of the context. TLS_ENDED and TLS_FAILED are final: they are told again.
 */
enum tls_event tls_next(struct tls *tls, struct str *plaintext);

/* Adds plaintext to the outbox, in as few records as hold it, on a connection that was opened.
 * Returns false if it has failed. */
bool tls_send(struct tls *tls, struct str plaintext);

/* Whether the connection resumed an earlier one's session. */
bool tls_resumed(const struct tls *tls);

/*
 * Why it failed, in `text` of TLS_REASON_MAX bytes, which it returns: which check, and which option
 * answers it. To be put into a sentence: it begins small and has no period.
 */
const char *tls_reason(const struct tls *tls, char *text);

/* Whether bytes are the beginning of what a TLS server may say to one who does not speak TLS: a
 * record with an alert. No RESP begins like that. */
static inline bool tls_is_alert(struct str bytes)
{
    return str_starts(bytes, STR("\x15\x03"));
}

#endif
