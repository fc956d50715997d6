/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * language: which host runs a file of custom commands, and how to get at it.
 *
 * The end of the file's name says which. Hosts that are modules lie beside the program, or where
 * they were installed, and are opened when they are wanted and never closed.
 */
#ifndef SCRIPT_LANGUAGE_H
#define SCRIPT_LANGUAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "script/script.h"

struct script_language {
    const char *name;               /* "Lua" */
    const char *const *endings;     /* ".lua"; NULL ends them */
    const struct script_host *host; /* NULL: in a module */
    const char *module;             /* its file */
    const char *package;            /* what a build without it lacks, as Debian names it */
    bool one_a_process;             /* its interpreter: a process can have one worker */
    bool declares_options;          /* its files may have options of their own */
};

/* All of them, for --version; the last has no name. */
extern const struct script_language script_languages[];

/* The language of a file that can be read, whose host is there. Returns NULL with one sentence
 * otherwise. Opens nothing: to be called before processes are made. */
const struct script_language *script_language_of(const char *file, struct err *err);

/* Its host. Returns NULL with one sentence when the module is missing or is not this program's. */
const struct script_host *script_language_host(const struct script_language *language,
                                               struct err *err);

#endif
