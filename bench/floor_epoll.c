/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_epoll: the least that a client of epoll can cost, one wait a turn and a receive and a send
 * a batch. floor.h says what it does and how it is called.
 */
#include "floor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, IN_BYTES = 65536 };

static void send_batch(struct floor *floor, struct connection *connection)
{
    if (!floor_take_batch(floor, connection))
        return;
    if (send(connection->fd, floor->batch, floor->batch_bytes, 0) != (ssize_t)floor->batch_bytes)
        floor_fail(floor, "send", errno);
}

static void receive(struct floor *floor, struct connection *connection)
{
    char in[IN_BYTES];
    const ssize_t got = recv(connection->fd, in, sizeof in, 0);

    if (floor_count(floor, connection, in, got < 0 ? -errno : got))
        send_batch(floor, connection);
}

static void turn(struct floor *floor, int epoll_fd)
{
    struct epoll_event events[EVENTS];
    const int ready = epoll_wait(epoll_fd, events, EVENTS, -1);

    for (int i = 0; i < ready; i++)
        receive(floor, events[i].data.ptr);
}

int main(int argc, char **argv)
{
    struct floor floor;
    const int epoll_fd = epoll_create1(0);

    floor_init(&floor, "floor_epoll", argc, argv);
    for (int i = 0; i < floor.clients; i++) {
        struct connection *connection = &floor.connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            floor_fail(&floor, "epoll_ctl", errno);
    }
    floor_start(&floor);
    for (int i = 0; i < floor.clients; i++)
        send_batch(&floor, &floor.connections[i]);
    while (floor.done < floor.sent)
        turn(&floor, epoll_fd);
    floor_finish(&floor);
    close(epoll_fd);
    return 0;
}
