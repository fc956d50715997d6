/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A choice of commands, one an execution:
 *
 *     valkey-polyglot -t custom --custom-command-file examples/custom_command.c \
 *         --custom-command-args mset -r 100000
 *
 * --custom-command-args is set (as without it), mset, hset, lpush or lpush_keyspace.
 */
#include <stdio.h>
#include <string.h>

#include <valkey_polyglot/custom_command.h>

enum { ITEMS = 10, NAME_MAX_BYTES = 64 }; /* keys of an mset, fields of an hset */

/* Sends a command whose arguments are texts. What this returns, `execute` may return. */
static int send_command(struct vpb_client *client, size_t argc, const char *const *argv)
{
    return vpb_call(client, argc, argv, NULL)->type == VPB_ERROR;
}

/* The same as the built-in test. */
static int set(struct vpb_client *client)
{
    const char *const argv[] = {"SET", vpb_key(client), client->config->data};

    return send_command(client, 3, argv);
}

/* Several keys at once. A {tag} keeps them in one slot of a cluster. */
static int mset(struct vpb_client *client)
{
    char keys[ITEMS][NAME_MAX_BYTES];
    const char *argv[1 + 2 * ITEMS] = {"MSET"};

    for (int i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], "{%s}:%d", vpb_key(client), i + 1);
        argv[1 + 2 * i] = keys[i];
        argv[2 + 2 * i] = client->config->data;
    }
    return send_command(client, 1 + 2 * ITEMS, argv);
}

/* A hash with several fields. */
static int hset(struct vpb_client *client)
{
    char fields[ITEMS][NAME_MAX_BYTES];
    const char *argv[2 + 2 * ITEMS] = {"HSET", vpb_key(client)};

    for (int i = 0; i < ITEMS; i++) {
        snprintf(fields[i], sizeof fields[i], "field:%d", i + 1);
        argv[2 + 2 * i] = fields[i];
        argv[3 + 2 * i] = client->config->data;
    }
    return send_command(client, 2 + 2 * ITEMS, argv);
}

/* One list for all. */
static int lpush(struct vpb_client *client)
{
    const char *const argv[] = {"LPUSH", "custom:list", client->config->data};

    return send_command(client, 3, argv);
}

/* A list for each key of the keyspace (-r or --sequential). */
static int lpush_keyspace(struct vpb_client *client)
{
    const char *const argv[] = {"LPUSH", vpb_key(client), client->config->data};

    return send_command(client, 3, argv);
}

struct operation {
    const char *name;
    int (*run)(struct vpb_client *client);
};

static const struct operation operations[] = {
    {"set", set},
    {"mset", mset},
    {"hset", hset},
    {"lpush", lpush},
    {"lpush_keyspace", lpush_keyspace},
};

static int init(const struct vpb_config *config, void **state)
{
    const char *name = config->custom_command_args ? config->custom_command_args : "set";

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            *state = (void *)&operations[i];
            return 0;
        }
    }
    return vpb_refuse(config, "no command of this name: %s", name);
}

static int execute(struct vpb_client *client, void *state)
{
    const struct operation *operation = state;

    return operation->run(client);
}

const struct vpb_command vpb_command = {
    .version = VPB_API_VERSION,
    .init = init,
    .execute = execute,
};
