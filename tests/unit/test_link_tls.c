/* SPDX-License-Identifier: BSD-3-Clause */
/* Links over TLS, with every engine that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link_fixture.h"
#include "tls_peer.h"

#include <errno.h>
#include <fcntl.h>

enum { MUCH = 8 << 20, TRIES_MAX = 4000 };

/* The engines, and their ways to use the kernel. */
static const struct engine_case {
    const struct loop_ops *ops;
    unsigned skip;
} engines[] = {
    {&loop_epoll, 0},
#if HAVE_URING
    {&loop_uring, 0},
    {&loop_uring, 2},
#endif
};

struct world {
    struct folder folder;
    struct identity authority, server;
    char *cacert;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    world->authority = identity_make(NULL, (struct identity_facts){NULL, true, -60, DAY_S});
    world->server = identity_make(&world->authority,
                                  (struct identity_facts){"IP:127.0.0.1", false, -60, DAY_S});
    folder_make(&world->folder);
    world->cacert = folder_put_certificate(&world->folder, "ca.crt", &world->authority);
    *state = world;
    return 0;
}

static int end_world(void **state)
{
    struct world *world = *state;

    folder_drop(world->cacert);
    rmdir(world->folder.path);
    identity_free(&world->authority);
    identity_free(&world->server);
    free(world);
    return 0;
}

/* All that was added leaves, encrypted, at once. */
static void all_leaves(struct link *link, uint64_t now_ns)
{
    (void)now_ns;
    assert_int_equal(link->state, LINK_UP);
    assert_int_equal(link_outbox(link)->filling.len, 0);
}

static const struct link_events tls_events = {on_up,     all_leaves, on_reply,
                                              on_ending, on_down,    NULL};

/* A link and, behind a socket that does not block, the server. */
struct setting {
    struct fixture fixture;
    struct tls_context *context;
    SSL_CTX *peer_context;
    int fd;
    SSL *peer;
};

/* Returns false where there is no such engine. */
static bool begin(struct setting *setting, const struct world *world,
                  const struct engine_case *engine)
{
    const struct tls_config config = {.on = true, .cacert = world->cacert};
    struct fixture *fixture = &setting->fixture;
    struct err err;

    *setting = (struct setting){.fd = -1};
    set_up(fixture);
    link_deinit(&fixture->watched.link);
    const struct loop_setup loop_setup = {
        .wake_fd = fixture->wake_fd, .channels = 8, .skip = engine->skip};
    loop_destroy(&fixture->setup.loop);
    if (engine->ops->create(&fixture->setup.loop, &loop_setup, &err) < 0) {
        close(fixture->wake_fd);
        close(fixture->listener);
        return false;
    }
    assert_int_equal(tls_context_create(&setting->context, &config, "127.0.0.1", &err), 0);
    setting->peer_context = peer_context(&world->server, TLS1_3_VERSION);
    fixture->setup.tls = setting->context;
    fixture->setup.events = &tls_events;
    link_init(&fixture->watched.link, &fixture->setup, 0);
    return true;
}

static void hang_up(struct setting *setting)
{
    if (!setting->peer)
        return;
    SSL_set_shutdown(setting->peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(setting->peer);
    close(setting->fd);
    setting->peer = NULL;
    ERR_clear_error();
}

static void end(struct setting *setting)
{
    tear_down(&setting->fixture);
    hang_up(setting);
    SSL_CTX_free(setting->peer_context);
    tls_context_destroy(&setting->context);
}

static void turn(struct setting *setting)
{
    loop_turn(setting->fixture.setup.loop, clock_now_ns() + 5 * CLOCK_NS_PER_MS);
}

/* Dials, and lets the server take the connection, but not shake hands. */
static void dial_peer(struct setting *setting)
{
    link_dial(&setting->fixture.watched.link, clock_now_ns());
    turn(setting);
    setting->fd = peer_accept(setting->fixture.listener);
    fcntl(setting->fd, F_SETFL, O_NONBLOCK);
    setting->peer = SSL_new(setting->peer_context);
    SSL_set_fd(setting->peer, setting->fd);
    SSL_set_accept_state(setting->peer);
}

static void connect_peer(struct setting *setting)
{
    const unsigned ups = setting->fixture.watched.ups;

    dial_peer(setting);
    assert_int_equal(setting->fixture.watched.ups, ups);
    for (int tries = 0; SSL_do_handshake(setting->peer) != 1; tries++) {
        assert_in_range(tries, 0, TRIES_MAX);
        turn(setting);
    }
    turn_until(&setting->fixture, &setting->fixture.watched.ups, ups + 1);
}

static void request(struct setting *setting, const char *bytes, size_t len)
{
    struct link *link = &setting->fixture.watched.link;

    memcpy(outbox_reserve(link_outbox(link), len), bytes, len);
    outbox_add(link_outbox(link), len);
    link_send(link);
}

static void expect_request(struct setting *setting, const char *bytes, size_t len)
{
    char *room = mem_zalloc(len, 1);
    size_t got = 0;

    for (int tries = 0; got < len; tries++) {
        const int some = SSL_read(setting->peer, room + got, (int)(len - got));

        assert_in_range(tries, 0, TRIES_MAX);
        if (some > 0)
            got += (size_t)some;
        else
            turn(setting);
    }
    assert_memory_equal(room, bytes, len);
    free(room);
}

static void exchange(struct setting *setting)
{
    struct watched *watched = &setting->fixture.watched;
    const unsigned replies = watched->replies;

    request(setting, "PING\r\n", 6);
    request(setting, "PING\r\n", 6);
    expect_request(setting, "PING\r\nPING\r\n", 12);
    assert_true(link_has_left(&watched->link));
    assert_int_equal(SSL_write(setting->peer, "+PONG\r\n+PO", 10), 10);
    turn_until(&setting->fixture, &watched->replies, replies + 1);
    assert_int_equal(SSL_write(setting->peer, "NG\r\n", 4), 4);
    turn_until(&setting->fixture, &watched->replies, replies + 2);
}

typedef void check_fn(struct setting *setting);

static void on_every_engine(void **state, check_fn *check)
{
    for (size_t i = 0; i < COUNT(engines); i++) {
        struct setting setting;

        if (!begin(&setting, *state, &engines[i]))
            continue;
        check(&setting);
        end(&setting);
    }
}

static void check_exchange(struct setting *setting)
{
    const struct link *link = &setting->fixture.watched.link;

    connect_peer(setting);
    assert_true(link->dialed_ns <= link->opened_ns && link->opened_ns < link->secured_ns);
    exchange(setting);
    assert_int_equal(setting->fixture.watched.endings, 0);
}

/* The opening goes through TLS too, and comes before the link is up. */
static void check_opening(struct setting *setting)
{
    static const struct session_config config = {.password = "pw", .password_from = "--pass"};
    static const char auth[] = "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n";
    struct session_opening opening;

    session_opening_init(&opening, &config);
    setting->fixture.setup.opening = &opening;
    dial_peer(setting);
    for (int tries = 0; SSL_do_handshake(setting->peer) != 1; tries++) {
        assert_in_range(tries, 0, TRIES_MAX);
        turn(setting);
    }
    expect_request(setting, auth, sizeof auth - 1);
    assert_int_equal(setting->fixture.watched.ups, 0);
    assert_int_equal(SSL_write(setting->peer, "+OK\r\n", 5), 5);
    turn_until(&setting->fixture, &setting->fixture.watched.ups, 1);
    exchange(setting);
    session_opening_deinit(&opening);
}

/* More than the kernel takes at once, while the server does not read. */
static void check_much(struct setting *setting)
{
    char *bytes = mem_zalloc(MUCH, 1);

    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (char)(i % 251);
    connect_peer(setting);
    request(setting, bytes, MUCH / 2);
    turn(setting);
    assert_false(link_has_left(&setting->fixture.watched.link));
    request(setting, bytes + MUCH / 2, MUCH / 2);
    turn(setting);
    expect_request(setting, bytes, MUCH);
    exchange(setting);
    free(bytes);
}

static void check_key_update(struct setting *setting)
{
    connect_peer(setting);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(setting->peer, SSL_KEY_UPDATE_REQUESTED), 1);
        exchange(setting);
    }
}

/* However the server ends it; and the next connection resumes the session. */
static void check_ends(struct setting *setting)
{
    struct watched *watched = &setting->fixture.watched;

    for (unsigned i = 0; i < 4; i++) {
        connect_peer(setting);
        assert_int_equal(SSL_session_reused(setting->peer), i > 0);
        exchange(setting);
        if (i % 2)
            SSL_shutdown(setting->peer);
        else
            shutdown(setting->fd, SHUT_WR);
        turn_until(&setting->fixture, &watched->downs, i + 1);
        assert_int_equal(watched->reason, LINK_ENDED);
        assert_true(watched->was_up);
        assert_int_equal(watched->endings, i + 1);
        hang_up(setting);
    }
}

/* The server has no certificate for the name. */
static void check_failure(struct setting *setting)
{
    struct fixture *fixture = &setting->fixture;
    const struct tls_config config = {.on = true};
    struct err err;

    tls_context_destroy(&setting->context);
    assert_int_equal(tls_context_create(&setting->context, &config, "127.0.0.1", &err), 0);
    fixture->setup.tls = setting->context;
    dial_peer(setting);
    for (int tries = 0; fixture->watched.downs == 0; tries++) {
        assert_in_range(tries, 0, TRIES_MAX);
        SSL_do_handshake(setting->peer);
        turn(setting);
    }
    assert_int_equal(fixture->watched.reason, LINK_INSECURE);
    assert_false(fixture->watched.was_up);
    assert_int_equal(fixture->watched.ups + fixture->watched.endings, 0);
    assert_non_null(strstr(link_words(&fixture->watched.link), "--cacert"));
}

static void check_garbage(struct setting *setting)
{
    struct watched *watched = &setting->fixture.watched;

    connect_peer(setting);
    exchange(setting);
    assert_int_equal(SSL_write(setting->peer, "HTTP\r\n", 6), 6);
    turn_until(&setting->fixture, &watched->downs, 1);
    assert_int_equal(watched->reason, LINK_GARBAGE);
    hang_up(setting);
    connect_peer(setting);
    exchange(setting);
    peer_say(setting->fd, "HTTP\r\n");
    turn_until(&setting->fixture, &watched->downs, 2);
    assert_int_equal(watched->reason, LINK_INSECURE);
    assert_true(watched->was_up);
    assert_int_equal(watched->endings, 2);
}

/* The bound on a dial holds while the server is connected but silent. */
static void check_bound(struct setting *setting)
{
    struct link *link = &setting->fixture.watched.link;

    dial_peer(setting);
    turn(setting);
    assert_int_equal(link->state, LINK_DIALING);
    assert_true(link_wake_ns(link) <= clock_now_ns() + CLOCK_NS_PER_S);
    link_close(link, ETIMEDOUT);
    turn_until(&setting->fixture, &setting->fixture.watched.downs, 1);
    assert_int_equal(setting->fixture.watched.reason, ETIMEDOUT);
    assert_false(setting->fixture.watched.was_up);
}

/* Given up by its owner in the middle of what came in one record. */
static void check_close_between_replies(struct setting *setting)
{
    struct watched *watched = &setting->fixture.watched;

    connect_peer(setting);
    watched->close_after = 2;
    assert_int_equal(SSL_write(setting->peer, "+A\r\n+B\r\n+C\r\n", 12), 12);
    turn_until(&setting->fixture, &watched->downs, 1);
    assert_int_equal(watched->replies, 2);
    assert_int_equal(watched->reason, LINK_UNASKED);
}

#define TEST(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        on_every_engine(state, check_##name);                                                      \
    }

TEST(exchange)
TEST(opening)
TEST(much)
TEST(key_update)
TEST(ends)
TEST(failure)
TEST(garbage)
TEST(bound)
TEST(close_between_replies)

/* What speaks TLS may say so to a link that does not. */
static void test_an_alert_to_a_plain_link(void **state)
{
    static const char alert[] = "\x15\x03\x01\x02\x02\x46";
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    const int peer = dial(&fixture);
    peer_say(peer, alert);
    turn_until(&fixture, &fixture.watched.downs, 1);
    assert_int_equal(fixture.watched.reason, LINK_WANTS_TLS);
    assert_non_null(strstr(link_reason_text(LINK_WANTS_TLS), "--tls"));
    close(peer);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_close_between_replies),
        cmocka_unit_test(test_an_alert_to_a_plain_link),
    };

    return cmocka_run_group_tests(tests, make_world, end_world);
}
