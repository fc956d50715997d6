/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/tls_context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/tls_internal.h"

const char *tls_library(void)
{
    return "OpenSSL " OPENSSL_FULL_VERSION_STR;
}

/* OpenSSL's own words for a failure: the first that it has queued, which is the nearest to it. */
static const char *take_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    ERR_clear_error();
    return reason ? reason : "no reason given";
}

static int check_readable(const char *option, const char *path, struct err *err)
{
    return access(path, R_OK) == 0 ? 0 : err_sys(err, "Could not read %s %s", option, path);
}

/* ---- whom to trust */

static int trust_file(struct tls_context *context, const char *path, struct err *err)
{
    const int rc = check_readable("--cacert", path, err);

    if (rc < 0)
        return rc;
    if (SSL_CTX_load_verify_file(context->ssl, path) == 1)
        return 0;
    return err_set(err, "--cacert %s holds no certificates in PEM form: %s.", path, take_reason());
}

static int trust_folder(struct tls_context *context, const char *path, struct err *err)
{
    struct stat status;

    const int rc = check_readable("--cacertdir", path, err);
    if (rc < 0)
        return rc;
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return err_set(err, "--cacertdir %s is no directory; for a file use --cacert.", path);
    if (SSL_CTX_load_verify_dir(context->ssl, path) == 1)
        return 0;
    return err_set(err, "--cacertdir %s cannot be used: %s.", path, take_reason());
}

static int set_trust(struct tls_context *context, const struct tls_config *config, struct err *err)
{
    int rc = 0;

    if (config->insecure)
        return 0;
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    if (config->cacert)
        rc = trust_file(context, config->cacert, err);
    if (rc == 0 && config->cacertdir)
        rc = trust_folder(context, config->cacertdir, err);
    if (!config->cacert && !config->cacertdir)
        SSL_CTX_set_default_verify_paths(context->ssl);
    return rc;
}

/* ---- the name to verify */

static bool is_address(const char *name)
{
    struct in6_addr address;

    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* The name as certificates have it: an address without its zone, a name without the final dot. */
static void set_name(struct tls_context *context, const char *name)
{
    const size_t len = strcspn(name, "%");

    snprintf(context->name, sizeof context->name, "%.*s", (int)len, name);
    context->is_address = is_address(context->name);
    if (context->is_address)
        return;
    snprintf(context->name, sizeof context->name, "%s", name);
    const size_t whole = strlen(context->name);
    if (whole > 1 && context->name[whole - 1] == '.')
        context->name[whole - 1] = '\0';
}

static int verify_name(struct tls_context *context, struct err *err)
{
    X509_VERIFY_PARAM *checks = mem_check(X509_VERIFY_PARAM_new());
    int ok;

    context->name_checks = checks;
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (context->is_address)
        ok = X509_VERIFY_PARAM_set1_ip_asc(checks, context->name);
    else
        ok = X509_VERIFY_PARAM_set1_host(checks, context->name, 0);
    return ok == 1 ? 0
                   : err_set(err, "No certificate can be for the name \"%s\": %s.", context->name,
                             take_reason());
}

/* ---- what to show */

/* Called when a key asks for its passphrase: there is nobody to be asked. */
static int refuse_passphrase(char *text, int size, int writing, void *encrypted)
{
    (void)writing;
    if (size > 0)
        text[0] = '\0';
    *(bool *)encrypted = true;
    return 0;
}

static int load_key(struct tls_context *context, const struct tls_config *config, struct err *err)
{
    bool encrypted = false;

    SSL_CTX_set_default_passwd_cb(context->ssl, refuse_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context->ssl, &encrypted);
    const int ok = SSL_CTX_use_PrivateKey_file(context->ssl, config->key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(context->ssl, NULL);
    const bool other = !ok && ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;

    if (encrypted)
        err_set(err, "--key %s is encrypted: give one without a passphrase.", config->key);
    else if (other || (ok && SSL_CTX_check_private_key(context->ssl) != 1))
        err_set(err, "--key %s does not belong to --cert %s.", config->key, config->cert);
    else if (!ok)
        err_set(err, "--key %s holds no private key in PEM form: %s.", config->key, take_reason());
    else
        return 0;
    ERR_clear_error();
    return -EINVAL;
}

static int load_certificate(struct tls_context *context, const struct tls_config *config,
                            struct err *err)
{
    if (!config->cert)
        return 0;
    int rc = check_readable("--cert", config->cert, err);
    if (rc < 0)
        return rc;
    rc = check_readable("--key", config->key, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(context->ssl, config->cert) != 1)
        return err_set(err, "--cert %s holds no usable certificate in PEM form: %s.", config->cert,
                       take_reason());
    context->shows_certificate = true;
    return load_key(context, config, err);
}

/* ---- ciphers */

static int set_ciphers(struct tls_context *context, const struct tls_config *config,
                       struct err *err)
{
    const char *list = config->ciphers;
    const char *suites = config->ciphersuites;

    if (list && SSL_CTX_set_cipher_list(context->ssl, list) != 1)
        return err_set(err,
                       "--tls-ciphers \"%s\" leaves no cipher of TLS 1.2: %s; see openssl "
                       "ciphers -s -tls1_2.",
                       list, take_reason());
    if (suites && SSL_CTX_set_ciphersuites(context->ssl, suites) != 1)
        return err_set(err,
                       "--tls-ciphersuites \"%s\" leaves no ciphersuite of TLS 1.3: %s; see "
                       "openssl ciphers -s -tls1_3.",
                       suites, take_reason());
    return 0;
}

/* ---- life */

/* What does not depend on the user. */
static void set_manners(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;

    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are kept by the context, which has a use for the last one alone. */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, tls_keep_session);
    SSL_CTX_set_client_cert_cb(ssl, tls_note_request);
}

static int set_up(struct tls_context *context, const struct tls_config *config, const char *host,
                  struct err *err)
{
    set_manners(context);
    context->by_sni = config->sni;
    set_name(context, config->sni ? config->sni : host);
    int rc = set_trust(context, config, err);
    if (rc == 0 && !config->insecure)
        rc = verify_name(context, err);
    if (rc == 0)
        rc = load_certificate(context, config, err);
    return rc == 0 ? set_ciphers(context, config, err) : rc;
}

int tls_context_create(struct tls_context **slot, const struct tls_config *config, const char *host,
                       struct err *err)
{
    /* Nothing of OpenSSL's is released at exit(): a worker that hangs may still be using it. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    struct tls_context *context = mem_zalloc(1, sizeof *context);

    context->bio = mem_check(tls_bio_method());
    context->ssl = SSL_CTX_new(TLS_client_method());
    int rc = -ENOTSUP;
    if (context->ssl)
        rc = set_up(context, config, host, err);
    else
        err_set(err, "OpenSSL cannot be used: %s.", take_reason());
    if (rc < 0)
        tls_context_destroy(&context);
    ERR_clear_error();
    *slot = context;
    return rc;
}

int tls_context_create_like(struct tls_context **slot, const struct tls_context *like,
                            const char *host, struct err *err)
{
    struct tls_context *context = mem_zalloc(1, sizeof *context);

    context->bio = mem_check(tls_bio_method());
    context->ssl = like->ssl;
    SSL_CTX_up_ref(context->ssl);
    context->by_sni = like->by_sni;
    context->shows_certificate = like->shows_certificate;
    set_name(context, like->by_sni ? like->name : host);
    const int rc = like->name_checks ? verify_name(context, err) : 0;
    if (rc < 0)
        tls_context_destroy(&context);
    *slot = context;
    return rc;
}

void tls_context_destroy(struct tls_context **slot)
{
    struct tls_context *context = *slot;

    *slot = NULL;
    if (!context)
        return;
    SSL_SESSION_free(context->session);
    SSL_CTX_free(context->ssl);
    X509_VERIFY_PARAM_free(context->name_checks);
    BIO_meth_free(context->bio);
    free(context);
}
