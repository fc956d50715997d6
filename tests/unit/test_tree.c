/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resp/tree.h"

enum { BYTES_MAX = 1000, SHOWN_MAX = 1000 };

/* Replies, and how show() writes them. */
static const struct {
    const char *wire, *shown;
} cases[] = {
    {"+OK\r\n", "+OK"},
    {"-ERR no\r\n", "-ERR no"},
    {"!5\r\na\r\nbc\r\n", "-a\r\nbc"},
    {":-42\r\n", ":-42"},
    {":9223372036854775807\r\n", ":9223372036854775807"},
    {":-9223372036854775808\r\n", ":-9223372036854775808"},
    {"$4\r\n\r\n\r\n\r\n", "$\r\n\r\n"},
    {"$0\r\n\r\n", "$"},
    {"=5\r\ntxt:a\r\n", "$txt:a"},
    {"$-1\r\n", "_"},
    {"*-1\r\n", "_"},
    {"_\r\n", "_"},
    {"#t\r\n", "#1"},
    {"#f\r\n", "#0"},
    {",1.5e3\r\n", ",1.5e3"},
    {"(-123\r\n", "(-123"},
    {"*0\r\n", "*[]"},
    {"*3\r\n*1\r\n*0\r\n$-1\r\n*2\r\n+a\r\n$1\r\nb\r\n", "*[*[*[]] _ *[+a $b]]"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n~2\r\n:2\r\n:3\r\n", "%[+a :1 +b ~[:2 :3]]"},
    {"*2\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n:4\r\n", "*[*[:1 :2] *[:3 :4]]"},
    {"|1\r\n+a\r\n*1\r\n:1\r\n:7\r\n", ":7"},
    {"*2\r\n|1\r\n+a\r\n*2\r\n:8\r\n:9\r\n:1\r\n|1\r\n:1\r\n|1\r\n:2\r\n:3\r\n:4\r\n:2\r\n",
     "*[:1 :2]"},
    {">2\r\n+message\r\n:1\r\n+OK\r\n", "+OK"},
    {">0\r\n|1\r\n:1\r\n:2\r\n>1\r\n*1\r\n:3\r\n*1\r\n>1\r\n:1\r\n", "*[>[:1]]"},
    {"*2\r\n*4\r\n:0\r\n:16383\r\n*4\r\n$9\r\n127.0.0.1\r\n:6379\r\n$2\r\nid\r\n*2\r\n"
     "$8\r\nhostname\r\n$1\r\nx\r\n*3\r\n$-1\r\n:1\r\n$1\r\nj\r\n*0\r\n",
     "*[*[:0 :16383 *[$127.0.0.1 :6379 $id *[$hostname $x]] *[_ :1 $j]] *[]]"},
};

static void show_text(char *shown, char type, struct str text)
{
    const size_t len = strlen(shown);

    snprintf(shown + len, SHOWN_MAX - len, "%c%.*s", type, (int)text.len, text.ptr);
}

static void show_number(char *shown, char type, int64_t number)
{
    const size_t len = strlen(shown);

    snprintf(shown + len, SHOWN_MAX - len, "%c%lld", type, (long long)number);
}

static void show(char *shown, const struct resp_item *item)
{
    static const char types[] = {
        [RESP_SIMPLE] = '+', [RESP_ERROR] = '-',  [RESP_INTEGER] = ':', [RESP_BULK] = '$',
        [RESP_NULL] = '_',   [RESP_DOUBLE] = ',', [RESP_BOOLEAN] = '#', [RESP_BIG_NUMBER] = '(',
        [RESP_ARRAY] = '*',  [RESP_MAP] = '%',    [RESP_SET] = '~',     [RESP_PUSH] = '>',
    };
    const char type = types[item->kind];

    assert_non_null(item->text.ptr);
    if (type == ':' || type == '#') {
        show_number(shown, type, item->number);
        return;
    }
    show_text(shown, type, item->text);
    if (item->kind < RESP_ARRAY)
        return;
    strcat(shown, "[");
    for (size_t i = 0; i < item->count; i++) {
        if (i > 0)
            strcat(shown, " ");
        show(shown, &item->items[i]);
    }
    strcat(shown, "]");
}

/* Feeds bytes from a copy of their exact size. */
static enum resp_status feed(struct resp_tree *tree, const char *bytes, size_t len, size_t *used)
{
    char *exact = malloc(len ? len : 1);

    memcpy(exact, bytes, len);
    const enum resp_status status = resp_tree_feed(tree, (struct str){exact, len}, used);
    free(exact);
    return status;
}

static void assert_shown(const struct resp_tree *tree, const char *want)
{
    char shown[SHOWN_MAX] = "";

    assert_non_null(resp_tree_root(tree));
    show(shown, resp_tree_root(tree));
    assert_string_equal(shown, want);
}

/* Each reply, cut at each place, with the next one behind it; trees are used again. */
static void test_replies_cut_anywhere(void **state)
{
    struct resp_tree tree;
    size_t used;

    (void)state;
    resp_tree_init(&tree, BYTES_MAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char wire[BYTES_MAX];
        const size_t len = strlen(cases[i].wire);

        snprintf(wire, sizeof wire, "%s+next\r\n", cases[i].wire);
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(feed(&tree, wire, cut, &used), RESP_MORE);
            assert_int_equal(used, cut);
            assert_null(resp_tree_root(&tree));
            assert_int_equal(feed(&tree, wire + cut, strlen(wire) - cut, &used), RESP_REPLY);
            assert_int_equal(used, len - cut);
            assert_shown(&tree, cases[i].shown);
            assert_int_equal(feed(&tree, wire, 1, &used), RESP_REPLY);
            assert_int_equal(used, 0);
            resp_tree_clear(&tree);
            assert_null(resp_tree_root(&tree));
        }
    }
    resp_tree_deinit(&tree);
}

static void test_bytes_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const size_t len = strlen(cases[i].wire);
        struct resp_tree tree;
        size_t used;

        resp_tree_init(&tree, len);
        for (size_t at = 0; at < len; at++)
            assert_int_equal(feed(&tree, cases[i].wire + at, 1, &used),
                             at + 1 < len ? RESP_MORE : RESP_REPLY);
        assert_shown(&tree, cases[i].shown);
        resp_tree_deinit(&tree);
    }
}

static void test_garbage(void **state)
{
    static const char *const wires[] = {"x", "*1\r\n:x", "$-2\r\n", "*1\r\n*1\r\n\n", "+a\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++) {
        struct resp_tree tree;
        size_t used;

        resp_tree_init(&tree, BYTES_MAX);
        assert_int_equal(feed(&tree, wires[i], strlen(wires[i]), &used), RESP_BAD);
        assert_null(resp_tree_root(&tree));
        assert_int_equal(feed(&tree, "+OK\r\n", 5, &used), RESP_BAD);
        assert_int_equal(used, 0);
        resp_tree_clear(&tree);
        assert_int_equal(feed(&tree, "+OK\r\n", 5, &used), RESP_REPLY);
        resp_tree_deinit(&tree);
    }
}

static void test_a_reply_of_too_many_bytes(void **state)
{
    const char *wire = "$10\r\n0123456789\r\n"; /* 17 */

    (void)state;
    for (size_t max = 1; max <= 17; max++) {
        struct resp_tree tree;
        size_t used;

        resp_tree_init(&tree, max);
        assert_int_equal(feed(&tree, wire, 17, &used), max < 17 ? RESP_BAD : RESP_REPLY);
        resp_tree_deinit(&tree);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth < RESP_TREE_DEPTH_MAX + 3; depth++) {
        struct resp_tree tree;
        char wire[BYTES_MAX] = "";
        size_t used;

        for (unsigned i = 0; i < depth; i++)
            strcat(wire, "*1\r\n");
        strcat(wire, ":1\r\n");
        resp_tree_init(&tree, BYTES_MAX);
        assert_int_equal(feed(&tree, wire, strlen(wire), &used),
                         depth > RESP_TREE_DEPTH_MAX ? RESP_BAD : RESP_REPLY);
        assert_int_equal(resp_tree_root(&tree) == NULL, depth > RESP_TREE_DEPTH_MAX);
        resp_tree_deinit(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_cut_anywhere),
        cmocka_unit_test(test_bytes_one_by_one),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_reply_of_too_many_bytes),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
