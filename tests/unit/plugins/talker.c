/* SPDX-License-Identifier: BSD-3-Clause */
/* A plugin that does what its arguments say and writes down what it saw: as why it failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "valkey_polyglot/custom_command.h"

struct talker {
    const char *mode;
    int executions;
};

struct notes {
    char text[4000];
    size_t len;
};

static void put(struct notes *notes, const char *text, size_t len)
{
    for (size_t i = 0; i < len && notes->len < sizeof notes->text - 1; i++)
        notes->text[notes->len++] = text[i] ? text[i] : '0';
    notes->text[notes->len] = '\0';
}

static void put_text(struct notes *notes, const char *name, const struct vpb_reply *reply)
{
    put(notes, name, strlen(name));
    put(notes, "'", 1);
    put(notes, reply->text, reply->len);
    put(notes, "'", 1);
}

static void put_number(struct notes *notes, double number)
{
    char text[64];

    put(notes, text, (size_t)snprintf(text, sizeof text, "%g", number));
}

static void describe(struct notes *notes, const struct vpb_reply *reply);

static void describe_items(struct notes *notes, const char *name, const struct vpb_reply *reply)
{
    put(notes, name, strlen(name));
    put(notes, "[", 1);
    for (size_t i = 0; i < reply->count; i++) {
        put(notes, " ", i > 0);
        describe(notes, &reply->items[i]);
    }
    put(notes, "]", 1);
}

static void describe(struct notes *notes, const struct vpb_reply *reply)
{
    static const char *const kinds[] = {"none", "server", "lost", "timeout", "refused"};
    char number[32];

    switch (reply->type) {
    case VPB_ERROR:
        put_text(notes, kinds[reply->error_kind], reply);
        break;
    case VPB_NULL:
        put(notes, "null", 4);
        break;
    case VPB_STATUS:
        put_text(notes, "status", reply);
        break;
    case VPB_STRING:
        put_text(notes, "", reply);
        break;
    case VPB_VERBATIM:
        put_text(notes, "verbatim", reply);
        break;
    case VPB_BIG_NUMBER:
        put_text(notes, "big", reply);
        break;
    case VPB_INTEGER:
        put(notes, number,
            (size_t)snprintf(number, sizeof number, "%lld", (long long)reply->integer));
        break;
    case VPB_BOOL:
        put(notes, reply->integer ? "true" : "false", reply->integer ? 4 : 5);
        break;
    case VPB_DOUBLE:
        put(notes, "double ", 7);
        put_number(notes, reply->number);
        break;
    case VPB_ARRAY:
        describe_items(notes, "", reply);
        break;
    case VPB_SET:
        describe_items(notes, "set", reply);
        break;
    case VPB_MAP:
        describe_items(notes, "map", reply);
        break;
    }
}

static int call_and_describe(struct vpb_client *client)
{
    const char *const argv[] = {"GET", vpb_key(client)};
    struct notes notes = {.len = 0};

    describe(&notes, vpb_call(client, 2, argv, NULL));
    return vpb_fail(client, "%s", notes.text);
}

static int pipeline(struct vpb_client *client)
{
    struct notes notes = {.len = 0};
    size_t count = 77;

    vpb_flush(client, &count);
    put_number(&notes, (double)count);
    for (int i = 0; i < 3; i++) {
        char number[] = {(char)('0' + i), '\0'};
        const char *const argv[] = {"ECHO", number};

        vpb_append(client, 2, argv, NULL);
    }
    const struct vpb_reply *replies = vpb_flush(client, &count);
    for (size_t i = 0; i < count; i++) {
        put(&notes, " ", 1);
        describe(&notes, &replies[i]);
    }
    return vpb_fail(client, "%s", notes.text);
}

static int send_binary(struct vpb_client *client)
{
    const char *const argv[] = {"SET", "a\0b", "", "\r\n"};
    const size_t lens[] = {3, 3, 0, 2};

    return vpb_call(client, 4, argv, lens)->type == VPB_ERROR;
}

static int send_nothing(struct vpb_client *client)
{
    struct notes notes = {.len = 0};
    const char *const argv[] = {"PING"};

    vpb_append(client, 1, argv, NULL);
    describe(&notes, vpb_call(client, 0, NULL, NULL));
    put(&notes, " ", 1);
    describe(&notes, vpb_call(client, 1, argv, NULL));
    return vpb_fail(client, "%s, before: %s", notes.text, vpb_error(client));
}

static int draw(struct vpb_client *client)
{
    return vpb_fail(client, "%llu %llu %llu %llu", (unsigned long long)vpb_random(client, 0, 0),
                    (unsigned long long)vpb_random(client, 1, 0),
                    (unsigned long long)vpb_random(client, 0, 10),
                    (unsigned long long)vpb_random(client, 0, 1));
}

/* Several commands, one after the other, each with what the one before came to. */
static int count_up(struct vpb_client *client)
{
    char number[32] = "0";
    const char *const argv[] = {"ECHO", number};

    for (int i = 0; i < 3; i++) {
        const struct vpb_reply *reply = vpb_call(client, 2, argv, NULL);

        if (reply->type != VPB_INTEGER)
            return 1;
        snprintf(number, sizeof number, "%lld", (long long)reply->integer + 1);
    }
    return strcmp(number, "30") != 0;
}

static int send_large(struct vpb_client *client)
{
    const size_t size = 200000;
    char *value = calloc(size, 1);
    const char *const argv[] = {"SET", "large", value};
    const size_t lens[] = {3, 5, size};

    vpb_append(client, 3, argv, lens);
    free(value);
    return vpb_flush(client, NULL)->type != VPB_STATUS;
}

static int execute(struct vpb_client *client, void *state)
{
    static const char *const ping[] = {"PING"};
    struct talker *talker = state;

    talker->executions++;
    if (strcmp(talker->mode, "pipeline") == 0)
        return pipeline(client);
    if (strcmp(talker->mode, "binary") == 0)
        return send_binary(client);
    if (strcmp(talker->mode, "nothing") == 0)
        return send_nothing(client);
    if (strcmp(talker->mode, "draw") == 0)
        return draw(client);
    if (strcmp(talker->mode, "count") == 0)
        return count_up(client);
    if (strcmp(talker->mode, "large") == 0)
        return send_large(client);
    if (strcmp(talker->mode, "silent") == 0)
        return vpb_call(client, 1, ping, NULL)->type == VPB_ERROR;
    if (strcmp(talker->mode, "swallow") == 0)
        return vpb_call(client, 1, ping, NULL)->type != VPB_ERROR;
    if (strcmp(talker->mode, "forget") == 0)
        vpb_append(client, 1, ping, NULL);
    if (strcmp(talker->mode, "forget") == 0)
        return 0;
    return call_and_describe(client);
}

static int init(const struct vpb_config *config, void **state)
{
    struct talker *talker;

    if (!config->custom_command_args)
        return vpb_refuse(config, "tell me what to do");
    if (strcmp(config->custom_command_args, "settings") == 0)
        return vpb_refuse(config, "%s%d %d %d %d %d %d, worker %d of %d, %d, %d, to %d",
                          config->data, (int)config->data_size, (int)config->keyspace_offset,
                          (int)config->random_keyspace, (int)config->use_sequential,
                          (int)config->sequential_keyspacelen, (int)config->seed,
                          (int)config->worker, (int)config->workers, (int)config->clients,
                          (int)config->slots, config->print_fd);
    if (strcmp(config->custom_command_args, "refuse") == 0)
        return 1;
    talker = calloc(1, sizeof *talker);
    if (!talker)
        return vpb_refuse(config, "there is no memory");
    talker->mode = config->custom_command_args;
    *state = talker;
    return 0;
}

static void deinit(void *state)
{
    free(state);
}

const struct vpb_command vpb_command = {
    .version = VPB_API_VERSION,
    .init = init,
    .execute = execute,
    .deinit = deinit,
};
