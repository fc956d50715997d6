/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/outcome.h"

#include <assert.h>

static const struct {
    const char *word;
    enum outcome outcome;
} words[] = {
    {"NOAUTH", OUTCOME_AUTH},       {"WRONGPASS", OUTCOME_AUTH},
    {"NOPERM", OUTCOME_AUTH},       {"LOADING", OUTCOME_LOADING},
    {"READONLY", OUTCOME_READONLY}, {"MASTERDOWN", OUTCOME_READONLY},
    {"OOM", OUTCOME_OOM},           {"BUSY", OUTCOME_BUSY},
    {"TRYAGAIN", OUTCOME_BUSY},     {"CLUSTERDOWN", OUTCOME_CLUSTERDOWN},
    {"MOVED", OUTCOME_REDIRECT},    {"ASK", OUTCOME_REDIRECT},
};

static const char *const outcome_names[] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_DISCONNECT] = "disconnect",
    [OUTCOME_AUTH] = "auth",
    [OUTCOME_LOADING] = "loading",
    [OUTCOME_READONLY] = "readonly",
    [OUTCOME_OOM] = "oom",
    [OUTCOME_BUSY] = "busy",
    [OUTCOME_CLUSTERDOWN] = "clusterdown",
    [OUTCOME_REDIRECT] = "redirect limit",
    [OUTCOME_PROTOCOL] = "protocol",
    [OUTCOME_SCRIPT] = "script",
    [OUTCOME_OTHER] = "other",
    [OUTCOME_UNANSWERED] = "unanswered",
};

static const char *const event_names[] = {
    [EVENT_MOVED] = "moved replies",
    [EVENT_ASK] = "ask replies",
    [EVENT_CLUSTERDOWN] = "clusterdown replies",
    [EVENT_TRYAGAIN] = "tryagain replies",
    [EVENT_RETRY] = "retries",
    [EVENT_DISCONNECT] = "disconnects",
    [EVENT_RECONNECT] = "reconnects",
    [EVENT_RENEWAL] = "planned reconnects",
    [EVENT_DIAL_FAILURE] = "failed dials",
    [EVENT_NO_LOGIN] = "refused logins (auth)",
    [EVENT_WAITED_OUT] = "timeouts while a connection was lost",
    [EVENT_HIT] = "hits",
    [EVENT_MISS] = "misses",
    [EVENT_COMMAND] = "commands answered",
};

static_assert(COUNT(outcome_names) == OUTCOME_UNANSWERED + 1, "each outcome has a name");
static_assert(COUNT(event_names) == EVENT_KINDS, "each event has a name");

static struct str first_word(struct str line)
{
    size_t len = 0;

    while (len < line.len && line.ptr[len] != ' ' && line.ptr[len] != '\t')
        len++;
    return (struct str){line.ptr, len};
}

enum outcome outcome_of_error(struct str line)
{
    const struct str word = first_word(line);

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_equal(word, str_of(words[i].word)))
            return words[i].outcome;
    return OUTCOME_OTHER;
}

const char *outcome_name(enum outcome outcome)
{
    assert(outcome <= OUTCOME_UNANSWERED);
    return outcome_names[outcome];
}

const char *event_name(enum event event)
{
    assert(event < EVENT_KINDS);
    return event_names[event];
}
