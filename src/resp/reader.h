/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader: finds the ends of replies in a stream of bytes, and keeps what little is looked at.
 *
 * It is strict: a line ends in CR LF and holds no other CR or LF, a number is a sign and at most 19
 * digits, a length is digits alone. The texts of lines have no limit, nor have doubles and big
 * numbers, whose syntax is looked at and no more.
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
    /* INTEGER: the value; BOOLEAN: 0 or 1; BULK: bytes; MAP: pairs; other aggregates: elements. */
    int64_t number;
    /* SIMPLE, ERROR: at most RESP_TEXT_MAX bytes of the text. Valid until the next call. */
    struct str text;
};

enum { RESP_TEXT_MAX = 255 };

/* The longest bulk and the most elements that are believed; a larger header is RESP_BAD. */
#define RESP_BULK_MAX     (INT64_C(1) << 40)
#define RESP_ELEMENTS_MAX (INT64_C(1) << 32)

/* The fields are the reader's own. */
struct resp_reader {
    uint64_t pending;     /* items still to be read before the reply is whole; 0: between replies */
    uint64_t number;      /* of the line being read, without its sign */
    uint64_t skip;        /* bytes of a bulk still to come, without its CR LF */
    int64_t reply_number; /* of the outermost item, once its header is known, as is its kind */
    char *text; /* owned; holds the text of a SIMPLE or ERROR that a cut divided, or NULL */
    uint16_t text_len;
    uint8_t state; /* what is expected next */
    uint8_t type;  /* the byte that began the item being read */
    uint8_t place; /* in the syntax of the line being read */
    uint8_t digits;
    char sign; /* of the line's number; 0: none */
    uint8_t reply_kind;
    bool unnamed; /* the header of the outermost item has not been read yet */
};

/* Nothing was read yet. What the reader held before is forgotten, not released. */
void resp_reader_init(struct resp_reader *reader);

/* Releases what the reader holds; it must be initialised before it is used again. */
void resp_reader_deinit(struct resp_reader *reader);

/*
 * Reads from `in` until one reply is whole or the bytes are used up. Sets `*used` to how many bytes
 * were used; on RESP_REPLY fills `*reply` and what follows in `in` is the next reply; on RESP_BAD
 * what was used ends before the byte that gave it away, and nothing is used ever after. How the
 * stream is cut changes none of this, but for where the text lies: in `in`, or in the reader.
 */
enum resp_status resp_reader_feed(struct resp_reader *reader, struct str in, size_t *used,
                                  struct resp_reply *reply);

/* Whether the reader is between two replies: an end of the stream here loses nothing. */
bool resp_reader_idle(const struct resp_reader *reader);

#endif
