/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"

#define FIELD(member) offsetof(struct endpoint_config, member)

/* clang-format off */
const struct option_spec endpoint_options[] = {
    {.name = "host", .letters = "Hh", .group = OPTION_BASIC, .read = option_read_text,
     .offset = FIELD(host), .initial = "127.0.0.1", .value = "NAME",
     .help = "server host: a name, an IPv4 or an IPv6 address"},
    {.name = "port", .letters = "p", .group = OPTION_BASIC, .read = option_read_count,
     .offset = FIELD(port), .initial = "6379", .value = "PORT", .min = 1, .max = 65535,
     .help = "server port"},
    {.name = "socket", .letters = "s", .group = OPTION_BASIC, .read = option_read_text,
     .offset = FIELD(socket), .value = "PATH", .help = "a Unix socket, instead of host and port"},
    {.name = "connection-timeout", .group = OPTION_TIMEOUTS, .read = option_read_millis,
     .offset = FIELD(connect_timeout_ns), .initial = "2000", .value = "MS",
     .max = UINT64_C(86400000) * CLOCK_NS_PER_MS,
     .help = "how long a connection may take to open; 0: no limit"},
    {0},
};
/* clang-format on */

static int take_socket(struct endpoint *endpoint, const struct endpoint_config *config,
                       struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(config->socket);

    if (len == 0 || len >= sizeof address.sun_path)
        return err_set(err, "%s: the path of a Unix socket has 1 to %zu bytes.",
                       config->from ? config->from : "--socket", sizeof address.sun_path - 1);
    memcpy(address.sun_path, config->socket, len);
    memcpy(&endpoint->addresses[0].socket, &address, sizeof address);
    endpoint->addresses[0].len = sizeof address;
    endpoint->count = 1;
    snprintf(endpoint->name, sizeof endpoint->name, "%s", config->socket);
    return 0;
}

int endpoint_resolve(struct endpoint *endpoint, const struct endpoint_config *config,
                     struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];

    endpoint->host = config->host;
    if (config->socket)
        return take_socket(endpoint, config, err);
    snprintf(port, sizeof port, "%u", (unsigned)config->port);
    const int rc = getaddrinfo(config->host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, "Could not find the host \"%s\": %s. Check %s.", config->host,
                rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc),
                config->from ? config->from : "--host");
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
