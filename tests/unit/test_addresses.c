/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cluster/addresses.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

static uint16_t port_of(const struct endpoint *endpoint)
{
    const struct sockaddr_storage *socket = &endpoint->addresses[0].socket;

    return ntohs(socket->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)socket)->sin6_port
                                               : ((const struct sockaddr_in *)socket)->sin_port);
}

static void test_addresses_at_once(void **state)
{
    struct addresses *addresses = addresses_create();
    struct endpoint endpoint;
    struct err err;

    (void)state;
    assert_int_equal(addresses_find(addresses, "127.0.0.1", 7000, &endpoint, &err), 0);
    assert_string_equal(endpoint.name, "127.0.0.1:7000");
    assert_int_equal(port_of(&endpoint), 7000);
    assert_int_equal(addresses_find(addresses, "::1", 7001, &endpoint, &err), 0);
    assert_string_equal(endpoint.name, "[::1]:7001");
    assert_int_equal(port_of(&endpoint), 7001);
    addresses_destroy(&addresses);
    assert_null(addresses);
    addresses_destroy(&addresses);
}

/* Asks until there is an answer. */
static int find(struct addresses *addresses, const char *host, uint16_t port,
                struct endpoint *endpoint, struct err *err)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
    int rc;

    while ((rc = addresses_find(addresses, host, port, endpoint, err)) == -EAGAIN) {
        assert_true(clock_now_ns() < end_ns);
        nanosleep(&(struct timespec){.tv_nsec = CLOCK_NS_PER_MS}, NULL);
    }
    return rc;
}

static void test_names_by_another_thread(void **state)
{
    struct addresses *addresses = addresses_create();
    struct endpoint endpoint;
    struct err err;

    (void)state;
    assert_int_equal(addresses_find(addresses, "localhost", 7000, &endpoint, &err), -EAGAIN);
    assert_int_equal(find(addresses, "localhost", 7000, &endpoint, &err), 0);
    assert_int_equal(port_of(&endpoint), 7000);
    assert_int_equal(find(addresses, "localhost", 7001, &endpoint, &err), 0);
    assert_int_equal(port_of(&endpoint), 7001);
    /* From now on at once. */
    assert_int_equal(addresses_find(addresses, "localhost", 7000, &endpoint, &err), 0);
    assert_true(find(addresses, "nowhere.invalid", 1, &endpoint, &err) < 0);
    assert_non_null(strstr(err.text, "nowhere.invalid"));
    addresses_destroy(&addresses);
}

static void test_names_here_and_now(void **state)
{
    struct addresses *addresses = addresses_create();
    struct endpoint endpoint;
    struct err err;

    (void)state;
    assert_int_equal(addresses_resolve(addresses, "localhost", 7000, &err), 0);
    assert_int_equal(addresses_find(addresses, "localhost", 7000, &endpoint, &err), 0);
    assert_true(addresses_resolve(addresses, "nowhere.invalid", 1, &err) < 0);
    addresses_destroy(&addresses);
}

/* The owner does not wait for the resolver, who goes by itself. */
static void test_gone_before_the_answer(void **state)
{
    struct addresses *addresses = addresses_create();
    struct endpoint endpoint;
    struct err err;

    (void)state;
    assert_int_equal(addresses_find(addresses, "nowhere.invalid", 1, &endpoint, &err), -EAGAIN);
    addresses_destroy(&addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_at_once),
        cmocka_unit_test(test_names_by_another_thread),
        cmocka_unit_test(test_names_here_and_now),
        cmocka_unit_test(test_gone_before_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
