/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop by readiness. Level-triggered; one receive for each readiness, into one buffer for all
 * channels. What handlers want to send goes out when all that had arrived has been received: so the
 * time of a reply does not wait for the sends that came before it, and both are cheaper in a row.
 * EPOLLOUT is asked for only after the kernel refused bytes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/engine_side.h"
#include "io/socket.h"

enum { EVENTS_MAX = 256, ROUNDS_MAX = 64, RECEIVE_BYTES = 64 * 1024 };

/* How late a turn may be before it looks again: less than timeouts are measured in. */
#define GRAIN_NS CLOCK_NS_PER_MS

struct loop_epoll {
    struct loop loop; /* first: the head that callers know */
    int epoll_fd;
    int wake_fd; /* borrowed */
    bool coarse; /* the kernel has no epoll_pwait2: deadlines in whole milliseconds */
    struct epoll_event events[EVENTS_MAX];
    char received[RECEIVE_BYTES];
};

static struct loop_epoll *self(struct loop *loop)
{
    return (struct loop_epoll *)loop;
}

static void watch(struct loop_epoll *loop, struct channel *channel, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = channel};
    const int rc = epoll_ctl(loop->epoll_fd, operation, channel->fd, &event);

    if (rc < 0)
        engine_end(&loop->loop, channel, errno);
}

static void epoll_destroy(struct loop **slot)
{
    struct loop_epoll *loop = self(*slot);

    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
    *slot = NULL;
}

static int epoll_create_loop(struct loop **out, const struct loop_setup *setup, struct err *err)
{
    struct loop_epoll *loop = mem_zalloc(1, sizeof *loop);
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
    const struct timespec no_time = {0};
    struct loop *head = &loop->loop;

    loop->loop.ops = &loop_epoll;
    loop->loop.mode = "";
    loop->loop.awake_ns = clock_now_ns();
    loop->wake_fd = setup->wake_fd;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &wake) < 0) {
        const int rc = err_sys(err, "Could not make an epoll loop");
        epoll_destroy(&head);
        return rc;
    }
    loop->coarse = epoll_pwait2(loop->epoll_fd, loop->events, EVENTS_MAX, &no_time, NULL) < 0 &&
                   errno == ENOSYS;
    *out = head;
    return 0;
}

static void epoll_connect(struct loop *head, struct channel *channel,
                          const struct sockaddr *address, socklen_t len)
{
    assert(channel->state == CHANNEL_CLOSED);
    channel->state = CHANNEL_DIALING;
    channel->blocked = channel->broken = false;
    channel->fd = socket_open(address->sa_family, SOCKET_NON_BLOCKING);
    if (channel->fd < 0) {
        engine_close(head, channel, errno);
        return;
    }
    if (connect(channel->fd, address, len) < 0 && errno != EINPROGRESS)
        engine_close(head, channel, errno);
    else
        watch(self(head), channel, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

/*
 * send() and recv() without being points of cancellation, which nobody here needs: in a program of
 * several threads those cost a good 50 instructions a call.
 */
static ssize_t send_now(int fd, const char *bytes, size_t len)
{
    return syscall(SYS_sendto, fd, bytes, len, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t receive_now(int fd, char *bytes, size_t len)
{
    return syscall(SYS_recvfrom, fd, bytes, len, 0, NULL, NULL);
}

/* Sends what the kernel takes of the leaving half. Returns whether all of it has left. */
static bool push(struct loop_epoll *loop, struct channel *channel)
{
    struct outbox *outbox = &channel->outbox;

    while (!outbox_has_left(outbox)) {
        const ssize_t sent = send_now(channel->fd, outbox->leaving.bytes + outbox->sent,
                                      outbox->leaving.len - outbox->sent);

        if (sent >= 0) {
            outbox->sent += (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            channel->blocked = true;
            watch(loop, channel, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return false;
        } else if (errno != EINTR) {
            engine_send_failed(&loop->loop, channel, errno);
            return false;
        }
    }
    return true;
}

static void flush(struct loop_epoll *loop, struct channel *channel)
{
    if (channel->state != CHANNEL_OPEN || channel->blocked || channel->broken)
        return;
    while (engine_take_outbox(channel)) {
        loop->loop.now_ns = clock_now_ns();
        channel->events->sending(channel, loop->loop.now_ns);
        if (!push(loop, channel))
            return;
    }
}

static void flush_listed(struct loop_epoll *loop)
{
    while (loop->loop.to_send)
        flush(loop, engine_take_listed(&loop->loop));
}

static void close_listed(struct loop_epoll *loop)
{
    while (loop->loop.to_close) {
        struct channel *channel = loop->loop.to_close;

        loop->loop.to_close = channel->next;
        engine_tell_closed(&loop->loop, channel);
    }
}

static void finish_connect(struct loop_epoll *loop, struct channel *channel)
{
    const int failure = socket_failure(channel->fd);

    if (failure) {
        engine_close(&loop->loop, channel, failure);
        return;
    }
    watch(loop, channel, EPOLL_CTL_MOD, EPOLLIN);
    if (channel->state != CHANNEL_DIALING)
        return;
    channel->state = CHANNEL_OPEN;
    loop->loop.now_ns = clock_now_ns();
    channel->events->opened(channel, loop->loop.now_ns);
    engine_list(&loop->loop, channel);
}

static void receive(struct loop_epoll *loop, struct channel *channel)
{
    const ssize_t got = receive_now(channel->fd, loop->received, sizeof loop->received);

    if (got > 0) {
        loop->loop.now_ns = clock_now_ns();
        channel->events->bytes(channel, (struct str){loop->received, (size_t)got},
                               loop->loop.now_ns);
    } else if (got == 0) {
        engine_end(&loop->loop, channel, channel->broken ? EPIPE : 0);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        engine_end(&loop->loop, channel, errno);
    }
}

static void unblock(struct loop_epoll *loop, struct channel *channel)
{
    channel->blocked = false;
    watch(loop, channel, EPOLL_CTL_MOD, EPOLLIN);
    if (channel->state == CHANNEL_OPEN && push(loop, channel))
        engine_list(&loop->loop, channel);
}

static void handle(struct loop_epoll *loop, const struct epoll_event *event)
{
    struct channel *channel = event->data.ptr;

    /* An earlier event of this turn may have given the channel up. */
    if (channel->state != CHANNEL_DIALING && channel->state != CHANNEL_OPEN)
        return;
    if (channel->state == CHANNEL_DIALING)
        finish_connect(loop, channel);
    else if (event->events & ~(uint32_t)EPOLLOUT)
        receive(loop, channel);
    if (channel->state == CHANNEL_OPEN && channel->blocked && event->events & EPOLLOUT)
        unblock(loop, channel);
}

static uint64_t time_left_ns(const struct loop_epoll *loop, uint64_t deadline_ns)
{
    /* A channel to close: its owner waits for this turn to return. */
    if (loop->loop.to_close || deadline_ns <= loop->loop.now_ns)
        return 0;
    return deadline_ns - loop->loop.now_ns;
}

/* In whole milliseconds, rounded down: the last one is polled rather than overslept. */
static int wait_coarsely(struct loop_epoll *loop, uint64_t left_ns)
{
    const uint64_t deadline_ns = loop->loop.now_ns + left_ns;

    for (;;) {
        const uint64_t left_ms = left_ns / CLOCK_NS_PER_MS;
        const int happened = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX,
                                        left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);

        if (happened != 0 || left_ns == 0)
            return happened;
        const uint64_t now_ns = clock_now_ns();
        left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    }
}

static int wait_finely(struct loop_epoll *loop, uint64_t left_ns)
{
    const uint64_t left_s = left_ns / CLOCK_NS_PER_S;
    const struct timespec left = {.tv_sec = left_s < INT32_MAX ? (time_t)left_s : INT32_MAX,
                                  .tv_nsec = (long)(left_ns % CLOCK_NS_PER_S)};

    return epoll_pwait2(loop->epoll_fd, loop->events, EVENTS_MAX, &left, NULL);
}

/* `sent`: something was sent in this turn. */
static int wait_for_events(struct loop_epoll *loop, uint64_t deadline_ns, bool sent)
{
    loop->loop.now_ns = clock_now_ns();
    const uint64_t begin_ns = loop->loop.now_ns;
    const uint64_t left_ns = time_left_ns(loop, deadline_ns);
    const int happened = loop->coarse ? wait_coarsely(loop, left_ns) : wait_finely(loop, left_ns);

    loop->loop.now_ns = clock_now_ns();
    if (left_ns)
        engine_waited(&loop->loop, begin_ns, loop->loop.now_ns);
    else
        engine_looked(&loop->loop, loop->loop.now_ns, sent, happened != 0);
    return happened;
}

static void handle_all(struct loop_epoll *loop, int happened)
{
    for (int i = 0; i < happened; i++) {
        uint64_t wakes;

        if (loop->events[i].data.ptr)
            handle(loop, &loop->events[i]);
        else if (read(loop->wake_fd, &wakes, sizeof wakes) < 0)
            assert(errno == EAGAIN); /* another turn has read it */
    }
}

/*
 * Whoever is told the time next may time out what was not heard. After a pause of the whole process
 * (which may end a wait early), after handlers that took long, or with more events than fit, there
 * is more to hear.
 */
static uint64_t epoll_turn(struct loop *head, uint64_t deadline_ns)
{
    struct loop_epoll *loop = self(head);
    const uint64_t due_ns = deadline_ns < head->now_ns ? head->now_ns : deadline_ns;
    const uint64_t late_ns = due_ns < CLOCK_NEVER - GRAIN_NS ? due_ns + GRAIN_NS : CLOCK_NEVER;
    const bool sends = head->to_send != NULL;
    flush_listed(loop);
    int happened = wait_for_events(loop, deadline_ns, sends);

    for (int rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        handle_all(loop, happened);
        flush_listed(loop);
        if (happened >= 0 && happened < EVENTS_MAX && head->now_ns < late_ns)
            break;
        const uint64_t look_ns = clock_now_ns();
        happened = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, 0);
        head->now_ns = look_ns;
        if (happened == 0)
            break;
    }
    /* not that of the endings: while they are told, more happens */
    const uint64_t now_ns = head->now_ns;
    close_listed(loop);
    return now_ns;
}

const struct loop_ops loop_epoll = {
    .name = "epoll",
    .create = epoll_create_loop,
    .destroy = epoll_destroy,
    .connect = epoll_connect,
    .send = engine_list,
    .close = engine_close,
    .turn = epoll_turn,
};
