/* SPDX-License-Identifier: BSD-3-Clause */
#include "cluster/redirect.h"

#include "resp/reader.h"
#include "resp/slot.h"

/* Takes a whole number from the front. Returns false when there is none, or it is above `max`. */
static bool take_number(struct str *text, uint32_t max, uint32_t *number)
{
    size_t digits = 0;

    *number = 0;
    while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') {
        *number = *number * 10 + (uint32_t)(text->ptr[digits++] - '0');
        if (*number > max)
            return false;
    }
    *text = (struct str){text->ptr + digits, text->len - digits};
    return digits > 0;
}

static bool take_word(struct str *text, struct str word)
{
    if (!str_starts(*text, word))
        return false;
    *text = (struct str){text->ptr + word.len, text->len - word.len};
    return true;
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] > '~')
            return false;
    return !str_equal(host, STR("?"));
}

bool redirect_parse(struct str line, struct redirect *redirect)
{
    uint32_t slot, port;

    /* A text of this length may have been cut, and its port with it. */
    if (line.len >= RESP_TEXT_MAX)
        return false;
    redirect->ask = take_word(&line, STR("ASK "));
    if (!redirect->ask && !take_word(&line, STR("MOVED ")))
        return false;
    if (!take_number(&line, SLOT_COUNT - 1, &slot) || !take_word(&line, STR(" ")))
        return false;

    size_t colon = line.len;
    while (colon > 0 && line.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct str rest = {line.ptr + colon, line.len - colon};
    redirect->host = (struct str){line.ptr, colon - 1};
    if (!take_number(&rest, UINT16_MAX, &port) || rest.len > 0 || port == 0)
        return false;
    redirect->slot = (uint16_t)slot;
    redirect->port = (uint16_t)port;
    return is_host(redirect->host);
}
