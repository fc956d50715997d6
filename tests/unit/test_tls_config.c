/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "io/tls_config.h"

static const struct {
    struct tls_config config;
    const char *sentence; /* NULL: accepted */
} cases[] = {
    {{.on = false}, NULL},
    {{.cacert = "f"}, "--cacert needs --tls."},
    {{.cacertdir = "d"}, "--cacertdir needs --tls."},
    {{.cert = "f", .key = "f"}, "--cert needs --tls."},
    {{.key = "f"}, "--key needs --tls."},
    {{.sni = "n"}, "--sni needs --tls."},
    {{.insecure = true}, "--insecure needs --tls."},
    {{.ciphers = "c"}, "--tls-ciphers needs --tls."},
    {{.ciphersuites = "c"}, "--tls-ciphersuites needs --tls."},
#if HAVE_TLS
    {{.on = true}, NULL},
    {{.on = true,
      .insecure = true,
      .cacert = "f",
      .cacertdir = "d",
      .cert = "f",
      .key = "f",
      .sni = "n",
      .ciphers = "c",
      .ciphersuites = "c"},
     NULL},
    {{.on = true, .cacert = ""}, "--cacert must not be empty."},
    {{.on = true, .sni = ""}, "--sni must not be empty."},
    {{.on = true, .ciphersuites = ""}, "--tls-ciphersuites must not be empty."},
    {{.on = true, .cert = "f"}, "--cert needs --key, the private key of that certificate."},
    {{.on = true, .key = "f"}, "--key needs --cert, the certificate that it belongs to."},
    {{.on = true, .sni = "10.0.0.1"}, "--sni must be a host name, not the address \"10.0.0.1\"."},
    {{.on = true, .sni = "::1"}, "--sni must be a host name, not the address \"::1\"."},
#else
    {{.on = true}, "This program was built without OpenSSL, which --tls needs."},
#endif
};

static void test_what_goes_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        const int rc = tls_config_check(&cases[i].config, &err);

        assert_true(cases[i].sentence ? rc < 0 : rc == 0);
        assert_string_equal(err.text, cases[i].sentence ? cases[i].sentence : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_goes_together)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
