/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/whole.h"

/* Reads at most 18 digits, of which no number overflows an int64_t. */
static const char *read_digits(const char *at, const char *end, int64_t *number)
{
    const char *const last = end - at > 18 ? at + 18 : end;
    int64_t sum = 0;

    for (; at < last && *at >= '0' && *at <= '9'; at++)
        sum = sum * 10 + (*at - '0');
    *number = sum;
    return at;
}

static size_t read_line(struct str in, enum resp_kind kind, struct resp_reply *item)
{
    const char *const text = in.ptr + 1;
    const char *const cr = memchr(text, '\r', in.len - 1);

    if (!cr || !whole_line_end(cr, in.ptr + in.len))
        return 0;

    const size_t len = (size_t)(cr - text);

    if (memchr(text, '\n', len))
        return 0;
    *item = (struct resp_reply){kind, 0, whole_cut_text(text, len)};
    return len + 3;
}

static size_t read_integer(struct str in, struct resp_reply *item)
{
    const char *const end = in.ptr + in.len;
    const bool negative = in.len > 1 && in.ptr[1] == '-';
    const char *const first = in.ptr + 1 + negative;
    int64_t number;
    const char *const at = read_digits(first, end, &number);

    if (at == first || !whole_line_end(at, end))
        return 0;
    *item = (struct resp_reply){RESP_INTEGER, negative ? -number : number, STR("")};
    return (size_t)(at - in.ptr) + 2;
}

static size_t read_bulk(struct str in, struct resp_reply *item)
{
    const char *const end = in.ptr + in.len;
    int64_t len;
    const char *at = read_digits(in.ptr + 1, end, &len);

    if (at == in.ptr + 1) {
        if (!str_starts(in, STR("$-1\r\n")))
            return 0;
        *item = (struct resp_reply){RESP_NULL, 0, STR("")};
        return 5;
    }
    if (!whole_line_end(at, end))
        return 0;
    at += 2;
    if (len > end - at || !whole_line_end(at + len, end))
        return 0;
    *item = (struct resp_reply){RESP_BULK, len, STR("")};
    return (size_t)(at + len - in.ptr) + 2;
}

size_t whole_read(struct str in, struct resp_reply *item)
{
    if (str_starts(in, STR("+OK\r\n"))) {
        *item = (struct resp_reply){RESP_SIMPLE, 0, {in.ptr + 1, 2}};
        return 5;
    }
    switch (in.ptr[0]) {
    case '$':
        return read_bulk(in, item);
    case ':':
        return read_integer(in, item);
    case '+':
        return read_line(in, RESP_SIMPLE, item);
    case '-':
        return read_line(in, RESP_ERROR, item);
    default:
        return 0;
    }
}
