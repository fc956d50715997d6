/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine: which loop a run uses.
 *
 * Found out by trying, once, before workers are made: what a kernel offers and what a container
 * allows is not told by version numbers.
 */
#ifndef IO_ENGINE_H
#define IO_ENGINE_H

#include "base/option.h"
#include "io/loop.h"

enum engine_choice { ENGINE_AUTO, ENGINE_EPOLL, ENGINE_URING };

struct engine_config {
    int choice; /* enum engine_choice */
};

extern const struct option_spec engine_options[];

enum { ENGINE_NAME_MAX = 80, ENGINE_NOTE_MAX = 600 };

struct engine {
    const struct loop_ops *ops;
    char name[ENGINE_NAME_MAX]; /* with its mode: as reports show it */
    char note[ENGINE_NOTE_MAX]; /* a sentence: why it is not io_uring, which was wanted; or "" */
};

/* The version of liburing, or "none" when it was built without. */
const char *engine_library(void);

/* Never fails: epoll is always there. */
void engine_choose(struct engine *engine, const struct engine_config *config);

#endif
