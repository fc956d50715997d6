/* SPDX-License-Identifier: BSD-3-Clause */
/* The refresher against nodes that the test plays itself, between the turns of the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cluster/refresher.h"
#include "notation.h"
#include "peer.h"

#include <poll.h>
#include <sys/eventfd.h>

enum { NODES = 3 };

#define MS      ((uint64_t)CLOCK_NS_PER_MS)
#define COMMAND "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"

struct fixture {
    int wake_fd;
    int listeners[NODES]; /* -1: refuses */
    uint16_t ports[NODES];
    int peers[NODES]; /* -1: none */
    struct endpoint endpoint;
    struct refresher_setup setup;
    struct refresher *refresher;
    uint64_t wake_ns; /* as the last tick said */
};

static void set_up(struct fixture *fixture)
{
    struct endpoint_config config = {.host = "127.0.0.1"};
    struct sockaddr_in address;
    struct err err;

    *fixture = (struct fixture){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    for (unsigned i = 0; i < NODES; i++) {
        fixture->listeners[i] = peer_listen(&address);
        fixture->ports[i] = ntohs(address.sin_port);
        fixture->peers[i] = -1;
    }
    config.port = fixture->ports[0];
    assert_int_equal(endpoint_resolve(&fixture->endpoint, &config, &err), 0);
    fixture->setup = (struct refresher_setup){.bulletin = bulletin_create(1),
                                              .addresses = addresses_create(),
                                              .endpoint = &fixture->endpoint,
                                              .connect_timeout_ns = CLOCK_NS_PER_S};
    const struct loop_setup loop_setup = {.wake_fd = fixture->wake_fd, .channels = 1};
    assert_int_equal(loop_epoll.create(&fixture->setup.loop, &loop_setup, &err), 0);
    fixture->refresher = refresher_create(&fixture->setup);
}

static void tear_down(struct fixture *fixture)
{
    refresher_stop(fixture->refresher);
    loop_turn(fixture->setup.loop, 0);
    refresher_destroy(&fixture->refresher);
    loop_destroy(&fixture->setup.loop);
    bulletin_destroy(&fixture->setup.bulletin);
    addresses_destroy(&fixture->setup.addresses);
    for (unsigned i = 0; i < NODES; i++) {
        if (fixture->listeners[i] >= 0)
            close(fixture->listeners[i]);
        if (fixture->peers[i] >= 0)
            close(fixture->peers[i]);
    }
    close(fixture->wake_fd);
}

static uint64_t turn(struct fixture *fixture)
{
    fixture->wake_ns = refresher_tick(fixture->refresher, clock_now_ns());
    return loop_turn(fixture->setup.loop, clock_now_ns() + MS);
}

static bool is_ready(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    return fd >= 0 && poll(&wanted, 1, 0) == 1;
}

/* Which node is asked next; returns when the question has come. */
static unsigned wait_for_question(struct fixture *fixture)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;
    char command[sizeof COMMAND];

    for (;;) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
        for (unsigned i = 0; i < NODES; i++) {
            if (is_ready(fixture->listeners[i])) {
                if (fixture->peers[i] >= 0)
                    close(fixture->peers[i]);
                fixture->peers[i] = peer_accept(fixture->listeners[i]);
            }
            if (!is_ready(fixture->peers[i]))
                continue;
            const ssize_t len = recv(fixture->peers[i], command, sizeof command, 0);
            if (len == (ssize_t)(sizeof COMMAND - 1) &&
                memcmp(command, COMMAND, sizeof COMMAND - 1) == 0)
                return i;
            close(fixture->peers[i]);
            fixture->peers[i] = -1;
        }
    }
}

/* All three nodes, of which `first` has slots up to `last`. */
static void answer(struct fixture *fixture, unsigned node, unsigned first, unsigned last)
{
    char notation[300], wire[600];
    const unsigned second = (first + 1) % NODES, third = (first + 2) % NODES;

    snprintf(notation, sizeof notation,
             "[[0 %u [_ %u]] [%u 16000 ['' %u]] [16001 16383 ['127.0.0.1' %u]]]", last,
             fixture->ports[first], last + 1, fixture->ports[second], fixture->ports[third]);
    wire[notation_write(notation, wire)] = '\0';
    peer_say(fixture->peers[node], wire);
}

static void wait_for_generation(struct fixture *fixture, uint64_t generation)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (!bulletin_is_newer(fixture->setup.bulletin, generation - 1)) {
        assert_true(clock_now_ns() < end_ns);
        turn(fixture);
    }
    assert_int_equal(bulletin_newest(fixture->setup.bulletin)->generation, generation);
}

static void fetch_first(struct fixture *fixture)
{
    bulletin_ask(fixture->setup.bulletin, BULLETIN_STALE);
    assert_int_equal(wait_for_question(fixture), 0);
    answer(fixture, 0, 0, 5000);
    wait_for_generation(fixture, 1);
}

static void test_asks_when_it_is_wanted(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    turn(&fixture);
    assert_true(fixture.wake_ns == CLOCK_NEVER);
    assert_false(is_ready(fixture.listeners[0]));
    fetch_first(&fixture);
    const struct topology *topology = bulletin_newest(fixture.setup.bulletin);
    assert_int_equal(topology_primary(topology, 0)->port, fixture.ports[0]);
    assert_int_equal(topology_primary(topology, 5001)->port, fixture.ports[1]);
    assert_string_equal(topology_primary(topology, 0)->host, "127.0.0.1");
    turn(&fixture);
    assert_true(fixture.wake_ns == CLOCK_NEVER);
    /* The connection is used again as long as there is news. */
    bulletin_ask(fixture.setup.bulletin, BULLETIN_STALE);
    assert_int_equal(wait_for_question(&fixture), 0);
    answer(&fixture, 0, 0, 6000);
    wait_for_generation(&fixture, 2);
    assert_int_equal(refresher_failures(fixture.refresher), 0);
    tear_down(&fixture);
}

/* Nothing new: nothing is published, another node is asked, and the pauses grow. */
static void test_the_same_again(void **state)
{
    uint64_t asked_ns = 0, before_ns = 0;
    struct fixture fixture;
    unsigned node, before = NODES;

    (void)state;
    set_up(&fixture);
    fetch_first(&fixture);
    for (unsigned i = 0; i < 4; i++) {
        bulletin_ask(fixture.setup.bulletin, BULLETIN_STALE);
        node = wait_for_question(&fixture);
        asked_ns = clock_now_ns();
        if (i > 1) {
            assert_int_not_equal(node, before);
            assert_true(asked_ns - before_ns >= (i == 2 ? 200 : 400) * MS);
        }
        before = node;
        answer(&fixture, node, 0, 5000);
        before_ns = clock_now_ns();
    }
    assert_int_equal(bulletin_newest(fixture.setup.bulletin)->generation, 1);
    tear_down(&fixture);
}

/* Requests that wait may do so for what redirects have taught: that is to be forgotten. */
static void test_the_same_again_for_those_who_wait(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    fetch_first(&fixture);
    bulletin_ask(fixture.setup.bulletin, BULLETIN_WAITING);
    answer(&fixture, wait_for_question(&fixture), 0, 5000);
    wait_for_generation(&fixture, 2);
    tear_down(&fixture);
}

/* Whoever is gone, says no or talks nonsense is left for the next. */
static void test_another_node_is_asked(void **state)
{
    static const char *const words[] = {"-ERR no\r\n", "*1\r\n*1\r\n:1\r\n", "*0\r\n", "$-7\r\n"};

    (void)state;
    for (size_t i = 0; i <= COUNT(words); i++) {
        struct fixture fixture;

        set_up(&fixture);
        fetch_first(&fixture);
        /* The node that answered first goes, without a word. */
        peer_reset(fixture.peers[0]);
        fixture.peers[0] = -1;
        close(fixture.listeners[0]);
        fixture.listeners[0] = -1;
        bulletin_ask(fixture.setup.bulletin, BULLETIN_WAITING);
        const unsigned node = wait_for_question(&fixture);
        if (i < COUNT(words)) {
            peer_say(fixture.peers[node], words[i]);
        } else {
            peer_reset(fixture.peers[node]);
            fixture.peers[node] = -1;
        }
        const unsigned other = wait_for_question(&fixture);
        assert_int_not_equal(node, other);
        assert_true(refresher_failures(fixture.refresher) > 0);
        answer(&fixture, other, 1, 5000);
        wait_for_generation(&fixture, 2);
        tear_down(&fixture);
    }
}

static void test_a_failure_is_told(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    bulletin_ask(fixture.setup.bulletin, BULLETIN_STALE);
    wait_for_question(&fixture);
    assert_string_equal(refresher_failure(fixture.refresher), "");
    peer_say(fixture.peers[0], "-ERR This instance has cluster support disabled\r\n");
    while (refresher_failures(fixture.refresher) == 0)
        turn(&fixture);
    assert_string_equal(refresher_failure(fixture.refresher),
                        "CLUSTER SLOTS was refused: ERR This instance has cluster support "
                        "disabled.");
    assert_true(refresher_was_answered(fixture.refresher));
    tear_down(&fixture);
}

/* A node that is silent is left after a second. */
static void test_silence(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    fetch_first(&fixture);
    bulletin_ask(fixture.setup.bulletin, BULLETIN_STALE);
    const unsigned node = wait_for_question(&fixture);
    assert_int_not_equal(wait_for_question(&fixture), node);
    tear_down(&fixture);
}

/* The first node, the only one that is known, has the whole connection timeout. */
static void test_the_first_answer_may_take_its_time(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    fixture.setup.connect_timeout_ns = 5 * (uint64_t)CLOCK_NS_PER_S;
    bulletin_ask(fixture.setup.bulletin, BULLETIN_STALE);
    wait_for_question(&fixture);
    const uint64_t asked_ns = clock_now_ns();
    turn(&fixture);
    assert_true(fixture.wake_ns >= asked_ns + 4 * (uint64_t)CLOCK_NS_PER_S);
    answer(&fixture, 0, 0, 5000);
    wait_for_generation(&fixture, 1);
    assert_int_equal(refresher_failures(fixture.refresher), 0);
    tear_down(&fixture);
}

/* Nodes that are all slow get more time. */
static void test_patience_grows(void **state)
{
    uint64_t patience_ns[2];
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    fetch_first(&fixture);
    fixture.setup.connect_timeout_ns = 1500 * MS;
    bulletin_ask(fixture.setup.bulletin, BULLETIN_WAITING);
    for (unsigned i = 0; i < 2; i++) {
        wait_for_question(&fixture);
        turn(&fixture);
        patience_ns[i] = fixture.wake_ns - clock_now_ns();
    }
    assert_true(patience_ns[0] <= 1000 * MS);
    assert_true(patience_ns[1] > 1000 * MS && patience_ns[1] <= 1500 * MS);
    assert_false(refresher_was_answered(fixture.refresher));
    tear_down(&fixture);
}

/* A name that stands for several addresses: the first is tried first, and is not the last. */
static void test_all_addresses_of_a_node(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    struct endpoint *endpoint = &fixture.endpoint;
    endpoint->addresses[1] = endpoint->addresses[0];
    endpoint->count = 2;
    struct sockaddr_in *dead = (struct sockaddr_in *)&endpoint->addresses[0].socket;
    dead->sin_port = htons(fixture.ports[2]);
    close(fixture.listeners[2]);
    fixture.listeners[2] = -1;
    fetch_first(&fixture);
    assert_int_equal(refresher_failures(fixture.refresher), 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_when_it_is_wanted),
        cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_the_same_again_for_those_who_wait),
        cmocka_unit_test(test_another_node_is_asked),
        cmocka_unit_test(test_a_failure_is_told),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_the_first_answer_may_take_its_time),
        cmocka_unit_test(test_patience_grows),
        cmocka_unit_test(test_all_addresses_of_a_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
