/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/socket.h"

#define FIELD(member) offsetof(struct endpoint_config, member)

/* clang-format off */
const struct option_spec endpoint_options[] = {
    {.name = "host", .letters = "Hh", .group = OPTION_BASIC, .read = option_read_text,
     .offset = FIELD(host), .initial = "127.0.0.1", .value = "NAME",
     .help = "server host: a name, an IPv4 or an IPv6 address"},
    {.name = "port", .letters = "p", .group = OPTION_BASIC, .read = option_read_count,
     .offset = FIELD(port), .initial = "6379", .value = "PORT", .min = 1, .max = 65535,
     .help = "server port"},
    {.name = "connection-timeout", .group = OPTION_TIMEOUTS, .read = option_read_millis,
     .offset = FIELD(connect_timeout_ns), .initial = "2000", .value = "MS",
     .max = UINT64_C(86400000) * CLOCK_NS_PER_MS,
     .help = "how long a connection may take to open; 0: no limit"},
    {0},
};
/* clang-format on */

int endpoint_resolve(struct endpoint *endpoint, const struct endpoint_config *config,
                     struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];

    snprintf(port, sizeof port, "%u", (unsigned)config->port);
    const int rc = getaddrinfo(config->host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, "Could not find the host \"%s\": %s. Check --host.", config->host,
                rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return -EHOSTUNREACH;
    }
    endpoint->count = 0;
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        if (endpoint->count == ENDPOINT_ADDRESSES_MAX)
            break;
        struct endpoint_address *address = &endpoint->addresses[endpoint->count++];
        memcpy(&address->socket, at->ai_addr, at->ai_addrlen);
        address->len = at->ai_addrlen;
    }
    freeaddrinfo(found);
    snprintf(endpoint->name, sizeof endpoint->name, strchr(config->host, ':') ? "[%s]:%s" : "%s:%s",
             config->host, port);
    return 0;
}

/* Returns 0 or the errno of one attempt. */
static int wait_for_connect(int fd, uint64_t timeout_ns)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / CLOCK_NS_PER_S),
                                     .tv_nsec = (long)(timeout_ns % CLOCK_NS_PER_S)};
    int ready;

    do
        ready = ppoll(&wanted, 1, timeout_ns ? &timeout : NULL, NULL);
    while (ready < 0 && errno == EINTR);

    if (ready == 0)
        return ETIMEDOUT;
    return ready < 0 ? errno : socket_failure(fd);
}

static int try_address(const struct endpoint_address *address, uint64_t timeout_ns)
{
    const int fd = socket_open(address->socket.ss_family, SOCKET_NON_BLOCKING);
    int failure = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address->socket, address->len) < 0)
        failure = errno == EINPROGRESS ? wait_for_connect(fd, timeout_ns) : errno;
    else
        failure = socket_failure(fd);
    close(fd);
    return failure;
}

int endpoint_probe(struct endpoint *endpoint, uint64_t timeout_ns, struct err *err)
{
    int failure = 0;

    for (unsigned i = 0; i < endpoint->count; i++) {
        const int rc = try_address(&endpoint->addresses[i], timeout_ns);
        if (rc == 0) {
            const struct endpoint_address answered = endpoint->addresses[i];
            endpoint->addresses[i] = endpoint->addresses[0];
            endpoint->addresses[0] = answered;
            return 0;
        }
        if (!failure)
            failure = rc;
    }
    err_set(err, "Could not connect to Valkey at %s: %s. %s", endpoint->name, strerror(failure),
            failure == ECONNREFUSED ? "Start a server, or let --local-server start one."
                                    : "Check --host and --port, or allow more time by "
                                      "--connection-timeout.");
    return -failure;
}
