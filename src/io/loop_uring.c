/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop by completion, on io_uring. What channels have to say is gathered until the next turn
 * and handed over with one call, which also takes what has happened; only when nothing has does a
 * second call wait, so that waiting can be told from work; with nothing to hand over there is no
 * first. The clock is read once before the sends of a turn and once for a batch of completions.
 *
 * A send is quiet where the kernel allows it: it completes within the call that submits it, and
 * says so only if it could not take all bytes. Then, and on older kernels always, a loud one says
 * when it is done.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/engine_side.h"
#include "io/ring.h"
#include "io/socket.h"

enum { ROUNDS_MAX = 64, CANCEL_PATIENCE_NS = 10 * CLOCK_NS_PER_MS };

/* What a completion is of: the low bits of its user data, beside the channel. */
enum operation { WAKE, CANCEL, CONNECT, RECEIVE, SEND_QUIET, SEND, OPERATION_BITS = 7 };

/* Bits of channel->under_way. */
enum { CONNECTING = 1, RECEIVING = 2, SENDING = 4, CANCELLING = 8 };

struct loop_uring {
    struct loop loop; /* first: the head that callers know */
    struct ring ring;
    int wake_fd;  /* borrowed */
    bool clogged; /* entries are left that the kernel did not take */
};

static struct loop_uring *self(struct loop *loop)
{
    return (struct loop_uring *)loop;
}

static void mark(struct io_uring_sqe *entry, struct channel *channel, enum operation operation)
{
    entry->user_data = (uintptr_t)channel | operation;
}

static void await_wake(struct loop_uring *loop)
{
    struct io_uring_sqe *entry = ring_entry(&loop->ring);

    io_uring_prep_poll_multishot(entry, loop->wake_fd, POLLIN);
    mark(entry, NULL, WAKE);
}

static void await_bytes(struct loop_uring *loop, struct channel *channel)
{
    mark(ring_receive(&loop->ring, channel->fd), channel, RECEIVE);
    channel->under_way |= RECEIVING;
}

static void uring_destroy(struct loop **slot)
{
    struct loop_uring *loop = self(*slot);

    ring_close(&loop->ring);
    free(loop);
    *slot = NULL;
}

static int uring_create(struct loop **out, const struct loop_setup *setup, struct err *err)
{
    struct loop_uring *loop = mem_zalloc(1, sizeof *loop);
    const int rc = ring_open(&loop->ring, setup->channels, setup->skip, err);

    if (rc < 0) {
        free(loop);
        return rc;
    }
    loop->loop.ops = &loop_uring;
    loop->loop.mode = loop->ring.mode;
    loop->loop.awake_ns = clock_now_ns();
    loop->wake_fd = setup->wake_fd;
    await_wake(loop);
    *out = &loop->loop;
    return 0;
}

static void uring_connect(struct loop *head, struct channel *channel,
                          const struct sockaddr *address, socklen_t len)
{
    struct loop_uring *loop = self(head);

    assert(channel->state == CHANNEL_CLOSED);
    channel->state = CHANNEL_DIALING;
    channel->blocked = channel->broken = false;
    channel->under_way = 0;
    channel->fd = socket_open(address->sa_family, SOCKET_BLOCKING);
    if (channel->fd < 0) {
        engine_close(head, channel, errno);
        return;
    }
    struct io_uring_sqe *entry = ring_entry(&loop->ring);
    io_uring_prep_connect(entry, channel->fd, address, len);
    mark(entry, channel, CONNECT);
    channel->under_way = CONNECTING;
}

/* ---- sending */

/* What is left of the leaving half, to be told of when the kernel has it. */
static void send_loudly(struct loop_uring *loop, struct channel *channel)
{
    const struct outbox *outbox = &channel->outbox;
    struct io_uring_sqe *entry = ring_entry(&loop->ring);

    io_uring_prep_send(entry, channel->fd, outbox->leaving.bytes + outbox->sent,
                       outbox->leaving.len - outbox->sent, MSG_NOSIGNAL | MSG_WAITALL);
    mark(entry, channel, SEND);
    channel->under_way |= SENDING;
    channel->blocked = true;
}

/*
 * All of the leaving half, or a completion that says how much: not to wait (MSG_DONTWAIT) and to
 * want all (MSG_WAITALL) makes anything less a failure, and failures are never skipped.
 */
static void send_quietly(struct loop_uring *loop, struct channel *channel)
{
    struct outbox *outbox = &channel->outbox;
    struct io_uring_sqe *entry = ring_entry(&loop->ring);

    io_uring_prep_send(entry, channel->fd, outbox->leaving.bytes, outbox->leaving.len,
                       MSG_NOSIGNAL | MSG_WAITALL | MSG_DONTWAIT);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    mark(entry, channel, SEND_QUIET);
    outbox->sent = outbox->leaving.len;
}

static void flush(struct loop_uring *loop, struct channel *channel)
{
    if (channel->state != CHANNEL_OPEN || channel->blocked || channel->broken ||
        !engine_take_outbox(channel))
        return;
    if (channel->events->taking) /* which may have taken its time */
        loop->loop.now_ns = clock_now_ns();
    channel->events->sending(channel, loop->loop.now_ns);
    if (loop->ring.deferred)
        send_quietly(loop, channel);
    else
        send_loudly(loop, channel);
}

static void flush_listed(struct loop_uring *loop)
{
    while (loop->loop.to_send)
        flush(loop, engine_take_listed(&loop->loop));
}

/* The kernel did not take all at once. `taken`: how much, or a negative errno. */
static void handle_quiet_send(struct loop_uring *loop, struct channel *channel, int taken)
{
    if (channel->state != CHANNEL_OPEN)
        return;
    channel->outbox.sent = taken > 0 ? (size_t)taken : 0;
    if (taken < 0 && taken != -EAGAIN && taken != -EINTR)
        engine_send_failed(&loop->loop, channel, -taken);
    else
        send_loudly(loop, channel);
}

static void handle_send(struct loop_uring *loop, struct channel *channel, int taken)
{
    channel->under_way &= (uint8_t)~SENDING;
    channel->blocked = false;
    if (channel->state != CHANNEL_OPEN)
        return;
    if (taken > 0)
        channel->outbox.sent += (size_t)taken;
    if (taken < 0 && taken != -EAGAIN && taken != -EINTR)
        engine_send_failed(&loop->loop, channel, -taken);
    else if (!outbox_has_left(&channel->outbox))
        send_loudly(loop, channel);
    else
        engine_list(&loop->loop, channel);
}

/* ---- what happened */

static void handle_connect(struct loop_uring *loop, struct channel *channel, int result)
{
    channel->under_way &= (uint8_t)~CONNECTING;
    if (channel->state != CHANNEL_DIALING)
        return;
    const int failure = result < 0 ? -result : socket_failure(channel->fd);
    if (failure) {
        engine_close(&loop->loop, channel, failure);
        return;
    }
    channel->state = CHANNEL_OPEN;
    await_bytes(loop, channel);
    channel->events->opened(channel, loop->loop.now_ns);
    engine_list(&loop->loop, channel);
}

static void handle_receive(struct loop_uring *loop, struct channel *channel,
                           const struct io_uring_cqe *cqe)
{
    const bool open = channel->state == CHANNEL_OPEN;

    if (!(cqe->flags & IORING_CQE_F_MORE))
        channel->under_way &= (uint8_t)~RECEIVING;
    if (cqe->res > 0) {
        if (open)
            channel->events->bytes(channel, ring_bytes(&loop->ring, cqe), loop->loop.now_ns);
        ring_give_back(&loop->ring, cqe);
    } else if (open && cqe->res == 0) {
        engine_end(&loop->loop, channel, channel->broken ? EPIPE : 0);
    } else if (open && cqe->res != -ENOBUFS && cqe->res != -EINTR && cqe->res != -EAGAIN) {
        engine_end(&loop->loop, channel, -cqe->res);
    }
    if (channel->state == CHANNEL_OPEN && !(channel->under_way & RECEIVING))
        await_bytes(loop, channel);
}

static void handle_wake(struct loop_uring *loop, const struct io_uring_cqe *cqe)
{
    uint64_t wakes;

    if (read(loop->wake_fd, &wakes, sizeof wakes) < 0)
        assert(errno == EAGAIN); /* another completion has read it */
    if (!(cqe->flags & IORING_CQE_F_MORE))
        await_wake(loop);
}

static void handle(struct loop_uring *loop, const struct io_uring_cqe *cqe)
{
    const uintptr_t data = (uintptr_t)cqe->user_data;
    struct channel *channel = (struct channel *)(data & ~(uintptr_t)OPERATION_BITS);

    switch ((enum operation)(data & OPERATION_BITS)) {
    case RECEIVE:
        handle_receive(loop, channel, cqe);
        break;
    case SEND_QUIET:
        handle_quiet_send(loop, channel, cqe->res);
        break;
    case SEND:
        handle_send(loop, channel, cqe->res);
        break;
    case CONNECT:
        handle_connect(loop, channel, cqe->res);
        break;
    case WAKE:
        handle_wake(loop, cqe);
        break;
    default: /* CANCEL: what was cancelled tells by itself */
        break;
    }
}

/* Whether the kernel has told something. */
static bool has_news(const struct loop_uring *loop)
{
    return io_uring_cq_ready(&loop->ring.io) > 0;
}

/* Handles what the kernel had told when the clock was read. A ring that is not deferred may be told
 * more meanwhile: that has a time of its own. */
static void handle_all(struct loop_uring *loop)
{
    const unsigned told = io_uring_cq_ready(&loop->ring.io);
    const struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    if (io_uring_cq_has_overflow(&loop->ring.io))
        loop->loop.overflows++;
    io_uring_for_each_cqe(&loop->ring.io, head, cqe)
    {
        if (seen == told)
            break;
        handle(loop, cqe);
        seen++;
    }
    ring_advance(&loop->ring, seen);
}

/* ---- turns */

/* Whether there is something to hand over. */
static bool has_entries(const struct loop_uring *loop)
{
    return loop->loop.to_send || io_uring_sq_ready(&loop->ring.io) > 0;
}

/* Hands over what there is to send, at the time that was read last, and takes what has happened
 * since. Bytes that the kernel has not taken stay where they are: nothing is turned over before it
 * has, or while it has more to tell than it had room for: of sends that failed, perhaps. Returns
 * whether there is news. */
static bool exchange(struct loop_uring *loop)
{
    struct io_uring *io = &loop->ring.io;

    if (!loop->clogged && !io_uring_cq_has_overflow(io))
        flush_listed(loop);
    io_uring_submit_and_get_events(io);
    loop->clogged = io_uring_sq_ready(io) > 0;
    return has_news(loop);
}

/* Waits for news. Returns whether none had come by the deadline, which then is the time; else the
 * clock has been read. */
static bool wait_until(struct loop_uring *loop, uint64_t deadline_ns)
{
    const uint64_t begin_ns = clock_now_ns();
    const uint64_t left_ns = deadline_ns > begin_ns ? deadline_ns - begin_ns : 0;
    struct __kernel_timespec left = {.tv_sec = (int64_t)(left_ns / CLOCK_NS_PER_S),
                                     .tv_nsec = (long long)(left_ns % CLOCK_NS_PER_S)};
    struct io_uring_cqe *first;
    const int rc =
        left_ns ? io_uring_submit_and_wait_timeout(&loop->ring.io, &first, 1, &left, NULL) : 0;
    const bool over = rc == -ETIME && !has_news(loop);

    loop->loop.now_ns = clock_now_ns();
    engine_waited(&loop->loop, begin_ns, loop->loop.now_ns);
    if (over)
        loop->loop.now_ns = deadline_ns;
    return over;
}

static void cancel(struct loop_uring *loop, struct channel *channel, enum operation operation)
{
    struct io_uring_sqe *entry = ring_entry(&loop->ring);

    io_uring_prep_cancel64(entry, (uintptr_t)channel | operation, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    mark(entry, NULL, CANCEL);
}

static void cancel_all(struct loop_uring *loop, struct channel *channel)
{
    if (channel->under_way & CONNECTING)
        cancel(loop, channel, CONNECT);
    if (channel->under_way & RECEIVING)
        cancel(loop, channel, RECEIVE);
    if (channel->under_way & SENDING)
        cancel(loop, channel, SEND);
    channel->under_way |= CANCELLING;
}

/* Tells those of which the kernel knows no more; asks it to let the others go. */
static void close_some(struct loop_uring *loop)
{
    struct channel *channel = loop->loop.to_close;

    loop->loop.to_close = NULL;
    while (channel) {
        struct channel *const next = channel->next;

        if (channel->under_way & ~CANCELLING) {
            if (!(channel->under_way & CANCELLING))
                cancel_all(loop, channel);
            channel->next = loop->loop.to_close;
            loop->loop.to_close = channel;
        } else {
            engine_tell_closed(&loop->loop, channel);
        }
        channel = next;
    }
}

/* What is cancelled ends at once, but not before the kernel has been asked and has answered. */
static void close_listed(struct loop_uring *loop)
{
    while (loop->loop.to_close) {
        close_some(loop);
        if (!loop->loop.to_close)
            return;
        loop->loop.now_ns = clock_now_ns();
        if (exchange(loop))
            loop->loop.now_ns = clock_now_ns();
        else
            wait_until(loop, loop->loop.now_ns + CANCEL_PATIENCE_NS);
        handle_all(loop);
    }
}

/*
 * Whoever is told that a deadline has come may time out what was not heard. So the time that is
 * told then is one at which nothing was left to hear: the deadline, if the kernel waited for it in
 * vain, else that before a look which found nothing. After a pause of the whole process, or with
 * more news than the kernel tells at once, there is more to hear.
 */
static uint64_t uring_turn(struct loop *head, uint64_t deadline_ns)
{
    struct loop_uring *loop = self(head);
    bool waited = head->to_close != NULL; /* its owner waits for this turn to return */
    bool news = true;

    for (unsigned rounds = 0; rounds < ROUNDS_MAX && news; rounds++) {
        head->now_ns = clock_now_ns();
        const bool wait = !waited && deadline_ns > head->now_ns;
        const bool look = !wait || has_entries(loop);
        const bool sends = head->to_send != NULL;
        news = look && exchange(loop);
        if (news)
            head->now_ns = clock_now_ns();
        /* of those that were listed to be sent, some may turn out to be given up */
        if (wait && !news && !head->to_close) {
            waited = true;
            news = !wait_until(loop, deadline_ns);
        } else if (look) {
            engine_looked(head, head->now_ns, sends, news);
        }
        handle_all(loop);
        if (head->now_ns < deadline_ns)
            break;
    }
    /* not that of the endings: while they are told, more happens */
    const uint64_t now_ns = head->now_ns;
    close_listed(loop);
    return now_ns;
}

const struct loop_ops loop_uring = {
    .name = "io_uring",
    .create = uring_create,
    .destroy = uring_destroy,
    .connect = uring_connect,
    .send = engine_list,
    .close = engine_close,
    .turn = uring_turn,
};
