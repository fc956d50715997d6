/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * custom: the custom commands of one worker, loaded as the plan has them.
 */
#ifndef RUN_CUSTOM_H
#define RUN_CUSTOM_H

#include "run/plan.h"
#include "script/executor.h"

struct custom {
    struct script_setup script;
    struct executor_setup setup;
    struct executor *executor; /* owned; NULL: a built-in test */
};

/* Who hears of ends and answers, as executor.h has it. */
struct custom_listener {
    void (*done)(void *context, const struct completion *completion);
    void (*answered)(void *context, uint32_t commands);
    void *context;
};

/* Loads the file and calls its `init`, on the thread of the worker. Returns 0, or a negative errno
 * with one sentence. `custom` must stay where it is; a zeroed one is that of a built-in test. */
int custom_init(struct custom *custom, const struct plan *plan, unsigned worker,
                const struct custom_listener *listener, struct err *err);
void custom_deinit(struct custom *custom);

#endif
