/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

static X509 *read_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

static EVP_PKEY *read_key(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(key);
    return key;
}

/* Whether one who trusts `authority` alone takes `certificate` for a server's, strictly. */
static bool is_trusted(const char *authority, const char *certificate)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    X509 *root = read_certificate(authority), *leaf = read_certificate(certificate);

    X509_STORE_add_cert(store, root);
    X509_STORE_CTX_init(check, store, leaf, NULL);
    X509_STORE_CTX_set_default(check, "ssl_server");
    X509_STORE_CTX_set_flags(check, X509_V_FLAG_X509_STRICT);
    const bool ok = X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(leaf);
    return ok;
}

static struct local_certificate make(void)
{
    struct local_certificate made;
    struct err err = {""};

    if (local_certificate_make(&made, &err) < 0)
        fail_msg("%s", err.text);
    return made;
}

static void test_is_verified_by_its_own_authority(void **state)
{
    struct local_certificate one = make(), other = make();

    (void)state;
    assert_true(is_trusted(one.authority, one.certificate));
    assert_false(is_trusted(one.authority, other.certificate));
    local_certificate_deinit(&one);
    local_certificate_deinit(&other);
    assert_null(one.key);
}

static void test_says_who_the_server_is(void **state)
{
    static const struct {
        const char *name;
        int address;
        int expected;
    } cases[] = {
        {"127.0.0.1", true, 1},
        {"localhost", false, 1},
        {"127.0.0.2", true, 0},
        {"example.com", false, 0},
    };
    struct local_certificate made = make();
    X509 *certificate = read_certificate(made.certificate);
    EVP_PKEY *key = read_key(made.key);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(cases[i].address ? X509_check_ip_asc(certificate, cases[i].name, 0)
                                          : X509_check_host(certificate, cases[i].name, 0, 0, NULL),
                         cases[i].expected);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_equal(X509_check_ca(certificate), 0);
    EVP_PKEY_free(key);
    X509_free(certificate);
    local_certificate_deinit(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_verified_by_its_own_authority),
        cmocka_unit_test(test_says_who_the_server_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
