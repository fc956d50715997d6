/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of TLS where there is no OpenSSL: no context can be made, so nothing else is called. */
#include <assert.h>
#include <errno.h>

#include "io/tls.h"

const char *tls_library(void)
{
    return "none";
}

int tls_context_create(struct tls_context **slot, const struct tls_config *config, const char *host,
                       struct err *err)
{
    (void)config, (void)host;
    *slot = NULL;
    err_set(err, "This program was built without OpenSSL, which --tls needs.");
    return -ENOSYS;
}

int tls_context_create_like(struct tls_context **slot, const struct tls_context *like,
                            const char *host, struct err *err)
{
    (void)like;
    return tls_context_create(slot, NULL, host, err);
}

const char *tls_context_agreed(const struct tls_context *context)
{
    (void)context;
    return "";
}

void tls_context_destroy(struct tls_context **slot)
{
    assert(!*slot);
}

struct tls *tls_create(struct tls_context *context, struct outbox *outbox)
{
    (void)context, (void)outbox;
    assert(false);
    return NULL;
}

void tls_destroy(struct tls **slot)
{
    assert(!*slot);
}

void tls_feed(struct tls *tls, struct str ciphertext)
{
    (void)tls, (void)ciphertext;
    assert(false);
}

enum tls_event tls_next(struct tls *tls, struct str *plaintext)
{
    (void)tls, (void)plaintext;
    assert(false);
    return TLS_FAILED;
}

bool tls_send(struct tls *tls, struct str plaintext)
{
    (void)tls, (void)plaintext;
    assert(false);
    return false;
}

bool tls_resumed(const struct tls *tls)
{
    (void)tls;
    return false;
}

const char *tls_reason(const struct tls *tls, char *text)
{
    (void)tls;
    text[0] = '\0';
    return text;
}
