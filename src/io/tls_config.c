/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/tls_config.h"

#include <arpa/inet.h>

#include "base/str.h"

#define FIELD(member) offsetof(struct tls_config, member)

/* clang-format off */
const struct option_spec tls_options[] = {
    {.name = "tls", .group = OPTION_TLS, .read = option_read_switch, .offset = FIELD(on),
     .help = "speak TLS 1.2 or 1.3 with the server, whose certificate is verified"},
    {.name = "cacert", .group = OPTION_TLS, .read = option_read_text, .offset = FIELD(cacert),
     .value = "FILE", .help = "certificates, in PEM form, of the authorities to trust instead of "
                              "the system's"},
    {.name = "cacertdir", .group = OPTION_TLS, .read = option_read_text,
     .offset = FIELD(cacertdir), .value = "DIR",
     .help = "directory of such certificates, prepared by openssl rehash"},
    {.name = "cert", .group = OPTION_TLS, .read = option_read_text, .offset = FIELD(cert),
     .value = "FILE", .help = "certificate, in PEM form, to show to the server"},
    {.name = "key", .group = OPTION_TLS, .read = option_read_text, .offset = FIELD(key),
     .value = "FILE", .help = "private key of --cert, in PEM form, without a passphrase"},
    {.name = "sni", .group = OPTION_TLS, .read = option_read_text, .offset = FIELD(sni),
     .value = "NAME", .help = "server name to ask for, and to find in the certificate, instead of "
                              "that of --host"},
    {.name = "insecure", .group = OPTION_TLS, .read = option_read_switch,
     .offset = FIELD(insecure), .help = "do not verify the server's certificate"},
    {.name = "tls-ciphers", .group = OPTION_TLS, .read = option_read_text,
     .offset = FIELD(ciphers), .value = "LIST",
     .help = "ciphers to allow in TLS 1.2, as OpenSSL names them, separated by colons"},
    {.name = "tls-ciphersuites", .group = OPTION_TLS, .read = option_read_text,
     .offset = FIELD(ciphersuites), .value = "LIST",
     .help = "ciphersuites to allow in TLS 1.3, likewise"},
    {0},
};
/* clang-format on */

/* The options that have a value; --insecure is looked at by itself. */
struct given {
    const char *option;
    const char *text;
};

static int check_texts(const struct tls_config *config, struct err *err)
{
    const struct given all[] = {
        {"--cacert", config->cacert},
        {"--cacertdir", config->cacertdir},
        {"--cert", config->cert},
        {"--key", config->key},
        {"--sni", config->sni},
        {"--tls-ciphers", config->ciphers},
        {"--tls-ciphersuites", config->ciphersuites},
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        if (all[i].text && !config->on)
            return err_set(err, "%s needs --tls.", all[i].option);
        if (all[i].text && !all[i].text[0])
            return err_set(err, "%s must not be empty.", all[i].option);
    }
    return 0;
}

int tls_config_check(const struct tls_config *config, struct err *err)
{
    struct in6_addr address;

    if (!HAVE_TLS && config->on)
        return err_set(err, "This program was built without OpenSSL, which --tls needs.");
    const int rc = check_texts(config, err);
    if (rc < 0)
        return rc;
    if (config->insecure && !config->on)
        return err_set(err, "--insecure needs --tls.");
    if (config->cert && !config->key)
        return err_set(err, "--cert needs --key, the private key of that certificate.");
    if (config->key && !config->cert)
        return err_set(err, "--key needs --cert, the certificate that it belongs to.");
    if (config->sni && (inet_pton(AF_INET, config->sni, &address) == 1 ||
                        inet_pton(AF_INET6, config->sni, &address) == 1))
        return err_set(err, "--sni must be a host name, not the address \"%s\".", config->sni);
    return 0;
}
