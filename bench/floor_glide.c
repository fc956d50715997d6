/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bare loop on valkey-GLIDE's library: one thread hands over the same SET again and again, the
 * callbacks leave what came back in its inbox. It renders nothing, reads no clock and keeps no
 * histogram, so it is what a driver of that library can cost at best.
 *
 * Usage: LIBRARY PORT REQUESTS CLIENTS SLOTS VALUE_BYTES; prints requests a second. SLOTS are in
 * flight, shared evenly by CLIENTS.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/glide_inbox.h"
#include "client/glide_library.h"
#include "client/glide_request.h"

struct slot {
    struct glide_note note; /* first */
    struct glide_inbox *inbox;
    const void *client;
};

struct floor {
    struct glide_library library;
    struct glide_inbox inbox;
    long requests, sent, done;
    char *value; /* owned */
    unsigned long value_bytes;
};

static void fail(const char *text)
{
    fprintf(stderr, "floor_glide: %s\n", text);
    exit(1);
}

static void succeeded(uintptr_t id, const struct glide_reply *reply)
{
    struct slot *slot = (struct slot *)id;

    (void)reply; /* of SET: on the stack */
    glide_inbox_put(slot->inbox, &slot->note);
}

static void failed(uintptr_t id, const char *message, int32_t type)
{
    (void)id;
    (void)type;
    fail(message);
}

static const void *make_client(struct floor *floor, uint64_t port, uint64_t slots)
{
    static const struct tls_config no_tls;
    const struct endpoint_config config = {.host = "127.0.0.1", .port = port};
    const struct glide_client_type type = {.async = {succeeded, failed, true}};
    struct endpoint endpoint;
    struct err err;
    char *request;
    size_t len;

    if (endpoint_resolve(&endpoint, &config, &err) < 0)
        fail(err.text);
    const struct glide_wishes wishes = {.endpoint = &endpoint,
                                        .tls = &no_tls,
                                        .request_timeout_ns = 5 * (uint64_t)CLOCK_NS_PER_S,
                                        .connect_timeout_ns = 2 * (uint64_t)CLOCK_NS_PER_S,
                                        .slots = slots};
    if (glide_request_write(&wishes, &request, &len, &err) < 0)
        fail(err.text);
    const struct glide_connection *connection =
        floor->library.create_client((const uint8_t *)request, len, &type, NULL, NULL, 0);
    const void *client = connection->client;
    if (!client)
        fail(connection->error);
    floor->library.free_connection(connection);
    free(request);
    return client;
}

static void send_next(struct floor *floor, const struct slot *slot)
{
    const uintptr_t arguments[] = {(uintptr_t) "SET", (uintptr_t) "key:__rand_int__",
                                   (uintptr_t)floor->value};
    const unsigned long lens[] = {3, 16, floor->value_bytes};

    if (floor->sent == floor->requests)
        return;
    floor->sent++;
    floor->library.command(slot->client, (uintptr_t)slot, GLIDE_CUSTOM_COMMAND, 3, arguments, lens,
                           NULL, 0, 0);
}

static void run(struct floor *floor, struct slot *slots, long count)
{
    struct pollfd wake = {.fd = floor->inbox.wake_fd, .events = POLLIN};
    struct glide_note *next;
    uint64_t wakes;

    for (long i = 0; i < count; i++)
        send_next(floor, &slots[i]);
    while (floor->done < floor->requests) {
        if (glide_inbox_arm(&floor->inbox) && poll(&wake, 1, -1) > 0 &&
            read(wake.fd, &wakes, sizeof wakes) < 0)
            continue;
        for (struct glide_note *note = glide_inbox_take(&floor->inbox); note; note = next) {
            next = note->next;
            floor->done++;
            send_next(floor, (struct slot *)note);
        }
    }
}

int main(int argc, char **argv)
{
    struct floor floor = {.inbox.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct err err;

    if (argc != 7)
        fail("usage: LIBRARY PORT REQUESTS CLIENTS SLOTS VALUE_BYTES");
    const long clients = atol(argv[4]), count = atol(argv[5]);
    signal(SIGPIPE, SIG_IGN);
    if (glide_library_load(&floor.library, argv[1], GLIDE_LOG_OFF, &err) < 0)
        fail(err.text);
    floor.requests = atol(argv[3]);
    floor.value_bytes = (unsigned long)atol(argv[6]);
    floor.value = mem_zalloc(floor.value_bytes + 1, 1);
    memset(floor.value, 'x', floor.value_bytes);
    struct slot *slots = mem_zalloc((size_t)count, sizeof *slots);
    for (long i = 0; i < count; i++)
        slots[i] =
            (struct slot){.inbox = &floor.inbox,
                          .client = i < clients ? make_client(&floor, (uint64_t)atol(argv[2]),
                                                              (uint64_t)(count / clients))
                                                : slots[i % clients].client};
    const uint64_t start_ns = clock_now_ns();
    run(&floor, slots, count);
    printf("%.2f requests per second\n",
           (double)floor.done * CLOCK_NS_PER_S / (double)(clock_now_ns() - start_ns));
    for (long i = 0; i < clients; i++)
        floor.library.close_client(slots[i].client);
    free(slots);
    free(floor.value);
    return 0;
}
