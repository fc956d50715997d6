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

enum engine_choice { ENGINE_AUTO, ENGINE_EPOLL };

struct engine_config {
    int choice; /* enum engine_choice */
};

extern const struct option_spec engine_options[];

enum { ENGINE_TEXT_MAX = 200 };

struct engine {
    const struct loop_ops *ops;
    char name[ENGINE_TEXT_MAX]; /* with its mode: as reports show it */
    char note[ENGINE_TEXT_MAX]; /* a sentence: why it is not the one that was asked for; or "" */
};

/* Never fails: epoll is always there. */
void engine_choose(struct engine *engine, const struct engine_config *config);

#endif
