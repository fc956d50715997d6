/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/files.h"

#include <errno.h>
#include <sys/resource.h>

enum { FILES_A_PROCESS = 64, FILES_A_WORKER = 4 };

int files_allow(uint64_t clients, unsigned processes, unsigned workers, struct err *err)
{
    const rlim_t needed =
        (clients + processes - 1) / processes + FILES_A_PROCESS + (rlim_t)workers * FILES_A_WORKER;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return err_sys(err, "Could not read the limit on open files");
    if (limit.rlim_cur >= needed)
        return 0;
    const rlim_t allowed = limit.rlim_max;
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed)
        limit.rlim_max = needed; /* which root may do */
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return 0;
    err_set(
        err,
        "-c/--clients: %llu clients need %llu open files a process, and %llu are allowed. Raise "
        "the limit (ulimit -n), or use fewer clients or more --processes.",
        (unsigned long long)clients, (unsigned long long)needed, (unsigned long long)allowed);
    return -EMFILE;
}
