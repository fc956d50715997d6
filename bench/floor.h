/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor: what the bare loops have in common, which is all but the loop: arguments, connections, the
 * bytes to send, and the line that is printed.
 *
 * A bare loop sends the same SET over and over and counts the bytes of the replies; it renders
 * nothing, reads no clock and keeps no histogram. A client has PIPELINE commands in flight: it
 * sends the next ones, all at once, when the last ones are all answered.
 *
 * Usage of each: PORT REQUESTS CLIENTS [PIPELINE [VALUE_BYTES]]; prints requests a second. REQUESTS
 * is rounded up to whole batches.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

struct connection {
    int fd;    /* owned */
    long owed; /* bytes of replies still to come */
};

struct floor {
    const char *name;
    long requests, sent, done, pipeline;
    char *batch; /* owned: `pipeline` commands */
    size_t batch_bytes;
    int clients;
    struct connection *connections; /* owned */
    double start_s;
};

/* Reads the arguments and dials. Whatever fails ends the process with status 1, here and below. */
void floor_init(struct floor *floor, const char *name, int argc, char **argv);

/* Says what failed, with the text of `error`, and ends the process. */
void floor_fail(const struct floor *floor, const char *what, int error);

/* Call when all is set up and nothing has been sent. */
void floor_start(struct floor *floor);

/* Whether a batch is left to send; if so it counts as sent, and `connection` is owed its replies.
 */
bool floor_take_batch(struct floor *floor, struct connection *connection);

/*
 * `size` bytes have come: `size` <= 0 ends the process, and so does a first byte, where one of a
 * reply is due, that is not that of +OK. True when they complete the batch of `connection`.
 */
bool floor_count(struct floor *floor, struct connection *connection, const char *bytes, long size);

/* Prints the rate since floor_start(), and gives back everything. */
void floor_finish(struct floor *floor);

#endif
