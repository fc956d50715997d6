/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin_file: the shared object of a plugin, found, loaded and looked at.
 */
#ifndef SCRIPT_C_PLUGIN_FILE_H
#define SCRIPT_C_PLUGIN_FILE_H

#include "base/err.h"
#include "script/script.h"
#include "valkey_polyglot/custom_command.h"

struct plugin_file {
    const struct vpb_command *command;
    void *handle; /* owned; of dlopen */
    int object;   /* owned; the descriptor of an object compiled for this file alone, or -1 */
};

/*
 * Loads the file of a config, or what it was prepared to; a file in C that was not is compiled.
 * Returns 0, or a negative errno with a sentence that names the file, in which case nothing is to
 * be closed: it is missing, does not compile, is not a shared object, does not export vpb_command,
 * or was made for another version.
 */
int plugin_file_open(struct plugin_file *file, const struct script_config *config, struct err *err);
void plugin_file_close(struct plugin_file *file);

/* `prepare` of struct script_host: compiles a file in C. */
int plugin_file_prepare(const struct script_config *config, char **prepared, struct err *err);

#endif
