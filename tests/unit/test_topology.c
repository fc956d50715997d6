/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/topology.h"
#include "notation.h"

enum { BYTES_MAX = 4096 };

#define ASKED "10.0.0.9"

static int make(struct topology **topology, const char *notation, struct err *err)
{
    struct resp_tree tree;

    *topology = NULL;
    resp_tree_init(&tree, BYTES_MAX);
    const int rc = topology_create(topology, notation_read(&tree, notation), ASKED, 7, err);
    resp_tree_deinit(&tree);
    return rc;
}

static struct topology *made(const char *notation)
{
    struct topology *topology;
    struct err err;

    assert_int_equal(make(&topology, notation, &err), 0);
    return topology;
}

static void test_a_cluster(void **state)
{
    struct topology *topology =
        made("[[0 5460 ['127.0.0.1' 7000 'a' []] ['127.0.0.1' 7003 'd' []]]"
             " [5461 10922 ['127.0.0.1' 7001 'b' []]]"
             " [10923 16383 ['127.0.0.1' 7002 'c' []] ['127.0.0.1' 7004 'e' []]"
             "  ['127.0.0.1' 7005 'f' []]]]");

    (void)state;
    assert_int_equal(topology->generation, 7);
    assert_int_equal(topology->holes, 0);
    assert_int_equal(topology->shard_count, 3);
    assert_int_equal(topology->node_count, 6);
    assert_int_equal(topology_primary(topology, 0)->port, 7000);
    assert_int_equal(topology_primary(topology, 5460)->port, 7000);
    assert_int_equal(topology_primary(topology, 5461)->port, 7001);
    assert_int_equal(topology_primary(topology, 16383)->port, 7002);
    const struct topology_shard *last = &topology->shards[2];
    assert_int_equal(last->replica_count, 2);
    assert_int_equal(topology->nodes[last->replica_first].port, 7004);
    assert_int_equal(topology->nodes[last->replica_first + 1].port, 7005);
    assert_int_equal(topology->shards[1].replica_count, 0);
    for (unsigned i = 0; i < topology->node_count; i++)
        assert_int_equal(topology->nodes[i].primary, i < 3);
    const int place = topology_find_node(topology, STR("127.0.0.1"), 7004);
    assert_int_equal(topology->nodes[place].shard, 2);
    assert_string_equal(topology->nodes[place].name, "127.0.0.1:7004");
    assert_int_equal(topology_find_node(topology, STR("127.0.0.1"), 7006), -1);
    assert_int_equal(topology_find_node(topology, STR("127.0.0.2"), 7004), -1);
    topology_destroy(&topology);
    assert_null(topology);
    topology_destroy(&topology);
}

/* A node of one shard, and the name of the node that is made of it; NULL: none. */
static void test_endpoints(void **state)
{
    static const struct {
        const char *node, *name;
    } cases[] = {
        {"['127.0.0.1' 7000 'id' []]", "127.0.0.1:7000"},
        {"['127.0.0.1' 7000]", "127.0.0.1:7000"},
        {"['a.example.org' 7000 'id' ['ip' '10.0.0.1']]", "a.example.org:7000"},
        {"['::1' 7000 'id' []]", "[::1]:7000"},
        {"[_ 7000 'id' []]", ASKED ":7000"},
        {"['' 7000 'id' []]", ASKED ":7000"},
        {"['?' 7000 'id' []]", NULL},
        {"['?' 7000]", NULL},
        {"['?' 7000 'id' ['ip' '10.0.0.1']]", "10.0.0.1:7000"},
        {"['?' 7000 'id' {'hostname' '' 'ip' '10.0.0.1'}]", "10.0.0.1:7000"},
        {"['?' 7000 'id' ['ip' '']]", NULL},
        {"['?' 7000 'id' ['ip' '?']]", NULL},
        {"['?' 7000 'id' ['ip']]", NULL},
        {"['127.0.0.1' 0 'id' []]", NULL},
        {"['a b' 7000 'id' []]", NULL},
        {"['127.0.0.1' 65535 'id' [] 1]", "127.0.0.1:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char notation[300];

        snprintf(notation, sizeof notation, "[[5 9 %s]]", cases[i].node);
        struct topology *topology = made(notation);
        const struct topology_node *node = topology_primary(topology, 7);
        assert_int_equal(node != NULL, cases[i].name != NULL);
        if (node)
            assert_string_equal(node->name, cases[i].name);
        assert_int_equal(topology->holes, node ? SLOT_COUNT - 5 : SLOT_COUNT);
        topology_destroy(&topology);

        snprintf(notation, sizeof notation, "[[5 9 ['p' 1] %s ['q' 2]]]", cases[i].node);
        topology = made(notation);
        assert_int_equal(topology->shards[0].replica_count, cases[i].name ? 2 : 1);
        if (cases[i].name)
            assert_string_equal(topology->nodes[1].name, cases[i].name);
        topology_destroy(&topology);
    }
}

static void test_ranges_of_one_shard(void **state)
{
    struct topology *topology = made("[[0 1 ['h' 1] ['h' 3]] [5 6 ['h' 2] ['h' 4]]"
                                     " [2 2 ['h' 1] ['h' 3] ['h' 5]] [9 9 ['h' 1] ['h' 5]]]");

    (void)state;
    assert_int_equal(topology->shard_count, 2);
    assert_int_equal(topology->node_count, 5);
    assert_int_equal(topology->holes, SLOT_COUNT - 6);
    assert_int_equal(topology->shard_of[2], topology->shard_of[9]);
    assert_null(topology_primary(topology, 3));
    assert_int_equal(topology->shards[0].replica_count, 2);
    assert_int_equal(topology->nodes[topology->shards[1].replica_first].port, 4);
    topology_destroy(&topology);
}

static void test_a_cluster_without_slots(void **state)
{
    struct topology *topology = made("[]");

    (void)state;
    assert_int_equal(topology->holes, SLOT_COUNT);
    assert_int_equal(topology->node_count, 0);
    topology_destroy(&topology);
}

static void test_what_is_no_topology(void **state)
{
    static const struct {
        const char *notation, *word; /* of the sentence */
    } cases[] = {
        {"-'ERR This instance has cluster support disabled'", "cluster support disabled"},
        {"_", "list of shards"},
        {"1", "list of shards"},
        {"{1 2}", "list of shards"},
        {"[1]", "no shard"},
        {"[[]]", "no shard"},
        {"[[0 1]]", "no shard"},
        {"[[0 1 []]]", "no shard"},
        {"[[0 1 ['h']]]", "no shard"},
        {"[[0 1 'h']]", "no shard"},
        {"[[0 1 [1 1]]]", "no shard"},
        {"[[0 1 ['h' 'p']]]", "no shard"},
        {"[[0 1 ['h' 65536]]]", "no shard"},
        {"[[0 1 ['h' -1]]]", "no shard"},
        {"[[0 1 ['h' 1] 'r']]", "no replica"},
        {"[[0 1 ['h' 1] ['r' 65536]]]", "no replica"},
        {"[[_ 1 ['h' 1]]]", "no numbers"},
        {"[['0' 1 ['h' 1]]]", "no numbers"},
        {"[[2 1 ['h' 1]]]", "from 2 to 1"},
        {"[[-1 1 ['h' 1]]]", "from -1 to 1"},
        {"[[0 16384 ['h' 1]]]", "from 0 to 16384"},
        {"[[0 9223372036854775807 ['h' 1]]]", "to 9223372036854775807"},
        {"[[0 5 ['h' 1]] [5 6 ['h' 2]]]", "slot 5"},
        {"[[0 5 ['h' 1]] [0 0 ['h' 1]]]", "slot 0"},
        {"[[0 5 ['?' 1]] [4 6 ['h' 2]]]", "slot 4"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct topology *topology;
        struct err err = {0};

        assert_true(make(&topology, cases[i].notation, &err) < 0);
        assert_null(topology);
        assert_non_null(strstr(err.text, cases[i].word));
    }
}

static void test_too_many_nodes(void **state)
{
    enum { REPLICA_BYTES = 40 };
    struct resp_tree tree;
    struct err err;
    size_t used;

    (void)state;
    for (unsigned replicas = TOPOLOGY_NODES_MAX - 1; replicas <= TOPOLOGY_NODES_MAX; replicas++) {
        char *wire = malloc(200 + (size_t)replicas * REPLICA_BYTES);
        char *end = wire + sprintf(wire, "*1\r\n*%u\r\n:0\r\n:1\r\n", replicas + 3);
        struct topology *topology = NULL;

        for (unsigned i = 0; i <= replicas; i++)
            end += sprintf(end, "*2\r\n+h\r\n:%u\r\n", i + 1);
        resp_tree_init(&tree, 1 << 20);
        const struct str bytes = {wire, (size_t)(end - wire)};
        assert_int_equal(resp_tree_feed(&tree, bytes, &used), RESP_REPLY);
        const int rc = topology_create(&topology, resp_tree_root(&tree), ASKED, 1, &err);
        assert_int_equal(rc == 0, replicas + 1 <= TOPOLOGY_NODES_MAX);
        topology_destroy(&topology);
        resp_tree_deinit(&tree);
        free(wire);
    }
}

static void test_changes(void **state)
{
    static const struct {
        const char *before, *after;
        struct topology_change change;
    } cases[] = {
        {"[]", "[]", {0}},
        {"[[0 9 ['h' 1] ['h' 2]]]", "[[0 9 ['h' 1] ['h' 2]]]", {0}},
        {"[[0 9 ['h' 1] ['h' 2]] [20 29 ['h' 3]]]",
         "[[25 29 ['h' 3]] [0 9 ['h' 1] ['h' 2]] [20 24 ['h' 3]]]",
         {0}},
        {"[]", "[[0 9 ['h' 1] ['h' 2]]]", {.joined = 2, .moved = 10}},
        {"[[0 9 ['h' 1] ['h' 2]]]", "[]", {.left = 2, .moved = 10}},
        {"[[0 9 ['h' 1] ['h' 2]]]", "[[0 9 ['h' 2] ['h' 1]]]", {.roles = 2, .moved = 10}},
        {"[[0 9 ['h' 1] ['h' 2]]]", "[[0 9 ['h' 2]]]", {.left = 1, .roles = 1, .moved = 10}},
        {"[[0 9 ['h' 1]] [20 29 ['h' 2]]]",
         "[[0 4 ['h' 1]] [5 9 ['h' 2]] [20 29 ['h' 2]]]",
         {.moved = 5}},
        {"[[0 9 ['h' 1] ['h' 3]] [20 29 ['h' 2]]]",
         "[[0 9 ['h' 1]] [20 29 ['h' 2] ['h' 3]]]",
         {.roles = 1}},
        {"[[0 9 ['h' 1]]]", "[[0 9 ['g' 1]]]", {.joined = 1, .left = 1, .moved = 10}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct topology *before = made(cases[i].before), *after = made(cases[i].after);
        const struct topology_change change = topology_compare(before, after);

        assert_int_equal(change.joined, cases[i].change.joined);
        assert_int_equal(change.left, cases[i].change.left);
        assert_int_equal(change.roles, cases[i].change.roles);
        assert_int_equal(change.moved, cases[i].change.moved);
        topology_destroy(&before);
        topology_destroy(&after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cluster),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_ranges_of_one_shard),
        cmocka_unit_test(test_a_cluster_without_slots),
        cmocka_unit_test(test_what_is_no_topology),
        cmocka_unit_test(test_too_many_nodes),
        cmocka_unit_test(test_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
