/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A clock that is set back in the run does not make the certificates those of the future. */
enum { VERSION_3 = 2, EARLY_S = 24 * 60 * 60, VALID_S = 30 * 24 * 60 * 60 };

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

struct extension {
    int kind;
    const char *value;
};

static const struct extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"},
    {NID_authority_key_identifier, "keyid"},
    {0, NULL},
};

static bool extend(X509 *certificate, X509 *issuer, const struct extension *what)
{
    X509V3_CTX context;
    bool ok = true;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; ok && what->value; what++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what->kind, what->value);
        ok = extension && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
    }
    return ok;
}

static bool describe(const struct identity *identity, const char *name, long serial)
{
    X509 *certificate = identity->certificate;

    return X509_set_version(certificate, VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -EARLY_S) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_S) &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                      (const unsigned char *)name, -1, -1, 0) == 1 &&
           X509_set_pubkey(certificate, identity->key) == 1;
}

/* Signed by `issuer`, or by itself. */
static bool sign(const struct identity *identity, const struct identity *issuer,
                 const struct extension *extensions)
{
    X509 *certificate = identity->certificate;

    return X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate)) == 1 &&
           extend(certificate, issuer->certificate, extensions) &&
           X509_sign(certificate, issuer->key, EVP_sha256()) > 0;
}

static struct identity make_identity(void)
{
    return (struct identity){X509_new(), EVP_EC_gen("P-256")};
}

static void free_identity(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

static char *take_text(BIO *bio)
{
    char *bytes;
    const size_t len = (size_t)BIO_get_mem_data(bio, &bytes);
    char *text = mem_zalloc(len + 1, 1);

    memcpy(text, bytes, len);
    BIO_free(bio);
    return text;
}

static char *certificate_text(X509 *certificate)
{
    BIO *bio = mem_check(BIO_new(BIO_s_mem()));

    PEM_write_bio_X509(bio, certificate);
    return take_text(bio);
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = mem_check(BIO_new(BIO_s_mem()));

    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return take_text(bio);
}

int local_certificate_make(struct local_certificate *made, struct err *err)
{
    struct identity authority = make_identity(), server = make_identity();
    int rc = 0;

    *made = (struct local_certificate){NULL, NULL, NULL};
    if (authority.certificate && authority.key && server.certificate && server.key &&
        describe(&authority, "Authority of a local server", 1) &&
        sign(&authority, &authority, authority_extensions) && describe(&server, "127.0.0.1", 2) &&
        sign(&server, &authority, server_extensions)) {
        made->authority = certificate_text(authority.certificate);
        made->certificate = certificate_text(server.certificate);
        made->key = key_text(server.key);
    } else {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        rc = err_set(err, "OpenSSL made no certificate for the local server: %s.",
                     reason ? reason : "no reason given");
        ERR_clear_error();
    }
    free_identity(&authority);
    free_identity(&server);
    return rc;
}

void local_certificate_deinit(struct local_certificate *made)
{
    free(made->authority);
    free(made->certificate);
    free(made->key);
    *made = (struct local_certificate){NULL, NULL, NULL};
}
