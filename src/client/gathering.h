/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gathering: the replies to one request, for whoever dictated it and will look into them.
 *
 * Nearly all arrive whole, alone, and are looked at where they lie: bytes are copied only when a
 * reply is cut, or more of them are to come. What a gathering held it gives back when it was large.
 */
#ifndef CLIENT_GATHERING_H
#define CLIENT_GATHERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "io/link.h"
#include "stats/outcome.h"

/* Of one connection, whose oldest request it is for. A zeroed one is empty. */
struct gathering {
    char *bytes; /* owned: what was kept */
    size_t len, room;
    size_t whole;    /* of `len`: the bytes of whole replies */
    struct str last; /* borrowed: what ended the last reply */
    uint32_t arrived;
    uint8_t error; /* enum outcome: of the first reply that was an error, or OK */
};

/* Takes a piece that the link has heard. */
void gathering_hear(struct gathering *gathering, struct str bytes, enum link_piece piece);

/* Takes note of a whole reply, whose last piece was heard before. Returns whether all `owed` are
 * there. */
bool gathering_take(struct gathering *gathering, const struct resp_reply *reply, uint32_t owed);

/* All replies, one behind the other: a view, until it is cleared or the link's `reply` returns. */
struct str gathering_all(struct gathering *gathering);

/* Begins anew, also when not all replies came. */
void gathering_clear(struct gathering *gathering);

void gathering_deinit(struct gathering *gathering);

#endif
