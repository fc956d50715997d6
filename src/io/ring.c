/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SUBMISSIONS = 256, COMPLETIONS_MIN = 4096, COMPLETIONS_MAX = 65536, COMPLETIONS_EACH = 4 };

struct mode {
    unsigned flags;
    const char *name;
};

/* From best to worst. */
static const struct mode modes[RING_MODES] = {
    {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, "SINGLE_ISSUER, DEFER_TASKRUN"},
    {IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN"},
    {0, "no flags"},
};

/* A multishot receive may complete many times before anybody looks. */
static unsigned completions(unsigned sockets)
{
    const unsigned wanted =
        sockets < COMPLETIONS_MAX / COMPLETIONS_EACH ? sockets * COMPLETIONS_EACH : COMPLETIONS_MAX;

    return wanted > COMPLETIONS_MIN ? wanted : COMPLETIONS_MIN;
}

/* Returns 0 or a negative errno. */
static int set_up(struct ring *ring, unsigned sockets, unsigned skip)
{
    int rc = -EINVAL;

    for (unsigned i = skip; i < RING_MODES && rc == -EINVAL; i++) {
        struct io_uring_params params = {.flags = modes[i].flags | IORING_SETUP_CQSIZE |
                                                  IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL,
                                         .cq_entries = completions(sockets)};

        rc = io_uring_queue_init_params(SUBMISSIONS, &ring->io, &params);
        ring->mode = modes[i].name;
        ring->deferred = modes[i].flags & IORING_SETUP_DEFER_TASKRUN;
    }
    return rc;
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static size_t buffer_ring_bytes(void)
{
    return RING_BUFFERS * sizeof(struct io_uring_buf);
}

/* Returns 0 or a negative errno. */
static int add_buffers(struct ring *ring)
{
    ring->buffers = map(buffer_ring_bytes());
    ring->memory = map((size_t)RING_BUFFERS * RING_BUFFER_BYTES);
    if (!ring->buffers || !ring->memory)
        return -ENOMEM;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)ring->buffers, .ring_entries = RING_BUFFERS, .bgid = RING_GROUP};
    const int rc = io_uring_register_buf_ring(&ring->io, &registration, 0);
    if (rc < 0)
        return rc;
    io_uring_buf_ring_init(ring->buffers);
    for (int i = 0; i < RING_BUFFERS; i++)
        io_uring_buf_ring_add(ring->buffers, ring->memory + (size_t)i * RING_BUFFER_BYTES,
                              RING_BUFFER_BYTES, (unsigned short)i,
                              io_uring_buf_ring_mask(RING_BUFFERS), i);
    io_uring_buf_ring_advance(ring->buffers, RING_BUFFERS);
    return 0;
}

/* Receives of many shots came with the same kernel as this operation, which one can ask for. */
static bool has_multishot(struct ring *ring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->io);
    const bool known = probe && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);

    io_uring_free_probe(probe);
    return known;
}

int ring_open(struct ring *ring, unsigned sockets, unsigned skip, struct err *err)
{
    *ring = (struct ring){0};
    errno = -set_up(ring, sockets, skip);
    if (errno == EPERM)
        return err_set(err, "It is forbidden here, by kernel.io_uring_disabled or by seccomp."),
               -EPERM;
    if (errno == ENOSYS)
        return err_set(err, "The kernel has none, or seccomp hides it."), -ENOSYS;
    if (errno)
        return err_sys(err, "Could not make one");
    ring->multishot = has_multishot(ring);
    errno = -add_buffers(ring);
    if (errno) {
        const int rc = err_sys(err, "Could not register its receive buffers");
        ring_close(ring);
        return rc;
    }
    io_uring_register_ring_fd(
        &ring->io); /* spares a look-up a call; where it is unknown, no harm */
    return 0;
}

void ring_close(struct ring *ring)
{
    io_uring_queue_exit(&ring->io);
    if (ring->buffers)
        munmap(ring->buffers, buffer_ring_bytes());
    if (ring->memory)
        munmap(ring->memory, (size_t)RING_BUFFERS * RING_BUFFER_BYTES);
}

struct io_uring_sqe *ring_entry(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->io);

    while (!entry) {
        io_uring_submit(&ring->io);
        entry = io_uring_get_sqe(&ring->io);
    }
    return entry;
}

struct io_uring_sqe *ring_receive(struct ring *ring, int fd)
{
    struct io_uring_sqe *entry = ring_entry(ring);

    if (ring->multishot)
        io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
    else
        io_uring_prep_recv(entry, fd, NULL, RING_BUFFER_BYTES, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = RING_GROUP;
    return entry;
}

static unsigned buffer_of(const struct io_uring_cqe *cqe)
{
    assert(cqe->flags & IORING_CQE_F_BUFFER);
    return cqe->flags >> IORING_CQE_BUFFER_SHIFT;
}

struct str ring_bytes(const struct ring *ring, const struct io_uring_cqe *cqe)
{
    return (struct str){ring->memory + (size_t)buffer_of(cqe) * RING_BUFFER_BYTES,
                        (size_t)cqe->res};
}

void ring_give_back(struct ring *ring, const struct io_uring_cqe *cqe)
{
    const unsigned buffer = buffer_of(cqe);

    io_uring_buf_ring_add(ring->buffers, ring->memory + (size_t)buffer * RING_BUFFER_BYTES,
                          RING_BUFFER_BYTES, (unsigned short)buffer,
                          io_uring_buf_ring_mask(RING_BUFFERS), (int)ring->returned++);
}

void ring_advance(struct ring *ring, unsigned seen)
{
    io_uring_buf_ring_advance(ring->buffers, (int)ring->returned);
    ring->returned = 0;
    io_uring_cq_advance(&ring->io, seen);
}
