/* SPDX-License-Identifier: BSD-3-Clause */
#include "valkey_polyglot/custom_command.h"

const struct vpb_command vpb_command = {.version = VPB_API_VERSION + 1};
