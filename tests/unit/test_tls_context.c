/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_certificates.h"

#include "base/str.h"
#include "io/tls_context.h"

#include <errno.h>

enum { FILES = 8 };

/* The files, by the number that cases name them with. */
enum file { NO_FILE, CERTIFICATE, KEY, OTHER_KEY, LOCKED_KEY, RSA_KEY, TEXT, ABSENT };

struct fixture {
    struct folder folder;
    char *files[FILES];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct identity one = identity_make(NULL, (struct identity_facts){.until_s = DAY_S});
    struct identity other = identity_make(NULL, (struct identity_facts){.until_s = DAY_S});
    struct identity rsa = {.key = EVP_RSA_gen(2048)};
    const struct folder *folder = &fixture->folder;

    folder_make(&fixture->folder);
    fixture->files[CERTIFICATE] = folder_put_certificate(folder, "one.crt", &one);
    fixture->files[KEY] = folder_put_key(folder, "one.key", &one, NULL);
    fixture->files[OTHER_KEY] = folder_put_key(folder, "other.key", &other, NULL);
    fixture->files[LOCKED_KEY] = folder_put_key(folder, "locked.key", &one, "secret");
    fixture->files[RSA_KEY] = folder_put_key(folder, "rsa.key", &rsa, NULL);
    fixture->files[TEXT] = folder_put_text(folder, "text", "no certificate\n");
    fixture->files[ABSENT] = folder_file(folder, "absent");
    identity_free(&one);
    identity_free(&other);
    identity_free(&rsa);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 1; i < FILES; i++)
        folder_drop(fixture->files[i]);
    rmdir(fixture->folder.path);
    free(fixture);
    return 0;
}

static int create(const struct tls_config *config, const char *host, struct err *err)
{
    struct tls_context *context = NULL;
    const int rc = tls_context_create(&context, config, host, err);

    assert_true(rc < 0 ? context == NULL : context != NULL);
    tls_context_destroy(&context);
    assert_null(context);
    tls_context_destroy(&context);
    return rc;
}

/* In the sentence, %s is the file that stands before, in the same row, first `named` then `also`.
 */
static const struct {
    enum file cacert, cacertdir, cert, key;
    const char *ciphers, *ciphersuites;
    enum file named, also;
    const char *begin, *middle, *end;
} refusals[] = {
    {.cacert = ABSENT,
     .named = ABSENT,
     .begin = "Could not read --cacert ",
     .end = ": No such file or directory."},
    {.cacert = TEXT,
     .named = TEXT,
     .begin = "--cacert ",
     .end = " holds no certificates in PEM form: no certificate or crl found."},
    {.cacert = KEY,
     .named = KEY,
     .begin = "--cacert ",
     .end = " holds no certificates in PEM form: no certificate or crl found."},
    {.cacertdir = ABSENT,
     .named = ABSENT,
     .begin = "Could not read --cacertdir ",
     .end = ": No such file or directory."},
    {.cacertdir = TEXT,
     .named = TEXT,
     .begin = "--cacertdir ",
     .end = " is no directory; for a file use --cacert."},
    {.cert = ABSENT,
     .key = KEY,
     .named = ABSENT,
     .begin = "Could not read --cert ",
     .end = ": No such file or directory."},
    {.cert = CERTIFICATE,
     .key = ABSENT,
     .named = ABSENT,
     .begin = "Could not read --key ",
     .end = ": No such file or directory."},
    {.cert = TEXT,
     .key = KEY,
     .named = TEXT,
     .begin = "--cert ",
     .end = " holds no usable certificate in PEM form: no start line."},
    {.cert = CERTIFICATE,
     .key = TEXT,
     .named = TEXT,
     .begin = "--key ",
     .end = " holds no private key in PEM form: unsupported."},
    {.cert = CERTIFICATE,
     .key = OTHER_KEY,
     .named = OTHER_KEY,
     .also = CERTIFICATE,
     .begin = "--key ",
     .middle = " does not belong to --cert ",
     .end = "."},
    {.cert = CERTIFICATE,
     .key = RSA_KEY,
     .named = RSA_KEY,
     .also = CERTIFICATE,
     .begin = "--key ",
     .middle = " does not belong to --cert ",
     .end = "."},
    {.cert = CERTIFICATE,
     .key = LOCKED_KEY,
     .named = LOCKED_KEY,
     .begin = "--key ",
     .end = " is encrypted: give one without a passphrase."},
    {.ciphers = "NOPE",
     .begin = "--tls-ciphers \"NOPE\" leaves no cipher of TLS 1.2: no cipher match; see openssl "
              "ciphers -s -tls1_2."},
    {.ciphersuites = "NOPE",
     .begin = "--tls-ciphersuites \"NOPE\" leaves no ciphersuite of TLS 1.3: no cipher match; see "
              "openssl ciphers -s -tls1_3."},
};

static void test_refusals(void **state)
{
    const struct fixture *fixture = *state;
    char *const *files = fixture->files;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct tls_config config = {.on = true,
                                          .cacert = files[refusals[i].cacert],
                                          .cacertdir = files[refusals[i].cacertdir],
                                          .cert = files[refusals[i].cert],
                                          .key = files[refusals[i].key],
                                          .ciphers = refusals[i].ciphers,
                                          .ciphersuites = refusals[i].ciphersuites};
        struct err err = {""}, want;

        err_set(&want, "%s%s%s%s%s", refusals[i].begin,
                refusals[i].named ? files[refusals[i].named] : "",
                refusals[i].middle ? refusals[i].middle : "",
                refusals[i].also ? files[refusals[i].also] : "",
                refusals[i].end ? refusals[i].end : "");
        assert_true(create(&config, "localhost", &err) < 0);
        assert_string_equal(err.text, want.text);
    }
}

static void test_acceptances(void **state)
{
    const struct fixture *fixture = *state;
    char *const *files = fixture->files;
    const struct tls_config configs[] = {
        {.on = true},
        {.on = true, .insecure = true},
        {.on = true, .insecure = true, .cacert = files[ABSENT]}, /* not looked at */
        {.on = true, .cacert = files[CERTIFICATE]},
        {.on = true, .cacertdir = fixture->folder.path},
        {.on = true, .cert = files[CERTIFICATE], .key = files[KEY]},
        {.on = true, .ciphers = "ECDHE+AESGCM", .ciphersuites = "TLS_AES_128_GCM_SHA256"},
        {.on = true, .sni = "other.example."},
    };
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "fe80::1%lo",
                                        "a.example."};

    for (size_t i = 0; i < COUNT(configs); i++)
        for (size_t j = 0; j < COUNT(hosts); j++) {
            struct err err = {""};

            assert_int_equal(create(&configs[i], hosts[j], &err), 0);
            assert_string_equal(err.text, "");
        }
}

/* Files are read once, however many servers there are. */
static void test_contexts_like_another(void **state)
{
    struct identity one = identity_make(NULL, (struct identity_facts){.until_s = DAY_S});
    const struct fixture *fixture = *state;
    char *file = folder_put_certificate(&fixture->folder, "gone.crt", &one);
    const struct tls_config config = {.on = true, .cacert = file};
    struct tls_context *context, *other;
    struct err err;

    assert_int_equal(tls_context_create(&context, &config, "localhost", &err), 0);
    folder_drop(file);
    assert_int_equal(tls_context_create_like(&other, context, "127.0.0.1", &err), 0);
    tls_context_destroy(&context);
    tls_context_destroy(&other);
    identity_free(&one);
}

static void test_library(void **state)
{
    (void)state;
    assert_true(str_starts(str_of(tls_library()), STR("OpenSSL 3.")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_acceptances),
        cmocka_unit_test(test_contexts_like_another),
        cmocka_unit_test(test_library),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
