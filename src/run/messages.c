/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/messages.h"

#include <stdio.h>

#include "base/clock.h"

void messages_init(struct messages *messages, const struct log_config *log)
{
    *messages = (struct messages){.log = log};
}

static const char *kind_name(uint32_t kind)
{
    return kind < OUTCOME_KINDS ? outcome_name((enum outcome)kind)
                                : event_name((enum event)(kind - OUTCOME_KINDS));
}

static void take(struct messages *messages, const struct board_text *text, unsigned worker,
                 uint64_t now_ns)
{
    if (text->outcome == BOARD_TEXT_FAILURE) {
        if (!messages->failure[0])
            snprintf(messages->failure, sizeof messages->failure, "%s", text->text);
        return;
    }
    const uint64_t bit = UINT64_C(1) << text->outcome;
    const char *kind = kind_name(text->outcome);

    log_write(messages->log, LOG_DEBUG, "worker %u: %s: %s", worker, kind, text->text);
    if (messages->said_kinds & bit && now_ns < messages->quiet_ns)
        return;
    messages->said_kinds |= bit;
    messages->quiet_ns = now_ns + CLOCK_NS_PER_S;
    fprintf(stderr, "%s (%s): %s\n", text->outcome < OUTCOME_KINDS ? "Error" : "Note", kind,
            text->text);
}

void messages_take(struct messages *messages, const struct board *board, uint64_t now_ns)
{
    struct board_text text;

    for (unsigned i = 0; i < board->workers; i++)
        while (board_take_text(&board->slots[i], &text))
            take(messages, &text, i, now_ns);
}
