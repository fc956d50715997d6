/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * script_options: the options that a file of custom commands declares, on the same command line as
 * the program's own.
 *
 * The file must be known before the command line can be read, so it is looked for there first. The
 * values are texts, which the file's own code reads.
 */
#ifndef CLI_SCRIPT_OPTIONS_H
#define CLI_SCRIPT_OPTIONS_H

#include <stddef.h>

#include "cli/options.h"
#include "script/script.h"

enum { SCRIPT_OPTIONS_MAX = 32 };

/* The texts of a file's options, a part of the whole config. */
struct script_texts {
    const char *of[SCRIPT_OPTIONS_MAX];
};

/* A zeroed one has none. The fields are its own, but for `tables` and `list`. */
struct script_options {
    struct option_table *tables; /* owned: the program's, then the file's if it has options */
    struct script_option_list list;
    struct option_spec *specs; /* owned */
    char *heading;             /* owned: for OPTION_SCRIPT; NULL: there are no options */
    struct script_value values[SCRIPT_OPTIONS_MAX];
    bool failed; /* the file, or what it declares, is at fault: see `err` */
    struct err err;
};

/* The file that a command line names; NULL: none. */
const char *script_options_find_file(int argc, char **argv);

/*
 * Makes `tables` of those of the program and of `list`, whose options come from `file`; `offset`
 * is that of the script_texts in the whole config. All that is given must outlive it. It has failed
 * when there are too many, or one has the name of an option of the program's: then `tables` are the
 * program's alone.
 */
void script_options_join(struct script_options *script, const struct option_table *program,
                         size_t offset, const char *file);

/* All of it: finds the file, has its host read its options and joins them. A file without a host,
 * which is refused later, has none. */
void script_options_read(struct script_options *script, const struct option_table *program,
                         size_t offset, int argc, char **argv);

/* Hands the values that were given to the script's config, which borrows them. */
void script_options_settle(struct script_options *script, const struct options *options,
                           const struct script_texts *texts, struct script_config *config);

void script_options_deinit(struct script_options *script);

#endif
