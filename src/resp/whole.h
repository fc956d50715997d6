/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * whole: the short way for items that lie whole in the bytes at hand, as nearly all do.
 *
 * Simple strings, errors, integers and bulk strings, without any state. It never judges: what is
 * cut, unusual or wrong it leaves to the reader, which is the only one to say what is RESP.
 */
#ifndef RESP_WHOLE_H
#define RESP_WHOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "resp/reader.h"

/*
 * Reads one item at the start of `in`, which is not empty. Returns how many bytes it has and fills
 * `*item`, whose text is a view of `in`; or returns 0.
 */
size_t whole_read(struct str in, struct resp_reply *item);

static inline struct str whole_cut_text(const char *text, size_t len)
{
    return (struct str){text, len < RESP_TEXT_MAX ? len : RESP_TEXT_MAX};
}

/* Whether CR LF lies whole at `at`, which is at most `end`. */
static inline bool whole_line_end(const char *at, const char *end)
{
    return end - at >= 2 && at[0] == '\r' && at[1] == '\n';
}

#endif
