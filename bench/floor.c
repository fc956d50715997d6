/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_BYTES = 5 /* "+OK\r\n" */ };

void floor_fail(const struct floor *floor, const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", floor->name, what, strerror(error));
    exit(1);
}

static int dial(const struct floor *floor, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        floor_fail(floor, "connect", errno);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void fill_batch(struct floor *floor, int value_bytes)
{
    char head[64];
    const int head_bytes = snprintf(
        head, sizeof head, "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$%d\r\n", value_bytes);
    const size_t one = (size_t)head_bytes + (size_t)value_bytes + 2;

    floor->batch_bytes = one * (size_t)floor->pipeline;
    floor->batch = malloc(floor->batch_bytes);
    if (!floor->batch)
        floor_fail(floor, "malloc", ENOMEM);
    for (char *at = floor->batch; at < floor->batch + floor->batch_bytes; at += one) {
        memcpy(at, head, (size_t)head_bytes);
        memset(at + head_bytes, 'x', (size_t)value_bytes);
        memcpy(at + one - 2, "\r\n", 2);
    }
}

void floor_init(struct floor *floor, const char *name, int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s PORT REQUESTS CLIENTS [PIPELINE [VALUE_BYTES]]\n", name);
        exit(1);
    }
    *floor = (struct floor){.name = name,
                            .requests = atol(argv[2]),
                            .clients = atoi(argv[3]),
                            .pipeline = argc > 4 ? atol(argv[4]) : 1};
    fill_batch(floor, argc > 5 ? atoi(argv[5]) : 3);
    floor->connections = calloc((size_t)floor->clients, sizeof *floor->connections);
    if (!floor->connections)
        floor_fail(floor, "calloc", ENOMEM);
    for (int i = 0; i < floor->clients; i++)
        floor->connections[i].fd = dial(floor, atoi(argv[1]));
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void floor_start(struct floor *floor)
{
    floor->start_s = seconds();
}

bool floor_take_batch(struct floor *floor, struct connection *connection)
{
    if (floor->sent >= floor->requests)
        return false;
    floor->sent += floor->pipeline;
    connection->owed = floor->pipeline * REPLY_BYTES;
    return true;
}

bool floor_count(struct floor *floor, struct connection *connection, const char *bytes, long size)
{
    if (size <= 0)
        floor_fail(floor, "receive", size < 0 ? (int)-size : ECONNRESET);
    if (connection->owed % REPLY_BYTES == 0 && bytes[0] != '+') {
        fprintf(stderr, "%s: the server did not say +OK\n", floor->name);
        exit(1);
    }
    connection->owed -= size;
    if (connection->owed > 0)
        return false;
    floor->done += floor->pipeline;
    return true;
}

void floor_finish(struct floor *floor)
{
    printf("%.2f requests per second\n", (double)floor->done / (seconds() - floor->start_s));
    for (int i = 0; i < floor->clients; i++)
        close(floor->connections[i].fd);
    free(floor->connections);
    free(floor->batch);
}
