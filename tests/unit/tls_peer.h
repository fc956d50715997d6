/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_peer: the server's end of a TLS connection, and the wire between it and the client's.
 */
#ifndef TESTS_TLS_PEER_H
#define TESTS_TLS_PEER_H

#include "tls_certificates.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "io/tls.h"

/* A server that speaks one version. */
static inline SSL_CTX *peer_context(const struct identity *identity, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_non_null(context);
    SSL_CTX_set_security_level(context, 0); /* or it would not speak the old versions */
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
    assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
    return context;
}

/* Lets a server want a certificate of the client, from an authority. */
static inline void peer_want_certificate(SSL_CTX *context, const struct identity *authority)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority->certificate);
    SSL_CTX_add_client_CA(context, authority->certificate);
}

/* One connection: both ends. */
struct wire {
    struct tls *tls;
    struct outbox outbox;
    SSL *peer;
    BIO *to_peer, *from_peer; /* of `peer` */
    size_t cut;               /* how many bytes are fed at once; 0: all there are */
    enum tls_event last;      /* the last event that was not TLS_MORE */
    unsigned opened;
    char *got; /* plaintext that the client got, owned */
    size_t got_len;
};

static inline void wire_open(struct wire *wire, struct tls_context *context, SSL_CTX *peer)
{
    *wire = (struct wire){.peer = SSL_new(peer), .last = TLS_MORE};
    wire->to_peer = BIO_new(BIO_s_mem());
    wire->from_peer = BIO_new(BIO_s_mem());
    SSL_set_bio(wire->peer, wire->to_peer, wire->from_peer);
    SSL_set_accept_state(wire->peer);
    wire->tls = tls_create(context, &wire->outbox);
}

static inline void wire_close(struct wire *wire)
{
    tls_destroy(&wire->tls);
    assert_null(wire->tls);
    SSL_set_shutdown(wire->peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(wire->peer);
    outbox_deinit(&wire->outbox);
    free(wire->got);
    ERR_clear_error();
}

/* Handles what was fed until there is no more in it. */
static inline void wire_drain(struct wire *wire)
{
    for (;;) {
        struct str plaintext;
        const enum tls_event event = tls_next(wire->tls, &plaintext);

        if (event == TLS_MORE)
            return;
        wire->last = event;
        wire->opened += event == TLS_OPENED;
        if (event == TLS_ENDED || event == TLS_FAILED)
            return;
        if (event != TLS_BYTES)
            continue;
        wire->got = mem_resize(wire->got, wire->got_len + plaintext.len, 1);
        memcpy(wire->got + wire->got_len, plaintext.ptr, plaintext.len);
        wire->got_len += plaintext.len;
    }
}

/* Feeds a copy that ends where its memory does. */
static inline void wire_feed(struct wire *wire, const char *bytes, size_t len)
{
    char *copy = mem_resize(NULL, len, 1);

    memcpy(copy, bytes, len);
    if (wire->last != TLS_ENDED && wire->last != TLS_FAILED) {
        tls_feed(wire->tls, (struct str){copy, len});
        wire_drain(wire);
    }
    free(copy);
}

/* Carries what the server has said, in pieces. */
static inline void wire_carry_back(struct wire *wire)
{
    char *bytes;
    const size_t len = (size_t)BIO_get_mem_data(wire->from_peer, &bytes);
    const size_t cut = wire->cut ? wire->cut : len;

    for (size_t at = 0; at < len; at += cut)
        wire_feed(wire, bytes + at, len - at < cut ? len - at : cut);
    BIO_reset(wire->from_peer);
}

static inline void wire_carry_over(struct wire *wire)
{
    struct outbox_half *filling = &wire->outbox.filling;

    if (filling->len > 0)
        BIO_write(wire->to_peer, filling->bytes, (int)filling->len);
    filling->len = 0;
}

/* Both ends talk until neither has more to say. */
static inline void wire_shake_hands(struct wire *wire)
{
    wire_drain(wire);
    for (unsigned rounds = 0; rounds < 8; rounds++) {
        wire_carry_over(wire);
        SSL_do_handshake(wire->peer);
        wire_carry_back(wire);
    }
}

#endif
