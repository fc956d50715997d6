/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a URI: what is one is within its bounds, and a refusal is a line of its own words. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Fit to be shown, and of the memory that it should be of. */
static void check_part(const struct uri *uri, const char *part, size_t size)
{
    if (!part)
        return;
    check(part >= uri->text && part + strlen(part) <= uri->text + size);
    for (; *part; part++)
        check(*part != 0x7f && (*part < 0 || *part >= ' '));
}

static void check_uri(const struct uri *uri, size_t size)
{
    check(!uri->host || !uri->socket);
    check(!uri->host || *uri->host);
    check(!uri->socket || (uri->socket[0] == '/' && uri->port == 0));
    check(uri->password || !uri->user);
    check(uri->port <= 65535 && uri->db <= INT32_MAX);
    check_part(uri, uri->user, size);
    check_part(uri, uri->host, size);
    check_part(uri, uri->socket, size);
}

static void check_refusal(const char *text)
{
    const size_t len = strlen(text);

    check(strncmp(text, "--uri", 5) == 0 && text[len - 1] == '.');
    for (size_t i = 0; i < len; i++)
        check(text[i] >= ' ' && text[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_zalloc(size + 1, 1);
    struct uri uri;
    struct err err;

    memcpy(text, data, size);
    if (uri_parse(&uri, text, &err) < 0)
        check_refusal(err.text);
    else
        check_uri(&uri, size);
    free(text);
    uri_deinit(&uri);
    return 0;
}
