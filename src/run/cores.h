/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cores: how many cores this process may use.
 *
 * What the affinity mask leaves of the machine, and what the CPU quota of its control groups leaves
 * of that: a container that is given 2 CPUs has 2 cores here, whatever the host has.
 */
#ifndef RUN_CORES_H
#define RUN_CORES_H

/* At least 1. Reads /proc and /sys; what cannot be read limits nothing. */
unsigned cores_usable(void);

#endif
