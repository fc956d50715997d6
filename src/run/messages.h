/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * messages: prints to stderr what workers have left on the board for the user.
 *
 * The first text of each kind at once, then at most one line a second: a storm of errors is counted
 * by the board, not printed.
 */
#ifndef RUN_MESSAGES_H
#define RUN_MESSAGES_H

#include <stdint.h>

#include "base/log.h"
#include "run/board.h"

struct messages {
    const struct log_config *log;
    uint64_t said_kinds;              /* a bit a kind */
    uint64_t quiet_ns;                /* nothing of a known kind is printed before */
    char failure[BOARD_TEXT_MAX + 1]; /* why the first worker that failed could not start, or "" */
};

void messages_init(struct messages *messages, const struct log_config *log);

/* Takes all texts off the board and prints what is to be printed; why a worker could not start is
 * for the caller to say. */
void messages_take(struct messages *messages, const struct board *board, uint64_t now_ns);

#endif
