/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/loss.h"

#include <stdio.h>

#include "base/clock.h"

const char *loss_describe(const struct loss *loss, char *text)
{
    const char *name = loss->server;
    const bool insecure = loss->reason == LINK_INSECURE;
    const char *why = insecure ? loss->said : link_reason_text(loss->reason);

    if (loss->reason == LINK_REFUSED)
        snprintf(text, LOSS_TEXT_MAX, "Could not log in to %s: %s", name, loss->said);
    else if (!loss->was_up)
        snprintf(text, LOSS_TEXT_MAX, "Could not connect to %s: %s.", name, why);
    else if (loss->said[0] && !insecure)
        snprintf(text, LOSS_TEXT_MAX, "Connection to %s lost; the server said: %s", name,
                 loss->said);
    else if (loss->reason == LINK_NO_REPLY)
        snprintf(text, LOSS_TEXT_MAX, "No reply from %s within %llu ms.", name,
                 (unsigned long long)loss->timeout_ns / CLOCK_NS_PER_MS);
    else
        snprintf(text, LOSS_TEXT_MAX, "Connection to %s lost: %s.", name, why);
    return text;
}

bool loss_is_auth(const struct loss *loss)
{
    return loss->reason == LINK_REFUSED && session_is_about_login(loss->said);
}

enum outcome loss_outcome(const struct loss *loss, const struct flight *flight)
{
    if (loss->reason == LINK_GIVEN_UP)
        return OUTCOME_UNANSWERED;
    if (loss->reason == LINK_NO_REPLY && flight->sent_ns &&
        loss->now_ns - flight->sent_ns >= loss->timeout_ns)
        return OUTCOME_TIMEOUT;
    return OUTCOME_DISCONNECT;
}
