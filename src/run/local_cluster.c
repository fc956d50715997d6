/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "resp/slot.h"
#include "resp/tree.h"

enum { FORM_S = 30, RETRY_MS = 20, ID_MAX = 64, COMMAND_MAX = 160, REPLY_MAX = 1 << 16 };

struct node {
    uint16_t port;
    int fd;
    char id[ID_MAX]; /* what the cluster calls it */
    struct resp_tree reply;
};

struct forming {
    struct node nodes[LOCAL_CLUSTER_NODES];
    uint64_t end_ns;
    int stop_fd;
    struct err *err;
};

/* Whether a node is as it should be. Returns 0, or a negative errno. */
typedef int (*look_fn)(struct forming *forming, unsigned index, bool *ready);

static bool is_replica(unsigned index)
{
    return index >= LOCAL_CLUSTER_PRIMARIES;
}

/* ---- to talk to a node */

/* Waits until a socket has something to read (-1: until the time has passed), or why not to. */
static int await(const struct forming *forming, int fd, uint64_t until_ns)
{
    struct pollfd fds[] = {{forming->stop_fd, POLLIN, 0}, {fd, POLLIN, 0}};

    for (;;) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= forming->end_ns) {
            err_set(forming->err, "The local cluster was not ready within %d seconds.", FORM_S);
            return -ETIMEDOUT;
        }
        if (now_ns >= until_ns)
            return 0;
        const uint64_t end_ns = until_ns < forming->end_ns ? until_ns : forming->end_ns;
        poll(fds, COUNT(fds), (int)((end_ns - now_ns) / CLOCK_NS_PER_MS) + 1);
        if (fds[0].revents) {
            err_set(forming->err, "Stopped before the local cluster was ready.");
            return -EINTR;
        }
        if (fds[1].revents)
            return 0;
    }
}

static int explain_loss(const struct forming *forming, const struct node *node)
{
    err_set(forming->err, "The node of the local cluster on port %u has gone.", node->port);
    return -ECONNRESET;
}

static int explain_refusal(const struct forming *forming, const struct node *node,
                           const char *command)
{
    const struct resp_item *reply = resp_tree_root(&node->reply);
    const struct str words = reply ? reply->text : STR("what is not RESP");

    err_set(forming->err, "The node of the local cluster on port %u answered %.60s by: %.*s.",
            node->port, command, words.len < 200 ? (int)words.len : 200, words.ptr);
    return -EPROTO;
}

/* Sends a command, whose words have no blanks, and leaves the answer, an error too, in the node. */
static int ask(const struct forming *forming, struct node *node, const char *command)
{
    char line[COMMAND_MAX + 2];
    char bytes[4096];
    const int len = snprintf(line, sizeof line, "%s\r\n", command);

    resp_tree_clear(&node->reply);
    if (send(node->fd, line, (size_t)len, MSG_NOSIGNAL) != len)
        return explain_loss(forming, node);
    for (;;) {
        const int rc = await(forming, node->fd, CLOCK_NEVER);
        if (rc < 0)
            return rc;
        const ssize_t n = recv(node->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n <= 0)
            return explain_loss(forming, node);
        size_t used;
        const enum resp_status status =
            resp_tree_feed(&node->reply, (struct str){bytes, (size_t)n}, &used);
        if (status == RESP_BAD)
            return explain_refusal(forming, node, command);
        if (status == RESP_REPLY)
            return 0;
    }
}

static struct str answer_of(const struct node *node)
{
    return resp_tree_root(&node->reply)->text;
}

static bool has_refused(const struct node *node)
{
    return resp_tree_root(&node->reply)->kind == RESP_ERROR;
}

static bool says(const struct node *node, const char *words)
{
    const struct str answer = answer_of(node);

    return memmem(answer.ptr, answer.len, words, strlen(words)) != NULL;
}

/* A command that must not be refused. */
static int tell(const struct forming *forming, struct node *node, const char *command)
{
    const int rc = ask(forming, node, command);

    return rc == 0 && has_refused(node) ? explain_refusal(forming, node, command) : rc;
}

/* ---- what makes a cluster */

static int join(struct forming *forming, unsigned index)
{
    struct node *node = &forming->nodes[index];
    char command[COMMAND_MAX];

    int rc = tell(forming, node, "CLUSTER MYID");
    if (rc < 0)
        return rc;
    const struct str id = answer_of(node);
    snprintf(node->id, sizeof node->id, "%.*s", (int)id.len, id.ptr);
    /* No two nodes have the same epoch then: there is nothing to be settled by a vote. */
    snprintf(command, sizeof command, "CLUSTER SET-CONFIG-EPOCH %u", index + 1);
    rc = tell(forming, node, command);
    if (rc < 0 || is_replica(index))
        return rc;
    snprintf(command, sizeof command, "CLUSTER ADDSLOTSRANGE %u %u",
             index * SLOT_COUNT / LOCAL_CLUSTER_PRIMARIES,
             (index + 1) * SLOT_COUNT / LOCAL_CLUSTER_PRIMARIES - 1);
    return tell(forming, node, command);
}

/* Each meets each: faster than to wait until the nodes tell one another. */
static int introduce(struct forming *forming)
{
    int rc = 0;

    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES; i++) {
        for (unsigned k = i + 1; k < LOCAL_CLUSTER_NODES && rc == 0; k++) {
            char command[COMMAND_MAX];
            snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %u", forming->nodes[k].port);
            rc = tell(forming, &forming->nodes[i], command);
        }
    }
    return rc;
}

/* Refused until the replica has heard of its primary. */
static int follow(struct forming *forming, unsigned index)
{
    struct node *replica = &forming->nodes[index];
    char command[COMMAND_MAX];

    snprintf(command, sizeof command, "CLUSTER REPLICATE %s",
             forming->nodes[index - LOCAL_CLUSTER_PRIMARIES].id);
    for (;;) {
        int rc = ask(forming, replica, command);
        if (rc < 0 || !has_refused(replica))
            return rc;
        rc = await(forming, -1, clock_now_ns() + (uint64_t)RETRY_MS * CLOCK_NS_PER_MS);
        if (rc < 0)
            return rc;
    }
}

/* Of CLUSTER NODES: lines whose fourth field is the name of a primary. */
static unsigned count_replicas(struct str text)
{
    unsigned count = 0;

    while (text.len > 0) {
        const char *newline = memchr(text.ptr, '\n', text.len);
        const size_t len = newline ? (size_t)(newline - text.ptr) + 1 : text.len;
        char line[512], primary[ID_MAX] = "-";
        snprintf(line, sizeof line, "%.*s", (int)len, text.ptr);
        sscanf(line, "%*s %*s %*s %63s", primary);
        count += strcmp(primary, "-") != 0;
        text = (struct str){text.ptr + len, text.len - len};
    }
    return count;
}

/* Sets `*ready`. Returns 0 or a negative errno. */
static int look_whether_well(struct forming *forming, unsigned index, bool *ready)
{
    struct node *node = &forming->nodes[index];

    *ready = false;
    int rc = tell(forming, node, "CLUSTER INFO");
    if (rc < 0 || !says(node, "cluster_state:ok"))
        return rc;
    rc = tell(forming, node, "CLUSTER NODES");
    if (rc < 0 || says(node, "handshake") ||
        count_replicas(answer_of(node)) != LOCAL_CLUSTER_NODES - LOCAL_CLUSTER_PRIMARIES)
        return rc;
    if (is_replica(index)) {
        rc = tell(forming, node, "INFO replication");
        if (rc < 0 || !says(node, "master_link_status:up"))
            return rc;
    }
    *ready = true;
    return 0;
}

/* All of them are asked anew each time: what one calls well another may take back. */
static int await_all(struct forming *forming, look_fn look)
{
    for (;;) {
        bool all = true;
        for (unsigned i = 0; i < LOCAL_CLUSTER_NODES; i++) {
            bool ready;
            const int rc = look(forming, i, &ready);
            if (rc < 0)
                return rc;
            all &= ready;
        }
        if (all)
            return 0;
        const int rc = await(forming, -1, clock_now_ns() + (uint64_t)RETRY_MS * CLOCK_NS_PER_MS);
        if (rc < 0)
            return rc;
    }
}

static int form(struct forming *forming)
{
    int rc = 0;

    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES && rc == 0; i++)
        rc = join(forming, i);
    if (rc == 0)
        rc = introduce(forming);
    for (unsigned i = LOCAL_CLUSTER_PRIMARIES; i < LOCAL_CLUSTER_NODES && rc == 0; i++)
        rc = follow(forming, i);
    return rc < 0 ? rc : await_all(forming, look_whether_well);
}

/* Of CLUSTER SLOTS: each shard has two numbers, the primary, and its replicas. */
static int look_for_replicas(struct forming *forming, unsigned index, bool *ready)
{
    struct node *node = &forming->nodes[index];
    size_t replicas = 0;

    const int rc = tell(forming, node, "CLUSTER SLOTS");
    if (rc < 0)
        return rc;
    const struct resp_item *shards = resp_tree_root(&node->reply);
    for (size_t i = 0; i < shards->count; i++)
        replicas += shards->items[i].count > 3 ? shards->items[i].count - 3 : 0;
    *ready = replicas == LOCAL_CLUSTER_NODES - LOCAL_CLUSTER_PRIMARIES;
    return 0;
}

static int show_replicas(struct forming *forming)
{
    int rc = 0;

    for (unsigned i = 0; i < LOCAL_CLUSTER_PRIMARIES && rc == 0; i++)
        rc = tell(forming, &forming->nodes[i], "FLUSHALL");
    return rc < 0 ? rc : await_all(forming, look_for_replicas);
}

/* ---- life */

static int dial(const struct forming *forming, struct node *node)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(node->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    node->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (node->fd < 0)
        return err_sys(forming->err, "No socket to form the local cluster by");
    return connect(node->fd, (const struct sockaddr *)&address, sizeof address) < 0
               ? explain_loss(forming, node)
               : 0;
}

/* Has `step` done with a connection to each node. */
static int with_nodes(const uint16_t *ports, int stop_fd, int (*step)(struct forming *forming),
                      struct err *err)
{
    struct forming forming = {
        .end_ns = clock_now_ns() + (uint64_t)FORM_S * CLOCK_NS_PER_S,
        .stop_fd = stop_fd,
        .err = err,
    };
    int rc = 0;

    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES; i++) {
        forming.nodes[i].port = ports[i];
        forming.nodes[i].fd = -1;
        resp_tree_init(&forming.nodes[i].reply, REPLY_MAX);
    }
    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES && rc == 0; i++)
        rc = dial(&forming, &forming.nodes[i]);
    if (rc == 0)
        rc = step(&forming);
    for (unsigned i = 0; i < LOCAL_CLUSTER_NODES; i++) {
        if (forming.nodes[i].fd >= 0)
            close(forming.nodes[i].fd);
        resp_tree_deinit(&forming.nodes[i].reply);
    }
    return rc;
}

int local_cluster_form(const uint16_t ports[LOCAL_CLUSTER_NODES], int stop_fd, struct err *err)
{
    return with_nodes(ports, stop_fd, form, err);
}

int local_cluster_show_replicas(const uint16_t ports[LOCAL_CLUSTER_NODES], int stop_fd,
                                struct err *err)
{
    return with_nodes(ports, stop_fd, show_replicas, err);
}
