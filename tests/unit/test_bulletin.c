/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/bulletin.h"
#include "notation.h"

#include <pthread.h>

enum { READERS = 3, PUBLICATIONS = 300 };

static struct topology *make(uint64_t generation)
{
    struct topology *topology;
    struct resp_tree tree;
    struct err err;

    resp_tree_init(&tree, 4096);
    const struct resp_item *reply = notation_read(&tree, "[[0 16383 ['h' 1]]]");
    assert_int_equal(topology_create(&topology, reply, "h", generation, &err), 0);
    resp_tree_deinit(&tree);
    return topology;
}

static void test_readers_adopt_when_they_like(void **state)
{
    struct bulletin *bulletin = bulletin_create(READERS);

    (void)state;
    assert_null(bulletin_newest(bulletin));
    assert_false(bulletin_is_newer(bulletin, 0));
    bulletin_publish(bulletin, make(1));
    assert_true(bulletin_is_newer(bulletin, 0));
    assert_false(bulletin_is_newer(bulletin, 1));
    assert_true(bulletin_oldest_held(bulletin) == UINT64_MAX);
    const struct topology *first = bulletin_adopt(bulletin, 0);
    assert_int_equal(first->generation, 1);
    bulletin_publish(bulletin, make(2));
    bulletin_publish(bulletin, make(3));
    assert_int_equal(bulletin_newest(bulletin)->generation, 3);
    assert_int_equal(bulletin_adopt(bulletin, 1)->generation, 3);
    assert_int_equal(bulletin_oldest_held(bulletin), 1);
    assert_int_equal(first->generation, 1); /* a sanitizer would see that it is gone */
    assert_int_equal(bulletin_adopt(bulletin, 0)->generation, 3);
    assert_int_equal(bulletin_oldest_held(bulletin), 3);
    bulletin_leave(bulletin, 0);
    bulletin_leave(bulletin, 1);
    assert_true(bulletin_oldest_held(bulletin) == UINT64_MAX);
    bulletin_destroy(&bulletin);
    assert_null(bulletin);
}

static void test_asking(void **state)
{
    struct bulletin *bulletin = bulletin_create(1);

    (void)state;
    assert_int_equal(bulletin_take_asked(bulletin), BULLETIN_FINE);
    bulletin_ask(bulletin, BULLETIN_STALE);
    assert_int_equal(bulletin_take_asked(bulletin), BULLETIN_STALE);
    bulletin_ask(bulletin, BULLETIN_WAITING);
    bulletin_ask(bulletin, BULLETIN_STALE);
    assert_int_equal(bulletin_take_asked(bulletin), BULLETIN_WAITING);
    assert_int_equal(bulletin_take_asked(bulletin), BULLETIN_FINE);
    assert_true(bulletin_take_press(bulletin));
    assert_false(bulletin_take_press(bulletin));
    bulletin_destroy(&bulletin);
}

struct reader {
    struct bulletin *bulletin;
    unsigned number;
    bool wrong;
};

/* Adopts until the last; what it holds must stay what it is. */
static void *read_on(void *argument)
{
    struct reader *reader = argument;
    uint64_t last = 0;

    while (last < PUBLICATIONS) {
        const struct topology *topology = bulletin_adopt(reader->bulletin, reader->number);
        const uint64_t generation = topology->generation;

        reader->wrong |= generation < last || topology->nodes[0].port != 1;
        last = generation;
        if (generation % 7 == 0 && generation < PUBLICATIONS)
            bulletin_leave(reader->bulletin, reader->number);
    }
    bulletin_leave(reader->bulletin, reader->number);
    return NULL;
}

static void test_many_readers(void **state)
{
    struct bulletin *bulletin = bulletin_create(READERS);
    struct reader readers[READERS];
    pthread_t threads[READERS];

    (void)state;
    bulletin_publish(bulletin, make(1));
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){bulletin, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (uint64_t generation = 2; generation <= PUBLICATIONS; generation++)
        bulletin_publish(bulletin, make(generation));
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(readers[i].wrong);
    }
    bulletin_destroy(&bulletin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_adopt_when_they_like),
        cmocka_unit_test(test_asking),
        cmocka_unit_test(test_many_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
