/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/refresher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resp/writer.h"

#define PAUSE_FIRST_NS   (UINT64_C(100) * CLOCK_NS_PER_MS)
#define PAUSE_WAITING_NS (UINT64_C(400) * CLOCK_NS_PER_MS)
#define PAUSE_MAX_NS     (UINT64_C(2) * CLOCK_NS_PER_S)
/* For an answer at first, and for a dial where the user has set no bound. */
#define PATIENCE_NS ((uint64_t)CLOCK_NS_PER_S)
/* For an answer at most where the user has set no bound. */
#define PATIENCE_MAX_NS (UINT64_C(8) * CLOCK_NS_PER_S)
/* How often a name is asked after that is being resolved. */
#define NAME_NS (UINT64_C(20) * CLOCK_NS_PER_MS)

enum {
    REPLY_MAX = 16 << 20, /* 16384 ranges with a dozen of nodes each */
    COMMAND_MAX = 64,
};

enum state {
    IDLE,
    ASKING, /* dialling, or waiting for the answer */
};

struct refresher {
    struct link link; /* first: events come with it */
    const struct refresher_setup *setup;
    struct link_setup links;
    struct tls_context *tls;          /* owned; of the node that is asked; NULL: without TLS */
    struct endpoint endpoint;         /* of the node that is asked */
    char host[TOPOLOGY_HOST_MAX + 1]; /* ... and its host */
    uint16_t port;                    /* ... and its port; 0: where the user said, at the start */
    struct resp_tree tree;
    enum state state;
    enum bulletin_want want;   /* since the question that is under way, or the last, was asked */
    enum bulletin_want asking; /* what it was asked for */
    unsigned turn;             /* which node is asked */
    unsigned address;          /* ... and where */
    unsigned attempts;         /* in a row without an answer */
    uint64_t patience_ns;      /* for the next answer */
    uint64_t next_ns;          /* not before this is anything asked */
    uint64_t pause_ns;         /* after the next answer */
    uint64_t deadline_ns;
    bool stopped;
    bool answered; /* the last failure is of what was answered */
    unsigned failures;
    struct err failure;
};

static struct refresher *of_link(struct link *link)
{
    return (struct refresher *)link;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- whom to ask */

static void aim_at_start(struct refresher *refresher)
{
    refresher->endpoint = *refresher->setup->endpoint;
    snprintf(refresher->host, sizeof refresher->host, "%s", refresher->endpoint.host);
    refresher->port = 0;
}

/* Returns 0, or a negative errno: -EAGAIN while the name of the node is being resolved. */
static int aim(struct refresher *refresher)
{
    const struct topology *topology = bulletin_newest(refresher->setup->bulletin);

    if (!topology || refresher->attempts >= topology->node_count) {
        aim_at_start(refresher);
        return 0;
    }
    const struct topology_node *node = &topology->nodes[refresher->turn % topology->node_count];
    snprintf(refresher->host, sizeof refresher->host, "%s", node->host);
    refresher->port = node->port;
    return addresses_find(refresher->setup->addresses, refresher->host, node->port,
                          &refresher->endpoint, &refresher->failure);
}

static void pause_until(struct refresher *refresher, uint64_t now_ns, uint64_t pause_max_ns)
{
    refresher->pause_ns = least(refresher->pause_ns, pause_max_ns);
    refresher->next_ns = now_ns + refresher->pause_ns;
    refresher->pause_ns = 2 * refresher->pause_ns;
}

static void add_want(struct refresher *refresher, enum bulletin_want want)
{
    if (want > refresher->want)
        refresher->want = want;
}

static uint64_t pause_max_ns(const struct refresher *refresher)
{
    return refresher->asking == BULLETIN_WAITING ? PAUSE_WAITING_NS : PAUSE_MAX_NS;
}

/* What was asked for is still wanted. */
static void again(struct refresher *refresher, uint64_t now_ns)
{
    refresher->state = IDLE;
    add_want(refresher, refresher->asking);
    refresher->next_ns = now_ns;
}

/* The node has not answered: the next one is asked at once, unless all have been. */
static void miss(struct refresher *refresher, uint64_t now_ns)
{
    const struct topology *topology = bulletin_newest(refresher->setup->bulletin);
    const unsigned nodes = topology ? topology->node_count : 0;

    again(refresher, now_ns);
    refresher->failures++;
    refresher->turn++;
    refresher->address = 0;
    refresher->attempts++;
    if (refresher->attempts <= nodes)
        return;
    refresher->attempts = 0;
    pause_until(refresher, now_ns, pause_max_ns(refresher));
}

/* How long an answer may take. While there is no topology nobody else can be asked; later a node
 * that is silent is left soon, and only if all are slow do they get more time. */
static uint64_t patience_ns(const struct refresher *refresher)
{
    const uint64_t timeout_ns = refresher->setup->connect_timeout_ns;
    const uint64_t set_ns = timeout_ns ? timeout_ns : PATIENCE_MAX_NS;
    const uint64_t max_ns = set_ns > PATIENCE_NS ? set_ns : PATIENCE_NS;

    return bulletin_newest(refresher->setup->bulletin) ? least(refresher->patience_ns, max_ns)
                                                       : max_ns;
}

/* ---- the link */

static void ask(struct refresher *refresher, uint64_t now_ns)
{
    struct outbox *outbox = link_outbox(&refresher->link);
    char *at = outbox_reserve(outbox, COMMAND_MAX);
    char *end = resp_write_array(at, 2);

    end = resp_write_bulk(end, STR("CLUSTER"));
    end = resp_write_bulk(end, STR("SLOTS"));
    outbox_add(outbox, (size_t)(end - at));
    resp_tree_clear(&refresher->tree);
    refresher->deadline_ns = now_ns + patience_ns(refresher);
    link_send(&refresher->link);
}

static void link_up(struct link *link, uint64_t now_ns)
{
    of_link(link)->address = 0;
    ask(of_link(link), now_ns);
}

static void link_sending(struct link *link, uint64_t now_ns)
{
    (void)link, (void)now_ns;
}

static void link_ending(struct link *link)
{
    (void)link;
}

static void link_heard(struct link *link, struct str bytes, enum link_piece piece)
{
    size_t used;

    (void)piece; /* the tree knows */
    resp_tree_feed(&of_link(link)->tree, bytes, &used);
}

static int take_topology(struct refresher *refresher, struct topology **topology)
{
    const struct topology *newest = bulletin_newest(refresher->setup->bulletin);
    const struct resp_item *reply = resp_tree_root(&refresher->tree);
    struct err *err = &refresher->failure;

    if (!reply)
        return err_set(err, "CLUSTER SLOTS was answered by more than can be read.");
    const int rc =
        topology_create(topology, reply, refresher->host, newest ? newest->generation + 1 : 1, err);
    if (rc < 0 || (*topology)->node_count > 0)
        return rc;
    topology_destroy(topology);
    return err_set(err, "CLUSTER SLOTS was answered by no node: no slot is served.");
}

static bool says_nothing_new(const struct refresher *refresher, const struct topology *topology)
{
    const struct topology *newest = bulletin_newest(refresher->setup->bulletin);

    if (!newest)
        return false;
    const struct topology_change change = topology_compare(newest, topology);
    return !change.joined && !change.left && !change.roles && !change.moved;
}

static void link_reply(struct link *link, const struct resp_reply *reply, uint64_t now_ns)
{
    struct refresher *refresher = of_link(link);
    struct topology *topology = NULL;

    (void)reply; /* the tree has more of it */
    if (refresher->state != ASKING)
        return;
    if (take_topology(refresher, &topology) < 0) {
        refresher->answered = true;
        miss(refresher, now_ns);
        link_close(link, LINK_GIVEN_UP);
        return;
    }
    refresher->state = IDLE;
    refresher->attempts = 0;
    refresher->patience_ns = PATIENCE_NS;
    link_is_well(link);
    const bool new = !says_nothing_new(refresher, topology);
    if (new)
        refresher->pause_ns = PAUSE_FIRST_NS;
    else
        refresher->turn++;
    if (new || refresher->asking == BULLETIN_WAITING)
        bulletin_publish(refresher->setup->bulletin, topology);
    else
        topology_destroy(&topology);
    if (!new)
        link_close(link, LINK_GIVEN_UP);
    pause_until(refresher, now_ns, pause_max_ns(refresher));
}

static void describe_end(struct refresher *refresher, int reason, bool was_up)
{
    const char *words = link_words(&refresher->link);
    const char *name = refresher->endpoint.name;

    refresher->answered = false;
    if (reason == LINK_REFUSED)
        err_set(&refresher->failure, "Could not log in to %s: %s%s", name, words,
                str_full_stop(str_of(words)));
    else
        err_set(&refresher->failure,
                was_up ? "Connection to %s lost: %s." : "Could not connect to %s: %s.", name,
                reason == LINK_INSECURE ? words : link_reason_text(reason));
}

/* A node is given up when all its addresses have been tried. */
static void link_down(struct link *link, int reason, bool was_up, uint64_t now_ns)
{
    struct refresher *refresher = of_link(link);

    if (refresher->state != ASKING)
        return;
    describe_end(refresher, reason, was_up);
    if (reason == LINK_NO_REPLY)
        refresher->patience_ns = 2 * patience_ns(refresher);
    if (!was_up && ++refresher->address < refresher->endpoint.count) {
        again(refresher, now_ns);
        return;
    }
    if (!was_up && refresher->port)
        addresses_renew(refresher->setup->addresses, refresher->host, refresher->port);
    miss(refresher, now_ns);
}

static const struct link_events link_events = {
    .up = link_up,
    .sending = link_sending,
    .reply = link_reply,
    .ending = link_ending,
    .down = link_down,
    .heard = link_heard,
};

/* ---- time */

/* A link to another node begins anew: the waits after failures are the refresher's. Returns 0 or a
 * negative errno. */
static int dial(struct refresher *refresher, uint64_t now_ns)
{
    const struct refresher_setup *setup = refresher->setup;
    int rc = 0;

    link_deinit(&refresher->link);
    tls_context_destroy(&refresher->tls);
    if (setup->tls)
        rc = tls_context_create_like(&refresher->tls, setup->tls, refresher->host,
                                     &refresher->failure);
    refresher->links.tls = refresher->tls;
    link_init(&refresher->link, &refresher->links, UINT32_MAX);
    if (rc < 0)
        return rc;
    refresher->link.address = refresher->address % refresher->endpoint.count;
    refresher->deadline_ns =
        now_ns + (setup->connect_timeout_ns ? setup->connect_timeout_ns : PATIENCE_NS);
    link_dial(&refresher->link, now_ns);
    return 0;
}

/* Who finds the topology out of date from now on may know of something later than the answer. */
static void set_asking(struct refresher *refresher)
{
    refresher->state = ASKING;
    refresher->asking = refresher->want;
    refresher->want = BULLETIN_FINE;
}

static void begin(struct refresher *refresher, uint64_t now_ns)
{
    if (now_ns > refresher->next_ns + PAUSE_MAX_NS)
        refresher->pause_ns = PAUSE_FIRST_NS;
    if (refresher->link.state == LINK_UP && refresher->link.channel.state == CHANNEL_OPEN) {
        set_asking(refresher);
        ask(refresher, now_ns);
        return;
    }
    if (refresher->link.channel.state != CHANNEL_CLOSED)
        return; /* it is about to be */
    const int rc = aim(refresher);
    if (rc == -EAGAIN) {
        refresher->next_ns = now_ns + NAME_NS;
        return;
    }
    set_asking(refresher);
    refresher->answered = false;
    if (rc < 0 || dial(refresher, now_ns) < 0)
        miss(refresher, now_ns);
}

uint64_t refresher_tick(struct refresher *refresher, uint64_t now_ns)
{
    add_want(refresher, bulletin_take_asked(refresher->setup->bulletin));
    if (refresher->stopped)
        return CLOCK_NEVER;
    if (refresher->state == ASKING && now_ns >= refresher->deadline_ns) {
        refresher->deadline_ns = CLOCK_NEVER;
        link_close(&refresher->link, refresher->link.state == LINK_UP ? LINK_NO_REPLY : ETIMEDOUT);
    }
    if (refresher->state == IDLE && refresher->want != BULLETIN_FINE &&
        now_ns >= refresher->next_ns)
        begin(refresher, now_ns);
    if (refresher->state == ASKING)
        return refresher->deadline_ns;
    if (refresher->want == BULLETIN_FINE)
        return CLOCK_NEVER;
    return refresher->next_ns > now_ns ? refresher->next_ns : now_ns + CLOCK_NS_PER_MS;
}

void refresher_stop(struct refresher *refresher)
{
    refresher->stopped = true;
    refresher->state = IDLE;
    link_close(&refresher->link, LINK_GIVEN_UP);
}

unsigned refresher_failures(const struct refresher *refresher)
{
    return refresher->failures;
}

const char *refresher_failure(const struct refresher *refresher)
{
    return refresher->failure.text;
}

bool refresher_was_answered(const struct refresher *refresher)
{
    return refresher->answered;
}

struct refresher *refresher_create(const struct refresher_setup *setup)
{
    struct refresher *refresher = mem_zalloc(1, sizeof *refresher);

    refresher->setup = setup;
    refresher->links = (struct link_setup){.loop = setup->loop,
                                           .endpoint = &refresher->endpoint,
                                           .events = &link_events,
                                           .opening = setup->opening,
                                           .connect_timeout_ns = setup->connect_timeout_ns,
                                           .seed = setup->seed};
    refresher->turn = (unsigned)(rng_draw(setup->seed, RNG_START, UINT32_MAX) % TOPOLOGY_NODES_MAX);
    refresher->pause_ns = PAUSE_FIRST_NS;
    refresher->patience_ns = PATIENCE_NS;
    link_init(&refresher->link, &refresher->links, UINT32_MAX);
    resp_tree_init(&refresher->tree, REPLY_MAX);
    return refresher;
}

void refresher_destroy(struct refresher **slot)
{
    struct refresher *refresher = *slot;

    if (!refresher)
        return;
    link_deinit(&refresher->link);
    tls_context_destroy(&refresher->tls);
    resp_tree_deinit(&refresher->tree);
    free(refresher);
    *slot = NULL;
}
