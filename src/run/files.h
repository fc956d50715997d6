/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * files: the limit on open files, which every connection counts against.
 */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Raises the limit of this process and those it forks so that each may hold its part of `clients`
 * connections beside what it and `workers` workers need themselves; if there may be more of them
 * later, `may_grow`, as far as that is allowed, within reason. Returns 0, or a negative errno with
 * a sentence that names -c.
 */
int files_allow(uint64_t clients, unsigned processes, unsigned workers, bool may_grow,
                struct err *err);

#endif
