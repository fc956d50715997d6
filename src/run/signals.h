/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals: how the monitor learns of signals, and how a second Ctrl-C gets past it.
 */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include "base/err.h"

/*
 * Takes SIGINT, SIGTERM and SIGHUP, unless they are ignored, from this thread and those made by it
 * from now on, and returns a descriptor (signalfd, non-blocking) that they are read from, or a
 * negative errno. SIGPIPE is ignored: a closed output is a failed write.
 */
int signals_open(struct err *err);

/* Reads the signals that came; returns SIGINT, SIGTERM or SIGHUP if one of them did, else 0. */
int signals_read(int fd);

/* Lets the next SIGINT, SIGTERM or SIGHUP end the process at once, with exit code 130. */
void signals_release(void);

#endif
