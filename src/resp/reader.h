/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader: finds the ends of server replies in a stream of bytes, and keeps what little is looked at.
 *
 * The reader does no I/O. It is resumable: a stream may be cut anywhere, and the state that a cut
 * needs is a few words, so a connection needs no receive buffer. It skims: the elements of an
 * aggregate and the bytes of a bulk string are counted, not kept. It never recurses, so that no
 * nesting can exhaust it. All types of RESP2 and RESP3 are read but the streamed ones ("$?", "*?"),
 * which no server sends.
 *
 * Protocol: https://valkey.io/topics/protocol/
 */
#ifndef RESP_READER_H
#define RESP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum resp_status {
    RESP_MORE,  /* all bytes were used, the reply is not complete: feed what arrives next */
    RESP_REPLY, /* one whole reply was read */
    RESP_BAD,   /* this is not RESP: give the connection up; the reader stays in this state */
};

enum resp_kind {
    RESP_SIMPLE, /* + */
    RESP_ERROR,  /* - and ! */
    RESP_INTEGER,
    RESP_BULK, /* $ and = (verbatim) */
    RESP_NULL, /* $-1, *-1 and _ */
    RESP_DOUBLE,
    RESP_BOOLEAN,
    RESP_BIG_NUMBER,
    RESP_ARRAY, /* * */
    RESP_MAP,
    RESP_SET,
    RESP_PUSH, /* > : out of band, answers no request */
};

/* What is known of a whole reply. An attribute (|) before a reply is skipped. */
struct resp_reply {
    enum resp_kind kind; /* of the outermost item */
    int64_t number;      /* INTEGER: the value; BOOLEAN: 0 or 1; BULK: bytes; aggregates: elements */
    struct str text;     /* SIMPLE, ERROR: the line, cut at RESP_TEXT_MAX; valid until the next call */
};

enum { RESP_TEXT_MAX = 255 };

/* The longest bulk and the most elements that are believed; a larger header is RESP_BAD. */
#define RESP_BULK_MAX (INT64_C(1) << 40)
#define RESP_ELEMENTS_MAX (INT64_C(1) << 32)

/* The fields are the reader's own. */
struct resp_reader {
    uint64_t pending;    /* items still to be read before the reply is whole */
    uint64_t skip;       /* bytes of a bulk, with its CR LF, still to come */
    int64_t number;      /* of the header line being read, without its sign */
    char *text;          /* owned; the start of a SIMPLE or ERROR line that a cut divided, or NULL */
    struct resp_reply reply; /* of the outermost item, once its header is known */
    uint16_t text_len;
    uint8_t state;
    uint8_t type;     /* the byte that began the line being read */
    uint8_t digits;   /* read of the line's number, to tell "" and an overflow */
    bool negative;
    bool outermost;   /* the line being read belongs to the outermost item */
};

void resp_reader_init(struct resp_reader *reader);

/* Releases what the reader holds; it may be initialised again. */
void resp_reader_deinit(struct resp_reader *reader);

/*
 * Reads from `in` until one reply is whole or the bytes are used up. Sets `*used` to how many bytes
 * were used; on RESP_REPLY fills `*reply` and what follows in `in` is the next reply.
 */
enum resp_status resp_reader_feed(struct resp_reader *reader, struct str in, size_t *used,
                                  struct resp_reply *reply);

/* Whether the reader is between two replies: an end of the stream here loses nothing. */
bool resp_reader_idle(const struct resp_reader *reader);

#endif
