/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stub_glide: valkey-GLIDE's client library as far as a driver sees it, without a server.
 *
 * What becomes of the commands and of the clients is a list of words in the environment, separated
 * by blanks, from which each takes the next one, over and over, from the start after each init():
 *   STUB_GLIDE_DIALS     ok, refused, silent (no reason is given)
 *   STUB_GLIDE_COMMANDS  answers on the client's thread: ok, null, int, float, bool, string (on the
 *                        stack), heap (a string), array, map, set; failures there: timeout,
 *                        disconnect, abort, plain, code; on the caller's own thread: inline,
 *                        inline-failure; late: an answer when the next command comes; never
 * Without them everything is ok. What a driver must not do ends the process.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/glide_abi.h"

enum { WORD_MAX = 32, PENDING_MAX = 4096 };

struct pending {
    uintptr_t id;
    char word[WORD_MAX];
};

struct client {
    struct glide_client_type type;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct pending queue[PENDING_MAX];
    unsigned first, count;
    uintptr_t late; /* 0: none */
    bool closed;
};

/* The words of a variable, and whose turn it is. */
static struct script {
    pthread_mutex_t mutex;
    char words[512];
    unsigned number;
} commands = {.mutex = PTHREAD_MUTEX_INITIALIZER}, dials = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void refuse(bool wrong, const char *what)
{
    if (!wrong)
        return;
    fprintf(stderr, "stub_glide: %s\n", what);
    abort();
}

static void read_script(struct script *script, const char *variable)
{
    const char *text = getenv(variable);

    pthread_mutex_lock(&script->mutex);
    snprintf(script->words, sizeof script->words, "%s", text && *text ? text : "ok");
    script->number = 0;
    pthread_mutex_unlock(&script->mutex);
}

static void pick_word(struct script *script, char *word)
{
    pthread_mutex_lock(&script->mutex);
    const char *text = script->words;
    unsigned count = 1;

    for (const char *at = text; *at; at++)
        count += *at == ' ';
    for (unsigned skip = script->number++ % count; skip > 0; skip--)
        text = strchr(text, ' ') + 1;
    snprintf(word, WORD_MAX, "%.*s", (int)strcspn(text, " "), text);
    pthread_mutex_unlock(&script->mutex);
}

/* ---- replies */

/* On the heap, with an arena of its own, so that a leak and a second release are seen. */
static struct glide_reply *make_heap_reply(int32_t type)
{
    struct glide_reply *reply = calloc(1, sizeof *reply);
    struct glide_reply *parts = calloc(4, sizeof *parts);

    reply->type = type;
    reply->arena = parts;
    for (unsigned i = 0; i < 4; i++)
        parts[i] = (struct glide_reply){.type = GLIDE_INT, .number = (int64_t)i};
    if (type == GLIDE_MAP) {
        parts[0].map_key = &parts[1];
        parts[0].map_value = &parts[2];
        reply->array = parts;
        reply->array_len = 1;
    } else if (type == GLIDE_ARRAY) {
        parts[1] = (struct glide_reply){.type = GLIDE_ERROR, .text = (char *)(uintptr_t) "OOM: x"};
        parts[1].text_len = 6;
        reply->array = parts;
        reply->array_len = 4;
    } else if (type == GLIDE_SET) {
        reply->set = parts;
        reply->set_len = 4;
    } else {
        reply->text = (char *)(uintptr_t) "heap";
        reply->text_len = 4;
    }
    return reply;
}

static bool answer_on_heap(const struct client *client, const struct pending *pending)
{
    static const struct {
        const char *word;
        int32_t type;
    } all[] = {
        {"heap", GLIDE_STRING}, {"array", GLIDE_ARRAY}, {"map", GLIDE_MAP}, {"set", GLIDE_SET}};

    for (unsigned i = 0; i < 4; i++)
        if (strcmp(pending->word, all[i].word) == 0) {
            client->type.async.success(pending->id, make_heap_reply(all[i].type));
            return true;
        }
    return false;
}

static struct glide_reply *move_to_heap(const struct glide_reply *reply)
{
    struct glide_reply *copy = malloc(sizeof *copy);

    *copy = *reply;
    copy->arena = malloc(1);
    return copy;
}

static bool answer_on_stack(const struct client *client, const struct pending *pending)
{
    static const struct {
        const char *word;
        struct glide_reply reply;
    } all[] = {
        {"ok", {.type = GLIDE_OK}},
        {"inline", {.type = GLIDE_OK}},
        {"late", {.type = GLIDE_OK}},
        {"null", {.type = GLIDE_NULL}},
        {"int", {.type = GLIDE_INT, .number = -7}},
        {"float", {.type = GLIDE_FLOAT, .real = 1.5}},
        {"bool", {.type = GLIDE_BOOL, .boolean = true}},
        {"string", {.type = GLIDE_STRING, .text = (char *)(uintptr_t) "abc", .text_len = 3}}};

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(pending->word, all[i].word) == 0) {
            struct glide_reply reply = all[i].reply;
            client->type.async.success(
                pending->id, client->type.async.stack_replies ? &reply : move_to_heap(&reply));
            return true;
        }
    return false;
}

static void fail(const struct client *client, const struct pending *pending)
{
    static const struct {
        const char *word, *message;
        int32_t type;
    } all[] = {
        {"timeout", "timed out", GLIDE_TIMEOUT},
        {"disconnect", "Failed to receive a response due to a fatal error", GLIDE_DISCONNECT},
        {"abort", "EXECABORT: Transaction discarded", GLIDE_EXEC_ABORT},
        {"plain",
         "An error was signalled by the server: - ResponseError: wrong number of arguments",
         GLIDE_UNSPECIFIED},
        {"code", "OOM: command not allowed when used memory > 'maxmemory'.", GLIDE_UNSPECIFIED},
        {"inline-failure", "An error was signalled by the server: - BusyLoadingError: loading",
         GLIDE_UNSPECIFIED},
    };

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(pending->word, all[i].word) == 0) {
            char message[128]; /* gone when this returns */
            snprintf(message, sizeof message, "%s", all[i].message);
            client->type.async.failure(pending->id, message, all[i].type);
            return;
        }
    refuse(true, pending->word);
}

static void answer(const struct client *client, const struct pending *pending)
{
    if (!answer_on_heap(client, pending) && !answer_on_stack(client, pending))
        fail(client, pending);
}

/* ---- clients */

static void *serve(void *argument)
{
    struct client *client = argument;

    pthread_mutex_lock(&client->mutex);
    while (!client->closed) {
        if (client->count == 0) {
            pthread_cond_wait(&client->changed, &client->mutex);
            continue;
        }
        const struct pending pending = client->queue[client->first];
        client->first = (client->first + 1) % PENDING_MAX;
        client->count--;
        pthread_mutex_unlock(&client->mutex);
        answer(client, &pending);
        pthread_mutex_lock(&client->mutex);
    }
    pthread_mutex_unlock(&client->mutex);
    return NULL;
}

static void enqueue(struct client *client, uintptr_t id, const char *word)
{
    struct pending *pending = &client->queue[(client->first + client->count++) % PENDING_MAX];

    refuse(client->count > PENDING_MAX, "too many commands");
    pending->id = id;
    snprintf(pending->word, WORD_MAX, "%s", word);
    pthread_cond_signal(&client->changed);
}

static const struct glide_connection *fail_to_connect(const char *message)
{
    struct glide_connection *connection = calloc(1, sizeof *connection);

    connection->error = message ? strdup(message) : NULL;
    return connection;
}

const struct glide_connection *create_client(const uint8_t *request, size_t len,
                                             const struct glide_client_type *type,
                                             void (*pubsub)(void), void (*resolver)(void),
                                             uintptr_t client_id);

const struct glide_connection *create_client(const uint8_t *request, size_t len,
                                             const struct glide_client_type *type,
                                             void (*pubsub)(void), void (*resolver)(void),
                                             uintptr_t client_id)
{
    char word[WORD_MAX];

    refuse(!request || len == 0 || request[0] != 0x0a, "no address in the request");
    refuse(type->tag != GLIDE_ASYNC_CLIENT || pubsub || resolver || client_id, "another client");
    pick_word(&dials, word);
    if (strcmp(word, "refused") == 0)
        return fail_to_connect("Connection refused (os error 111)\n");
    if (strcmp(word, "silent") == 0)
        return fail_to_connect(NULL);
    struct client *client = calloc(1, sizeof *client);
    struct glide_connection *connection = calloc(1, sizeof *connection);
    client->type = *type;
    pthread_mutex_init(&client->mutex, NULL);
    pthread_cond_init(&client->changed, NULL);
    pthread_create(&client->thread, NULL, serve, client);
    connection->client = client;
    return connection;
}

void free_connection_response(const struct glide_connection *connection);

void free_connection_response(const struct glide_connection *connection)
{
    free((void *)(uintptr_t)connection->error);
    free((void *)(uintptr_t)connection);
}

void close_client(const void *handle);

/* Whatever is in flight is forgotten, without a callback. */
void close_client(const void *handle)
{
    struct client *client = (struct client *)(uintptr_t)handle;

    refuse(pthread_equal(client->thread, pthread_self()), "closed from a callback");
    pthread_mutex_lock(&client->mutex);
    client->closed = true;
    pthread_cond_signal(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    pthread_join(client->thread, NULL);
    pthread_mutex_destroy(&client->mutex);
    pthread_cond_destroy(&client->changed);
    free(client);
}

/* ---- commands */

void *command(const void *handle, uintptr_t id, int32_t type, unsigned long count,
              const uintptr_t *arguments, const unsigned long *lens, const uint8_t *route,
              size_t route_len, uint64_t span);

void *command(const void *handle, uintptr_t id, int32_t type, unsigned long count,
              const uintptr_t *arguments, const unsigned long *lens, const uint8_t *route,
              size_t route_len, uint64_t span)
{
    struct client *client = (struct client *)(uintptr_t)handle;
    char word[WORD_MAX];

    refuse(type != GLIDE_CUSTOM_COMMAND || route || route_len || span, "another kind of command");
    refuse(count == 0, "no argument");
    for (unsigned long i = 0; i < count; i++)
        refuse(!arguments[i] || lens[i] > 1u << 20, "an argument that is none");
    refuse(lens[0] != 3 || memcmp((const char *)arguments[0], "SET", 3) != 0, "not SET");
    pick_word(&commands, word);
    if (strncmp(word, "inline", 6) == 0) {
        struct pending now = {.id = id};
        memcpy(now.word, word, sizeof word);
        answer(client, &now);
        return NULL;
    }
    pthread_mutex_lock(&client->mutex);
    if (client->late)
        enqueue(client, client->late, "late");
    client->late = 0;
    if (strcmp(word, "late") == 0)
        client->late = id;
    else if (strcmp(word, "never") != 0)
        enqueue(client, id, word);
    pthread_mutex_unlock(&client->mutex);
    return NULL;
}

void *batch(const void *handle, uintptr_t id, const struct glide_batch *commands_of_it,
            bool raise_on_error, const void *options, uint64_t span);

void *batch(const void *handle, uintptr_t id, const struct glide_batch *commands_of_it,
            bool raise_on_error, const void *options, uint64_t span)
{
    struct client *client = (struct client *)(uintptr_t)handle;

    refuse(raise_on_error || options || span, "another kind of batch");
    refuse(commands_of_it->count == 0 || commands_of_it->atomic, "another kind of batch");
    pthread_mutex_lock(&client->mutex);
    enqueue(client, id, "array");
    pthread_mutex_unlock(&client->mutex);
    return NULL;
}

void free_command_response(struct glide_reply *reply);

void free_command_response(struct glide_reply *reply)
{
    refuse(!reply->arena, "a reply of the stack was freed");
    free(reply->arena);
    free(reply);
}

struct glide_log_result *init(const int32_t *level, const char *file);

struct glide_log_result *init(const int32_t *level, const char *file)
{
    refuse(*level < GLIDE_LOG_ERROR || *level > GLIDE_LOG_OFF, "no level");
    refuse((*level == GLIDE_LOG_OFF) != !file, "a log without a file");
    read_script(&commands, "STUB_GLIDE_COMMANDS");
    read_script(&dials, "STUB_GLIDE_DIALS");
    return calloc(1, sizeof(struct glide_log_result));
}

void free_log_result(struct glide_log_result *result);

void free_log_result(struct glide_log_result *result)
{
    free(result);
}

/* ---- by which a version is known */

#define EXPORT(name)                                                                               \
    void name(void);                                                                               \
    void name(void)                                                                                \
    {                                                                                              \
    }

EXPORT(get_statistics)
#if STUB_MINOR >= 4
EXPORT(free_response_arena)
#endif
#if STUB_MINOR >= 5
EXPORT(init_async_pipe)
#endif
#if STUB_MINOR >= 6
EXPORT(command_with_route_info)
#endif
#if STUB_MINOR >= 7
EXPORT(function_of_tomorrow)
#endif
