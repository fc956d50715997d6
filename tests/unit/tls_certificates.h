/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_certificates: certificates and keys made for a test, in PEM files of a folder of its own.
 */
#ifndef TESTS_TLS_CERTIFICATES_H
#define TESTS_TLS_CERTIFICATES_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A certificate with its key. */
struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

/* What a certificate says. */
struct identity_facts {
    const char *names; /* "DNS:a.example,IP:127.0.0.1"; NULL: none */
    bool authority;
    long from_s, until_s; /* from now */
};

enum { DAY_S = 24 * 60 * 60 };

static inline void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Signed by `issuer`, or by itself if that is NULL. */
static inline struct identity identity_make(const struct identity *issuer,
                                            struct identity_facts facts)
{
    const struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    const struct identity *by = issuer ? issuer : &made;
    X509_NAME *name = X509_get_subject_name(made.certificate);
    char common[40];

    assert_non_null(made.key);
    snprintf(common, sizeof common, "Test %ld", random());
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 1 + random());
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), facts.from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), facts.until_s);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(by->certificate));
    X509_set_pubkey(made.certificate, made.key);
    add_extension(made.certificate, by->certificate, NID_basic_constraints,
                  facts.authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (facts.names)
        add_extension(made.certificate, by->certificate, NID_subject_alt_name, facts.names);
    assert_true(X509_sign(made.certificate, by->key, EVP_sha256()) > 0);
    return made;
}

static inline void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* ---- files */

/* A folder, and room for the path of a file in it. */
struct folder {
    char path[32];
};

static inline void folder_make(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/test_tls.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

/* The path of a file of the folder, to be released with free(). */
static inline char *folder_file(const struct folder *folder, const char *name)
{
    char *path;

    assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
    return path;
}

static inline char *folder_put_text(const struct folder *folder, const char *name, const char *text)
{
    char *path = folder_file(folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static inline char *folder_put_certificate(const struct folder *folder, const char *name,
                                           const struct identity *identity)
{
    char *path = folder_file(folder, name);
    FILE *file = fopen(path, "w");

    assert_int_equal(PEM_write_X509(file, identity->certificate), 1);
    fclose(file);
    return path;
}

/* `passphrase`: NULL: none. */
static inline char *folder_put_key(const struct folder *folder, const char *name,
                                   const struct identity *identity, const char *passphrase)
{
    char *path = folder_file(folder, name);
    FILE *file = fopen(path, "w");

    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, identity->key, passphrase ? EVP_aes_128_cbc() : NULL,
                                  passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
        1);
    fclose(file);
    return path;
}

/* Removes a file and releases its path. */
static inline void folder_drop(char *path)
{
    unlink(path);
    free(path);
}

#endif
