/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LINE_FD = STDERR_FILENO + 1, GRACE_S = 2 };

/* A directory with all that is in it; links are removed, not followed. */
static void remove_tree(int parent, const char *name)
{
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) < 0 && errno == EISDIR)
            remove_tree(fd, entry->d_name);
    }
    if (dir)
        closedir(dir);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Leaves the tool: its session, its name (for killall), its signal handlers, its descriptors. */
static void leave_tool(int line)
{
    const int null = open("/dev/null", O_RDWR);
    const int kept = fcntl(line, F_DUPFD_CLOEXEC, LINE_FD);

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (kept != LINE_FD)
        dup3(kept, LINE_FD, O_CLOEXEC);
    closefrom(LINE_FD + 1);
    setsid();
    prctl(PR_SET_NAME, "local-server");
    /* Orphans of the program come to us, to be waited for. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

/* Returns the name of the file that could not be written, with errno, or NULL. */
static const char *write_files(const struct supervisor_file *file)
{
    for (; file && file->name; file++) {
        const int fd = open(file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        const char *left = file->text;
        ssize_t n = fd < 0 ? -1 : 0;
        for (; n >= 0 && *left; left += n > 0 ? n : 0)
            n = write(fd, left, strlen(left));
        if (n < 0)
            return file->name;
        close(fd);
    }
    return NULL;
}

_Noreturn static void run_program(const struct supervisor_job *job, const char *directory,
                                  pid_t supervisor)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) /* it died before the kernel was asked to tell */
        _exit(127);
    setpgid(0, 0);
    if (chdir(directory) == 0) {
        const int log = open(SUPERVISOR_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const char *failed = write_files(job->files);
    if (!failed) {
        execv(job->file, (char *const *)job->argv);
        failed = job->file;
    }
    dprintf(STDERR_FILENO, "%s: %s\n", failed, strerror(errno));
    _exit(127);
}

/* Also ends what the program has left in its group, whose number is free once it is waited for. */
static int end_group(pid_t program)
{
    int status = -1;

    kill(-program, SIGKILL);
    waitpid(program, &status, 0);
    while (waitpid(-program, NULL, 0) > 0)
        continue;
    return status;
}

static bool has_exited(pid_t program)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)program, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

static void end_program(pid_t program, const sigset_t *child)
{
    const uint64_t end_ns = clock_now_ns() + (uint64_t)GRACE_S * CLOCK_NS_PER_S;

    kill(-program, SIGTERM);
    kill(-program, SIGCONT); /* a stopped process takes its leave only when it goes on */
    while (!has_exited(program)) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= end_ns)
            break;
        const struct timespec left = {
            .tv_sec = (time_t)((end_ns - now_ns) / CLOCK_NS_PER_S),
            .tv_nsec = (long)((end_ns - now_ns) % CLOCK_NS_PER_S),
        };
        sigtimedwait(child, NULL, &left);
    }
    end_group(program);
}

/* Returns when the line has ended: the program, or 0 if it has ended by itself, which is told. */
static pid_t watch(pid_t program, int signals)
{
    struct pollfd fds[] = {{LINE_FD, POLLIN, 0}, {signals, POLLIN, 0}};
    struct signalfd_siginfo info;

    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            return program;
        while (read(signals, &info, sizeof info) > 0)
            continue;
        if (program == 0 || !has_exited(program))
            continue;
        const int status = end_group(program);
        program = 0;
        send(LINE_FD, &status, sizeof status, MSG_NOSIGNAL);
    }
}

/*
 * All signals stay blocked here: whoever means the tool with one (a service manager, at its stop)
 * must not take away the process that cleans up behind it.
 */
_Noreturn static void supervise(int line, const struct supervisor_job *job, const char *directory)
{
    const pid_t self = getpid();
    sigset_t child;

    leave_tool(line);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t program = signals < 0 ? -1 : fork();
    if (program == 0)
        run_program(job, directory, self);
    if (program > 0) {
        setpgid(program, program);
        program = watch(program, signals);
    }
    if (program > 0)
        end_program(program, &child);
    remove_tree(AT_FDCWD, directory);
    _exit(0);
}

static int make_directory(char **directory, struct err *err)
{
    static const char name[] = "/valkey-polyglot-XXXXXX";
    const char *parent = getenv("TMPDIR");

    if (!parent || parent[0] != '/')
        parent = "/tmp";
    const size_t size = strlen(parent) + sizeof name;
    *directory = mem_zalloc(size, 1);
    snprintf(*directory, size, "%s%s", parent, name);
    if (mkdtemp(*directory))
        return 0;
    const int rc = err_sys(err, "No directory for the local server can be made in %s", parent);
    free(*directory);
    *directory = NULL;
    return rc;
}

static int fork_child(struct supervisor *supervisor, const struct supervisor_job *job,
                      struct err *err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, "No socket pair for the local server");
    supervisor->pid = fork();
    if (supervisor->pid == 0)
        supervise(ends[1], job, supervisor->directory);
    const int rc = supervisor->pid < 0 ? err_sys(err, "No process for the local server") : 0;
    close(ends[1]);
    if (rc < 0)
        close(ends[0]);
    supervisor->line = ends[0];
    return rc;
}

int supervisor_start(struct supervisor *supervisor, const struct supervisor_job *job,
                     struct err *err)
{
    sigset_t all, before;

    /* No handler of ours may run in the child, and no signal may end us between the two steps. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = make_directory(&supervisor->directory, err);
    if (supervisor->directory) {
        rc = fork_child(supervisor, job, err);
        if (rc < 0) {
            rmdir(supervisor->directory);
            free(supervisor->directory);
            supervisor->directory = NULL;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

bool supervisor_has_ended(const struct supervisor *supervisor, int *status)
{
    *status = -1;
    return recv(supervisor->line, status, sizeof *status, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           (errno != EAGAIN && errno != EINTR);
}

void supervisor_end(const struct supervisor *supervisor)
{
    /* Unlike a close, this ends the line whoever else holds a copy of it. */
    shutdown(supervisor->line, SHUT_WR);
}

void supervisor_stop(struct supervisor *supervisor)
{
    char rest[sizeof(int)];

    supervisor_end(supervisor);
    for (ssize_t n = 1; n > 0 || (n < 0 && errno == EINTR);)
        n = recv(supervisor->line, rest, sizeof rest, 0);
    while (waitpid(supervisor->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    remove_tree(AT_FDCWD, supervisor->directory); /* if the child was killed, it is still there */
    supervisor_forget(supervisor);
}

void supervisor_forget(struct supervisor *supervisor)
{
    close(supervisor->line);
    free(supervisor->directory);
    *supervisor = (struct supervisor){.pid = 0, .line = -1};
}
