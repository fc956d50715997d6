/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * custom_command_calls: how the functions of custom_command.h, which includes this, reach the
 * program: by a table, so that a shared object needs no symbol of it. Nothing here is for users.
 */
#ifndef VALKEY_POLYGLOT_CUSTOM_COMMAND_CALLS_H
#define VALKEY_POLYGLOT_CUSTOM_COMMAND_CALLS_H

#include <stdarg.h>

struct vpb_calls {
    const struct vpb_reply *(*call)(struct vpb_client *client, size_t argc, const char *const *argv,
                                    const size_t *lens);
    void (*append)(struct vpb_client *client, size_t argc, const char *const *argv,
                   const size_t *lens);
    const struct vpb_reply *(*flush)(struct vpb_client *client, size_t *count);
    const char *(*key)(struct vpb_client *client);
    uint64_t (*random)(const struct vpb_client *client, uint32_t stream, uint64_t range);
    const char *(*error)(const struct vpb_client *client);
    void (*note_failure)(struct vpb_client *client, const char *format, va_list args);
    void (*note_refusal)(const struct vpb_config *config, const char *format, va_list args);
};

static inline const struct vpb_reply *vpb_call(struct vpb_client *client, size_t argc,
                                               const char *const *argv, const size_t *lens)
{
    return client->calls->call(client, argc, argv, lens);
}

static inline void vpb_append(struct vpb_client *client, size_t argc, const char *const *argv,
                              const size_t *lens)
{
    client->calls->append(client, argc, argv, lens);
}

static inline const struct vpb_reply *vpb_flush(struct vpb_client *client, size_t *count)
{
    return client->calls->flush(client, count);
}

static inline const char *vpb_key(struct vpb_client *client)
{
    return client->calls->key(client);
}

static inline uint64_t vpb_random(const struct vpb_client *client, uint32_t stream, uint64_t range)
{
    return client->calls->random(client, stream, range);
}

static inline const char *vpb_error(const struct vpb_client *client)
{
    return client->calls->error(client);
}

static inline int vpb_fail(struct vpb_client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    client->calls->note_failure(client, format, args);
    va_end(args);
    return -1;
}

static inline int vpb_refuse(const struct vpb_config *config, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    config->calls->note_refusal(config, format, args);
    va_end(args);
    return -1;
}

#endif
