/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver for clusters: names that stand for other addresses than they did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_talk.h"
#include "moving_name.h"

/* Whether the name is known to stand for this address. */
static bool stands_for(struct fixture *fixture, const char *address)
{
    struct endpoint endpoint;
    struct err err;

    if (addresses_find(fixture->cluster.addresses, MOVING_NAME, 1, &endpoint, &err) < 0)
        return false;
    const struct sockaddr_in *at = (const struct sockaddr_in *)&endpoint.addresses[0].socket;
    return at->sin_addr.s_addr == inet_addr(address);
}

/* A name is resolved again only if that is asked for, and what is known serves meanwhile. */
static void test_names_are_resolved_again(void **state)
{
    const uint64_t end_ns = patience_ns();
    struct fixture fixture;

    (void)state;
    set_up(&fixture, 1, 0);
    moving_address = "127.0.0.7";
    while (!stands_for(&fixture, "127.0.0.7"))
        assert_true(clock_now_ns() < end_ns);
    moving_address = "nowhere.invalid";
    moving_asked = 0;
    while (moving_asked == 0) {
        assert_true(clock_now_ns() < end_ns);
        addresses_renew(fixture.cluster.addresses, MOVING_NAME, 1);
        assert_true(stands_for(&fixture, "127.0.0.7"));
        turn(&fixture);
    }
    moving_address = "127.0.0.8";
    while (stands_for(&fixture, "127.0.0.7")) {
        assert_true(clock_now_ns() < end_ns);
        addresses_renew(fixture.cluster.addresses, MOVING_NAME, 1);
        turn(&fixture);
    }
    assert_true(stands_for(&fixture, "127.0.0.8"));
    addresses_renew(fixture.cluster.addresses, "127.0.0.1", 1);
    tear_down(&fixture);
}

/* A node that comes back elsewhere is found there, though the topology says nothing new. */
static void test_a_node_moves(void **state)
{
    const uint64_t end_ns = patience_ns();
    struct fixture fixture;
    char notation[200];

    (void)state;
    set_up(&fixture, 1, 0);
    connect_client(&fixture);
    moving_address = "127.0.0.7"; /* where nobody listens */
    sprintf(notation, "[[0 8191 ['" MOVING_NAME "' %u]] [8192 16383 ['127.0.0.1' %u]]]",
            fixture.nodes[C].port, fixture.nodes[B].port);
    publish_text(&fixture, notation);
    turn_for(&fixture, 30 * MS);
    const uint64_t k = submit(&fixture, true, 0);
    while (fixture.events[EVENT_DIAL_FAILURE] == 0) {
        assert_true(clock_now_ns() < end_ns);
        turn(&fixture);
    }
    moving_address = "127.0.0.1";
    answer(&fixture, C, k, "$1\r\nx\r\n");
    assert_ended(&fixture, k, OUTCOME_OK);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_resolved_again),
        cmocka_unit_test(test_a_node_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
