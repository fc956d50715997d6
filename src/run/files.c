/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/files.h"

#include <errno.h>
#include <sys/resource.h>

enum { FILES_A_PROCESS = 64, FILES_A_WORKER = 4 };

/* What is enough for a cluster that grows: so many times what is needed at first, or so many. */
enum { GROWTH = 4, FILES_ENOUGH = 65536 };

static rlim_t enough(rlim_t needed)
{
    return GROWTH * needed > FILES_ENOUGH ? GROWTH * needed : FILES_ENOUGH;
}

/* The hard limit is raised too if it must be, which root may do. */
static bool raise_to(struct rlimit limit, rlim_t files)
{
    limit.rlim_cur = files;
    if (limit.rlim_max < files)
        limit.rlim_max = files;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int files_allow(uint64_t clients, unsigned processes, unsigned workers, bool may_grow,
                struct err *err)
{
    const rlim_t needed =
        (clients + processes - 1) / processes + FILES_A_PROCESS + (rlim_t)workers * FILES_A_WORKER;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return err_sys(err, "Could not read the limit on open files");
    const rlim_t allowed = limit.rlim_max;
    const rlim_t most = enough(needed) < allowed ? enough(needed) : allowed;
    if (may_grow && limit.rlim_cur < most && most >= needed && raise_to(limit, most))
        return 0;
    if (limit.rlim_cur >= needed || raise_to(limit, needed))
        return 0;
    err_set(
        err,
        "-c/--clients: %llu clients need %llu open files a process, and %llu are allowed. Raise "
        "the limit (ulimit -n), or use fewer clients or more --processes.",
        (unsigned long long)clients, (unsigned long long)needed, (unsigned long long)allowed);
    return -EMFILE;
}
