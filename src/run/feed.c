/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/feed.h"

#include "base/clock.h"

enum { BLOCK_MAX = 256, BLOCKS_LEFT = 8 /* a worker, of what is left: see feed.h */ };

void feed_init(struct feed *feed, const struct plan *plan, const struct board *board,
               unsigned worker)
{
    *feed = (struct feed){.plan = plan,
                          .header = board->header,
                          .slot = &board->slots[worker],
                          .end_ns = CLOCK_NEVER,
                          .worker = worker};
}

/* Sets `due_ns` for `next`; CLOCK_NEVER behind the last. */
static void look_ahead(struct feed *feed)
{
    const struct plan *plan = feed->plan;

    feed->due_ns = CLOCK_NEVER;
    if (plan->requests && feed->next >= plan->requests)
        return;
    const uint64_t due_ns = schedule_due_ns(&plan->schedule, &feed->cursor, feed->next);
    if (due_ns < CLOCK_NEVER - feed->start_ns)
        feed->due_ns = feed->start_ns + due_ns;
}

void feed_start(struct feed *feed, uint64_t start_ns)
{
    const struct plan *plan = feed->plan;

    feed->start_ns = start_ns;
    if (plan->end_ns < CLOCK_NEVER - start_ns)
        feed->end_ns = start_ns + plan->end_ns;
    if (!plan->scheduled)
        return;
    feed->next = feed->worker;
    schedule_cursor_init(&feed->cursor, &plan->schedule);
    look_ahead(feed);
}

void feed_stop(struct feed *feed, uint64_t stop_ns)
{
    if (stop_ns < feed->end_ns)
        feed->end_ns = stop_ns;
}

/* Takes a block of indices for this worker. Returns whether there was one. */
static bool claim(struct feed *feed)
{
    const struct plan *plan = feed->plan;
    _Atomic uint64_t *claimed = &feed->header->claimed;
    uint64_t block = BLOCK_MAX;

    if (plan->requests) {
        const uint64_t taken = atomic_load_explicit(claimed, memory_order_relaxed);
        const uint64_t left = taken < plan->requests ? plan->requests - taken : 0;
        const uint64_t share = left / ((uint64_t)plan->workers * BLOCKS_LEFT);
        block = share < 1 ? 1 : share < BLOCK_MAX ? share : BLOCK_MAX;
        if (left == 0)
            return false;
    }
    feed->next = atomic_fetch_add_explicit(claimed, block, memory_order_relaxed);
    feed->block_end = feed->next + block;
    if (plan->requests && feed->block_end > plan->requests)
        feed->block_end = plan->requests;
    if (feed->next >= feed->block_end) {
        feed->next = feed->block_end = 0;
        return false;
    }
    counter_add(&feed->slot->claimed, feed->block_end - feed->next);
    return true;
}

static enum feed_status next_claimed(struct feed *feed, uint64_t now_ns, struct request *request)
{
    if (now_ns >= feed->end_ns)
        return FEED_END;
    if (feed->next == feed->block_end && !claim(feed))
        return FEED_END;
    *request = (struct request){.k = feed->next++, .n = feed->n++};
    return FEED_REQUEST;
}

enum feed_status feed_next(struct feed *feed, uint64_t now_ns, struct request *request)
{
    if (!feed->plan->scheduled)
        return next_claimed(feed, now_ns, request);
    if (feed->due_ns >= feed->end_ns)
        return FEED_END;
    if (feed->due_ns > now_ns)
        return FEED_LATER;
    *request = (struct request){.k = feed->next, .n = feed->n++, .due_ns = feed->due_ns};
    feed->next += feed->plan->workers;
    look_ahead(feed);
    return FEED_REQUEST;
}

bool feed_is_over(const struct feed *feed, uint64_t now_ns)
{
    const uint64_t requests = feed->plan->requests;

    if (feed->plan->scheduled)
        return feed->due_ns >= feed->end_ns;
    return now_ns >= feed->end_ns ||
           (feed->next == feed->block_end && requests &&
            atomic_load_explicit(&feed->header->claimed, memory_order_relaxed) >= requests);
}
