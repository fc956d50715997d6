/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/window.h"

#include "base/clock.h"

void window_init(struct window *window)
{
    *window = (struct window){0};
    snapshot_init(&window->counted);
    snapshot_init(&window->seen);
    distribution_init(&window->responses);
}

void window_deinit(struct window *window)
{
    snapshot_deinit(&window->counted);
    snapshot_deinit(&window->seen);
    distribution_deinit(&window->responses);
}

void window_start(struct window *window, uint64_t start_ns)
{
    snapshot_clear(&window->counted);
    snapshot_clear(&window->seen);
    distribution_clear(&window->responses);
    window->from_ns = start_ns;
    window->to_ns = start_ns;
}

void window_advance(struct window *window, const struct snapshot *now)
{
    snapshot_subtract(&window->counted, now, &window->seen);
    snapshot_merge_measure(&window->counted, MEASURE_RESPONSE, &window->responses);
    snapshot_clear(&window->seen);
    snapshot_add(&window->seen, now);
    window->from_ns = window->to_ns;
    /* A run may be ended before its start, which lies a little ahead when it is announced. */
    if (now->time_ns > window->to_ns)
        window->to_ns = now->time_ns;
}

double window_rate(uint64_t count, uint64_t elapsed_ns)
{
    return elapsed_ns ? (double)count * CLOCK_NS_PER_S / (double)elapsed_ns : 0;
}
