/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * children: for tests of what starts processes and cleans up behind them.
 *
 * Include after cmocka.h. Each test has two directories: `temporary` is $TMPDIR, and must be empty
 * again after it; `files` is for the test's own.
 */
#ifndef UNIT_CHILDREN_H
#define UNIT_CHILDREN_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

struct place {
    char temporary[64];
    char files[64];
    char *path; /* $PATH as it was */
};

/* A running program. */
struct facts {
    pid_t pid;
    uint16_t port;
    char directory[128];
};

/* What a forked tool does before it waits to be killed; false if it failed. */
typedef bool tool_fn(void *argument, struct facts *told);

static inline int enter_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->temporary, sizeof place->temporary, "/tmp/test-temporary-XXXXXX");
    snprintf(place->files, sizeof place->files, "/tmp/test-files-XXXXXX");
    place->path = strdup(getenv("PATH"));
    *state = place;
    return !mkdtemp(place->temporary) || !mkdtemp(place->files) ||
           setenv("TMPDIR", place->temporary, 1);
}

static inline int leave_place(void **state)
{
    struct place *place = *state;
    char command[256];
    const int left = rmdir(place->temporary); /* fails if something is in it */

    setenv("PATH", place->path, 1);
    snprintf(command, sizeof command, "rm -rf %s %s", place->temporary, place->files);
    const int status = system(command);
    free(place->path);
    free(place);
    return left || status;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Asks until `condition` of `argument` holds; fails the test after 20 s. */
static inline void await(bool (*condition)(const void *), const void *argument)
{
    const uint64_t end_ns = clock_now_ns() + 20 * (uint64_t)CLOCK_NS_PER_S;

    while (!condition(argument)) {
        assert_true(clock_now_ns() < end_ns);
        nanosleep(&(struct timespec){.tv_nsec = 2 * CLOCK_NS_PER_MS}, NULL);
    }
}

/* Gone, or a zombie: an orphan is for process 1 to wait for, which in a container may not. */
static inline bool is_dead(const void *pid)
{
    char path[64], text[512] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", (int)*(const pid_t *)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *name_end = strrchr(text, ')');
    return !name_end || name_end[2] == 'Z';
}

static inline bool is_gone(const void *facts)
{
    const struct facts *f = facts;

    return is_dead(&f->pid) && access(f->directory, F_OK) < 0;
}

/* For a child: a test that fails halfway leaves nobody behind. */
static inline void die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* In the child no check of cmocka may fail: it would go on with the other tests. */
static inline pid_t fork_tool(tool_fn *act, void *argument, struct facts *told)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        struct facts facts = {.pid = 0};
        die_with_parent();
        if (!act(argument, &facts) || write(ends[1], &facts, sizeof facts) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], told, sizeof *told), sizeof *told);
    close(ends[0]);
    return pid;
}

static inline void end_tool(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

#endif
