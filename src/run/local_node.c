/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_node.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"

enum { START_S = 10, RETRY_MS = 5, PORT_ATTEMPTS = 5, ARGUMENTS_MAX = 40 };

/* The bus of a cluster is on the port that is this far above a node's own. */
enum { BUS_OFFSET = 10000 };
enum { CLUSTER_PORT_MIN = 10000, CLUSTER_PORTS = 12000, CLUSTER_PORT_ATTEMPTS = 200 };

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

bool local_node_is_told(int fd)
{
    struct pollfd told = {fd, POLLIN, 0};

    return fd >= 0 && poll(&told, 1, 0) > 0;
}

/* A node while it starts. */
struct start {
    struct local_node *node;
    const struct local_node_setup *setup;
};

/* Waits for `fd` (-1: for nothing). False at the deadline, if the program has ended, and when told
 * to give up. */
static bool await(const struct start *start, int fd, short events, uint64_t until_ns)
{
    struct pollfd fds[] = {{start->node->supervisor.line, POLLIN, 0},
                           {start->setup->stop_fd, POLLIN, 0},
                           {fd, events, 0}};

    for (;;) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= until_ns)
            return false;
        const int wait_ms = (int)((until_ns - now_ns) / CLOCK_NS_PER_MS) + 1;
        if (poll(fds, COUNT(fds), wait_ms) > 0)
            return fds[0].revents == 0 && fds[1].revents == 0;
    }
}

/*
 * Asks for the directory along with the PING: whoever else has taken the port in the meantime would
 * answer the latter, and must not be taken for a server that may be filled with keys.
 */
static bool ask(const struct start *start, int fd, uint64_t until_ns)
{
    static const char question[] = "PING\r\nCONFIG GET dir\r\n";
    const char *name = strrchr(start->node->supervisor.directory, '/') + 1;
    char reply[4096];
    size_t used = 0;

    if (!await(start, fd, POLLOUT, until_ns) ||
        send(fd, question, sizeof question - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (used < sizeof reply - 1 && await(start, fd, POLLIN, until_ns)) {
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

static bool is_answering(const struct start *start, uint64_t until_ns)
{
    const struct sockaddr_in address = make_address(start->node->port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    const bool answers = (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ||
                          errno == EINPROGRESS) &&
                         ask(start, fd, until_ns);
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

static int describe_end(const struct local_node *node, const char *name, int status,
                        struct err *err)
{
    char how[64] = "was lost";
    char line[300];

    if (status != -1 && WIFEXITED(status))
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    else if (status != -1)
        snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
    read_last_line(&node->supervisor, line, sizeof line);
    err_set(err, "The local server (%s) %s before it answered%s%s%s.", name, how,
            line[0] ? "; the last that it wrote is \"" : " and wrote nothing", line,
            line[0] ? "\"" : "");
    return -ECHILD;
}

static int await_answer(const struct start *start, struct err *err)
{
    const struct local_node *node = start->node;
    const char *name = start->setup->program->name;
    const uint64_t end_ns = clock_now_ns() + (uint64_t)START_S * CLOCK_NS_PER_S;
    int status;

    while (clock_now_ns() < end_ns) {
        if (supervisor_has_ended(&node->supervisor, &status))
            return describe_end(node, name, status, err);
        if (is_answering(start, end_ns))
            return 0;
        if (local_node_is_told(start->setup->stop_fd)) {
            err_set(err, "Stopped before the local server answered.");
            return -EINTR;
        }
        await(start, -1, 0, clock_now_ns() + (uint64_t)RETRY_MS * CLOCK_NS_PER_MS);
    }
    err_set(err, "The local server (%s) did not answer on port %u within %d seconds.", name,
            node->port, START_S);
    return -ETIMEDOUT;
}

/* ---- the ports */

/*
 * A node of a cluster needs two ports. They are taken from below those that the kernel gives to
 * dials, as a rule: no dial takes the one while the other is tried.
 */
static int pick_cluster_port(uint16_t *port)
{
    uint64_t seed = clock_now_ns() ^ ((uint64_t)getpid() << 32);
    int rc = -EADDRINUSE;

    for (int i = 0; i < CLUSTER_PORT_ATTEMPTS && rc == -EADDRINUSE; i++) {
        seed = rng_mix(seed + 1);
        *port = (uint16_t)(CLUSTER_PORT_MIN + rng_below(seed, CLUSTER_PORTS));
        uint16_t bus = (uint16_t)(*port + BUS_OFFSET);
        rc = probe_port(port);
        if (rc == 0)
            rc = probe_port(&bus);
    }
    return rc;
}

static int refuse_port(uint16_t port, int rc, struct err *err)
{
    errno = -rc;
    return err_sys(err, "The local server cannot have port %u of 127.0.0.1", port);
}

/* The one that was asked for, plain or of TLS. */
static int take_named_port(uint16_t *port, const struct local_node_setup *setup, struct err *err)
{
    const bool bus_above = setup->in_cluster && !setup->certificate;
    uint16_t bus = (uint16_t)(setup->port + BUS_OFFSET);

    *port = setup->port;
    if (bus_above && setup->port > UINT16_MAX - BUS_OFFSET)
        return err_set(err,
                       "A node of a cluster takes the port %d above its own, too: --port can be "
                       "%d at most, not %u.",
                       BUS_OFFSET, UINT16_MAX - BUS_OFFSET, setup->port);
    int rc = probe_port(port);
    if (rc < 0)
        return refuse_port(*port, rc, err);
    rc = bus_above ? probe_port(&bus) : 0;
    return rc < 0 ? refuse_port(bus, rc, err) : 0;
}

static int take_free_port(uint16_t *port, const struct local_node_setup *setup, struct err *err)
{
    *port = 0;
    const int rc = setup->in_cluster ? pick_cluster_port(port) : probe_port(port);
    return rc < 0 ? refuse_port(*port, rc, err) : 0;
}

static int take_ports(struct local_node *node, const struct local_node_setup *setup,
                      struct err *err)
{
    int rc = 0;

    node->tls_port = 0;
    if (!setup->certificate)
        return setup->port ? take_named_port(&node->port, setup, err)
                           : take_free_port(&node->port, setup, err);
    if (setup->port)
        rc = take_named_port(&node->tls_port, setup, err);
    else if ((rc = probe_port(&node->tls_port)) < 0)
        return refuse_port(0, rc, err);
    return rc < 0 ? rc : take_free_port(&node->port, setup, err);
}

/* Whether somebody has one of the node's ports, now that the node itself has gone. */
static bool has_lost_port(const struct local_node *node, const struct local_node_setup *setup)
{
    uint16_t ports[] = {node->port, node->tls_port, (uint16_t)(node->port + BUS_OFFSET)};
    const size_t count = setup->in_cluster ? 3 : 2;

    for (size_t i = 0; i < count; i++)
        if (ports[i] && probe_port(&ports[i]) == -EADDRINUSE)
            return true;
    return false;
}

/* ---- the program */

struct arguments {
    const char *argv[ARGUMENTS_MAX];
    unsigned count;
    char port[8], tls_port[8], clients[16], timeout[16];
};

/* Options and their values, up to a NULL. */
static void add_all(struct arguments *arguments, const char *const *texts)
{
    for (; *texts; texts++) {
        assert(arguments->count < ARGUMENTS_MAX - 1);
        arguments->argv[arguments->count++] = *texts;
    }
}

static void list_arguments(struct arguments *a, const struct local_node *node,
                           const struct local_node_setup *setup)
{
    snprintf(a->port, sizeof a->port, "%u", node->port);
    snprintf(a->tls_port, sizeof a->tls_port, "%u", node->tls_port);
    snprintf(a->clients, sizeof a->clients, "%u", setup->clients);
    snprintf(a->timeout, sizeof a->timeout, "%d", LOCAL_NODE_TIMEOUT_MS);
    const char *const all[] = {
        setup->program->name, "--port", a->port,        "--bind",   "127.0.0.1",   "--save", "",
        "--appendonly",       "no",     "--maxclients", a->clients, "--daemonize", "no",     NULL};
    /* A replica must not wait for others that may want the same copy. */
    const char *const of_cluster[] = {"--cluster-enabled",
                                      "yes",
                                      "--cluster-node-timeout",
                                      a->timeout,
                                      "--repl-diskless-sync-delay",
                                      "0",
                                      NULL};
    const char *const of_tls[] = {"--tls-port",
                                  a->tls_port,
                                  "--tls-cert-file",
                                  "server.crt",
                                  "--tls-key-file",
                                  "server.key",
                                  "--tls-ca-cert-file",
                                  LOCAL_NODE_AUTHORITY,
                                  "--tls-auth-clients",
                                  "no",
                                  NULL};

    add_all(a, all);
    if (setup->in_cluster)
        add_all(a, of_cluster);
    if (setup->certificate)
        add_all(a, of_tls);
}

static int run_program(struct local_node *node, const struct local_node_setup *setup,
                       struct err *err)
{
    const struct local_certificate *certificate = setup->certificate;
    struct arguments arguments = {.count = 0};
    const struct supervisor_file files[] = {
        {LOCAL_NODE_AUTHORITY, certificate ? certificate->authority : NULL},
        {"server.crt", certificate ? certificate->certificate : NULL},
        {"server.key", certificate ? certificate->key : NULL},
        {NULL, NULL},
    };
    const struct supervisor_job job = {setup->program->file, arguments.argv,
                                       certificate ? files : NULL};

    list_arguments(&arguments, node, setup);
    return supervisor_start(&node->supervisor, &job, err);
}

/* Returns -EADDRINUSE also if somebody took a port while the server was starting. */
static int start_once(struct local_node *node, const struct local_node_setup *setup,
                      struct err *err)
{
    const struct start start = {node, setup};

    int rc = take_ports(node, setup, err);
    if (rc == 0)
        rc = run_program(node, setup, err);
    if (rc < 0)
        return rc;
    rc = await_answer(&start, err);
    if (rc < 0)
        supervisor_stop(&node->supervisor);
    return rc == -ECHILD && has_lost_port(node, setup) ? -EADDRINUSE : rc;
}

int local_node_start(struct local_node *node, const struct local_node_setup *setup, struct err *err)
{
    int rc = start_once(node, setup, err);

    for (int i = 1; i < PORT_ATTEMPTS && rc == -EADDRINUSE; i++)
        rc = start_once(node, setup, err);
    return rc;
}

uint16_t local_node_port(const struct local_node *node)
{
    return node->tls_port ? node->tls_port : node->port;
}

void local_node_stop(struct local_node *node)
{
    supervisor_stop(&node->supervisor);
}
