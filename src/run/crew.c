/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/worker.h"

struct member {
    struct worker_setup setup;
    pthread_t thread;
    bool started;
};

struct crew {
    unsigned workers;
    unsigned processes;     /* forked; 0: the workers are threads of this one */
    struct member *members; /* owned */
    pid_t *pids;            /* owned; a process each, 0: it was not started */
    bool *ended;            /* owned; whether it has been waited for */
};

static void *run_member(void *argument)
{
    struct member *member = argument;

    worker_run(&member->setup);
    return NULL;
}

/* Starts the threads of one process. Returns 0 or a positive errno. */
static int start_threads(struct crew *crew, unsigned process, unsigned stride)
{
    for (unsigned i = process; i < crew->workers; i += stride) {
        struct member *member = &crew->members[i];
        const int failure = pthread_create(&member->thread, NULL, run_member, member);

        if (failure)
            return failure;
        member->started = true;
    }
    return 0;
}

static void join_threads(struct crew *crew)
{
    for (unsigned i = 0; i < crew->workers; i++)
        if (crew->members[i].started)
            pthread_join(crew->members[i].thread, NULL);
}

/* The whole life of a forked process of workers. */
static void be_process(struct crew *crew, unsigned process, pid_t parent)
{
    /* The parent may have died before it could be told that we die with it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    const int failure = start_threads(crew, process, crew->processes);
    if (failure)
        _exit(1);
    join_threads(crew);
    _exit(0);
}

static int start_processes(struct crew *crew, struct err *err)
{
    const pid_t parent = getpid();

    for (unsigned i = 0; i < crew->processes; i++) {
        const pid_t pid = fork();

        if (pid < 0)
            return err_sys(err, "Could not start worker process %u", i);
        if (pid == 0)
            be_process(crew, i, parent);
        crew->pids[i] = pid;
    }
    return 0;
}

static int start_own_threads(struct crew *crew, struct err *err)
{
    errno = start_threads(crew, 0, 1);
    return errno ? err_sys(err, "Could not start a worker thread") : 0;
}

static int make_wakes(struct crew *crew, struct err *err)
{
    for (unsigned i = 0; i < crew->workers; i++) {
        const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0)
            return err_sys(err, "Could not make an eventfd for worker %u", i);
        crew->members[i].setup.wake_fd = fd;
    }
    return 0;
}

int crew_start(struct crew **out, const struct plan *plan, const struct board *board,
               int monitor_fd, struct err *err)
{
    struct crew *crew = mem_zalloc(1, sizeof *crew);

    crew->workers = plan->workers;
    crew->processes = plan->processes > 1 ? plan->processes : 0;
    crew->members = mem_zalloc(crew->workers, sizeof *crew->members);
    crew->pids = mem_zalloc(plan->processes, sizeof *crew->pids);
    crew->ended = mem_zalloc(plan->processes, sizeof *crew->ended);
    for (unsigned i = 0; i < crew->workers; i++)
        crew->members[i].setup = (struct worker_setup){
            .plan = plan, .board = board, .number = i, .wake_fd = -1, .monitor_fd = monitor_fd};
    *out = crew;
    int rc = make_wakes(crew, err);
    if (rc == 0)
        rc = crew->processes ? start_processes(crew, err) : start_own_threads(crew, err);
    if (rc < 0)
        crew_abandon(out);
    return rc;
}

void crew_wake(struct crew *crew)
{
    const uint64_t one = 1;

    for (unsigned i = 0; i < crew->workers; i++)
        if (write(crew->members[i].setup.wake_fd, &one, sizeof one) < 0)
            continue; /* its counter is full: the worker is being woken already */
}

int crew_reap(struct crew *crew, int *status)
{
    for (unsigned i = 0; i < crew->processes; i++) {
        if (crew->ended[i] || waitpid(crew->pids[i], status, WNOHANG) <= 0)
            continue;
        crew->ended[i] = true;
        return (int)i;
    }
    return -1;
}

pid_t crew_pid(const struct crew *crew, unsigned process)
{
    return crew->processes ? crew->pids[process] : getpid();
}

static void release(struct crew **slot)
{
    struct crew *crew = *slot;

    for (unsigned i = 0; i < crew->workers; i++)
        if (crew->members[i].setup.wake_fd >= 0)
            close(crew->members[i].setup.wake_fd);
    free(crew->members);
    free(crew->pids);
    free(crew->ended);
    free(crew);
    *slot = NULL;
}

void crew_join(struct crew **crew)
{
    for (unsigned i = 0; i < (*crew)->processes; i++)
        if (!(*crew)->ended[i])
            waitpid((*crew)->pids[i], NULL, 0);
    if ((*crew)->processes == 0)
        join_threads(*crew);
    release(crew);
}

void crew_abandon(struct crew **crew)
{
    for (unsigned i = 0; i < (*crew)->processes; i++)
        if (!(*crew)->ended[i] && (*crew)->pids[i] != 0)
            kill((*crew)->pids[i], SIGKILL);
    *crew = NULL; /* threads may be using it: it stays until the end of the process */
}
