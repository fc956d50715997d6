/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_epoll: the least that a client of epoll can cost. Sends the same SET over and over, counts
 * the bytes of its replies, and does nothing else: no rendering, no clock, no histogram. What the
 * program costs beyond this is its own doing.
 *
 * A client sends its next PIPELINE commands when the last ones are all answered, and REQUESTS is
 * rounded up to whole batches.
 *
 * Usage: floor_epoll PORT REQUESTS CLIENTS [PIPELINE]; prints requests a second.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, REPLY_BYTES = 5 /* "+OK\r\n" */, IN_BYTES = 65536 };

static const char set_command[] = "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\nxxx\r\n";

struct connection {
    int fd;
    long owed; /* bytes of replies still to come */
};

struct floor {
    long requests, sent, done, pipeline;
    int epoll_fd;
    char *batch; /* owned: `pipeline` commands */
    size_t batch_bytes;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void send_batch(struct floor *floor, struct connection *connection)
{
    if (floor->sent >= floor->requests)
        return;
    floor->sent += floor->pipeline;
    connection->owed = floor->pipeline * REPLY_BYTES;
    if (send(connection->fd, floor->batch, floor->batch_bytes, 0) != (ssize_t)floor->batch_bytes)
        fail("send");
}

static void receive(struct floor *floor, struct connection *connection)
{
    char in[IN_BYTES];
    const ssize_t got = recv(connection->fd, in, sizeof in, 0);

    if (got <= 0)
        fail("recv");
    if (connection->owed % REPLY_BYTES == 0 && in[0] != '+') {
        fprintf(stderr, "floor_epoll: the server did not say +OK\n");
        exit(1);
    }
    connection->owed -= got;
    if (connection->owed > 0)
        return;
    floor->done += floor->pipeline;
    send_batch(floor, connection);
}

static void turn(struct floor *floor)
{
    struct epoll_event events[EVENTS];
    const int ready = epoll_wait(floor->epoll_fd, events, EVENTS, -1);

    for (int i = 0; i < ready; i++)
        receive(floor, events[i].data.ptr);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill_batch(struct floor *floor)
{
    const size_t one = sizeof set_command - 1;

    floor->batch_bytes = one * (size_t)floor->pipeline;
    floor->batch = malloc(floor->batch_bytes);
    if (!floor->batch)
        fail("malloc");
    for (long i = 0; i < floor->pipeline; i++)
        memcpy(floor->batch + (size_t)i * one, set_command, one);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: floor_epoll PORT REQUESTS CLIENTS [PIPELINE]\n");
        return 1;
    }
    const int clients = atoi(argv[3]);
    struct floor floor = {.requests = atol(argv[2]),
                          .pipeline = argc > 4 ? atol(argv[4]) : 1,
                          .epoll_fd = epoll_create1(0)};
    struct connection *connections = calloc((size_t)clients, sizeof *connections);

    if (!connections || floor.epoll_fd < 0)
        fail("start");
    fill_batch(&floor);
    for (int i = 0; i < clients; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        connections[i].fd = dial(atoi(argv[1]));
        if (epoll_ctl(floor.epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event) < 0)
            fail("epoll_ctl");
    }
    const double start = seconds();
    for (int i = 0; i < clients; i++)
        send_batch(&floor, &connections[i]);
    while (floor.done < floor.sent)
        turn(&floor);
    printf("%.2f requests per second\n", (double)floor.done / (seconds() - start));
    free(floor.batch);
    free(connections);
    return 0;
}
