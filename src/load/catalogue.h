/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * catalogue: the built-in tests, as data.
 */
#ifndef LOAD_CATALOGUE_H
#define LOAD_CATALOGUE_H

#include <stdbool.h>

#include "base/err.h"

enum { CATALOGUE_ARGUMENTS_MAX = 8 };

/* A test: one command, whose arguments may hold the placeholders of template.h. */
struct catalogue_entry {
    const char *name;                                   /* as -t takes it, in lower case */
    const char *arguments[CATALOGUE_ARGUMENTS_MAX + 1]; /* NULL ends them */
    bool reads;    /* changes nothing; a null reply is a miss, any other a hit */
    bool dictated; /* its requests are written elsewhere; the first argument is a name for them */
};

/*
 * Finds a test by its name, in any case. Returns NULL with a sentence in `err` that names -t and
 * lists what there is.
 */
const struct catalogue_entry *catalogue_find(const char *name, struct err *err);

/* Whether a cluster can carry a test: the keys of a request are all in one slot. Returns 0, or
 * -EINVAL with a sentence. */
int catalogue_check_slots(const struct catalogue_entry *entry, struct err *err);

#endif
