/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"

enum { INTERRUPTED = 130 };

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

/* Those that are not ignored: nohup and a shell's background jobs mean it. */
static sigset_t heeded_signals(void)
{
    struct sigaction action;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(ending_signals); i++)
        if (sigaction(ending_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, ending_signals[i]);
    return set;
}

int signals_open(struct err *err)
{
    const sigset_t set = heeded_signals();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how a worker ended */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_sys(err, "Could not watch for signals") : fd;
}

int signals_read(int fd)
{
    struct signalfd_siginfo info;
    int ending = 0;

    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        ending = (int)info.ssi_signo;
    return ending;
}

static void end_at_once(int number)
{
    (void)number;
    _exit(INTERRUPTED);
}

void signals_release(void)
{
    const struct sigaction action = {.sa_handler = end_at_once};
    const sigset_t set = heeded_signals();

    for (size_t i = 0; i < COUNT(ending_signals); i++)
        if (sigismember(&set, ending_signals[i]))
            sigaction(ending_signals[i], &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
