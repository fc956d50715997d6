/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_config: what the user says about TLS.
 */
#ifndef IO_TLS_CONFIG_H
#define IO_TLS_CONFIG_H

#include <stdbool.h>

#include "base/option.h"

/* All texts are borrowed; NULL: not given. */
struct tls_config {
    bool on;
    bool insecure;                  /* the server's certificate is not verified */
    const char *cacert, *cacertdir; /* neither: the authorities that the system trusts */
    const char *cert, *key;
    const char *sni;          /* asked for and verified instead of the host's name */
    const char *ciphers;      /* of TLS 1.2 */
    const char *ciphersuites; /* of TLS 1.3 */
};

extern const struct option_spec tls_options[];

/*
 * Whether the options go together, and with this build of the program. Looks at no file. Returns 0,
 * or -EINVAL with a sentence that names the option at fault.
 */
int tls_config_check(const struct tls_config *config, struct err *err);

#endif
