/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * custom_command: a workload of your own for valkey-polyglot, in C or C++.
 *
 *     valkey-polyglot -t custom --custom-command-file mine.c --custom-command-args TEXT
 *
 * The file, C or a shared object (cc -O2 -fPIC -shared -I DIR), defines vpb_command. Its `execute`
 * is called again and again. Each call is one request of the run, timed from the first command that
 * it sends to the last reply. It stops in vpb_call and vpb_flush until the replies are there.
 *
 * - A worker is a thread with a state of its own. Its executions take turns where they stop, and
 *   only there: the state needs no lock, but may have changed meanwhile. Static variables are
 *   shared by the workers of a process. Call nothing of this from threads of your own.
 * - Whatever else blocks (sleep, read, a lock) stops the worker with all its clients.
 * - The stack of an execution is small; an overflow ends the program by SIGSEGV.
 * - An execution that is stopped when the run ends never goes on: nothing of it is released, no
 *   destructor runs. What must be released belongs into the state. No exception may leave
 * `execute`.
 */
#ifndef VALKEY_POLYGLOT_CUSTOM_COMMAND_H
#define VALKEY_POLYGLOT_CUSTOM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VPB_API_VERSION 1

/* The settings of the run. Lent for as long as the state lives. */
struct vpb_config {
    const struct vpb_calls *calls;   /* how the functions below reach the program */
    const char *custom_command_args; /* NULL: not given */
    const char *data;                /* a value: data_size times 'x', and a zero behind them */
    uint64_t data_size;
    uint64_t keyspace_offset;
    uint64_t random_keyspace; /* -r N; 0: not given */
    bool use_sequential;      /* whether --sequential N was given, and its N */
    uint64_t sequential_keyspacelen;
    uint64_t seed;            /* of all randomness of the run */
    uint32_t worker, workers; /* its number over all processes, from 0; how many there are */
    uint32_t clients;         /* of this worker */
    uint32_t slots;           /* executions that this worker has at once, at most */
    int print_fd;             /* where to print: 1, or 2 when stdout is for results */
};

/* An execution. Lent until `execute` returns. */
struct vpb_client {
    const struct vpb_calls *calls;
    const struct vpb_config *config;
    uint64_t index; /* of the request over all workers; each is used once */
    uint32_t slot;  /* 0..slots-1: executions in the same one never overlap */
};

enum vpb_type {
    VPB_ERROR,      /* error_kind; text: the server's ("ERR ..."), or why there is no reply */
    VPB_NULL,       /* nothing */
    VPB_STATUS,     /* text: "OK" */
    VPB_STRING,     /* text */
    VPB_VERBATIM,   /* text, without its "txt:" */
    VPB_BIG_NUMBER, /* text: the digits */
    VPB_INTEGER,    /* integer */
    VPB_BOOL,       /* integer: 0 or 1 */
    VPB_DOUBLE,     /* number; text: as it came */
    VPB_ARRAY,      /* items */
    VPB_SET,        /* items */
    VPB_MAP         /* items: key, value, key, value, ...: `count` is twice the pairs */
};

enum vpb_error_kind {
    VPB_NO_ERROR,
    VPB_SERVER,  /* the server's reply */
    VPB_LOST,    /* the connection: whether the command was executed is not known */
    VPB_TIMEOUT, /* no reply within --request-timeout; the same */
    VPB_REFUSED  /* nothing was sent, for want of arguments; or the reply is nested too deep (32) */
};

/* Lent, with all that it points to, until the next vpb_call or vpb_flush of its client. */
struct vpb_reply {
    enum vpb_type type;
    enum vpb_error_kind error_kind;
    const char *text; /* of any content, NOT terminated; never NULL */
    size_t len;
    const struct vpb_reply *items;
    size_t count;
    int64_t integer;
    double number;
};

/*
 * Sends a command of `argc` arguments and waits for the reply. `lens` are the lengths of the
 * arguments, which may hold any bytes; NULL: they end at a zero. All is copied before the call
 * waits. Never NULL: what fails is a reply of type VPB_ERROR.
 */
static inline const struct vpb_reply *vpb_call(struct vpb_client *client, size_t argc,
                                               const char *const *argv, const size_t *lens);

/* Keeps a copy of a command for the next vpb_flush or vpb_call, which sends all at once. */
static inline void vpb_append(struct vpb_client *client, size_t argc, const char *const *argv,
                              const size_t *lens);

/* Sends what was appended and waits. Returns as many replies, in that order; their number goes to
 * `count`, unless NULL. An execution that returns without it has failed. */
static inline const struct vpb_reply *vpb_flush(struct vpb_client *client, size_t *count);

/* The key of this request, terminated, as the built-in tests name it: "key:12". Lent like client.
 */
static inline const char *vpb_key(struct vpb_client *client);

/* A number from 0 to range - 1 (0: any), which depends on seed, index and `stream` alone. */
static inline uint64_t vpb_random(const struct vpb_client *client, uint32_t stream, uint64_t range);

/* The text of this execution's last VPB_ERROR, terminated and perhaps cut; "": there was none.
 * Lent until the next vpb_call or vpb_flush. */
static inline const char *vpb_error(const struct vpb_client *client);

/* For `execute`: return vpb_fail(client, ...). Says why in the report, where otherwise the text of
 * the last VPB_ERROR stands. Returns -1. The format is printf's. */
static inline int vpb_fail(struct vpb_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For `init`: return vpb_refuse(config, ...). The same: it is what the program ends with. */
static inline int vpb_refuse(const struct vpb_config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the file defines. Of its functions only `execute` is needed, the others may be NULL. */
struct vpb_command {
    uint32_t version;     /* VPB_API_VERSION */
    uint32_t stack_bytes; /* of an execution; 0: 64 KiB */
    /* Once a worker. What it leaves in `*state` is given to the others. 0, or the run ends. */
    int (*init)(const struct vpb_config *config, void **state);
    /* Returns 0; anything else counts the request as an error. */
    int (*execute)(struct vpb_client *client, void *state);
    void (*deinit)(void *state); /* at the end, if init went well */
};

extern const struct vpb_command vpb_command __attribute__((visibility("default")));

#include "custom_command_calls.h"

#ifdef __cplusplus
}
#endif

#endif
