/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/link.h"

/* How long an answer to PING is awaited where nothing else bounds it. */
#define PATIENCE_NS (UINT64_C(2) * CLOCK_NS_PER_S)

static const char ping[] = "*1\r\n$4\r\nPING\r\n";

struct probe {
    struct link link; /* first: events come with it */
    struct link_setup setup;
    int wake_fd;
    uint64_t patience_ns; /* for the answer to PING */
    uint64_t end_ns;      /* until when that is awaited */
    int reason;           /* of `down` */
    bool answered, down, was_up;
    char *refusal; /* owned: the error that answered PING, or NULL */
};

static struct probe *of(struct link *link)
{
    return (struct probe *)link;
}

static void on_up(struct link *link, uint64_t now_ns)
{
    struct probe *probe = of(link);

    if (link->setup->opening && link->setup->opening->count) {
        probe->answered = true;
        return;
    }
    memcpy(outbox_reserve(link_outbox(link), sizeof ping - 1), ping, sizeof ping - 1);
    outbox_add(link_outbox(link), sizeof ping - 1);
    link_send(link);
    probe->end_ns = now_ns + probe->patience_ns;
}

static void on_sending(struct link *link, uint64_t now_ns)
{
    (void)link;
    (void)now_ns;
}

static void on_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct probe *probe = of(link);

    (void)now_ns;
    if (reply->kind == RESP_ERROR && !probe->answered)
        probe->refusal = session_quote(link->setup->opening, reply->text);
    probe->answered = true;
}

static void on_ending(struct link *link)
{
    (void)link;
}

static void on_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    (void)now_ns;
    of(link)->down = true;
    of(link)->was_up = was_up;
    of(link)->reason = reason;
}

static const struct link_events events = {on_up, on_sending, on_reply, on_ending, on_down, NULL};

/* One dial, until the server has answered or is not to be waited for any longer. */
static void dial(struct probe *probe)
{
    struct link *link = &probe->link;
    uint64_t now_ns = clock_now_ns();

    probe->down = false;
    probe->end_ns = CLOCK_NEVER;
    link_dial(link, now_ns);
    while (!probe->answered && !probe->down) {
        const bool up = link->state == LINK_UP;
        const uint64_t until_ns = up ? probe->end_ns : link_wake_ns(link);
        now_ns = loop_turn(probe->setup.loop, until_ns);
        if (!up && link->state == LINK_DIALING && now_ns >= until_ns)
            link_close(link, ETIMEDOUT);
        else if (up && now_ns >= until_ns)
            break;
    }
}

static int open_probe(struct probe *probe, struct err *err)
{
    probe->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (probe->wake_fd < 0)
        return err_sys(err, "Could not make an eventfd");
    const struct loop_setup setup = {.wake_fd = probe->wake_fd, .channels = 1};
    const int rc = loop_epoll.create(&probe->setup.loop, &setup, err);
    if (rc < 0)
        close(probe->wake_fd);
    return rc;
}

static void close_probe(struct probe *probe)
{
    link_close(&probe->link, LINK_GIVEN_UP);
    loop_turn(probe->setup.loop, 0);
    link_deinit(&probe->link);
    loop_destroy(&probe->setup.loop);
    close(probe->wake_fd);
    free(probe->refusal);
}

/* The address that was dialled last becomes the first. */
static void prefer(struct endpoint *endpoint, unsigned last)
{
    const struct endpoint_address answered = endpoint->addresses[last];

    endpoint->addresses[last] = endpoint->addresses[0];
    endpoint->addresses[0] = answered;
}

static const char *advice(const struct probe *probe, int failure)
{
    const struct endpoint *endpoint = probe->setup.endpoint;

    if (failure == LINK_ENDED || failure == ECONNRESET)
        return probe->setup.tls ? "If that port does not speak TLS, leave out --tls."
                                : "If that port speaks TLS, use --tls.";
    if (failure == ETIMEDOUT && probe->setup.tls && probe->link.opened_ns)
        return "If that port does not speak TLS, leave out --tls; or allow more time by "
               "--connection-timeout.";
    if (failure == ECONNREFUSED)
        return "Start a server, or let --local-server start one.";
    if (endpoint->addresses[0].socket.ss_family == AF_UNIX)
        return "Check the path of the socket.";
    return "Check --host and --port, or allow more time by --connection-timeout.";
}

static int explain_failure(const struct probe *probe, int failure, struct err *err)
{
    err_set(err, "Could not connect to Valkey at %s: %s. %s", probe->setup.endpoint->name,
            link_reason_text(failure), advice(probe, failure));
    return failure > 0 ? -failure : -ECONNABORTED;
}

/* How the last dial went: 0 well enough for a run, 1 so that another address may do better, else a
 * negative errno with a sentence. */
static int judge(const struct probe *probe, const char *name, struct err *err)
{
    const char *words = probe->refusal ? probe->refusal : link_words(&probe->link);

    if (str_starts(str_of(words), STR("LOADING")))
        return 0;
    if (session_explain_no_entry(name, words, err) < 0)
        return -EACCES;
    if (str_starts(str_of(words), STR("NOAUTH")))
        return session_explain_want(name, words, err);
    if (!probe->down || probe->answered)
        return 0;
    if (probe->reason == LINK_REFUSED)
        return session_explain(probe->setup.opening, probe->link.answered, name, words, err);
    if (probe->reason == LINK_INSECURE || probe->reason == LINK_WANTS_TLS) {
        err_set(err, "Could not connect to Valkey at %s: %s.", name,
                probe->reason == LINK_INSECURE ? words : link_reason_text(probe->reason));
        return -EPROTO;
    }
    if (probe->reason != LINK_GARBAGE)
        return 1;
    err_set(err, "The server at %s sent what is not RESP: this is no Valkey, or it wants TLS.",
            name);
    return -EPROTO;
}

int probe_server(struct endpoint *endpoint, const struct session_opening *opening,
                 struct tls_context *tls, uint64_t timeout_ns, struct err *err)
{
    struct probe probe = {.patience_ns = timeout_ns ? timeout_ns : PATIENCE_NS};
    int failure = 0, rc = open_probe(&probe, err);

    if (rc < 0)
        return rc;
    probe.setup.endpoint = endpoint;
    probe.setup.events = &events;
    probe.setup.opening = opening;
    probe.setup.tls = tls;
    probe.setup.connect_timeout_ns = timeout_ns;
    link_init(&probe.link, &probe.setup, 0);
    rc = 1;
    for (unsigned i = 0; i < endpoint->count && rc > 0; i++) {
        const unsigned address = probe.link.address;
        dial(&probe);
        rc = judge(&probe, endpoint->name, err);
        if (rc == 0)
            prefer(endpoint, address);
        if (rc > 0 && !failure)
            failure = probe.reason;
    }
    if (rc > 0)
        rc = explain_failure(&probe, failure, err);
    close_probe(&probe);
    return rc;
}
