/* SPDX-License-Identifier: BSD-3-Clause */
/* Custom commands of which --custom-command-args names the one that a test is after. */
#include <stdio.h>
#include <string.h>

#include <valkey_polyglot/custom_command.h>

static int call(struct vpb_client *client, size_t argc, const char *const *argv)
{
    return vpb_call(client, argc, argv, NULL)->type == VPB_ERROR;
}

#define CALL(client, ...)                                                                          \
    call(client, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                           \
         (const char *const[]){__VA_ARGS__})

static int none(struct vpb_client *client)
{
    (void)client;
    return 0;
}

static int two(struct vpb_client *client)
{
    return CALL(client, "INCR", "probe:a") || CALL(client, "INCR", "probe:b");
}

static int pipeline(struct vpb_client *client)
{
    size_t count;

    vpb_append(client, 2, (const char *const[]){"INCR", "probe:a"}, NULL);
    vpb_append(client, 2, (const char *const[]){"INCR", "probe:b"}, NULL);
    vpb_append(client, 1, (const char *const[]){"PING"}, NULL);
    const struct vpb_reply *replies = vpb_flush(client, &count);
    return count != 3 || replies[2].len != 4 || memcmp(replies[2].text, "PONG", 4) != 0;
}

static int binary(struct vpb_client *client)
{
    static const char key[] = "a\0b\r\n\xff", value[] = "\0\r\n$5\r\n\xfe";
    const char *const set[] = {"SET", key, value}, *const get[] = {"GET", key};
    const size_t lens[] = {3, sizeof key - 1, sizeof value - 1};

    if (vpb_call(client, 3, set, lens)->type != VPB_STATUS)
        return vpb_fail(client, "SET failed");
    const struct vpb_reply *reply = vpb_call(client, 2, get, lens);
    if (reply->len != sizeof value - 1 || memcmp(reply->text, value, reply->len) != 0)
        return vpb_fail(client, "GET failed");
    return CALL(client, "SET", "probe:done", "1");
}

static int nested(struct vpb_client *client)
{
    const char *const argv[] = {"EVAL", "return {1, {'two', {3}}, {}, {ok = 'fine'}}", "0"};
    const struct vpb_reply *reply = vpb_call(client, 3, argv, NULL);

    if (reply->count != 4 || reply->items[0].integer != 1 || reply->items[1].count != 2 ||
        reply->items[1].items[0].len != 3 || reply->items[1].items[1].items[0].integer != 3 ||
        reply->items[2].count != 0 || reply->items[3].type != VPB_STATUS)
        return vpb_fail(client, "the reply is another");
    return CALL(client, "SET", "probe:done", "1");
}

static int swallowed(struct vpb_client *client)
{
    CALL(client, "LPUSH", "probe:text", "x");
    return strncmp(vpb_error(client), "WRONGTYPE", 9) != 0;
}

static int failed(struct vpb_client *client)
{
    return CALL(client, "LPUSH", "probe:text", "x");
}

static int refused(struct vpb_client *client)
{
    (void)client;
    return 1;
}

static int thrown(struct vpb_client *client)
{
    return vpb_fail(client, "thrown on %s", "purpose");
}

static int endless(struct vpb_client *client)
{
    for (volatile bool forever = true; forever;)
        (void)client;
    return 0;
}

static int large(struct vpb_client *client)
{
    const char *const argv[] = {"GET", "probe:large"};

    return vpb_call(client, 2, argv, NULL)->len != 100 * 1024 * 1024;
}

static int slow(struct vpb_client *client)
{
    return CALL(client, "BLPOP", "probe:never", "0.1") ||
           CALL(client, "BLPOP", "probe:never", "0.1");
}

/* A connection is lost between the two. */
static int cut(struct vpb_client *client)
{
    return CALL(client, "INCR", "probe:begun") || CALL(client, "BLPOP", "probe:never", "0");
}

struct probe {
    const char *name;
    int (*run)(struct vpb_client *client);
};

static const struct probe probes[] = {
    {"none", none},       {"two", two},         {"pipeline", pipeline},
    {"binary", binary},   {"nested", nested},   {"swallowed", swallowed},
    {"failed", failed},   {"refused", refused}, {"thrown", thrown},
    {"endless", endless}, {"large", large},     {"cut", cut},
    {"slow", slow},       {"bad_init", none},   {"endless_init", none},
};

static int init(const struct vpb_config *config, void **state)
{
    const char *name = config->custom_command_args;

    if (config->data_size != 3)
        return vpb_refuse(config, "data_size is another");
    if (strcmp(name, "bad_init") == 0)
        return vpb_refuse(config, "init failed on purpose");
    while (strcmp(name, "endless_init") == 0)
        continue;
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strcmp(probes[i].name, name) == 0)
            *state = (void *)&probes[i];
    return 0;
}

static int execute(struct vpb_client *client, void *state)
{
    const struct probe *probe = state;

    return probe->run(client);
}

const struct vpb_command vpb_command = {
    .version = VPB_API_VERSION, .init = init, .execute = execute};
