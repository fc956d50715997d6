/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_calls.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- on the library's threads */

static struct glide_call *call_of(uintptr_t id)
{
    struct glide_call *call = (struct glide_call *)id; // NOLINT(performance-no-int-to-ptr)
    const bool lent = atomic_load_explicit(&call->lent, memory_order_acquire);

    assert(lent);
    (void)lent;
    return call;
}

void glide_calls_succeeded(uintptr_t id, const struct glide_reply *reply)
{
    const uint64_t now_ns = clock_now_ns();
    struct glide_call *call = call_of(id);

    call->replied_ns = now_ns;
    call->failure = -1;
    call->null = reply->type == GLIDE_NULL;
    if (reply->arena)
        call->calls->free_reply((struct glide_reply *)(uintptr_t)reply);
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

static void set_free(struct glide_calls *calls, struct glide_call *call)
{
    call->next = NULL;
    if (calls->free)
        calls->free_last->next = call;
    else
        calls->free = call;
    calls->free_last = call;
}

static void unlink_lent(struct glide_calls *calls, struct glide_call *call)
{
    *(call->before ? &call->before->after : &calls->lent) = call->after;
    *(call->after ? &call->after->before : &calls->lent_last) = call->before;
}

void glide_calls_init(struct glide_calls *calls, size_t slots, struct glide_inbox *inbox,
                      glide_free_reply_fn free_reply)
{
    *calls = (struct glide_calls){.inbox = inbox, .free_reply = free_reply};
    calls->made = mem_zalloc(slots, sizeof *calls->made);
}

void glide_calls_deinit(struct glide_calls *calls)
{
    for (unsigned i = 0; i < calls->made_count; i++)
        free(calls->made[i].message);
    free(calls->made);
    while (calls->more) {
        struct glide_call *const call = calls->more;

        calls->more = call->also;
        free(call->message);
        free(call);
    }
    *calls = (struct glide_calls){0};
}

void glide_calls_add(struct glide_calls *calls, struct glide_conn *conn)
{
    struct glide_call *call = &calls->made[calls->made_count++];

    call->calls = calls;
    call->conn = conn;
    set_free(calls, call);
}

struct glide_call *glide_calls_take(struct glide_calls *calls)
{
    struct glide_call *call = calls->free;

    assert(call);
    calls->free = call->next;
    return call;
}

void glide_calls_lend(struct glide_calls *calls, struct glide_call *call)
{
    call->after = NULL;
    call->before = calls->lent ? calls->lent_last : NULL;
    *(calls->lent ? &calls->lent_last->after : &calls->lent) = call;
    calls->lent_last = call;
    atomic_store_explicit(&call->lent, true, memory_order_release);
}

void glide_calls_put_back(struct glide_calls *calls, struct glide_call *call)
{
    atomic_store_explicit(&call->lent, false, memory_order_relaxed);
    free(call->message);
    call->message = NULL;
    if (call->given_up) {
        call->given_up = false;
        call->next = calls->aside;
        calls->aside = call;
        return;
    }
    unlink_lent(calls, call);
    set_free(calls, call);
}

void glide_calls_give_up(struct glide_calls *calls, struct glide_call *call)
{
    struct glide_call *other = calls->aside;

    unlink_lent(calls, call);
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
    set_free(calls, other);
}
