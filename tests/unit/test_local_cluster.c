/* SPDX-License-Identifier: BSD-3-Clause */
/* How a cluster that cannot be formed is told of; one that can is for the end to end tests. */
#include "run/local_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, LOCAL_CLUSTER_NODES), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Answers each command on one connection with the next of the replies, a byte at a time; where
 * there is none it closes. */
_Noreturn static void answer(int listener, const char *const *replies)
{
    char bytes[256];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = accept(listener, NULL, NULL);
    while (recv(fd, bytes, sizeof bytes, 0) > 0 && *replies) {
        for (const char *reply = *replies++; *reply; reply++)
            if (send(fd, reply, 1, MSG_NOSIGNAL) != 1)
                _exit(1);
    }
    _exit(0);
}

#define MY_ID "$40\r\n0123456789012345678901234567890123456789\r\n"

struct attempt {
    int code;
    struct err err;
};

/* All nodes are the same program. */
static struct attempt form(const char *const *replies, int stop_fd)
{
    struct attempt attempt = {0, {""}};
    uint16_t ports[LOCAL_CLUSTER_NODES];
    uint16_t port;
    const int listener = listen_on(&port);
    const pid_t child = fork();

    if (child == 0)
        answer(listener, replies);
    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES; i++)
        ports[i] = port;
    attempt.code = local_cluster_form(ports, stop_fd, &attempt.err);
    close(listener);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return attempt;
}

static void test_nodes_that_refuse(void **state)
{
    static const struct {
        const char *replies[3];
        int code;
        const char *sentence;
    } cases[] = {
        {{"-ERR This instance has cluster support disabled\r\n"},
         -EPROTO,
         "answered CLUSTER MYID by: ERR This instance has cluster support disabled."},
        {{"HTTP/1.1 400 Bad Request\r\n\r\n"}, -EPROTO, "what is not RESP"},
        {{NULL}, -ECONNRESET, "has gone"},
        {{MY_ID, "-NO not now\r\n"},
         -EPROTO,
         "answered CLUSTER SET-CONFIG-EPOCH 1 by: NO not now."},
        {{MY_ID, "+OK\r\n"}, -ECONNRESET, "has gone"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct attempt attempt = form(cases[i].replies, -1);
        assert_int_equal(attempt.code, cases[i].code);
        if (!strstr(attempt.err.text, cases[i].sentence))
            fail_msg("\"%s\" does not contain \"%s\"", attempt.err.text, cases[i].sentence);
    }
}

static void test_node_that_is_not_there(void **state)
{
    uint16_t ports[LOCAL_CLUSTER_NODES];
    struct err err = {""};

    (void)state;
    close(listen_on(&ports[0]));
    assert_int_equal(local_cluster_form(ports, -1, &err), -ECONNRESET);
    assert_non_null(strstr(err.text, "has gone"));
}

static void test_is_given_up(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    const struct attempt attempt = form((const char *const[]){"$40\r\n0123", NULL}, ends[0]);
    assert_int_equal(attempt.code, -EINTR);
    assert_non_null(strstr(attempt.err.text, "Stopped"));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_that_refuse),
        cmocka_unit_test(test_node_that_is_not_there),
        cmocka_unit_test(test_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
