/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/custom.h"

#include <errno.h>

int custom_init(struct custom *custom, const struct plan *plan, unsigned worker,
                const struct custom_listener *listener, struct err *err)
{
    const struct script_host *host = script_language_host(plan->language, err);
    const unsigned clients = plan_clients_of(plan, plan->ramp.clients.end, worker);

    if (!host)
        return -ENOENT;
    custom->script = (struct script_setup){.config = &plan->script,
                                           .keys = &plan->source.keys,
                                           .data_bytes = plan->source.data_bytes,
                                           .worker = worker,
                                           .workers = plan->workers,
                                           .clients = clients,
                                           .places = (unsigned)(clients * plan->client.pipeline),
                                           .print_fd = plan->print_fd};
    custom->setup = (struct executor_setup){.host = host,
                                            .script = &custom->script,
                                            .cluster = plan->client.cluster,
                                            .request_timeout_ns = plan->client.request_timeout_ns,
                                            .done = listener->done,
                                            .answered = listener->answered,
                                            .context = listener->context};
    return executor_create(&custom->executor, &custom->setup, err);
}

void custom_deinit(struct custom *custom)
{
    executor_destroy(&custom->executor);
}
