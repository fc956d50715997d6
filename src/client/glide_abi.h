/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_abi: what is used of the C interface of valkey-GLIDE's client library, versions 2.4 to 2.6.
 *
 * Nothing is linked: the library is loaded at run time (client/glide_library.h). Its enums have 32
 * bits, and a number that it does not know is undefined behaviour in it, so only those below are
 * ever passed. The layouts are those of LP64, little-endian.
 * Upstream: https://github.com/valkey-io/valkey-glide, ffi/src/lib.rs
 */
#ifndef CLIENT_GLIDE_ABI_H
#define CLIENT_GLIDE_ABI_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum glide_reply_type {
    GLIDE_NULL,
    GLIDE_INT,
    GLIDE_FLOAT,
    GLIDE_BOOL,
    GLIDE_STRING,
    GLIDE_ARRAY,
    GLIDE_MAP,
    GLIDE_SET,
    GLIDE_OK,
    GLIDE_ERROR, /* nested only: a request that fails as a whole comes back by the other callback */
};

enum glide_failure_type {
    GLIDE_UNSPECIFIED,
    GLIDE_EXEC_ABORT,
    GLIDE_TIMEOUT,
    GLIDE_DISCONNECT,
    GLIDE_BREAKER_OPEN, /* 2.5 and newer */
};

/* In the order of --glide-log-level. */
enum glide_log_level {
    GLIDE_LOG_ERROR,
    GLIDE_LOG_WARN,
    GLIDE_LOG_INFO,
    GLIDE_LOG_DEBUG,
    GLIDE_LOG_TRACE,
    GLIDE_LOG_OFF,
};

enum { GLIDE_ASYNC_CLIENT = 0, GLIDE_CUSTOM_COMMAND = 1 };

/* A reply, or a part of one. */
struct glide_reply {
    int32_t type; /* enum glide_reply_type */
    int64_t number;
    double real;
    bool boolean;
    char *text; /* STRING and ERROR: not terminated, not to be written */
    long text_len;
    struct glide_reply *array; /* ARRAY: the elements; MAP: entries, with `map_key`, `map_value` */
    long array_len;
    struct glide_reply *map_key, *map_value;
    struct glide_reply *set;
    long set_len;
    void *arena; /* of the root: not NULL when it is on the heap, and ours to free */
};

static_assert(sizeof(struct glide_reply) == 104, "a reply as of 2.4 and newer");
static_assert(offsetof(struct glide_reply, arena) == 96, "a reply as of 2.4 and newer");

/* 2.6 has one more field, which is never set. */
struct glide_connection {
    const void *client;
    const char *error;
};

/* Run on the library's threads, or on the caller's own within the call. */
typedef void (*glide_success_fn)(uintptr_t id, const struct glide_reply *reply);
typedef void (*glide_failure_fn)(uintptr_t id, const char *message, int32_t type);

struct glide_client_type {
    int32_t tag; /* GLIDE_ASYNC_CLIENT */
    struct {
        glide_success_fn success;
        glide_failure_fn failure;
        bool stack_replies; /* scalars come on the callback's stack: nothing of them is to be freed
                             */
    } async;
};

static_assert(sizeof(struct glide_client_type) == 32, "a client type as of 2.4 and newer");

struct glide_command {
    int32_t type; /* GLIDE_CUSTOM_COMMAND */
    const uint8_t *const *arguments;
    size_t count;
    const size_t *lens;
};

struct glide_batch {
    size_t count;
    const struct glide_command *const *commands;
    bool atomic;
};

struct glide_log_result {
    char *error;
    int32_t level;
};

typedef const struct glide_connection *(*glide_create_client_fn)(
    const uint8_t *request, size_t len, const struct glide_client_type *type, void (*pubsub)(void),
    void (*resolver)(void), uintptr_t client_id /* must be 0 */);
typedef void (*glide_free_connection_fn)(const struct glide_connection *connection);
/* Cancels what is in flight without a callback; none runs after it. Not for callbacks. */
typedef void (*glide_close_client_fn)(const void *client);
/* Copies all arguments. Never without an argument, nor with one that is NULL. Returns NULL. */
typedef void *(*glide_command_fn)(const void *client, uintptr_t id, int32_t type,
                                  unsigned long count, const uintptr_t *arguments,
                                  const unsigned long *lens, const uint8_t *route, size_t route_len,
                                  uint64_t span);
typedef void *(*glide_batch_fn)(const void *client, uintptr_t id, const struct glide_batch *batch,
                                bool raise_on_error, const void *options, uint64_t span);
typedef void (*glide_free_reply_fn)(struct glide_reply *root);
typedef struct glide_log_result *(*glide_init_fn)(const int32_t *level, const char *file);
typedef void (*glide_free_log_result_fn)(struct glide_log_result *result);

#endif
