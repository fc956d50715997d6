/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * supervisor: runs a program that cannot outlive us, in a directory that goes with it.
 *
 * A small child of ours is the program's parent. It watches one end of a socket pair whose other
 * end only we hold: when that ends, because we stopped it, crashed or were killed, it ends the
 * program (SIGTERM, after two seconds SIGKILL), removes the directory and exits. Should the child
 * itself be killed, the kernel kills the program.
 *
 * The program is the leader of a process group in a session of its own, so that no Ctrl-C of our
 * terminal reaches it; processes that it leaves in its group end with it. Its standard output and
 * error go to a log in the directory, which is also where it runs. It starts with no signal
 * blocked or ignored and no descriptor of ours. Nothing is written to our own output.
 *
 * It does not start a program again that has ended.
 */
#ifndef RUN_SUPERVISOR_H
#define RUN_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* The program's output, in its directory. */
#define SUPERVISOR_LOG "output.log"

struct supervisor {
    pid_t pid;       /* of the child that watches */
    int line;        /* our end of the socket pair; readable as soon as the program has ended */
    char *directory; /* owned; absolute, mode 700, under $TMPDIR if that is absolute, else /tmp */
};

/* A file that the program finds in its directory, for its user's eyes only. */
struct supervisor_file {
    const char *name, *text;
};

struct supervisor_job {
    const char *file;                    /* absolute path of the program */
    const char *const *argv;             /* as execv takes it */
    const struct supervisor_file *files; /* NULL: none; the last has no name */
};

/*
 * Runs a program. Returns 0, or a negative errno with nothing left behind. A program that the
 * kernel refuses to run, or a file that cannot be written, is not an error here: the program ends
 * at once with status 127 and the reason in its log.
 *
 * To be called while the process has one thread. The child is not for others to wait for.
 */
int supervisor_start(struct supervisor *supervisor, const struct supervisor_job *job,
                     struct err *err);

/*
 * Whether the program has ended, without waiting; if so, `*status` is its wait status, or -1 when
 * the supervisor has gone and cannot say.
 */
bool supervisor_has_ended(const struct supervisor *supervisor, int *status);

/* Has the program ended, without waiting for that: so that several end side by side. */
void supervisor_end(const struct supervisor *supervisor);

/* Ends the program; returns when it and its directory are gone, also if workers live on. */
void supervisor_stop(struct supervisor *supervisor);

/*
 * For a process forked after the start: lets go of what it inherited. The program ends only when
 * every holder has let go or died.
 */
void supervisor_forget(struct supervisor *supervisor);

#endif
