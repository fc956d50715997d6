/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_threads: what the threads of GLIDE's library cost this process.
 *
 * They are known by their names, as the kernel has them.
 */
#ifndef CLIENT_GLIDE_THREADS_H
#define CLIENT_GLIDE_THREADS_H

#include <stdint.h>

struct glide_threads {
    unsigned count;  /* that live */
    uint64_t cpu_ns; /* on a core, so far; 0 where the kernel does not count */
};

void glide_threads_read(struct glide_threads *threads);

#endif
