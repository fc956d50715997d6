/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

int socket_open(int family, enum socket_kind kind)
{
    const int flags = kind == SOCKET_NON_BLOCKING ? SOCK_NONBLOCK | SOCK_CLOEXEC : SOCK_CLOEXEC;
    const int fd = socket(family, SOCK_STREAM | flags, 0);
    const int on = 1;

    if (fd >= 0 && family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static bool meets_itself(int fd)
{
    struct sockaddr_storage here = {0}, there = {0};
    socklen_t here_len = sizeof here, there_len = sizeof there;

    return getsockname(fd, (struct sockaddr *)&here, &here_len) == 0 &&
           getpeername(fd, (struct sockaddr *)&there, &there_len) == 0 &&
           here.ss_family != AF_UNIX && here_len == there_len &&
           memcmp(&here, &there, here_len) == 0;
}

int socket_failure(int fd)
{
    int failure = 0;
    socklen_t len = sizeof failure;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
        return errno;
    return failure == 0 && meets_itself(fd) ? ECONNREFUSED : failure;
}
