/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * foreign: options of other load generators, and what to use here.
 *
 * Knows the options of valkey-benchmark, redis-benchmark, memtier_benchmark and valkey-cli that do
 * not work here. It is asked only about options that the program does not have, so an option that
 * is added needs no change here, though its line is then dead.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Explains `option` ("--rps" or "-l": with dashes, without a value) in one sentence that names it.
 * Returns false, and leaves `err` alone, if no other tool is known to have it.
 */
bool foreign_explain(struct str option, struct err *err);

#endif
