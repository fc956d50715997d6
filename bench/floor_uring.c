/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_uring: the least that a client of io_uring can cost. One io_uring_enter a turn submits the
 * sends and waits for whatever comes next; each connection has one multishot receive into one ring
 * of provided buffers; the files and the ring are registered, and a send that succeeds makes no
 * completion. floor.h says what it does and how it is called.
 */
#include "floor.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SUBMISSIONS = 4096, COMPLETIONS = 16384, BUFFERS_MIN = 16, BUFFER_BYTES = 4096, GROUP = 0 };

/* What user_data says of a completion, beside the connection's index. */
static const __u64 of_send = 1ULL << 32;

struct machine {
    struct floor floor;
    struct io_uring ring;
    struct io_uring_buf_ring *buffers; /* owned */
    char *memory;                      /* owned: `buffer_count` of BUFFER_BYTES */
    unsigned buffer_count;             /* a power of two */
};

/* Work is best done when this thread asks for it (6.1), else at least without interrupting it. */
static void open_ring(struct machine *machine)
{
    static const unsigned flags[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                     IORING_SETUP_COOP_TASKRUN, 0};
    int status = -EINVAL;

    for (size_t i = 0; i < sizeof flags / sizeof *flags && status == -EINVAL; i++) {
        struct io_uring_params params = {.flags = flags[i] | IORING_SETUP_CQSIZE,
                                         .cq_entries = COMPLETIONS};
        status = io_uring_queue_init_params(SUBMISSIONS, &machine->ring, &params);
    }
    if (status < 0)
        floor_fail(&machine->floor, "io_uring_setup", -status);
}

static void give_buffer(struct machine *machine, unsigned id)
{
    io_uring_buf_ring_add(machine->buffers, machine->memory + (size_t)id * BUFFER_BYTES,
                          BUFFER_BYTES, (unsigned short)id,
                          io_uring_buf_ring_mask(machine->buffer_count), 0);
    io_uring_buf_ring_advance(machine->buffers, 1);
}

/* One buffer a connection, for no cache is made cold by more. Should they run out, it is no error.
 */
static void register_buffers(struct machine *machine)
{
    machine->buffer_count = BUFFERS_MIN;
    while (machine->buffer_count < (unsigned)machine->floor.clients)
        machine->buffer_count *= 2;
    machine->memory = malloc((size_t)machine->buffer_count * BUFFER_BYTES);
    if (posix_memalign((void **)&machine->buffers, 4096,
                       machine->buffer_count * sizeof(struct io_uring_buf)))
        machine->buffers = NULL;
    if (!machine->buffers || !machine->memory)
        floor_fail(&machine->floor, "malloc", ENOMEM);
    struct io_uring_buf_reg reg = {.ring_addr = (__u64)(uintptr_t)machine->buffers,
                                   .ring_entries = machine->buffer_count,
                                   .bgid = GROUP};
    const int status = io_uring_register_buf_ring(&machine->ring, &reg, 0);

    if (status < 0)
        floor_fail(&machine->floor, "buffer ring", -status);
    io_uring_buf_ring_init(machine->buffers);
    for (unsigned id = 0; id < machine->buffer_count; id++)
        give_buffer(machine, id);
}

static void register_files(struct machine *machine)
{
    const struct floor *floor = &machine->floor;
    int *fds = calloc((size_t)floor->clients, sizeof *fds);

    if (!fds)
        floor_fail(floor, "calloc", ENOMEM);
    for (int i = 0; i < floor->clients; i++)
        fds[i] = floor->connections[i].fd;
    int status = io_uring_register_files(&machine->ring, fds, (unsigned)floor->clients);
    if (status == 0)
        status = io_uring_register_ring_fd(&machine->ring);
    if (status < 0)
        floor_fail(floor, "registration", -status);
    free(fds);
}

/* A full ring is submitted at once: there may be more connections than it has entries. */
static struct io_uring_sqe *take_sqe(struct machine *machine)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&machine->ring);

    if (sqe)
        return sqe;
    const int status = io_uring_submit(&machine->ring);
    if (status < 0)
        floor_fail(&machine->floor, "io_uring_submit", -status);
    return io_uring_get_sqe(&machine->ring);
}

static void arm_receive(struct machine *machine, int client)
{
    struct io_uring_sqe *sqe = take_sqe(machine);

    io_uring_prep_recv_multishot(sqe, client, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, (__u64)client);
}

static void send_batch(struct machine *machine, int client)
{
    struct floor *floor = &machine->floor;

    if (!floor_take_batch(floor, &floor->connections[client]))
        return;
    struct io_uring_sqe *sqe = take_sqe(machine);
    io_uring_prep_send(sqe, client, floor->batch, floor->batch_bytes, MSG_WAITALL);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, of_send | (__u64)client);
}

static void receive(struct machine *machine, const struct io_uring_cqe *cqe)
{
    struct floor *floor = &machine->floor;
    const int client = (int)cqe->user_data;

    if (cqe->user_data & of_send)
        floor_fail(floor, "send", cqe->res < 0 ? -cqe->res : EIO);
    if (!(cqe->flags & IORING_CQE_F_MORE))
        arm_receive(machine, client);
    if (cqe->res == -ENOBUFS)
        return;
    const unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    const char *bytes = machine->memory + (size_t)id * BUFFER_BYTES;
    const bool whole = floor_count(floor, &floor->connections[client], bytes, cqe->res);

    give_buffer(machine, id);
    if (whole)
        send_batch(machine, client);
}

static void turn(struct machine *machine)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    const int status = io_uring_submit_and_wait(&machine->ring, 1);

    if (status < 0 && status != -EINTR)
        floor_fail(&machine->floor, "io_uring_enter", -status);
    io_uring_for_each_cqe(&machine->ring, head, cqe)
    {
        receive(machine, cqe);
        seen++;
    }
    io_uring_cq_advance(&machine->ring, seen);
}

int main(int argc, char **argv)
{
    struct machine machine;
    struct floor *floor = &machine.floor;

    floor_init(floor, "floor_uring", argc, argv);
    open_ring(&machine);
    register_buffers(&machine);
    register_files(&machine);
    floor_start(floor);
    for (int i = 0; i < floor->clients; i++) {
        arm_receive(&machine, i);
        send_batch(&machine, i);
    }
    while (floor->done < floor->sent)
        turn(&machine);
    io_uring_queue_exit(&machine.ring);
    floor_finish(floor);
    free(machine.buffers);
    free(machine.memory);
    return 0;
}
