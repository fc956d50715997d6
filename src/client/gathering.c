/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/gathering.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* More room than this is given back: few connections get a reply as large again. */
enum { ROOM_MAX = 64 * 1024 };

static void keep(struct gathering *gathering, struct str bytes)
{
    if (gathering->room - gathering->len < bytes.len) {
        gathering->room = 2 * gathering->room + bytes.len;
        gathering->bytes = mem_resize(gathering->bytes, gathering->room, 1);
    }
    memcpy(gathering->bytes + gathering->len, bytes.ptr, bytes.len);
    gathering->len += bytes.len;
}

void gathering_hear(struct gathering *gathering, struct str bytes, enum link_piece piece)
{
    if (piece == LINK_PART)
        keep(gathering, bytes);
    else if (piece == LINK_PUSH)
        gathering->len = gathering->whole; /* its first pieces were taken for those of a reply */
    else
        gathering->last = bytes;
}

bool gathering_take(struct gathering *gathering, const struct resp_reply *reply, uint32_t owed)
{
    if (reply->kind == RESP_ERROR && gathering->error == OUTCOME_OK)
        gathering->error = (uint8_t)outcome_of_error(reply->text);
    if (++gathering->arrived == owed)
        return true;
    keep(gathering, gathering->last);
    gathering->whole = gathering->len;
    return false;
}

struct str gathering_all(struct gathering *gathering)
{
    if (gathering->len == 0)
        return gathering->last;
    keep(gathering, gathering->last);
    return (struct str){gathering->bytes, gathering->len};
}

void gathering_clear(struct gathering *gathering)
{
    if (gathering->room > ROOM_MAX)
        gathering_deinit(gathering);
    gathering->len = gathering->whole = 0;
    gathering->arrived = 0;
    gathering->error = OUTCOME_OK;
}

void gathering_deinit(struct gathering *gathering)
{
    free(gathering->bytes);
    *gathering = (struct gathering){0};
}
