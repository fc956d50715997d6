/* SPDX-License-Identifier: BSD-3-Clause */
/* One SET an execution, as the built-in test sends it. */
#include <valkey_polyglot/custom_command.h>

static int execute(struct vpb_client *client, void *state)
{
    const char *const argv[] = {"SET", vpb_key(client), client->config->data};

    (void)state;
    return vpb_call(client, 3, argv, NULL)->type == VPB_ERROR;
}

const struct vpb_command vpb_command = {.version = VPB_API_VERSION, .execute = execute};
