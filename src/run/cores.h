/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cores: how many cores this process may use.
 *
 * What the affinity mask leaves of the machine, and what the CPU quota of its control groups leaves
 * of that: a container that is given 2 CPUs has 2 cores here, whatever the host has. A list of CPUs
 * that the user gave takes the place of the mask.
 */
#ifndef RUN_CORES_H
#define RUN_CORES_H

#include "base/cpu_list.h"

/* Returns 0, or -EINVAL with a sentence that names a CPU of --cpus that this process may not use.
 */
int cores_check(const struct cpu_list *cpus, struct err *err);

/* At least 1; of `cpus` unless that is empty. Reads /proc and /sys; what cannot be read limits
 * nothing. */
unsigned cores_usable(const struct cpu_list *cpus);

#endif
