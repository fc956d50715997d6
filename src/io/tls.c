/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/tls_internal.h"

static struct tls *of_ssl(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* ---- what OpenSSL calls */

/* An outbox takes everything: OpenSSL never has to keep what it could not write. */
static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct outbox *outbox = ((struct tls *)BIO_get_data(bio))->outbox;

    memcpy(outbox_reserve(outbox, (size_t)len), bytes, (size_t)len);
    outbox_add(outbox, (size_t)len);
    return len;
}

static int bio_read(BIO *bio, char *room, int len)
{
    struct str *fed = &((struct tls *)BIO_get_data(bio))->fed;
    const size_t some = fed->len < (size_t)len ? fed->len : (size_t)len;

    BIO_clear_retry_flags(bio);
    if (some == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(room, fed->ptr, some);
    fed->ptr += some;
    fed->len -= some;
    return (int)some;
}

static long bio_control(BIO *bio, int command, long number, void *argument)
{
    (void)bio, (void)number, (void)argument;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "outbox");

    if (!method)
        return NULL;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

int tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_context *context = of_ssl(ssl)->context;

    SSL_SESSION_free(context->session);
    context->session = session;
    return 1; /* it is ours */
}

int tls_note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    (void)certificate, (void)key;
    of_ssl(ssl)->failure.wanted_certificate = true;
    return 0; /* there is none */
}

/* ---- life */

/* A BIO that is ours alone; the SSL owns it. */
static void attach(struct tls *tls)
{
    BIO *bio = mem_check(BIO_new(tls->context->bio));

    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
}

struct tls *tls_create(struct tls_context *context, struct outbox *outbox)
{
    struct tls *tls = mem_zalloc(1, sizeof *tls);

    tls->context = context;
    tls->outbox = outbox;
    tls->ssl = mem_check(SSL_new(context->ssl));
    SSL_set_app_data(tls->ssl, tls);
    attach(tls);
    if (context->name_checks && SSL_set1_param(tls->ssl, context->name_checks) != 1)
        mem_check(NULL); /* the only reason */
    if (!context->is_address)
        SSL_set_tlsext_host_name(tls->ssl, context->name);
    if (context->session)
        SSL_set_session(tls->ssl, context->session);
    SSL_set_connect_state(tls->ssl);
    return tls;
}

void tls_destroy(struct tls **slot)
{
    struct tls *tls = *slot;

    *slot = NULL;
    if (!tls)
        return;
    /* OpenSSL takes a connection that just ends for an attack, and would spoil its session, which
     * the context may have kept. */
    if (!tls->failed)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    free(tls);
}

/* ---- bytes */

static void fail(struct tls *tls)
{
    tls->failed = true;
    tls->failure.code = ERR_peek_last_error();
    tls->failure.verified = SSL_get_verify_result(tls->ssl);
    ERR_clear_error();
    if (tls->open)
        return;
    /* Should it be the session that the server did not like, the next connection has none. */
    SSL_SESSION_free(tls->context->session);
    tls->context->session = NULL;
}

/* Why a call did not do what it should. OpenSSL's queue of errors, which tells, is always left
 * empty. */
static enum tls_event explain(struct tls *tls, int rc)
{
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        fail(tls);
        return TLS_FAILED;
    }
}

void tls_feed(struct tls *tls, struct str ciphertext)
{
    assert(tls->fed.len == 0);
    tls->fed = ciphertext;
}

static enum tls_event shake_hands(struct tls *tls)
{
    const int rc = SSL_do_handshake(tls->ssl);

    if (rc != 1)
        return explain(tls, rc);
    tls->open = true;
    snprintf(tls->context->agreed, TLS_AGREED_MAX, "%s, %s", SSL_get_version(tls->ssl),
             SSL_get_cipher_name(tls->ssl));
    return TLS_OPENED;
}

enum tls_event tls_next(struct tls *tls, struct str *plaintext)
{
    size_t len;

    if (tls->failed)
        return TLS_FAILED;
    if (!tls->open)
        return shake_hands(tls);
    const int rc =
        SSL_read_ex(tls->ssl, tls->context->plaintext, sizeof tls->context->plaintext, &len);
    if (rc != 1)
        return explain(tls, rc);
    *plaintext = (struct str){tls->context->plaintext, len};
    return TLS_BYTES;
}

bool tls_send(struct tls *tls, struct str plaintext)
{
    size_t sent;

    assert(tls->open);
    if (tls->failed)
        return false;
    if (plaintext.len == 0 || SSL_write_ex(tls->ssl, plaintext.ptr, plaintext.len, &sent) == 1)
        return true;
    fail(tls);
    return false;
}

bool tls_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

const char *tls_context_agreed(const struct tls_context *context)
{
    return context->agreed;
}

const char *tls_reason(const struct tls *tls, char *text)
{
    return tls_describe(&tls->failure, tls->context, text);
}
