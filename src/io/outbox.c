/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/outbox.h"

#include <stdlib.h>

#include "base/mem.h"

enum { ROOM_MIN = 64 };

void outbox_grow(struct outbox *outbox, size_t bytes)
{
    struct outbox_half *half = &outbox->filling;
    size_t room = half->room ? half->room : ROOM_MIN;

    while (room - half->len < bytes)
        room *= 2;
    half->bytes = mem_resize(half->bytes, room, 1);
    half->room = room;
}

bool outbox_turn_over(struct outbox *outbox)
{
    if (!outbox_has_left(outbox) || outbox->filling.len == 0)
        return false;
    const struct outbox_half empty = outbox->leaving;
    outbox->leaving = outbox->filling;
    outbox->filling = empty;
    outbox->filling.len = 0;
    outbox->sent = 0;
    return true;
}

void outbox_clear(struct outbox *outbox)
{
    outbox->filling.len = 0;
    outbox->leaving.len = 0;
    outbox->sent = 0;
}

void outbox_deinit(struct outbox *outbox)
{
    free(outbox->filling.bytes);
    free(outbox->leaving.bytes);
    *outbox = (struct outbox){0};
}
