/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_context: what the TLS connections of one thread to one server have in common. Contexts for
 * several servers can have one reading of the files in common.
 *
 * Whom to trust, the name that the server must prove, the certificate to show, the ciphers; and
 * what the connections share to stay small: the last ticket, by which a connection made later
 * resumes a session, and the memory that plaintext is put in. So a context and its connections
 * belong to one thread, and there is no lock.
 */
#ifndef IO_TLS_CONTEXT_H
#define IO_TLS_CONTEXT_H

#include "base/err.h"
#include "io/tls_config.h"

struct tls_context;

enum { TLS_AGREED_MAX = 100 };

/*
 * Makes a context for the server `host`, a name or an IP address: the one that its certificate must
 * be for unless --sni names another. Reads the files of `config`, which is not needed afterwards.
 * Returns 0, or a negative errno with a sentence that names the option and the file at fault.
 */
int tls_context_create(struct tls_context **slot, const struct tls_config *config, const char *host,
                       struct err *err);

/*
 * The same for another server, as `like` was configured, which may be destroyed before: nothing is
 * read. For the same thread. Returns 0, or a negative errno with a sentence: no certificate can be
 * for that name.
 */
int tls_context_create_like(struct tls_context **slot, const struct tls_context *like,
                            const char *host, struct err *err);

/* "TLSv1.3, TLS_AES_256_GCM_SHA384": what the last handshake that was done has agreed on; "" before
 * the first. Borrowed until the next. */
const char *tls_context_agreed(const struct tls_context *context);

/* Releases a context (NULL is fine) whose connections are gone. */
void tls_context_destroy(struct tls_context **slot);

/* "OpenSSL 3.0.19", or "none" when the program was built without. */
const char *tls_library(void);

#endif
