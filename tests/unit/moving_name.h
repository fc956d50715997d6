/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moving_name: a host whose address a test changes. It takes the place of the C library's resolver,
 * which still does all others. For one file of a program.
 */
#ifndef TESTS_MOVING_NAME_H
#define TESTS_MOVING_NAME_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

#define MOVING_NAME "moving.test"

static _Atomic(const char *) moving_address;
static _Atomic unsigned moving_asked; /* how often */

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(host, MOVING_NAME) != 0)
        return next(host, port, hints, found);
    const int rc = next(atomic_load(&moving_address), port, hints, found);
    atomic_fetch_add(&moving_asked, 1);
    return rc;
}

#endif
