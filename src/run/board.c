/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/board.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/* What a reply touches: a line of its worker's slot, one of the histogram's head, one of counts.
 * Nobody else writes to any of them. */
static_assert(offsetof(struct board_slot, loop_ns) == BOARD_LINE, "the hot counters fill one line");
static_assert(offsetof(struct histogram, counts) <= BOARD_LINE, "a histogram's head fits one line");
static_assert(sizeof(struct board_slot) % BOARD_LINE == 0, "no two workers share a line");
static_assert(offsetof(struct board_header, claimed) % BOARD_LINE == 0,
              "what all workers add to is apart from what all workers read");

static size_t header_bytes(void)
{
    return (sizeof(struct board_header) + BOARD_LINE - 1) / BOARD_LINE * BOARD_LINE;
}

static size_t board_bytes(unsigned workers)
{
    return header_bytes() + workers * sizeof(struct board_slot);
}

int board_init(struct board *board, unsigned workers, struct err *err)
{
    void *memory = mmap(NULL, board_bytes(workers), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return err_sys(err, "Could not map the memory that %u workers share", workers);
    board->header = memory;
    board->slots = (struct board_slot *)(void *)((char *)memory + header_bytes());
    board->workers = workers;
    return 0;
}

void board_deinit(struct board *board)
{
    if (board->header)
        munmap(board->header, board_bytes(board->workers));
    *board = (struct board){0};
}

struct histogram *board_series(struct board_slot *slot, const char *name, enum measure measure)
{
    const uint32_t count = atomic_load_explicit(&slot->series_count, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        struct board_series *series = &slot->series[i];
        if (series->measure == (uint32_t)measure && strcmp(series->name, name) == 0)
            return &series->histogram;
    }
    if (count == SNAPSHOT_SERIES_MAX)
        return &slot->series[count - 1].histogram;
    struct board_series *series = &slot->series[count];
    snprintf(series->name, sizeof series->name, "%s",
             count == SNAPSHOT_SERIES_MAX - 1 ? "other" : name);
    series->measure = (uint32_t)measure;
    atomic_store_explicit(&slot->series_count, count + 1, memory_order_release);
    return &series->histogram;
}

void board_put_text(struct board_slot *slot, unsigned outcome, struct str text)
{
    const uint32_t put = atomic_load_explicit(&slot->texts_put, memory_order_relaxed);
    const uint32_t taken = atomic_load_explicit(&slot->texts_taken, memory_order_acquire);
    struct board_text *place = &slot->texts[put % BOARD_TEXTS];

    if (put - taken == BOARD_TEXTS)
        return;
    place->outcome = outcome;
    snprintf(place->text, sizeof place->text, "%.*s", (int)text.len, text.len ? text.ptr : "");
    atomic_store_explicit(&slot->texts_put, put + 1, memory_order_release);
}

bool board_take_text(struct board_slot *slot, struct board_text *text)
{
    const uint32_t put = atomic_load_explicit(&slot->texts_put, memory_order_acquire);
    const uint32_t taken = atomic_load_explicit(&slot->texts_taken, memory_order_relaxed);

    if (put == taken)
        return false;
    *text = slot->texts[taken % BOARD_TEXTS];
    atomic_store_explicit(&slot->texts_taken, taken + 1, memory_order_release);
    return true;
}

static uint64_t load(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void read_slot(struct board_slot *slot, struct snapshot *snapshot)
{
    const uint32_t count = atomic_load_explicit(&slot->series_count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        struct board_series *from = &slot->series[i];
        struct series *to = snapshot_series(snapshot, from->name, (enum measure)from->measure);
        distribution_add_histogram(&to->values, &from->histogram);
    }
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        snapshot->errors[i] += load(&slot->errors[i]);
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        snapshot->events[i] += load(&slot->events[i]);
    /* After the outcomes: none of them is without its request. */
    snapshot->issued += load(&slot->issued);
}

void board_read(const struct board *board, struct snapshot *snapshot, uint64_t now_ns)
{
    snapshot_clear(snapshot);
    snapshot->time_ns = now_ns;
    for (unsigned i = 0; i < board->workers; i++)
        read_slot(&board->slots[i], snapshot);
}

/* Adds the times of the series of a measure. */
static uint64_t sum_ns(struct board_slot *slot, enum measure measure)
{
    const uint32_t count = atomic_load_explicit(&slot->series_count, memory_order_acquire);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        if (slot->series[i].measure == (uint32_t)measure)
            sum += load(&slot->series[i].histogram.sum_ns);
    return sum;
}

static void count_slot(struct board_slot *slot, struct outage_look *look)
{
    const uint64_t ok_ns = load(&slot->last_ok_ns);
    uint64_t others = atomic_load_explicit(&slot->in_flight, memory_order_relaxed);

    for (unsigned i = 0; i < OUTCOME_KINDS; i++) {
        const uint64_t errors = load(&slot->errors[i]);
        look->errors[i] += errors;
        others += errors;
    }
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        look->events[i] += load(&slot->events[i]);
    const uint64_t issued = load(&slot->issued);
    look->ok += issued > others ? issued - others : 0;
    if (ok_ns > look->last_ok_ns)
        look->last_ok_ns = ok_ns;
}

void board_count(const struct board *board, struct outage_look *look)
{
    uint64_t response_ns = 0, service_ns = 0;

    *look = (struct outage_look){0};
    for (unsigned i = 0; i < board->workers; i++) {
        struct board_slot *slot = &board->slots[i];

        count_slot(slot, look);
        response_ns += sum_ns(slot, MEASURE_RESPONSE);
        service_ns += sum_ns(slot, MEASURE_SERVICE);
    }
    if (look->ok > 0)
        look->usual_ns = (service_ns ? service_ns : response_ns) / look->ok;
}
