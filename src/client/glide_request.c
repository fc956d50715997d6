/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_request.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum { VARINT_MAX = 10 };

/* Fields of ConnectionRequest, and values of its enums. */
enum {
    ADDRESSES = 1,
    TLS_MODE = 2, /* 0: none, 1: verified, 2: not verified */
    CLUSTER_MODE_ENABLED = 3,
    REQUEST_TIMEOUT = 4, /* ms; absent: 250 */
    READ_FROM = 5,       /* absent: primaries; 1: replicas in turn, if there are any */
    CONNECTION_RETRY_STRATEGY = 6,
    AUTHENTICATION_INFO = 7,
    DATABASE_ID = 8,
    PROTOCOL = 9,                 /* 0: RESP3, 1: RESP2 */
    INFLIGHT_REQUESTS_LIMIT = 14, /* absent: 1000 */
    CONNECTION_TIMEOUT = 16,      /* ms; absent: 2000 */
    LIB_NAME = 19,
    ROOT_CERTS = 20,
    CLIENT_CERT = 22,
    CLIENT_KEY = 23,
    TLS_VERIFIED = 1,
    TLS_INSECURE = 2,
    PREFER_REPLICA = 1,
    RESP2 = 1,
    /* Of an address, of the retry strategy, of the login. */
    HOST = 1,
    PORT = 2,
    UNIX_PATH = 3,
    RETRIES = 1,
    FACTOR_MS = 2,
    BASE = 3,
    PASSWORD = 1,
    USER = 2,
};

/* A message that grows. */
struct message {
    char *bytes; /* owned */
    size_t len;
};

static void put_varint(struct message *message, uint64_t value)
{
    message->bytes = mem_resize(message->bytes, message->len + VARINT_MAX, 1);
    for (; value > 0x7f; value >>= 7)
        message->bytes[message->len++] = (char)(value | 0x80);
    message->bytes[message->len++] = (char)value;
}

static void put_number(struct message *message, unsigned field, uint64_t value)
{
    put_varint(message, field << 3);
    put_varint(message, value);
}

static void put_bytes(struct message *message, unsigned field, struct str bytes)
{
    put_varint(message, field << 3 | 2);
    put_varint(message, bytes.len);
    message->bytes = mem_resize(message->bytes, message->len + bytes.len + 1, 1);
    memcpy(message->bytes + message->len, bytes.ptr, bytes.len);
    message->len += bytes.len;
}

/* Puts `part` into `message` and forgets it. */
static void put_message(struct message *message, unsigned field, struct message *part)
{
    put_bytes(message, field, (struct str){part->bytes, part->len});
    free(part->bytes);
}

/* The server as the user named it: the library resolves the name, and verifies it in certificates.
 */
static void put_address(struct message *message, const struct endpoint *endpoint)
{
    const struct sockaddr_storage *socket = &endpoint->addresses[0].socket;
    struct message address = {0};
    struct sockaddr_un local;
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memcpy(&local, socket, sizeof local);
    memcpy(&six, socket, sizeof six);
    memcpy(&four, socket, sizeof four);
    if (socket->ss_family == AF_UNIX) {
        put_bytes(&address, UNIX_PATH, str_of(local.sun_path));
    } else {
        put_bytes(&address, HOST, str_of(endpoint->host));
        put_number(&address, PORT,
                   ntohs(socket->ss_family == AF_INET6 ? six.sin6_port : four.sin_port));
    }
    put_message(message, ADDRESSES, &address);
}

static void put_session(struct message *message, const struct session_config *session)
{
    struct message login = {0};

    if (session && session->password) {
        put_bytes(&login, PASSWORD, str_of(session->password));
        if (session->user)
            put_bytes(&login, USER, str_of(session->user));
        put_message(message, AUTHENTICATION_INFO, &login);
    }
    if (session && session->db)
        put_number(message, DATABASE_ID, session->db);
    if (!session || !session->resp3)
        put_number(message, PROTOCOL, RESP2);
}

static int put_file(struct message *message, unsigned field, const char *option, const char *path,
                    struct err *err)
{
    char *bytes = NULL;
    size_t len = 0, room = 0, got;

    if (!path)
        return 0;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return err_sys(err, "%s: could not open %s", option, path);
    do {
        room += BUFSIZ;
        bytes = mem_resize(bytes, room, 1);
        got = fread(bytes + len, 1, room - len, file);
        len += got;
    } while (got > 0);
    const int rc = ferror(file) ? err_sys(err, "%s: could not read %s", option, path) : 0;
    fclose(file);
    if (rc == 0)
        put_bytes(message, field, (struct str){bytes, len});
    free(bytes);
    return rc;
}

static int put_tls(struct message *message, const struct tls_config *tls, struct err *err)
{
    if (!tls->on)
        return 0;
    put_number(message, TLS_MODE, tls->insecure ? TLS_INSECURE : TLS_VERIFIED);
    int rc = put_file(message, ROOT_CERTS, "--cacert", tls->insecure ? NULL : tls->cacert, err);
    if (rc == 0)
        rc = put_file(message, CLIENT_CERT, "--cert", tls->cert, err);
    if (rc == 0)
        rc = put_file(message, CLIENT_KEY, "--key", tls->key, err);
    return rc;
}

/* Without a strategy a client tries until its time is over, and does not say why it failed. */
static void put_retries(struct message *message)
{
    struct message strategy = {0};

    put_number(&strategy, RETRIES, 1);
    put_number(&strategy, FACTOR_MS, 100);
    put_number(&strategy, BASE, 2);
    put_message(message, CONNECTION_RETRY_STRATEGY, &strategy);
}

/* Far from the limit: near it, requests of a cluster fail whose place is not yet free again. */
static uint64_t inflight_limit(uint64_t slots)
{
    const uint64_t least = 1000;

    return 10 * slots > least ? 10 * slots : least;
}

int glide_request_write(const struct glide_wishes *wishes, char **bytes, size_t *len,
                        struct err *err)
{
    struct message message = {0};

    put_address(&message, wishes->endpoint);
    if (wishes->cluster)
        put_number(&message, CLUSTER_MODE_ENABLED, 1);
    put_number(&message, REQUEST_TIMEOUT, wishes->request_timeout_ns / CLOCK_NS_PER_MS);
    if (wishes->read_from_replica)
        put_number(&message, READ_FROM, PREFER_REPLICA);
    put_retries(&message);
    put_session(&message, wishes->session);
    put_number(&message, INFLIGHT_REQUESTS_LIMIT, inflight_limit(wishes->slots));
    put_number(&message, CONNECTION_TIMEOUT, wishes->connect_timeout_ns / CLOCK_NS_PER_MS);
    put_bytes(&message, LIB_NAME, STR("valkey-polyglot"));
    const int rc = put_tls(&message, wishes->tls, err);
    if (rc < 0) {
        free(message.bytes);
        return rc;
    }
    *bytes = message.bytes;
    *len = message.len;
    return 0;
}
