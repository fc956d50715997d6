/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_peer.h"

enum who { GOOD, BY_ADDRESS, EXPIRED, TOO_EARLY, STRANGE, OWN, CLIENT, WHOS };

struct world {
    struct folder folder;
    char *cacert, *cert, *key, *strange_cert, *strange_key;
    struct identity authority, stranger; /* stranger: another authority */
    struct identity of[WHOS];
};

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const struct identity_facts authority = {.authority = true, .until_s = DAY_S};
    const struct identity_facts good = {"DNS:good.example,DNS:*.wild.example", false, -60, DAY_S};

    world->authority = identity_make(NULL, authority);
    world->stranger = identity_make(NULL, authority);
    world->of[GOOD] = identity_make(&world->authority, good);
    world->of[BY_ADDRESS] = identity_make(
        &world->authority, (struct identity_facts){"IP:127.0.0.1,IP:::1", false, -60, DAY_S});
    world->of[EXPIRED] = identity_make(
        &world->authority, (struct identity_facts){"DNS:good.example", false, -DAY_S, -60});
    world->of[TOO_EARLY] = identity_make(
        &world->authority, (struct identity_facts){"DNS:good.example", false, DAY_S, 2 * DAY_S});
    world->of[STRANGE] = identity_make(&world->stranger, good);
    world->of[OWN] = identity_make(NULL, good);
    world->of[CLIENT] =
        identity_make(&world->authority, (struct identity_facts){NULL, false, -60, DAY_S});
    folder_make(&world->folder);
    world->cacert = folder_put_certificate(&world->folder, "ca.crt", &world->authority);
    world->cert = folder_put_certificate(&world->folder, "client.crt", &world->of[CLIENT]);
    world->key = folder_put_key(&world->folder, "client.key", &world->of[CLIENT], NULL);
    world->strange_cert = folder_put_certificate(&world->folder, "odd.crt", &world->of[STRANGE]);
    world->strange_key = folder_put_key(&world->folder, "odd.key", &world->of[STRANGE], NULL);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    folder_drop(world->cacert);
    folder_drop(world->cert);
    folder_drop(world->key);
    folder_drop(world->strange_cert);
    folder_drop(world->strange_key);
    rmdir(world->folder.path);
    for (size_t i = 0; i < WHOS; i++)
        identity_free(&world->of[i]);
    identity_free(&world->authority);
    identity_free(&world->stranger);
    free(world);
    return 0;
}

static struct tls_context *make_context(const struct tls_config *config, const char *host)
{
    struct tls_context *context;
    struct err err;

    assert_int_equal(tls_context_create(&context, config, host, &err), 0);
    return context;
}

/* A client that trusts the authority, and wants good.example. */
static struct tls_context *good_context(const struct world *world)
{
    return make_context(&(struct tls_config){.on = true, .cacert = world->cacert}, "good.example");
}

static void expect_got(const struct wire *wire, const char *want, size_t len)
{
    assert_int_equal(wire->got_len, len);
    assert_memory_equal(wire->got, want, len);
}

/* The server has got so many bytes and no more, in reads of a record each. Returns how many. */
static unsigned expect_peer_got(struct wire *wire, const char *want, size_t len)
{
    char *room = mem_zalloc(len + 1, 1);
    size_t got = 0;
    unsigned records = 0;
    int some;

    wire_carry_over(wire);
    while ((some = SSL_read(wire->peer, room + got, (int)(len + 1 - got))) > 0) {
        got += (size_t)some;
        records++;
    }
    assert_int_equal(got, len);
    assert_memory_equal(room, want, len);
    free(room);
    return records;
}

static void peer_says(struct wire *wire, const char *bytes, size_t len)
{
    assert_int_equal(SSL_write(wire->peer, bytes, (int)len), len);
    wire_carry_back(wire);
}

/* Both ways, on a connection that is open. */
static void exchange(struct wire *wire)
{
    const size_t before = wire->got_len;

    assert_int_equal(wire->opened, 1);
    assert_true(tls_send(wire->tls, STR("request")));
    expect_peer_got(wire, "request", 7);
    peer_says(wire, "reply", 5);
    assert_int_equal(wire->got_len - before, 5);
    assert_memory_equal(wire->got + before, "reply", 5);
}

static void test_exchange(void **state)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct world *world = *state;
        struct tls_context *context = good_context(world);
        SSL_CTX *peer = peer_context(&world->of[GOOD], versions[i]);
        struct wire wire;

        wire_open(&wire, context, peer);
        wire_shake_hands(&wire);
        exchange(&wire);
        assert_string_equal(SSL_get_servername(wire.peer, TLSEXT_NAMETYPE_host_name),
                            "good.example");
        wire_close(&wire);
        SSL_CTX_free(peer);
        tls_context_destroy(&context);
    }
}

/* The handshake and what follows, in pieces of each size; and in two at each place. */
static void test_cuts(void **state)
{
    static const size_t cuts[] = {1, 2, 3, 5, 7, 64};
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(versions); i++)
        for (size_t j = 0; j < COUNT(cuts); j++) {
            struct tls_context *context = good_context(world);
            SSL_CTX *peer = peer_context(&world->of[GOOD], versions[i]);
            struct wire wire;

            wire_open(&wire, context, peer);
            wire.cut = cuts[j];
            wire_shake_hands(&wire);
            exchange(&wire);
            for (wire.cut = 1; wire.cut < 40; wire.cut++)
                exchange(&wire);
            wire_close(&wire);
            SSL_CTX_free(peer);
            tls_context_destroy(&context);
        }
}

/* What the server sends, and the client, in the fewest records. */
static void test_much_both_ways(void **state)
{
    const size_t len = 3 << 20;
    struct world *world = *state;
    char *bytes = mem_zalloc(len, 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_context *context = good_context(world);
        SSL_CTX *peer = peer_context(&world->of[GOOD], versions[i]);
        struct wire wire;

        wire_open(&wire, context, peer);
        wire_shake_hands(&wire);
        assert_true(tls_send(wire.tls, (struct str){bytes, len}));
        assert_true(wire.outbox.filling.len < len + (len >> 14) * 64);
        assert_int_equal(expect_peer_got(&wire, bytes, len), len >> 14);
        wire.cut = 60000;
        peer_says(&wire, bytes, len);
        expect_got(&wire, bytes, len);
        assert_true(tls_send(wire.tls, STR("")));
        assert_int_equal(wire.outbox.filling.len, 0);
        wire_close(&wire);
        SSL_CTX_free(peer);
        tls_context_destroy(&context);
    }
    free(bytes);
}

static void test_key_updates(void **state)
{
    struct world *world = *state;
    struct tls_context *context = good_context(world);
    SSL_CTX *peer = peer_context(&world->of[GOOD], TLS1_3_VERSION);
    struct wire wire;

    wire_open(&wire, context, peer);
    wire_shake_hands(&wire);
    exchange(&wire);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(SSL_key_update(wire.peer, SSL_KEY_UPDATE_REQUESTED), 1);
        exchange(&wire);
        exchange(&wire);
    }
    wire_close(&wire);
    SSL_CTX_free(peer);
    tls_context_destroy(&context);
}

/* One that ended as connections do, without a word, is resumed; not after one that failed. */
static void test_resumption(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_context *context = good_context(world);
        SSL_CTX *peer = peer_context(&world->of[GOOD], versions[i]);
        static const bool want[] = {false, true, true, false, true};

        for (size_t j = 0; j < COUNT(want); j++) {
            struct wire wire;

            wire_open(&wire, context, peer);
            wire_shake_hands(&wire);
            exchange(&wire);
            assert_int_equal(tls_resumed(wire.tls), want[j]);
            assert_true(str_starts(
                str_of(tls_context_agreed(context)),
                str_of(versions[i] == TLS1_2_VERSION ? "TLSv1.2, ECDHE-" : "TLSv1.3, TLS_")));
            wire_close(&wire);
            if (j != 2)
                continue;
            wire_open(&wire, context, peer);
            wire_drain(&wire);
            wire_feed(&wire, "-ERR\r\n", 6);
            assert_int_equal(wire.last, TLS_FAILED);
            wire_close(&wire);
        }
        SSL_CTX_free(peer);
        tls_context_destroy(&context);
    }
}

static void test_the_peer_ends(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_context *context = good_context(world);
        SSL_CTX *peer = peer_context(&world->of[GOOD], versions[i]);
        struct wire wire;
        struct str plaintext;

        wire_open(&wire, context, peer);
        wire_shake_hands(&wire);
        exchange(&wire);
        SSL_shutdown(wire.peer);
        wire_carry_back(&wire);
        assert_int_equal(wire.last, TLS_ENDED);
        assert_int_equal(tls_next(wire.tls, &plaintext), TLS_ENDED);
        wire_close(&wire);
        SSL_CTX_free(peer);
        tls_context_destroy(&context);
    }
}

/* ---- failures: the sentence of each */

static const char not_tls[] =
    "that port does not speak TLS; leave out --tls, or give another --port";

static void test_what_is_not_tls(void **state)
{
    static const char *const cases[] = {"-ERR unknown command\r\n", "+PONG\r\n",
                                        "HTTP/1.1 400 Bad Request\r\n\r\n", "$-1\r\n\r\n"};
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t cut = 1; cut <= strlen(cases[i]); cut++) {
            struct tls_context *context = good_context(world);
            SSL_CTX *peer = peer_context(&world->of[GOOD], TLS1_3_VERSION);
            char text[TLS_REASON_MAX];
            struct wire wire;

            wire_open(&wire, context, peer);
            wire_drain(&wire);
            wire_feed(&wire, cases[i], cut);
            wire_feed(&wire, cases[i] + cut, strlen(cases[i]) - cut);
            assert_int_equal(wire.last, TLS_FAILED);
            assert_string_equal(tls_reason(wire.tls, text), not_tls);
            wire_close(&wire);
            SSL_CTX_free(peer);
            tls_context_destroy(&context);
        }
}

/* A record that was changed on its way. */
static void test_a_forged_record(void **state)
{
    struct world *world = *state;
    struct tls_context *context = good_context(world);
    SSL_CTX *peer = peer_context(&world->of[GOOD], TLS1_3_VERSION);
    char text[TLS_REASON_MAX];
    struct wire wire;
    char *bytes;

    wire_open(&wire, context, peer);
    wire_shake_hands(&wire);
    exchange(&wire);
    assert_int_equal(SSL_write(wire.peer, "reply", 5), 5);
    const size_t len = (size_t)BIO_get_mem_data(wire.from_peer, &bytes);
    bytes[len - 1] ^= 1;
    wire_carry_back(&wire);
    assert_int_equal(wire.last, TLS_FAILED);
    assert_string_equal(tls_reason(wire.tls, text),
                        "TLS failed (decryption failed or bad record mac)");
    assert_true(wire.outbox.filling.len > 0); /* an alert */
    assert_false(tls_send(wire.tls, STR("request")));
    wire_close(&wire);
    SSL_CTX_free(peer);
    tls_context_destroy(&context);
}

/* How a case's client is set up, beyond the good one. */
enum { TRUSTS = 1, SHOWS = 2, SHOWS_STRANGE = 4, INSECURE = 8, SNI = 16, ONE_CIPHER = 32 };

static const struct verdict {
    const char *host;
    unsigned client;
    enum who server;
    int version;           /* 0: both, one after the other */
    bool wants;            /* a certificate of the client */
    const char *reason;    /* NULL: it opens, and bytes go both ways */
    const char *if_newest; /* the same for TLS 1.3 */
} verdicts[] = {
    {"good.example", TRUSTS, GOOD, 0, false, NULL, NULL},
    {"good.example.", TRUSTS, GOOD, 0, false, NULL, NULL},
    {"x.wild.example", TRUSTS, GOOD, 0, false, NULL, NULL},
    {"127.0.0.1", TRUSTS, BY_ADDRESS, 0, false, NULL, NULL},
    {"::1", TRUSTS, BY_ADDRESS, 0, false, NULL, NULL},
    {"::1%lo", TRUSTS, BY_ADDRESS, 0, false, NULL, NULL},
    {"127.0.0.1", TRUSTS | SNI, GOOD, 0, false, NULL, NULL},
    {"good.example", INSECURE, STRANGE, 0, false, NULL, NULL},
    {"bad.example", INSECURE, GOOD, 0, false, NULL, NULL},
    {"bad.example", INSECURE, EXPIRED, 0, false, NULL, NULL},
    {"good.example", TRUSTS | SHOWS, GOOD, 0, true, NULL, NULL},
    {"good.example", TRUSTS | SHOWS, GOOD, 0, false, NULL, NULL},
    {"good.example", 0, GOOD, 0, false,
     "its certificate is not from an authority that is trusted here (unable to get local issuer "
     "certificate); name that by --cacert or --cacertdir, or use --insecure",
     NULL},
    {"good.example", TRUSTS, STRANGE, 0, false,
     "its certificate is not from an authority that is trusted here (unable to get local issuer "
     "certificate); name that by --cacert or --cacertdir, or use --insecure",
     NULL},
    {"good.example", TRUSTS, OWN, 0, false,
     "its certificate is not from an authority that is trusted here (self-signed certificate); "
     "name that by --cacert or --cacertdir, or use --insecure",
     NULL},
    {"bad.example", TRUSTS, GOOD, 0, false,
     "its certificate is not for \"bad.example\"; give the name that it is for by --host or --sni, "
     "or use --insecure",
     NULL},
    {"127.0.0.2", TRUSTS, BY_ADDRESS, 0, false,
     "its certificate is not for \"127.0.0.2\"; give the name that it is for by --host or --sni, "
     "or use --insecure",
     NULL},
    {"good.example", TRUSTS, EXPIRED, 0, false,
     "its certificate has expired; give the server a new one, or use --insecure", NULL},
    {"good.example", TRUSTS, TOO_EARLY, 0, false,
     "its certificate is not valid yet; set the clock right, or use --insecure", NULL},
    {"good.example", TRUSTS, GOOD, 0, true,
     "it wants a certificate of the client (handshake failure); give one by --cert and --key",
     "it wants a certificate of the client (certificate required); give one by --cert and --key"},
    {"good.example", TRUSTS | SHOWS_STRANGE, GOOD, 0, true,
     "it refused the connection, most likely for the certificate of --cert (unknown ca)", NULL},
    {"good.example", TRUSTS, GOOD, TLS1_1_VERSION, false, "it speaks neither TLS 1.2 nor TLS 1.3",
     NULL},
    {"good.example", TRUSTS | ONE_CIPHER, GOOD, TLS1_2_VERSION, false,
     "it has no cipher in common with this client (handshake failure); allow others by "
     "--tls-ciphers or --tls-ciphersuites",
     NULL},
};

/* `derived`: by a context like one for another host. */
static void check_verdict(const struct world *world, const struct verdict *verdict, int version,
                          bool derived)
{
    const unsigned client = verdict->client;
    const bool shows = client & (SHOWS | SHOWS_STRANGE);
    const bool own = client & SHOWS;
    const struct tls_config config = {.on = true,
                                      .insecure = client & INSECURE,
                                      .cacert = client & TRUSTS ? world->cacert : NULL,
                                      .cert = !shows ? NULL
                                              : own  ? world->cert
                                                     : world->strange_cert,
                                      .key = !shows ? NULL
                                             : own  ? world->key
                                                    : world->strange_key,
                                      .ciphers = client & ONE_CIPHER ? "ECDHE-RSA-AES128-GCM-SHA256"
                                                                     : NULL,
                                      .sni = client & SNI ? "good.example" : NULL};
    const char *want =
        version == TLS1_3_VERSION && verdict->if_newest ? verdict->if_newest : verdict->reason;
    struct tls_context *like = make_context(&config, derived ? "other.example" : verdict->host);
    struct tls_context *context = like;
    SSL_CTX *peer = peer_context(&world->of[verdict->server], version);
    char text[TLS_REASON_MAX];
    struct wire wire;

    if (derived) {
        assert_int_equal(tls_context_create_like(&context, like, verdict->host, NULL), 0);
        tls_context_destroy(&like);
    }
    if (verdict->wants)
        peer_want_certificate(peer, &world->authority);
    wire_open(&wire, context, peer);
    wire_shake_hands(&wire);
    if (want) {
        assert_int_equal(wire.last, TLS_FAILED);
        assert_string_equal(tls_reason(wire.tls, text), want);
    } else {
        exchange(&wire);
    }
    wire_close(&wire);
    SSL_CTX_free(peer);
    tls_context_destroy(&context);
}

static void test_verdicts(void **state)
{
    for (size_t i = 0; i < 2 * COUNT(verdicts); i++) {
        const struct verdict *verdict = &verdicts[i / 2];
        const bool derived = i % 2;

        for (size_t j = 0; j < COUNT(versions); j++)
            if (!verdict->version || j == 0)
                check_verdict(*state, verdict, verdict->version ? verdict->version : versions[j],
                              derived);
    }
}

/* An address is no name to ask for. */
static void test_no_name_of_an_address(void **state)
{
    struct world *world = *state;
    struct tls_context *context =
        make_context(&(struct tls_config){.on = true, .cacert = world->cacert}, "127.0.0.1");
    SSL_CTX *peer = peer_context(&world->of[BY_ADDRESS], TLS1_3_VERSION);
    struct wire wire;

    wire_open(&wire, context, peer);
    wire_shake_hands(&wire);
    exchange(&wire);
    assert_null(SSL_get_servername(wire.peer, TLSEXT_NAMETYPE_host_name));
    wire_close(&wire);
    SSL_CTX_free(peer);
    tls_context_destroy(&context);
}

static void test_alerts_are_known(void **state)
{
    (void)state;
    assert_true(tls_is_alert(STR("\x15\x03\x01")));
    assert_true(tls_is_alert(STR("\x15\x03")));
    assert_false(tls_is_alert(STR("\x15")));
    assert_false(tls_is_alert(STR("")));
    assert_false(tls_is_alert(STR("+PONG")));
    assert_false(tls_is_alert(STR("\x16\x03\x01")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),         cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_much_both_ways),   cmocka_unit_test(test_key_updates),
        cmocka_unit_test(test_resumption),       cmocka_unit_test(test_the_peer_ends),
        cmocka_unit_test(test_what_is_not_tls),  cmocka_unit_test(test_a_forged_record),
        cmocka_unit_test(test_verdicts),         cmocka_unit_test(test_no_name_of_an_address),
        cmocka_unit_test(test_alerts_are_known),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
