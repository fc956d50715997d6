/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/session.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "resp/writer.h"

#define FIELD(member) offsetof(struct session_config, member)

/* clang-format off */
const struct option_spec session_options[] = {
    {.name = "uri", .letters = "u", .group = OPTION_BASIC, .read = option_read_secret,
     .offset = FIELD(uri), .value = "URI",
     .help = "all of the server in one: valkey://USER:PASSWORD@HOST:PORT/DB, or unix://PATH"},
    {.name = "user", .group = OPTION_BASIC, .read = option_read_text, .offset = FIELD(user),
     .value = "NAME", .help = "log in as this user; needs a password"},
    {.name = "pass", .letters = "a", .group = OPTION_BASIC, .read = option_read_secret,
     .offset = FIELD(password), .value = "PASSWORD",
     .help = "log in with this password; without it, that of VALKEYCLI_AUTH or REDISCLI_AUTH"},
    {.name = "dbnum", .group = OPTION_BASIC, .read = option_read_count, .offset = FIELD(db),
     .initial = "0", .value = "N", .max = INT32_MAX, .help = "database number"},
    {.name = "resp3", .letters = "3", .group = OPTION_ADVANCED, .read = option_read_switch,
     .offset = FIELD(resp3), .help = "speak RESP3 instead of RESP2"},
    {0},
};
/* clang-format on */

void session_take_environment(struct session_config *config)
{
    static const char *const names[] = {"VALKEYCLI_AUTH", "REDISCLI_AUTH"};

    for (size_t i = 0; i < COUNT(names) && !config->password; i++) {
        const char *value = getenv(names[i]);

        if (!value || !*value)
            continue;
        config->password = value;
        config->password_from = names[i];
    }
}

/* ---- what is sent */

static void add_step(struct session_opening *opening, enum session_step step,
                     const struct str *arguments, unsigned count)
{
    size_t bytes = RESP_HEADER_MAX;

    assert(opening->count < SESSION_STEPS_MAX);
    for (unsigned i = 0; i < count; i++)
        bytes += RESP_BULK_EXTRA + arguments[i].len;
    opening->bytes = mem_resize(opening->bytes, opening->len + bytes, 1);
    char *at = resp_write_array(opening->bytes + opening->len, count);
    for (unsigned i = 0; i < count; i++)
        at = resp_write_bulk(at, arguments[i]);
    opening->len = (size_t)(at - opening->bytes);
    opening->steps[opening->count++] = step;
}

/* HELLO 3 [AUTH user password], or AUTH [user] password, or nothing. */
static void add_login(struct session_opening *opening)
{
    const struct session_config *config = opening->config;
    const struct str password = config->password ? str_of(config->password) : STR("");
    const struct str user = config->user ? str_of(config->user) : STR("default");
    const struct str hello[] = {STR("HELLO"), STR("3"), STR("AUTH"), user, password};
    const struct str auth[] = {STR("AUTH"), password};

    if (config->resp3)
        add_step(opening, SESSION_HELLO, hello, config->password ? 5 : 2);
    else if (config->password && config->user)
        add_step(opening, SESSION_AUTH, hello + 2, 3);
    else if (config->password)
        add_step(opening, SESSION_AUTH, auth, 2);
}

void session_opening_init(struct session_opening *opening, const struct session_config *config)
{
    char number[RESP_NUMBER_MAX];

    *opening = (struct session_opening){.config = config};
    add_login(opening);
    if (config->db) {
        const size_t len = (size_t)(resp_write_number(number, config->db) - number);
        const struct str select[] = {STR("SELECT"), {number, len}};
        add_step(opening, SESSION_SELECT, select, 2);
    }
}

void session_opening_add_readonly(struct session_opening *opening)
{
    const struct str readonly[] = {STR("READONLY")};

    add_step(opening, SESSION_READONLY, readonly, 1);
}

void session_opening_deinit(struct session_opening *opening)
{
    free(opening->bytes);
    *opening = (struct session_opening){0};
}

/* ---- what is said of it */

/* Whether the password stands there as a word of its own. One that is part of a longer word is
 * none: passwords such as "a" would spoil every text. */
static bool is_password(struct str words, size_t at, struct str password)
{
    if (words.len - at < password.len || memcmp(words.ptr + at, password.ptr, password.len) != 0)
        return false;
    const size_t end = at + password.len;

    return (at == 0 || !isalnum((unsigned char)words.ptr[at - 1])) &&
           (end == words.len || !isalnum((unsigned char)words.ptr[end]));
}

/* Up to where a text repeats no arguments, which may be cut in the middle of a password. */
static size_t trusted_len(struct str words)
{
    static const char mark[] = ", with args beginning";
    const char *at = words.len ? memmem(words.ptr, words.len, mark, sizeof mark - 1) : NULL;

    return at ? (size_t)(at - words.ptr) : words.len;
}

char *session_quote(const struct session_opening *opening, struct str words)
{
    const char *secret = opening && opening->config ? opening->config->password : NULL;
    const struct str password = secret ? str_of(secret) : STR("");
    char *text = mem_zalloc(words.len + 1, 1), *to = text;

    words.len = trusted_len(words);
    for (size_t i = 0; i < words.len; i++) {
        if (password.len && is_password(words, i, password)) {
            *to++ = '*';
            i += password.len - 1;
        } else {
            *to++ = iscntrl((unsigned char)words.ptr[i]) ? '?' : words.ptr[i];
        }
    }
    return text;
}

static bool begins(const char *words, struct str with)
{
    return str_starts(str_of(words), with);
}

bool session_is_about_login(const char *words)
{
    return begins(words, STR("WRONGPASS")) || begins(words, STR("NOAUTH")) ||
           begins(words, STR("NOPERM")) || begins(words, STR("ERR AUTH")) ||
           begins(words, STR("ERR invalid password"));
}

int session_explain(const struct session_opening *opening, unsigned step, const char *name,
                    const char *words, struct err *err)
{
    const struct session_config *config = opening->config;
    const enum session_step kind = opening->steps[step];

    if (begins(words, STR("NOAUTH")))
        return session_explain_want(name, words, err);
    if (kind == SESSION_SELECT)
        err_set(err, "The server at %s refused the database %llu: %s%s", name,
                (unsigned long long)config->db, words, str_full_stop(str_of(words)));
    else if (kind == SESSION_READONLY)
        err_set(err, "The server at %s refused READONLY, which --read-from-replica needs: %s%s",
                name, words, str_full_stop(str_of(words)));
    else if (kind == SESSION_HELLO && (!config->password || !session_is_about_login(words)))
        err_set(err, "The server at %s refused RESP3; leave out -3 if it does not know that: %s%s",
                name, words, str_full_stop(str_of(words)));
    else
        err_set(err, "The server at %s refused the user \"%s\" with the password of %s: %s%s", name,
                config->user ? config->user : "default", config->password_from, words,
                str_full_stop(str_of(words)));
    return -EACCES;
}

int session_explain_want(const char *name, const char *words, struct err *err)
{
    err_set(err,
            "The server at %s wants a password: use --pass, with --user for another user than "
            "the default one, or VALKEYCLI_AUTH: %s%s",
            name, words, str_full_stop(str_of(words)));
    return -EACCES;
}

int session_explain_no_entry(const char *name, const char *words, struct err *err)
{
    const bool denied = begins(words, STR("DENIED"));

    if (!denied && !begins(words, STR("ERR max number of clients")))
        return 0;
    /* Of protected mode a server tells more than a sentence. */
    err_set(err,
            denied ? "The server at %s takes connections from its own host alone, since it is in "
                     "protected mode: give it a password, or run there: %.*s."
                   : "The server at %s has as many clients as it takes: raise its maxclients, or "
                     "end some of them: %.*s.",
            name, (int)strcspn(words, "."), words);
    return -EACCES;
}
