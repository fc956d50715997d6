/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { INTERRUPTED = 130 };

static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

int signals_open(struct err *err)
{
    sigset_t set = ending_signals();

    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_sys(err, "Could not watch for signals") : fd;
}

int signals_read(int fd)
{
    struct signalfd_siginfo info;
    int ending = 0;

    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
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
    const sigset_t set = ending_signals();

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
