/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe blocks, so what it meets is a thread that takes one connection after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/probe.h"
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/un.h>

static const char ping[] = "*1\r\n$4\r\nPING\r\n";

struct answerer {
    pthread_t thread;
    int listener;
    struct sockaddr_in address;
    const char *answer; /* to the first bytes; NULL: ends the stream; "": silence */
    char heard[200];
};

static void *serve(void *context)
{
    struct answerer *answerer = context;
    const int fd = accept4(answerer->listener, NULL, NULL, SOCK_CLOEXEC);
    char rest[200];

    if (fd < 0)
        return NULL;
    const ssize_t got = recv(fd, answerer->heard, sizeof answerer->heard - 1, 0);
    answerer->heard[got > 0 ? got : 0] = '\0';
    if (!answerer->answer)
        shutdown(fd, SHUT_WR);
    else if (send(fd, answerer->answer, strlen(answerer->answer), MSG_NOSIGNAL) < 0)
        answerer->heard[0] = '\0';
    while (recv(fd, rest, sizeof rest, 0) > 0)
        continue;
    close(fd);
    return NULL;
}

static void start(struct answerer *answerer, const char *answer)
{
    *answerer = (struct answerer){.answer = answer};
    answerer->listener = peer_listen(&answerer->address);
    assert_int_equal(pthread_create(&answerer->thread, NULL, serve, answerer), 0);
}

static void stop(struct answerer *answerer)
{
    assert_int_equal(pthread_join(answerer->thread, NULL), 0);
    close(answerer->listener);
}

static void resolve(struct endpoint *endpoint, const struct sockaddr_in *address)
{
    const struct endpoint_config config = {.host = "127.0.0.1", .port = ntohs(address->sin_port)};
    struct err err;

    assert_int_equal(endpoint_resolve(endpoint, &config, &err), 0);
}

struct probe_case {
    const char *answer;
    int want;
    const char *words; /* in the sentence */
};

static void check(const struct probe_case *c, const struct session_config *config,
                  const char *heard)
{
    struct session_opening opening;
    struct answerer answerer;
    struct endpoint endpoint;
    struct err err = {""};

    start(&answerer, c->answer);
    resolve(&endpoint, &answerer.address);
    session_opening_init(&opening, config);
    const int rc = probe_server(&endpoint, &opening, NULL, 300 * CLOCK_NS_PER_MS, &err);
    stop(&answerer);
    if (rc != c->want)
        fail_msg("%s: %d, %s", c->answer, rc, err.text);
    if (c->words)
        assert_non_null(strstr(err.text, c->words));
    assert_string_equal(answerer.heard, heard);
    session_opening_deinit(&opening);
}

/* Without anything to agree on. */
static void test_ping(void **state)
{
    static const struct session_config config = {.db = 0};
    static const struct probe_case cases[] = {
        {"+PONG\r\n", 0, NULL},
        {"-NOAUTH Authentication required.\r\n", -EACCES, "wants a password"},
        {"-LOADING wait\r\n", 0, NULL},
        {"-NOPERM no\r\n", 0, NULL},
        {"-DENIED Valkey is in protected mode. In this mode\r\n", -EACCES,
         "in protected mode: give it a password, or run there: DENIED Valkey is in protected "
         "mode."},
        {"-ERR max number of clients reached\r\n", -EACCES, "raise its maxclients"},
        {"HTTP/1.1 400\r\n", -EPROTO, "not RESP"},
        {"", 0, NULL},
        {NULL, -ECONNABORTED, "closed the connection. If that port speaks TLS, use --tls."},
        {"\x15\x03\x01", -EPROTO, "speaks TLS: use --tls."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i], &config, ping);
}

static void test_opening(void **state)
{
    static const struct session_config config = {
        .password = "pw", .password_from = "--pass", .db = 3};
    static const char heard[] = "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n";
    static const struct probe_case cases[] = {
        {"+OK\r\n+OK\r\n", 0, NULL},
        {"-WRONGPASS no\r\n-NOAUTH no\r\n", -EACCES, "password of --pass: WRONGPASS no."},
        {"-DENIED Valkey is running in protected mode\r\n", -EACCES, "in protected mode: give it"},
        {"-ERR max number of clients reached\r\n", -EACCES, "raise its maxclients"},
        {"+OK\r\n-ERR DB index is out of range\r\n", -EACCES, "database 3: ERR DB index"},
        {"-LOADING wait\r\n", 0, NULL},
        {"+OK\r\nHTTP/1.1 400\r\n", -EPROTO, "not RESP"},
        {"+OK\r\n", -ETIMEDOUT, "Could not connect to Valkey"},
        {NULL, -ECONNABORTED, "Could not connect to Valkey"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i], &config, heard);
}

static void test_nobody_there(void **state)
{
    struct sockaddr_in address;
    struct endpoint endpoint;
    struct err err;
    char want[200];

    (void)state;
    close(peer_listen(&address));
    resolve(&endpoint, &address);
    assert_int_equal(probe_server(&endpoint, NULL, NULL, CLOCK_NS_PER_S, &err), -ECONNREFUSED);
    snprintf(want, sizeof want,
             "Could not connect to Valkey at 127.0.0.1:%d: Connection refused. Start a server, or "
             "let --local-server start one.",
             ntohs(address.sin_port));
    assert_string_equal(err.text, want);

    const struct endpoint_config config = {.socket = "/nowhere/valkey.sock"};
    assert_int_equal(endpoint_resolve(&endpoint, &config, &err), 0);
    assert_int_equal(probe_server(&endpoint, NULL, NULL, CLOCK_NS_PER_S, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/valkey.sock"));
}

/* Addresses are tried in turn, and the one that answered is the first from then on. */
static void test_moves_on(void **state)
{
    struct sockaddr_in closed_address;
    struct answerer answerer;
    struct endpoint endpoint, closed;
    struct err err;

    (void)state;
    close(peer_listen(&closed_address));
    start(&answerer, "+PONG\r\n");
    resolve(&endpoint, &answerer.address);
    resolve(&closed, &closed_address);
    endpoint.addresses[1] = endpoint.addresses[0];
    endpoint.addresses[0] = closed.addresses[0];
    endpoint.count = 2;
    assert_int_equal(probe_server(&endpoint, NULL, NULL, CLOCK_NS_PER_S, &err), 0);
    stop(&answerer);
    assert_memory_equal(&endpoint.addresses[0].socket, &answerer.address, sizeof answerer.address);
    assert_memory_equal(&endpoint.addresses[1].socket, &closed_address, sizeof closed_address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_moves_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
