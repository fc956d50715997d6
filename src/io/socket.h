/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * socket: a stream socket that connects without waiting, and how that went.
 */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

/* io_uring waits by itself, but for sockets that are said to be non-blocking. */
enum socket_kind { SOCKET_BLOCKING, SOCKET_NON_BLOCKING };

/* A stream socket, for TCP without Nagle's delay; -1 with errno set. */
int socket_open(int family, enum socket_kind kind);

/*
 * 0 if the socket is connected, else the errno of its failure. A dial to a closed port of this
 * machine may meet itself: given that very port to dial from, TCP connects both ends of one socket
 * (a simultaneous open). That is no server: ECONNREFUSED.
 */
int socket_failure(int fd);

#endif
