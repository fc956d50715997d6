/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring: an io_uring with a ring of receive buffers, made as well as the kernel can.
 *
 * Flag sets are tried from best to worst, since no version number says what a kernel takes and a
 * container allows. The buffers are shared by all sockets of the ring: one is taken by the kernel
 * when bytes arrive and given back when they have been read, so that their number follows what
 * arrives at once and not how many sockets are open.
 */
#ifndef IO_RING_H
#define IO_RING_H

#include <liburing.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum {
    RING_BUFFERS = 256,
    RING_BUFFER_BYTES = 4096,
    RING_MODES = 3,
    RING_GROUP = 0, /* the group of the buffers, for IOSQE_BUFFER_SELECT */
};

struct ring {
    struct io_uring io;
    const char *mode;                  /* the flags it was made with */
    bool deferred;                     /* completions come from within io_uring_enter() alone */
    bool multishot;                    /* one receive lasts for many arrivals */
    struct io_uring_buf_ring *buffers; /* this and below: owned */
    char *memory;                      /* RING_BUFFERS x RING_BUFFER_BYTES */
    unsigned returned;                 /* buffers given back that the kernel has not been told of */
};

/*
 * Makes a ring for `sockets` sockets, to be used by the calling thread alone, without the best
 * `skip` of RING_MODES flag sets. Returns 0, or a negative errno with a sentence: then there is
 * nothing to close.
 */
int ring_open(struct ring *ring, unsigned sockets, unsigned skip, struct err *err);
void ring_close(struct ring *ring);

/* A submission entry; hands over those that were made before when there is no room. */
struct io_uring_sqe *ring_entry(struct ring *ring);

/* An entry that receives from a socket into the buffers, more than once where the kernel can. */
struct io_uring_sqe *ring_receive(struct ring *ring, int fd);

/* The bytes of a completed receive, which are the kernel's again after ring_give_back(). */
struct str ring_bytes(const struct ring *ring, const struct io_uring_cqe *cqe);
void ring_give_back(struct ring *ring, const struct io_uring_cqe *cqe);

/* Ends a batch of `seen` completions: they and their buffers are the kernel's again. */
void ring_advance(struct ring *ring, unsigned seen);

#endif
