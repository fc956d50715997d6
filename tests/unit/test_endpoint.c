/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/endpoint.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>

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

static void resolve(struct endpoint *endpoint, const struct sockaddr_in *address)
{
    const struct endpoint_config config = {.host = "127.0.0.1", .port = ntohs(address->sin_port)};
    struct err err;

    assert_int_equal(endpoint_resolve(endpoint, &config, &err), 0);
}

static void test_probe(void **state)
{
    struct sockaddr_in address;
    struct endpoint endpoint;
    struct err err;
    char want[200];

    (void)state;
    const int listener = peer_listen(&address);
    resolve(&endpoint, &address);
    assert_int_equal(endpoint_probe(&endpoint, CLOCK_NS_PER_S, &err), 0);
    assert_int_equal(endpoint_probe(&endpoint, 0, &err), 0);
    close(listener);
    assert_int_equal(endpoint_probe(&endpoint, CLOCK_NS_PER_S, &err), -ECONNREFUSED);
    snprintf(want, sizeof want,
             "Could not connect to Valkey at 127.0.0.1:%d: Connection refused. Start a server, or "
             "let --local-server start one.",
             ntohs(address.sin_port));
    assert_string_equal(err.text, want);
}

/* Addresses are tried in turn, and the one that answered is the first from then on. */
static void test_probe_moves_on(void **state)
{
    struct sockaddr_in open_address, closed_address;
    struct endpoint endpoint, closed;
    struct err err;

    (void)state;
    close(peer_listen(&closed_address));
    const int listener = peer_listen(&open_address);
    resolve(&endpoint, &open_address);
    resolve(&closed, &closed_address);
    endpoint.addresses[1] = endpoint.addresses[0];
    endpoint.addresses[0] = closed.addresses[0];
    endpoint.count = 2;
    assert_int_equal(endpoint_probe(&endpoint, CLOCK_NS_PER_S, &err), 0);
    assert_memory_equal(&endpoint.addresses[0].socket, &open_address, sizeof open_address);
    assert_memory_equal(&endpoint.addresses[1].socket, &closed_address, sizeof closed_address);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_host),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_probe_moves_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
