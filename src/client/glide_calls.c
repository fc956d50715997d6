/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_calls.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- on the library's threads */

static struct glide_call *call_of(uintptr_t id)
{
    struct glide_call *call = (struct glide_call *)id;
    const bool lent = atomic_load_explicit(&call->lent, memory_order_acquire);

    assert(lent);
    (void)lent;
    return call;
}

void glide_calls_succeeded(uintptr_t id, const struct glide_reply *reply)
{
    const uint64_t now_ns = clock_now_ns();
    struct glide_call *call = call_of(id);
    struct glide_reply *own = (struct glide_reply *)(uintptr_t)reply;

    call->replied_ns = now_ns;
    call->failure = -1;
    call->null = reply->type == GLIDE_NULL;
    if (call->calls->keeps_replies)
        call->reply = own;
    else if (reply->arena)
        call->calls->free_reply(own);
    glide_inbox_put(call->calls->inbox, &call->note);
}

void glide_calls_failed(uintptr_t id, const char *message, int32_t type)
{
    const uint64_t now_ns = clock_now_ns();
    struct glide_call *call = call_of(id);

    call->replied_ns = now_ns;
    call->failure = type;
    call->null = false;
    call->message = mem_copy_text(message ? message : "");
    glide_inbox_put(call->calls->inbox, &call->note);
}

/* ---- on the worker's */

static void append(struct glide_call_list *list, struct glide_call *call)
{
    call->after = NULL;
    call->before = list->last;
    *(list->last ? &list->last->after : &list->first) = call;
    list->last = call;
}

static void take_out(struct glide_call_list *list, struct glide_call *call)
{
    *(call->before ? &call->before->after : &list->first) = call->after;
    *(call->after ? &call->after->before : &list->last) = call->before;
}

static void set_free(struct glide_calls *calls, struct glide_call *call)
{
    append(&calls->free, call);
    calls->fresh = call;
}

/* What the library has left with a call. */
static void forget(const struct glide_calls *calls, struct glide_call *call)
{
    free(call->message);
    call->message = NULL;
    if (call->reply)
        calls->free_reply(call->reply);
    call->reply = NULL;
}

void glide_calls_init(struct glide_calls *calls, size_t slots)
{
    *calls = (struct glide_calls){.made = mem_zalloc(slots, sizeof(struct glide_call))};
}

void glide_calls_deinit(struct glide_calls *calls)
{
    for (unsigned i = 0; i < calls->made_count; i++)
        forget(calls, &calls->made[i]);
    free(calls->made);
    while (calls->more) {
        struct glide_call *const call = calls->more;

        calls->more = call->also;
        forget(calls, call);
        free(call);
    }
    *calls = (struct glide_calls){0};
}

void glide_calls_add(struct glide_calls *calls, struct glide_conn *conn, unsigned client)
{
    struct glide_call *call = &calls->made[calls->made_count++];

    call->calls = calls;
    call->conn = conn;
    call->client = client;
    set_free(calls, call);
}

void glide_calls_lend(struct glide_calls *calls, struct glide_call *call)
{
    if (call == calls->fresh)
        calls->fresh = NULL;
    take_out(&calls->free, call);
    append(&calls->lent, call);
    atomic_store_explicit(&call->lent, true, memory_order_release);
}

void glide_calls_put_back(struct glide_calls *calls, struct glide_call *call)
{
    atomic_store_explicit(&call->lent, false, memory_order_relaxed);
    forget(calls, call);
    if (call->given_up) {
        call->given_up = false;
        call->next = calls->aside;
        calls->aside = call;
        return;
    }
    take_out(&calls->lent, call);
    set_free(calls, call);
}

void glide_calls_give_up(struct glide_calls *calls, struct glide_call *call)
{
    struct glide_call *other = calls->aside;

    take_out(&calls->lent, call);
    call->given_up = true;
    if (other) {
        calls->aside = other->next;
    } else {
        other = mem_zalloc(1, sizeof *other);
        other->also = calls->more;
        calls->more = other;
    }
    other->calls = calls;
    other->conn = call->conn;
    other->client = call->client;
    set_free(calls, other);
}
