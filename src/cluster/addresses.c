/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define AGAIN_NS ((uint64_t)CLOCK_NS_PER_S)

struct entry {
    char *host; /* owned */
    uint16_t port;
    bool wanted; /* to be resolved */
    bool found;
    int failure;       /* of the last attempt, with `err`; 0: none so far */
    uint64_t tried_ns; /* when the last attempt ended */
    struct err err;
    struct endpoint endpoint;
    struct entry *next;
};

/* Whoever is the last to go, owner or resolver, releases it. */
struct addresses {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t news;
    struct entry *first; /* owned; none is ever removed */
    bool resolving;      /* there is the thread */
    bool abandoned;      /* by the owner */
};

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int resolve(const char *host, uint16_t port, struct endpoint *endpoint, struct err *err)
{
    const struct endpoint_config config = {.host = host, .port = port};

    return endpoint_resolve(endpoint, &config, err);
}

struct addresses *addresses_create(void)
{
    struct addresses *addresses = mem_zalloc(1, sizeof *addresses);

    pthread_mutex_init(&addresses->lock, NULL);
    pthread_cond_init(&addresses->news, NULL);
    return addresses;
}

static void release(struct addresses *addresses)
{
    for (struct entry *entry = addresses->first; entry;) {
        struct entry *next = entry->next;

        free(entry->host);
        free(entry);
        entry = next;
    }
    pthread_cond_destroy(&addresses->news);
    pthread_mutex_destroy(&addresses->lock);
    free(addresses);
}

void addresses_destroy(struct addresses **slot)
{
    struct addresses *addresses = *slot;

    if (!addresses)
        return;
    pthread_mutex_lock(&addresses->lock);
    const bool last = !addresses->resolving;
    addresses->abandoned = true;
    pthread_cond_signal(&addresses->news);
    pthread_mutex_unlock(&addresses->lock);
    if (last)
        release(addresses);
    *slot = NULL;
}

static struct entry *find(const struct addresses *addresses, const char *host, uint16_t port)
{
    for (struct entry *entry = addresses->first; entry; entry = entry->next)
        if (entry->port == port && strcmp(entry->host, host) == 0)
            return entry;
    return NULL;
}

static struct entry *find_or_add(struct addresses *addresses, const char *host, uint16_t port)
{
    struct entry *entry = find(addresses, host, port);

    if (entry)
        return entry;
    entry = mem_zalloc(1, sizeof *entry);
    entry->host = mem_copy_text(host);
    entry->port = port;
    entry->next = addresses->first;
    addresses->first = entry;
    return entry;
}

static void note(struct entry *entry, const struct endpoint *endpoint, int rc,
                 const struct err *err)
{
    entry->wanted = false;
    entry->failure = rc;
    entry->tried_ns = clock_now_ns();
    if (rc == 0) {
        entry->found = true;
        entry->endpoint = *endpoint;
    } else {
        entry->err = *err;
    }
}

int addresses_resolve(struct addresses *addresses, const char *host, uint16_t port, struct err *err)
{
    struct endpoint endpoint;

    if (is_numeric(host))
        return 0;
    const int rc = resolve(host, port, &endpoint, err);
    pthread_mutex_lock(&addresses->lock);
    note(find_or_add(addresses, host, port), &endpoint, rc, err);
    pthread_mutex_unlock(&addresses->lock);
    return rc;
}

static struct entry *next_wanted(const struct addresses *addresses)
{
    for (struct entry *entry = addresses->first; entry; entry = entry->next)
        if (entry->wanted)
            return entry;
    return NULL;
}

/* Entries stay where they are, and their names what they are: those need no lock. */
static void *resolve_names(void *argument)
{
    struct addresses *addresses = argument;

    pthread_mutex_lock(&addresses->lock);
    while (!addresses->abandoned) {
        struct entry *entry = next_wanted(addresses);
        struct endpoint endpoint;
        struct err err;

        if (!entry) {
            pthread_cond_wait(&addresses->news, &addresses->lock);
            continue;
        }
        pthread_mutex_unlock(&addresses->lock);
        const int rc = resolve(entry->host, entry->port, &endpoint, &err);
        pthread_mutex_lock(&addresses->lock);
        note(entry, &endpoint, rc, &err);
    }
    pthread_mutex_unlock(&addresses->lock);
    release(addresses);
    return NULL;
}

/* Signals are for the main thread. Returns 0 or a positive errno. */
static int start_thread(struct addresses *addresses)
{
    sigset_t all, before;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failure = pthread_create(&thread, NULL, resolve_names, addresses);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return failure;
    pthread_detach(thread);
    addresses->resolving = true;
    return 0;
}

static bool was_tried_just_now(const struct entry *entry)
{
    return entry->tried_ns && clock_now_ns() - entry->tried_ns < AGAIN_NS;
}

static int want(struct addresses *addresses, struct entry *entry, struct err *err)
{
    if (entry->failure && was_tried_just_now(entry)) {
        *err = entry->err;
        return entry->failure;
    }
    if (!addresses->resolving) {
        errno = start_thread(addresses);
        if (errno)
            return err_sys(err, "Could not start a thread to find the host \"%s\"", entry->host);
    }
    entry->wanted = true;
    pthread_cond_signal(&addresses->news);
    return -EAGAIN;
}

int addresses_find(struct addresses *addresses, const char *host, uint16_t port,
                   struct endpoint *endpoint, struct err *err)
{
    int rc = 0;

    if (is_numeric(host))
        return resolve(host, port, endpoint, err);
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find_or_add(addresses, host, port);
    if (entry->found)
        *endpoint = entry->endpoint;
    else
        rc = want(addresses, entry, err);
    pthread_mutex_unlock(&addresses->lock);
    return rc;
}

/* Without a thread what was found before must do. */
void addresses_renew(struct addresses *addresses, const char *host, uint16_t port)
{
    struct err err;

    if (is_numeric(host))
        return;
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find(addresses, host, port);
    if (entry && entry->found && !was_tried_just_now(entry))
        want(addresses, entry, &err);
    pthread_mutex_unlock(&addresses->lock);
}
