/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_internal: what the files of TLS share. For them alone.
 */
#ifndef IO_TLS_INTERNAL_H
#define IO_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "io/tls.h"

enum { TLS_NAME_MAX = 256 };

struct tls_context {
    SSL_CTX *ssl;                   /* owned, in common with contexts that are like this one */
    X509_VERIFY_PARAM *name_checks; /* owned: that the certificate is for `name`; NULL: none */
    BIO_METHOD *bio;                /* owned: how connections read and write */
    SSL_SESSION *session;           /* owned: the last ticket; NULL: none */
    char name[TLS_NAME_MAX];        /* that the certificate must be for */
    char agreed[TLS_AGREED_MAX];
    bool by_sni;     /* the name is that of --sni, whatever the host */
    bool is_address; /* it is an IP address: not to be asked for */
    bool shows_certificate;
    char plaintext[SSL3_RT_MAX_PLAIN_LENGTH];
};

/* Why a connection failed, as OpenSSL tells it. */
struct tls_failure {
    unsigned long code;      /* of OpenSSL's queue of errors; 0: it gave none */
    long verified;           /* X509_V_OK, or what is wrong with the certificate */
    bool wanted_certificate; /* the server asked for one and there was none to show */
};

struct tls {
    SSL *ssl; /* owned */
    struct tls_context *context;
    struct outbox *outbox;
    struct str fed; /* what is left of it */
    struct tls_failure failure;
    bool open;
    bool failed;
};

/* tls_reason() of a failure. */
const char *tls_describe(const struct tls_failure *failure, const struct tls_context *context,
                         char *text);

/* How a connection's SSL reads what was fed and writes into its outbox. */
BIO_METHOD *tls_bio_method(void);

/* Callbacks of SSL_CTX, which find their connection through the SSL's app data. */
int tls_keep_session(SSL *ssl, SSL_SESSION *session);
int tls_note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key);

#endif
