/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/uri.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define FORM "valkey://USER:PASSWORD@HOST:PORT/DB"

enum { PORT_MAX = 65535 };

static const struct {
    const char *name;
    bool tls, socket;
} schemes[] = {
    {"valkey", false, false}, {"valkeys", true, false}, {"redis", false, false},
    {"rediss", true, false},  {"unix", false, true},
};

static int find_scheme(struct str name)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strlen(schemes[i].name) == name.len &&
            strncasecmp(schemes[i].name, name.ptr, name.len) == 0)
            return (int)i;
    return -1;
}

/* Ends `text` at the first `mark`; returns what comes after that, or NULL if there is none. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);

    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Decodes in place. */
static bool decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        const int high = hex(from[1]);
        const int low = high < 0 ? -1 : hex(from[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/* The same, of what is shown to people. */
static bool decode_line(char *text)
{
    if (!decode(text))
        return false;
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

/* Digits alone. */
static bool read_number(const char *text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > max)
            return false;
    }
    *number = value;
    return true;
}

static int take_credentials(struct uri *uri, char *text, struct err *err)
{
    char *password = cut(text, ':');

    if (!decode_line(text) || (password && !decode(password)))
        return err_set(err, "--uri: the user and the password may hold %%XX for any byte but 0, "
                            "and a %% only for that.");
    if (password && *text)
        uri->user = text;
    if (!password)
        password = text;
    uri->password = uri->user || *password ? password : NULL;
    return 0;
}

/* [HOST][:PORT] */
static int take_host(struct uri *uri, char *text, struct err *err)
{
    char *port = NULL;

    if (*text == '[') {
        char *end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return err_set(err, "--uri: an IPv6 address is written [::1] or [::1]:6379.");
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
        text++;
        if (!strchr(text, ':'))
            return err_set(err, "--uri: brackets are for an IPv6 address.");
    } else {
        port = cut(text, ':');
        if (port && strchr(port, ':'))
            return err_set(err, "--uri: an IPv6 address needs brackets: [::1]:6379.");
    }
    if (!decode_line(text))
        return err_set(err, "--uri: the host is not well written.");
    if (port && (!read_number(port, PORT_MAX, &uri->port) || !uri->port))
        return err_set(err, "--uri: the port must be a number from 1 to %d.", PORT_MAX);
    uri->host = *text ? text : NULL;
    return 0;
}

static int take_db(struct uri *uri, const char *text, struct err *err)
{
    if (read_number(text, INT32_MAX, &uri->db))
        return 0;
    return err_set(err, "--uri: the database must be a number, as in " FORM ".");
}

static int take_query(struct uri *uri, char *text, bool has_db, struct err *err)
{
    while (text && *text) {
        char *next = cut(text, '&');
        char *value = cut(text, '=');

        if (!value || strcmp(text, "db") != 0)
            return err_set(err, "--uri: behind the ? there may be db=N and nothing else.");
        if (has_db)
            return err_set(err, "--uri names the database twice.");
        const int rc = take_db(uri, value, err);
        if (rc < 0)
            return rc;
        has_db = true;
        text = next;
    }
    return 0;
}

static int take_socket(struct uri *uri, char *path, struct err *err)
{
    if (path[0] != '/' || !path[1] || !decode_line(path))
        return err_set(err, "--uri: unix:// needs the absolute path of a socket: "
                            "unix:///run/valkey.sock.");
    uri->socket = path;
    return 0;
}

/* All behind the scheme, which is taken apart in place. */
static int take_rest(struct uri *uri, char *rest, bool socket, struct err *err)
{
    char *path = rest + strcspn(rest, "/?#");
    char *at = memrchr(rest, '@', (size_t)(path - rest));

    if (strchr(path, '@'))
        return err_set(err, "--uri: in a user or password, write / ? # as %%2F %%3F %%23.");
    if (strchr(path, '#'))
        return err_set(err, "--uri: there may be no # in it.");
    if (at) {
        *at = '\0';
        const int rc = take_credentials(uri, rest, err);
        if (rc < 0)
            return rc;
        rest = at + 1;
    }
    char *query = cut(rest, '?');
    if (socket) {
        const int rc = take_socket(uri, rest, err);
        return rc < 0 ? rc : take_query(uri, query, false, err);
    }
    const char *db = cut(rest, '/');
    int rc = take_host(uri, rest, err);
    if (rc == 0 && db && *db)
        rc = take_db(uri, db, err);
    return rc < 0 ? rc : take_query(uri, query, db && *db, err);
}

int uri_parse(struct uri *uri, const char *text, struct err *err)
{
    const char *colon = strstr(text, "://");
    const int scheme = colon ? find_scheme((struct str){text, (size_t)(colon - text)}) : -1;

    *uri = (struct uri){0};
    if (scheme < 0)
        return err_set(err, "--uri must begin with valkey://, valkeys://, redis://, rediss:// or "
                            "unix://, as in " FORM ".");
    uri->text = mem_copy_text(colon + 3);
    uri->tls = schemes[scheme].tls;
    const int rc = take_rest(uri, uri->text, schemes[scheme].socket, err);
    if (rc < 0)
        uri_deinit(uri);
    return rc;
}

void uri_deinit(struct uri *uri)
{
    free(uri->text);
    *uri = (struct uri){0};
}
