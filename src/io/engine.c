/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/engine.h"

#include <stdio.h>

#define FIELD(member) offsetof(struct engine_config, member)

/* clang-format off */
const struct option_spec engine_options[] = {
    {0},
};
/* clang-format on */

void engine_choose(struct engine *engine, const struct engine_config *config)
{
    (void)config;
    *engine = (struct engine){.ops = &loop_epoll};
    snprintf(engine->name, sizeof engine->name, "%s", engine->ops->name);
}
