/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/outage.h"

/* What a node that is gone, or comes up, or changes its role, makes of requests. */
static const enum outcome failing_kinds[] = {
    OUTCOME_TIMEOUT, OUTCOME_DISCONNECT, OUTCOME_LOADING, OUTCOME_READONLY, OUTCOME_CLUSTERDOWN,
};

void outage_start(struct outages *outages, uint64_t start_ns)
{
    *outages = (struct outages){
        .start_ns = start_ns, .seen.time_ns = start_ns, .quiet_since_ns = start_ns};
    outages->prior = outages->calm = outages->seen;
}

/* Counts of a run that goes on may be a little out of step: none falls below the other. */
static uint64_t beyond(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static bool has_lost_clients(const struct outage_look *before, const struct outage_look *now)
{
    uint64_t lost = beyond(now->events[EVENT_DISCONNECT], before->events[EVENT_DISCONNECT]);

    lost = beyond(lost, beyond(now->errors[OUTCOME_TIMEOUT], before->errors[OUTCOME_TIMEOUT]));
    lost = beyond(lost, beyond(now->errors[OUTCOME_PROTOCOL], before->errors[OUTCOME_PROTOCOL]));
    return lost > 0 && lost >= (now->clients + UINT64_C(1)) / 2;
}

/* Clients that never came up tell of limits and of addresses, not of a node that has failed. */
static bool is_refused(const struct outage_look *before, const struct outage_look *now)
{
    return now->events[EVENT_DISCONNECT] > 0 &&
           now->events[EVENT_DIAL_FAILURE] > before->events[EVENT_DIAL_FAILURE];
}

/* Slots that move are waited out, too: no node has failed then. */
static uint64_t retries(const struct outage_look *look)
{
    return beyond(look->events[EVENT_RETRY], look->events[EVENT_TRYAGAIN]);
}

static bool has_failed(const struct outage_look *before, const struct outage_look *now)
{
    uint64_t failing = beyond(retries(now), retries(before));
    uint64_t ended = beyond(now->ok, before->ok) + failing;

    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        ended += beyond(now->errors[i], before->errors[i]);
    for (unsigned i = 0; i < sizeof failing_kinds / sizeof failing_kinds[0]; i++)
        failing += beyond(now->errors[failing_kinds[i]], before->errors[failing_kinds[i]]);
    return failing >= OUTAGE_FAILING && 5 * failing >= ended;
}

static bool is_silent(const struct outages *outages, const struct outage_look *look)
{
    const uint64_t quiet_ns = beyond(look->time_ns, outages->quiet_since_ns);

    return look->last_ok_ns > 0 && quiet_ns >= OUTAGE_SILENCE_NS &&
           quiet_ns >= OUTAGE_SILENCE_USUAL * look->usual_ns;
}

/* Errors that come at once leave nothing outstanding between them, but somebody asks. */
static bool is_idle(const struct outage_look *before, const struct outage_look *now)
{
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        if (now->errors[i] > before->errors[i])
            return false;
    return !now->outstanding;
}

static void listen(struct outages *outages, const struct outage_look *look)
{
    const bool late = look->time_ns - outages->seen.time_ns > OUTAGE_LATE_NS;
    uint64_t since_ns = look->last_ok_ns;

    if (late || is_idle(&outages->seen, look))
        since_ns = look->time_ns;
    if (since_ns <= outages->quiet_since_ns)
        return;
    outages->quiet_since_ns = since_ns;
    outages->calm = outages->seen;
}

static void open_at(struct outages *outages, uint64_t from_ns, const struct outage_look *base)
{
    outages->open = true;
    outages->current.from_ns = from_ns - outages->start_ns;
    outages->base = *base;
}

/* The look before the trouble: connections that die together may do so around a look. */
static const struct outage_look *first_before(const struct outages *outages)
{
    return outages->seen.events[EVENT_DISCONNECT] > outages->prior.events[EVENT_DISCONNECT]
               ? &outages->prior
               : &outages->seen;
}

/* The window, opened if none is, holds all up to this look. */
static void extend(struct outages *outages, const struct outage_look *look, bool silent)
{
    struct outage *current = &outages->current;
    const uint64_t quiet_ns = outages->quiet_since_ns;

    if (!outages->open) {
        const struct outage_look *base = first_before(outages);
        open_at(outages, base->time_ns, base);
    }
    if (silent && quiet_ns - outages->start_ns < current->from_ns)
        open_at(outages, quiet_ns, &outages->calm);
    if (silent && look->time_ns - quiet_ns > current->silent_ns)
        current->silent_ns = look->time_ns - quiet_ns;
    current->to_ns = look->time_ns - outages->start_ns;
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        current->failed[i] = beyond(look->errors[i], outages->base.errors[i]);
    current->retried = beyond(look->events[EVENT_RETRY], outages->base.events[EVENT_RETRY]);
}

static void close_window(struct outages *outages)
{
    if (!outages->open)
        return;
    if (outages->count < OUTAGE_KEPT)
        outages->kept[outages->count++] = outages->current;
    else
        outages->more++;
    outages->open = false;
    outages->current = (struct outage){0};
}

static bool is_over(const struct outages *outages, uint64_t now_ns)
{
    const uint64_t to_ns = outages->start_ns + outages->current.to_ns;

    return now_ns - to_ns >= OUTAGE_CALM_NS && outages->quiet_since_ns > to_ns;
}

static void take(struct outages *outages, const struct outage_look *look)
{
    const struct outage_look *before = &outages->seen;

    listen(outages, look);
    const bool silent = is_silent(outages, look);
    if (silent || has_lost_clients(before, look) || is_refused(before, look) ||
        has_failed(before, look))
        extend(outages, look, silent);
    else if (outages->open && is_over(outages, look->time_ns))
        close_window(outages);
    outages->prior = outages->seen;
    outages->seen = *look;
}

void outage_look(struct outages *outages, const struct outage_look *look)
{
    if (look->time_ns < outages->seen.time_ns + OUTAGE_LOOK_NS)
        return;
    take(outages, look);
}

void outage_end(struct outages *outages, const struct outage_look *look)
{
    if (look->time_ns > outages->seen.time_ns)
        take(outages, look);
    close_window(outages);
}
