/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/glide_request.h"

/* A reader of the same format, which knows nothing of the fields. */
struct message {
    const unsigned char *at, *end;
};

static uint64_t read_varint(struct message *message)
{
    uint64_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        assert_true(message->at < message->end && shift < 64);
        value |= (uint64_t)(*message->at & 0x7f) << shift;
        if (!(*message->at++ & 0x80))
            return value;
    }
}

/* Finds a field, once at most. Returns whether it is there: a number, or bytes. */
static bool find(struct message message, unsigned field, uint64_t *number, struct message *bytes)
{
    bool found = false;

    while (message.at < message.end) {
        const uint64_t key = read_varint(&message);
        const uint64_t value = read_varint(&message);
        const bool is_it = key >> 3 == field;

        assert_true((key & 7) == 0 || (key & 7) == 2);
        assert_false(found && is_it);
        found |= is_it;
        if ((key & 7) == 0) {
            if (is_it)
                *number = value;
            continue;
        }
        assert_true((size_t)(message.end - message.at) >= value);
        if (is_it)
            *bytes = (struct message){message.at, message.at + value};
        message.at += value;
    }
    return found;
}

static uint64_t number_of(struct message message, unsigned field)
{
    uint64_t number = 0;
    struct message none;

    return find(message, field, &number, &none) ? number : UINT64_MAX;
}

static struct message bytes_of(struct message message, unsigned field)
{
    struct message bytes = {0};
    uint64_t none;

    assert_true(find(message, field, &none, &bytes));
    return bytes;
}

static bool has(struct message message, unsigned field)
{
    struct message bytes;
    uint64_t number;

    return find(message, field, &number, &bytes);
}

static void assert_text(struct message message, unsigned field, const char *text)
{
    const struct message bytes = bytes_of(message, field);

    assert_int_equal(bytes.end - bytes.at, strlen(text));
    assert_memory_equal(bytes.at, text, strlen(text));
}

static const struct tls_config no_tls;

static struct glide_wishes wishes_for(const struct endpoint *endpoint)
{
    return (struct glide_wishes){.endpoint = endpoint,
                                 .tls = &no_tls,
                                 .request_timeout_ns = UINT64_C(300) * CLOCK_NS_PER_MS,
                                 .connect_timeout_ns = UINT64_C(86400000) * CLOCK_NS_PER_MS,
                                 .slots = 1};
}

static struct message write_request(const struct glide_wishes *wishes)
{
    struct err err;
    char *bytes;
    size_t len;

    assert_int_equal(glide_request_write(wishes, &bytes, &len, &err), 0);
    return (struct message){(unsigned char *)bytes, (unsigned char *)bytes + len};
}

static void resolve(struct endpoint *endpoint, const char *host, const char *socket)
{
    const struct endpoint_config config = {.host = host, .port = 7000, .socket = socket};
    struct err err;

    assert_int_equal(endpoint_resolve(endpoint, &config, &err), 0);
}

static void test_says_what_is_wanted(void **state)
{
    const struct session_config session = {
        .user = "alice", .password = "secret", .db = 300, .resp3 = true};
    struct endpoint endpoint;

    (void)state;
    resolve(&endpoint, "127.0.0.1", NULL);
    struct glide_wishes wishes = wishes_for(&endpoint);
    wishes.session = &session;
    wishes.cluster = wishes.read_from_replica = true;
    wishes.slots = 5000;
    const struct message message = write_request(&wishes);
    assert_text(bytes_of(message, 1), 1, "127.0.0.1");
    assert_int_equal(number_of(bytes_of(message, 1), 2), 7000);
    assert_int_equal(number_of(message, 3), 1);
    assert_int_equal(number_of(message, 4), 300);
    assert_int_equal(number_of(message, 5), 1);
    assert_int_equal(number_of(bytes_of(message, 6), 1), 1);
    assert_text(bytes_of(message, 7), 1, "secret");
    assert_text(bytes_of(message, 7), 2, "alice");
    assert_int_equal(number_of(message, 8), 300);
    assert_false(has(message, 9));
    assert_int_equal(number_of(message, 14), 50000);
    assert_int_equal(number_of(message, 16), 86400000);
    assert_text(message, 19, "valkey-polyglot");
    free((void *)(uintptr_t)message.at);
}

static void test_says_nothing_else(void **state)
{
    static const unsigned unwanted[] = {2, 3, 5, 7, 8, 20, 22, 23};
    struct endpoint endpoint;

    (void)state;
    resolve(&endpoint, "::1", NULL);
    const struct glide_wishes wishes = wishes_for(&endpoint);
    const struct message message = write_request(&wishes);
    assert_text(bytes_of(message, 1), 1, "::1");
    assert_int_equal(number_of(bytes_of(message, 1), 2), 7000);
    for (size_t i = 0; i < COUNT(unwanted); i++)
        assert_false(has(message, unwanted[i]));
    assert_int_equal(number_of(message, 9), 1);
    assert_int_equal(number_of(message, 14), 1000);
    free((void *)(uintptr_t)message.at);
}

static void test_names_a_socket(void **state)
{
    struct endpoint endpoint;

    (void)state;
    resolve(&endpoint, "127.0.0.1", "/run/valkey.sock");
    const struct glide_wishes wishes = wishes_for(&endpoint);
    const struct message message = write_request(&wishes);
    assert_text(bytes_of(message, 1), 3, "/run/valkey.sock");
    assert_false(has(bytes_of(message, 1), 1));
    free((void *)(uintptr_t)message.at);
}

static void test_hands_over_certificates(void **state)
{
    char path[] = "/tmp/test_glide_XXXXXX";
    struct endpoint endpoint;
    struct err err;
    char *bytes;
    size_t len;

    (void)state;
    const int fd = mkstemp(path);
    assert_int_equal(write(fd, "-PEM-", 5), 5);
    close(fd);
    struct tls_config tls = {.on = true, .cacert = path, .cert = path, .key = path};
    resolve(&endpoint, "127.0.0.1", NULL);
    struct glide_wishes wishes = wishes_for(&endpoint);
    wishes.tls = &tls;
    struct message message = write_request(&wishes);
    assert_int_equal(number_of(message, 2), 1);
    for (unsigned field = 20; field <= 23; field++)
        if (field != 21)
            assert_text(message, field, "-PEM-");
    free((void *)(uintptr_t)message.at);
    tls.insecure = true;
    message = write_request(&wishes);
    assert_int_equal(number_of(message, 2), 2);
    assert_false(has(message, 20));
    free((void *)(uintptr_t)message.at);
    unlink(path);
    assert_true(glide_request_write(&wishes, &bytes, &len, &err) < 0);
    assert_non_null(strstr(err.text, "--cert"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_is_wanted),
        cmocka_unit_test(test_says_nothing_else),
        cmocka_unit_test(test_names_a_socket),
        cmocka_unit_test(test_hands_over_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
