/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/local_program.h"
#include "run/supervisor.h"

enum { START_S = 10, RETRY_MS = 5, PORT_ATTEMPTS = 5 };

struct local_server {
    struct supervisor supervisor;
    uint16_t port;
    unsigned clients; /* connections that it is to take */
};

/* Connections beside the run's: ours, and those of people who look on. */
enum { OTHER_CLIENTS = 100 };

static struct sockaddr_in make_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int bind_port(int fd, uint16_t *port)
{
    struct sockaddr_in address = make_address(*port);
    socklen_t size = sizeof address;

    /* As the server does: connections of a server before this one do not take the port. */
    if (*port != 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    *port = ntohs(address.sin_port);
    return 0;
}

/* Puts a free port in place of 0. Returns -EADDRINUSE for one that is taken. */
static int probe_port(uint16_t *port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    const int rc = bind_port(fd, port);
    close(fd);
    return rc;
}

/* Waits for `fd` (-1: for nothing). False at the deadline, or if the program has ended. */
static bool await(const struct local_server *server, int fd, short events, uint64_t until_ns)
{
    struct pollfd fds[] = {{server->supervisor.line, POLLIN, 0}, {fd, events, 0}};

    for (;;) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= until_ns)
            return false;
        const int wait_ms = (int)((until_ns - now_ns) / CLOCK_NS_PER_MS) + 1;
        if (poll(fds, 2, wait_ms) > 0)
            return fds[0].revents == 0;
    }
}

/*
 * Asks for the directory along with the PING: whoever else has taken the port in the meantime would
 * answer the latter, and must not be taken for a server that may be filled with keys.
 */
static bool ask(const struct local_server *server, int fd, uint64_t until_ns)
{
    static const char question[] = "PING\r\nCONFIG GET dir\r\n";
    const char *name = strrchr(server->supervisor.directory, '/') + 1;
    char reply[4096];
    size_t used = 0;

    if (!await(server, fd, POLLOUT, until_ns) ||
        send(fd, question, sizeof question - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (used < sizeof reply - 1 && await(server, fd, POLLIN, until_ns)) {
        const ssize_t n = recv(fd, reply + used, sizeof reply - 1 - used, 0);
        if (n <= 0)
            return false;
        used += (size_t)n;
        reply[used] = '\0';
        if (strncmp(reply, "+PONG\r\n", 7) == 0 && strstr(reply, name))
            return true;
    }
    return false;
}

static bool is_answering(const struct local_server *server, uint64_t until_ns)
{
    const struct sockaddr_in address = make_address(server->port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    const bool answers = (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ||
                          errno == EINPROGRESS) &&
                         ask(server, fd, until_ns);
    close(fd);
    return answers;
}

/* The last line of the log that is not blank, cut if it is long; or nothing. */
static void read_last_line(const struct supervisor *supervisor, char *line, size_t size)
{
    char path[4096];
    char text[4096];

    line[0] = '\0';
    snprintf(path, sizeof path, "%s/%s", supervisor->directory, SUPERVISOR_LOG);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    lseek(fd, -(off_t)sizeof text, SEEK_END); /* fails, and stays at 0, if it is shorter */
    const ssize_t used = read(fd, text, sizeof text);
    close(fd);
    size_t end = used > 0 ? (size_t)used : 0;
    while (end > 0 && isspace((unsigned char)text[end - 1]))
        end--;
    const char *newline = memrchr(text, '\n', end);
    const size_t begin = newline ? (size_t)(newline - text) + 1 : 0;
    const size_t len = end - begin < size ? end - begin : size - 1;
    memcpy(line, text + begin, len);
    line[len] = '\0';
}

static int describe_end(const struct local_server *server, const char *name, int status,
                        struct err *err)
{
    char how[64] = "was lost";
    char line[300];

    if (status != -1 && WIFEXITED(status))
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    else if (status != -1)
        snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
    read_last_line(&server->supervisor, line, sizeof line);
    err_set(err, "The local server (%s) %s before it answered%s%s%s.", name, how,
            line[0] ? "; the last that it wrote is \"" : " and wrote nothing", line,
            line[0] ? "\"" : "");
    return -ECHILD;
}

static int await_answer(const struct local_server *server, const char *name, struct err *err)
{
    const uint64_t end_ns = clock_now_ns() + (uint64_t)START_S * CLOCK_NS_PER_S;
    int status;

    while (clock_now_ns() < end_ns) {
        if (supervisor_has_ended(&server->supervisor, &status))
            return describe_end(server, name, status, err);
        if (is_answering(server, end_ns))
            return 0;
        await(server, -1, 0, clock_now_ns() + (uint64_t)RETRY_MS * CLOCK_NS_PER_MS);
    }
    err_set(err, "The local server (%s) did not answer on port %u within %d seconds.", name,
            server->port, START_S);
    return -ETIMEDOUT;
}

/* Returns -EADDRINUSE also if somebody took the port while the server was starting. */
static int start_on_port(struct local_server *server, const struct local_program *program,
                         uint16_t port, struct err *err)
{
    char port_text[8], clients_text[16];

    server->port = port;
    int rc = probe_port(&server->port);
    if (rc < 0) {
        errno = -rc;
        return err_sys(err, "The local server cannot have port %u of 127.0.0.1", port);
    }
    snprintf(port_text, sizeof port_text, "%u", server->port);
    snprintf(clients_text, sizeof clients_text, "%u", server->clients);
    const char *const argv[] = {
        program->name,  "--port", port_text,      "--bind",     "127.0.0.1",   "--save", "",
        "--appendonly", "no",     "--maxclients", clients_text, "--daemonize", "no",     NULL};
    const struct supervisor_job job = {program->file, argv, NULL};
    rc = supervisor_start(&server->supervisor, &job, err);
    if (rc < 0)
        return rc;
    rc = await_answer(server, program->name, err);
    if (rc < 0)
        supervisor_stop(&server->supervisor);
    if (rc == -ECHILD && probe_port(&server->port) == -EADDRINUSE)
        return -EADDRINUSE;
    return rc;
}

int local_server_start(struct local_server **slot, const char *program, uint16_t port,
                       unsigned clients, struct err *err)
{
    struct local_server *server = mem_zalloc(1, sizeof *server);
    struct local_program found = {NULL, NULL};

    *slot = NULL;
    server->clients = clients + OTHER_CLIENTS;
    int rc = local_program_find(&found, program, err);
    if (rc == 0)
        rc = start_on_port(server, &found, port, err);
    for (int i = 1; i < PORT_ATTEMPTS && rc == -EADDRINUSE && port == 0; i++)
        rc = start_on_port(server, &found, port, err);
    local_program_deinit(&found);
    if (rc == 0)
        *slot = server;
    else
        free(server);
    return rc;
}

uint16_t local_server_port(const struct local_server *server)
{
    return server->port;
}

void local_server_stop(struct local_server **slot)
{
    struct local_server *server = *slot;

    if (!server)
        return;
    supervisor_stop(&server->supervisor);
    free(server);
    *slot = NULL;
}
