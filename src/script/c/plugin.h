/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin: the host of custom commands in C: shared objects, or files in C that are compiled when
 * the run begins. Users see it as valkey_polyglot/custom_command.h.
 *
 * Each place has a fiber, so that a plugin calls and waits as it pleases. A place that was used
 * costs the pages of its stack that were touched, mostly one, and the commands of its last step. In
 * the long run nothing is allocated; memory for large commands and replies is given back.
 */
#ifndef SCRIPT_C_PLUGIN_H
#define SCRIPT_C_PLUGIN_H

#include "script/script.h"

extern const struct script_host script_host_c;

#endif
