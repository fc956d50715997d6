/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * feed: which request a worker issues next.
 *
 * In a closed loop workers claim blocks of indices from one counter on the board; blocks get small
 * near the end, so that no worker is left with the tail. On a schedule worker w of W owns the
 * indices w, w + W, ...: the union is the schedule, evenly spaced, with no remainder lost.
 *
 * A feed reads no clock: time is an argument.
 */
#ifndef RUN_FEED_H
#define RUN_FEED_H

#include <stdint.h>

#include "load/request.h"
#include "run/board.h"
#include "run/plan.h"

enum feed_status {
    FEED_REQUEST, /* one is to be issued now */
    FEED_LATER,   /* the next is due at feed->due_ns */
    FEED_END,     /* there is none any more */
};

struct feed {
    const struct plan *plan;
    struct board_header *header;
    struct board_slot *slot;
    uint64_t start_ns; /* T0 */
    uint64_t end_ns;   /* nothing is issued from here on */
    uint64_t next;     /* closed loop: the claimed block; schedule: the next own index */
    uint64_t block_end;
    uint64_t n;      /* requests fed so far */
    uint64_t due_ns; /* schedule: when `next` is due */
    unsigned worker;
    struct schedule_cursor cursor;
};

void feed_init(struct feed *feed, const struct plan *plan, const struct board *board,
               unsigned worker);

/* Begins at T0. */
void feed_start(struct feed *feed, uint64_t start_ns);

/* Fills `request` with the next one that may start now, whose slot is then the caller's to have. */
enum feed_status feed_next(struct feed *feed, uint64_t now_ns, struct request *request);

/* Whether no request is left for this worker, whether or not it has a slot for one. */
bool feed_is_over(const struct feed *feed, uint64_t now_ns);

/* Ends it: nothing due at `stop_ns` or later is issued. */
void feed_stop(struct feed *feed, uint64_t stop_ns);

#endif
