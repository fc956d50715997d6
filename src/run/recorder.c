/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/recorder.h"

#include "base/clock.h"

/* A board that is full would give one the histogram of another. */
static_assert((RECORDER_NODES + 1) * 4 + MEASURE_KINDS < SNAPSHOT_SERIES_MAX,
              "the series of all nodes fit");

void recorder_init(struct recorder *recorder, struct board_slot *slot, const char *command,
                   bool scheduled, bool reads)
{
    *recorder = (struct recorder){.slot = slot, .reads = reads};
    recorder->response = board_series(slot, command, MEASURE_RESPONSE);
    if (!scheduled)
        return;
    recorder->service = board_series(slot, command, MEASURE_SERVICE);
    recorder->slot_wait = board_series(slot, "", MEASURE_SLOT_WAIT);
    recorder->send_lag = board_series(slot, "", MEASURE_SEND_LAG);
}

/* Texts leave at most once a second, and the first of each kind at once. */
static void say(struct recorder *recorder, unsigned kind, struct str text, uint64_t now_ns)
{
    const uint64_t bit = UINT64_C(1) << kind;

    if (text.len == 0 || (recorder->said_kinds & bit && now_ns < recorder->quiet_ns))
        return;
    recorder->said_kinds |= bit;
    recorder->quiet_ns = now_ns + CLOCK_NS_PER_S;
    board_put_text(recorder->slot, kind, text);
}

/* A series is taken into use with its first value: most runs have no handshakes. */
static void record_in(struct recorder *recorder, struct histogram **place, const char *name,
                      enum measure measure, uint64_t value_ns)
{
    if (!*place)
        *place = board_series(recorder->slot, name, measure);
    histogram_record(*place, value_ns);
}

/* Counts what came of a request for the node that it came from, in the role that it has now. */
static void record_node(struct recorder *recorder, const struct router_node *node, bool ok,
                        uint64_t value_ns)
{
    const bool shared = node->number >= RECORDER_NODES;
    struct recorder_node *places = &recorder->nodes[shared ? RECORDER_NODES : node->number];
    const char *name = shared ? SNAPSHOT_OTHER : node->name;
    const unsigned role = node->replica;

    if (ok)
        record_in(recorder, &places->response[role], name, MEASURE_PRIMARY + role, value_ns);
    else
        record_in(recorder, &places->errors[role], name, MEASURE_PRIMARY_ERRORS + role, 0);
}

static void record_parts(struct recorder *recorder, const struct completion *completion)
{
    const uint64_t due_ns = completion->request->due_ns;
    const uint64_t free_ns = completion->free_ns > due_ns ? completion->free_ns : due_ns;

    histogram_record(recorder->service, completion->replied_ns - completion->sent_ns);
    histogram_record(recorder->slot_wait, free_ns - due_ns);
    histogram_record(recorder->send_lag, completion->sent_ns - free_ns);
}

static void record_ok(struct recorder *recorder, const struct completion *completion)
{
    const uint64_t since_ns = recorder->service ? completion->request->due_ns : completion->sent_ns;
    const uint64_t response_ns = completion->replied_ns - since_ns;
    struct board_slot *slot = recorder->slot;

    histogram_record(recorder->response, response_ns);
    if (recorder->service)
        record_parts(recorder, completion);
    if (completion->node)
        record_node(recorder, completion->node, true, response_ns);
    if (recorder->reads)
        counter_add(&slot->events[completion->null ? EVENT_MISS : EVENT_HIT], 1);
    atomic_store_explicit(&slot->last_reply_ns, completion->replied_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->last_ok_ns, completion->replied_ns, memory_order_relaxed);
}

/* Whether the server said so itself; otherwise it was silent. */
static bool is_reply(enum outcome outcome)
{
    return outcome != OUTCOME_TIMEOUT && outcome != OUTCOME_DISCONNECT &&
           outcome != OUTCOME_PROTOCOL;
}

void recorder_done(struct recorder *recorder, const struct completion *completion)
{
    const enum outcome outcome = completion->outcome;
    struct board_slot *slot = recorder->slot;

    if (outcome == OUTCOME_OK) {
        record_ok(recorder, completion);
        return;
    }
    if (outcome == OUTCOME_UNANSWERED)
        return;
    counter_add(&slot->errors[outcome], 1);
    if (completion->node)
        record_node(recorder, completion->node, false, 0);
    if (is_reply(outcome))
        atomic_store_explicit(&slot->last_reply_ns, completion->replied_ns, memory_order_relaxed);
    say(recorder, outcome, completion->text, completion->replied_ns);
}

void recorder_event(struct recorder *recorder, enum event event, struct str text, uint64_t now_ns)
{
    counter_add(&recorder->slot->events[event], 1);
    say(recorder, OUTCOME_KINDS + event, text, now_ns);
}

void recorder_connected(struct recorder *recorder, const struct dial_times *times)
{
    record_in(recorder, &recorder->connect, "", MEASURE_CONNECT, times->connect_ns);
    if (times->tls_ns)
        record_in(recorder, &recorder->tls, "", MEASURE_TLS, times->tls_ns);
    if (times->handshake_ns)
        record_in(recorder, &recorder->handshake, "", MEASURE_HANDSHAKE, times->handshake_ns);
}

void recorder_library(struct recorder *recorder, struct driver *driver)
{
    struct driver_threads threads = {0};

    if (driver->ops->threads)
        driver->ops->threads(driver, &threads);
    atomic_store_explicit(&recorder->slot->library_threads, threads.count, memory_order_relaxed);
    atomic_store_explicit(&recorder->slot->library_cpu_ns, threads.cpu_ns, memory_order_relaxed);
}
