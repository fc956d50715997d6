/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static void test_names(void **state)
{
    static const struct {
        const char *host;
        uint64_t port;
        const char *want;
        int family;
    } cases[] = {{"127.0.0.1", 6379, "127.0.0.1:6379", AF_INET},
                 {"::1", 7000, "[::1]:7000", AF_INET6},
                 {"localhost", 1, "localhost:1", AF_UNSPEC}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct endpoint_config config = {.host = cases[i].host, .port = cases[i].port};
        struct endpoint endpoint;
        struct err err;

        assert_int_equal(endpoint_resolve(&endpoint, &config, &err), 0);
        assert_string_equal(endpoint.name, cases[i].want);
        assert_in_range(endpoint.count, 1, ENDPOINT_ADDRESSES_MAX);
        if (cases[i].family)
            assert_int_equal(endpoint.addresses[0].socket.ss_family, cases[i].family);
    }
}

static void test_unknown_host(void **state)
{
    const struct endpoint_config config = {.host = "no-such-host.invalid", .port = 1};
    struct endpoint endpoint;
    struct err err;

    (void)state;
    assert_true(endpoint_resolve(&endpoint, &config, &err) < 0);
    assert_non_null(strstr(err.text, "no-such-host.invalid"));
    assert_non_null(strstr(err.text, "--host"));
}

static void test_socket(void **state)
{
    struct endpoint_config config = {.host = "127.0.0.1", .port = 1, .socket = "/tmp/a.sock"};
    struct endpoint endpoint;
    char path[200];
    struct err err;

    (void)state;
    assert_int_equal(endpoint_resolve(&endpoint, &config, &err), 0);
    assert_string_equal(endpoint.name, "/tmp/a.sock");
    assert_int_equal(endpoint.count, 1);
    const struct sockaddr_un *address = (const void *)&endpoint.addresses[0].socket;
    assert_int_equal(address->sun_family, AF_UNIX);
    assert_string_equal(address->sun_path, "/tmp/a.sock");

    config.socket = path;
    for (size_t len = 106; len < 110; len++) {
        memset(path, 'x', len);
        path[len] = '\0';
        assert_int_equal(endpoint_resolve(&endpoint, &config, &err), len < 108 ? 0 : -EINVAL);
    }
    assert_non_null(strstr(err.text, "--socket"));
    config.from = "--uri";
    assert_int_equal(endpoint_resolve(&endpoint, &config, &err), -EINVAL);
    assert_non_null(strstr(err.text, "--uri"));
    config.socket = "";
    assert_int_equal(endpoint_resolve(&endpoint, &config, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_host),
        cmocka_unit_test(test_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
