/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/router.h"
#include "notation.h"

static void adopt(struct router *router, const char *notation, uint64_t generation)
{
    struct topology *topology;
    struct resp_tree tree;
    struct err err;

    resp_tree_init(&tree, 4096);
    assert_int_equal(
        topology_create(&topology, notation_read(&tree, notation), "h", generation, &err), 0);
    resp_tree_deinit(&tree);
    router_adopt(router, topology);
    topology_destroy(&topology);
}

static const char *name_of(const struct router *router, unsigned slot)
{
    const unsigned node = router_node_of(router, slot);

    return node == ROUTER_NO_NODE ? "" : router->nodes[node]->name;
}

static unsigned follow(struct router *router, unsigned said_by, const char *line)
{
    struct redirect redirect;

    assert_true(redirect_parse(str_of(line), &redirect));
    return router_follow(router, said_by, &redirect);
}

static void test_nothing_is_known_at_first(void **state)
{
    struct router router;

    (void)state;
    router_init(&router);
    assert_string_equal(name_of(&router, 0), "");
    assert_int_equal(router_next_primary(&router), ROUTER_NO_NODE);
    router_deinit(&router);
}

static void test_numbers_stay(void **state)
{
    struct router router;

    (void)state;
    router_init(&router);
    adopt(&router, "[[0 9 ['a' 1] ['b' 1]] [10 19 ['c' 1]]]", 1);
    assert_string_equal(name_of(&router, 0), "a:1");
    assert_string_equal(name_of(&router, 19), "c:1");
    assert_string_equal(name_of(&router, 20), "");
    const unsigned a = router_node_of(&router, 0), c = router_node_of(&router, 19);
    adopt(&router, "[[0 9 ['b' 1]] [15 19 ['c' 1]] [10 14 ['d' 1]]]", 2);
    assert_int_equal(router.generation, 2);
    assert_string_equal(name_of(&router, 9), "b:1");
    assert_string_equal(name_of(&router, 10), "d:1");
    assert_int_equal(router_node_of(&router, 19), c);
    assert_false(router.nodes[a]->member);
    assert_false(router.nodes[a]->primary);
    assert_true(router.nodes[router_node_of(&router, 9)]->primary);
    adopt(&router, "[[0 9 ['b' 1] ['a' 1]]]", 3);
    assert_true(router.nodes[a]->member);
    assert_false(router.nodes[a]->primary);
    assert_string_equal(router.nodes[a]->name, "a:1");
    assert_int_equal(router.count, 4);
    router_deinit(&router);
}

static void test_redirects(void **state)
{
    struct router router;

    (void)state;
    router_init(&router);
    adopt(&router, "[[0 9 ['a' 1]] [10 19 ['c' 1]]]", 1);
    const unsigned a = router_node_of(&router, 0), c = router_node_of(&router, 19);
    assert_int_equal(follow(&router, a, "ASK 5 c:1"), c);
    assert_int_equal(router_node_of(&router, 5), a);
    assert_int_equal(follow(&router, a, "MOVED 5 c:1"), c);
    assert_int_equal(router_node_of(&router, 5), c);
    assert_int_equal(router_node_of(&router, 4), a);
    const unsigned new = follow(&router, a, "MOVED 6 x:2");
    assert_string_equal(name_of(&router, 6), "x:2");
    assert_true(router.nodes[new]->member);
    assert_false(router.nodes[new]->primary);
    follow(&router, c, "MOVED 7 :9");
    assert_string_equal(name_of(&router, 7), "c:9");
    follow(&router, c, "MOVED 8 ::1:9");
    assert_string_equal(name_of(&router, 8), "[::1]:9");
    /* What was learnt of a node is forgotten when it cannot be reached. */
    router_unlearn(&router, c);
    assert_int_equal(router_node_of(&router, 5), a);
    assert_int_equal(router_node_of(&router, 10), c);
    assert_int_equal(router_node_of(&router, 6), new);
    /* What was learnt holds until the next topology. */
    adopt(&router, "[[0 9 ['a' 1]] [10 19 ['c' 1]]]", 2);
    for (unsigned slot = 0; slot < 10; slot++)
        assert_int_equal(router_node_of(&router, slot), a);
    assert_false(router.nodes[new]->member);
    router_deinit(&router);
}

static void test_primaries_in_turn(void **state)
{
    unsigned times[3] = {0};
    struct router router;

    (void)state;
    router_init(&router);
    adopt(&router, "[[0 9 ['a' 1] ['b' 1]] [10 19 ['c' 1]]]", 1);
    for (unsigned i = 0; i < 30; i++)
        times[router_next_primary(&router)]++;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(times[i] > 0, router.nodes[i]->primary);
    router_deinit(&router);
}

static void test_replicas_in_turn(void **state)
{
    unsigned times[6] = {0};
    struct router router;

    (void)state;
    router_init(&router);
    adopt(&router, "[[0 9 ['a' 1] ['b' 1] ['b' 2] ['b' 3]] [10 19 ['c' 1] ['d' 1]]]", 1);
    const unsigned a = router_node_of(&router, 0), c = router_node_of(&router, 10);
    for (unsigned i = 0; i < 30; i++) {
        const unsigned node = router_next_replica(&router, a);

        assert_true(router.nodes[node]->replica);
        assert_string_equal(router.nodes[node]->host, "b");
        times[node]++;
        assert_string_equal(router.nodes[router_next_replica(&router, c)]->name, "d:1");
    }
    for (unsigned i = 0; i < 6; i++)
        assert_true(router.nodes[i]->host[0] != 'b' || times[i] == 10);
    /* One of them has taken over. */
    adopt(&router, "[[0 9 ['b' 1] ['a' 1]] [10 19 ['c' 1]]]", 2);
    assert_int_equal(router_next_replica(&router, router_node_of(&router, 0)), a);
    assert_int_equal(router_next_replica(&router, a), ROUTER_NO_NODE);
    assert_int_equal(router_next_replica(&router, c), ROUTER_NO_NODE);
    assert_true(router.nodes[a]->replica && !router.nodes[a]->primary);
    assert_false(router.nodes[router_node_of(&router, 0)]->replica);
    router_deinit(&router);
}

static void test_too_many_nodes(void **state)
{
    struct redirect redirect = {.host = STR("h")};
    struct router router;
    unsigned node;

    (void)state;
    router_init(&router);
    do {
        redirect.port++;
        node = router_follow(&router, 0, &redirect);
    } while (node != ROUTER_NO_NODE && redirect.port < UINT16_MAX);
    assert_int_equal(node, ROUTER_NO_NODE);
    assert_int_equal(router_node_of(&router, 0), router.count - 1);
    redirect.port = 1;
    assert_int_equal(router_follow(&router, 0, &redirect), 0);
    router_deinit(&router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_known_at_first),
        cmocka_unit_test(test_numbers_stay),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_primaries_in_turn),
        cmocka_unit_test(test_replicas_in_turn),
        cmocka_unit_test(test_too_many_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
