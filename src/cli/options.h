/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options: the command line, made of the tables of all modules.
 *
 * Joins the tables, sets the defaults, reads argv with glibc's argp and prints --help. Every way in
 * which a command line can be wrong ends in one sentence that names the option. The module knows no
 * option by name: --help and --version are switches in somebody's table, acted on by the caller.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/option.h"

struct option_table {
    const struct option_spec *specs; /* borrowed; NULL ends an array of tables */
    size_t offset;                   /* of the module's config inside the whole config */
};

struct options;

/*
 * Joins `tables`, which must outlive the result. `doc` is what --help says of the program. A name
 * or letter that occurs twice is a bug.
 */
struct options *options_create(const struct option_table *tables, const char *doc);
void options_destroy(struct options **options);

/* What --help says over a group, in the place of its own words; borrowed. */
void options_set_heading(struct options *options, enum option_group group, const char *heading);

/*
 * Sets the defaults in `config`, which must be zeroed, then reads argv[1] and on; the last mention
 * of an option wins. Long names may be cut to a prefix that is unique; a value that may be left out
 * and is, is read as "". Texts in `config` point into argv and the tables; those of
 * option_read_secret into memory that goes with the options, since in argv they are overwritten.
 * Returns 0, or a negative errno with `err` filled: then `config` holds what was read before the
 * fault.
 */
int options_parse(struct options *options, void *config, int argc, char **argv, struct err *err);

/*
 * Whether the last options_parse came across the option before it ended, also if it failed. A name
 * that no table has is a bug.
 */
bool options_given(const struct options *options, const char *long_name);

/* Writes the whole --help; `program` is the name in the line "Usage". */
void options_print_help(const struct options *options, const char *program, FILE *out);

#endif
