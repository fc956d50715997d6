/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/bulletin.h"

#include <stdlib.h>

#include "base/mem.h"

enum { LINE = 64 };

/* The generation that a reader holds; 0: none. A line of its own, since each writes its own. */
struct reader {
    _Atomic uint64_t generation;
    char rest[LINE - sizeof(uint64_t)];
};

struct bulletin {
    _Atomic(struct topology *) newest; /* owned */
    _Atomic uint64_t generation;       /* of the newest */
    _Atomic int asked;                 /* enum bulletin_want */
    _Atomic bool press_taken;
    struct topology **old; /* owned, as are the topologies: those that may be held */
    unsigned old_count;
    unsigned reader_count;
    struct reader *readers; /* owned */
};

struct bulletin *bulletin_create(unsigned readers)
{
    struct bulletin *bulletin = mem_zalloc(1, sizeof *bulletin);

    bulletin->reader_count = readers;
    bulletin->readers = mem_zalloc(readers, sizeof *bulletin->readers);
    return bulletin;
}

void bulletin_destroy(struct bulletin **slot)
{
    struct bulletin *bulletin = *slot;

    if (!bulletin)
        return;
    struct topology *newest = atomic_load(&bulletin->newest);
    topology_destroy(&newest);
    for (unsigned i = 0; i < bulletin->old_count; i++)
        topology_destroy(&bulletin->old[i]);
    free(bulletin->old);
    free(bulletin->readers);
    free(bulletin);
    *slot = NULL;
}

uint64_t bulletin_oldest_held(const struct bulletin *bulletin)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < bulletin->reader_count; i++) {
        const uint64_t generation = atomic_load(&bulletin->readers[i].generation);

        if (generation && generation < oldest)
            oldest = generation;
    }
    return oldest;
}

static void free_old(struct bulletin *bulletin)
{
    const uint64_t held = bulletin_oldest_held(bulletin);
    unsigned kept = 0;

    for (unsigned i = 0; i < bulletin->old_count; i++) {
        if (bulletin->old[i]->generation < held)
            topology_destroy(&bulletin->old[i]);
        else
            bulletin->old[kept++] = bulletin->old[i];
    }
    bulletin->old_count = kept;
}

void bulletin_publish(struct bulletin *bulletin, struct topology *topology)
{
    struct topology *before = atomic_exchange(&bulletin->newest, topology);

    atomic_store(&bulletin->generation, topology->generation);
    if (before) {
        bulletin->old =
            mem_resize(bulletin->old, bulletin->old_count + 1, sizeof(struct topology *));
        bulletin->old[bulletin->old_count++] = before;
    }
    free_old(bulletin);
}

const struct topology *bulletin_newest(const struct bulletin *bulletin)
{
    return atomic_load(&bulletin->newest);
}

bool bulletin_is_newer(const struct bulletin *bulletin, uint64_t generation)
{
    return atomic_load_explicit(&bulletin->generation, memory_order_relaxed) > generation;
}

/*
 * Until it says what it holds, a reader says that it holds something older: from that on nothing
 * that it may get here is freed. A reader that held nothing says first that it may hold anything;
 * the publisher either sees that, or has published before the reader looks.
 */
const struct topology *bulletin_adopt(struct bulletin *bulletin, unsigned reader)
{
    _Atomic uint64_t *held = &bulletin->readers[reader].generation;

    if (atomic_load(held) == 0)
        atomic_store(held, 1);
    const struct topology *topology = atomic_load(&bulletin->newest);
    atomic_store(held, topology->generation);
    return topology;
}

void bulletin_leave(struct bulletin *bulletin, unsigned reader)
{
    atomic_store(&bulletin->readers[reader].generation, 0);
}

void bulletin_ask(struct bulletin *bulletin, enum bulletin_want want)
{
    /* Most times somebody has asked already: then the line is left where it is. Of two who ask at
     * the same time one may go unheard, who will ask again. */
    if (atomic_load_explicit(&bulletin->asked, memory_order_relaxed) < (int)want)
        atomic_store_explicit(&bulletin->asked, (int)want, memory_order_relaxed);
}

enum bulletin_want bulletin_take_asked(struct bulletin *bulletin)
{
    if (atomic_load_explicit(&bulletin->asked, memory_order_relaxed) == BULLETIN_FINE)
        return BULLETIN_FINE;
    return (enum bulletin_want)atomic_exchange_explicit(&bulletin->asked, BULLETIN_FINE,
                                                        memory_order_relaxed);
}

bool bulletin_take_press(struct bulletin *bulletin)
{
    return !atomic_load_explicit(&bulletin->press_taken, memory_order_relaxed) &&
           !atomic_exchange(&bulletin->press_taken, true);
}

void bulletin_give_press(struct bulletin *bulletin)
{
    atomic_store(&bulletin->press_taken, false);
}
