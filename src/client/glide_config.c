/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_config.h"

#define FIELD(member) offsetof(struct glide_config, member)

/* clang-format off */
const struct option_spec glide_options[] = {
    {.name = "glide-library", .group = OPTION_ADVANCED, .read = option_read_text,
     .offset = FIELD(library), .value = "PATH",
     .help = "with --driver glide: the file libglide_ffi.so; else that of VALKEY_GLIDE_LIBRARY, or "
             "the one that is found in a library directory or where scripts/fetch-glide puts it"},
    {.name = "glide-clients", .group = OPTION_ADVANCED, .read = option_read_count,
     .offset = FIELD(clients), .value = "N", .min = 1, .max = 1000000,
     .help = "with --driver glide: as many GLIDE clients share the requests of all clients, instead "
             "of one each"},
    {.name = "glide-log-level", .group = OPTION_ADVANCED, .read = option_read_choice,
     .offset = FIELD(log_level), .initial = "off", .value = "LEVEL",
     .choices = "error|warn|info|debug|trace|off",
     .help = "with --driver glide: what the library logs, into files under ./glide-logs"},
    {0},
};
/* clang-format on */
