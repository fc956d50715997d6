/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cpu_list: numbers of CPUs as people write them: "0-3,8".
 *
 * Keeps the order in which they were written. It does not ask whether the machine has such CPUs.
 */
#ifndef BASE_CPU_LIST_H
#define BASE_CPU_LIST_H

#include <sched.h>
#include <stdint.h>

#include "base/err.h"

struct cpu_list {
    const char *text; /* as it was written, borrowed */
    unsigned count;   /* 0: there is no list */
    uint16_t cpus[CPU_SETSIZE];
};

/*
 * Reads numbers from 0 to CPU_SETSIZE - 1 and ranges of them, separated by commas, into `list`,
 * which borrows `text`. Returns 0, or -EINVAL with a sentence that names `option` ("cpus") when
 * `text` is anything else, a range runs backwards, or a CPU occurs twice; then `list` is unchanged.
 */
int cpu_list_read(struct cpu_list *list, const char *text, const char *option, struct err *err);

#endif
