/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * option: options as data, in a table beside the module that they configure.
 *
 * A table describes the fields of one module's config struct. The default is text that a user
 * could type, read by the same function, so that --help cannot disagree with the code. The command
 * line is parsed in cli/, which joins all tables; nothing else knows more than its own.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The headings of --help, in its order. */
enum option_group {
    OPTION_BASIC,
    OPTION_ADVANCED,
    OPTION_TLS,
    OPTION_RATE,
    OPTION_RAMP,
    OPTION_PROCESSES,
    OPTION_TIMEOUTS,
    OPTION_OUTPUT,
    OPTION_SCRIPT,
    OPTION_GROUPS /* how many there are */
};

struct option_spec;

/*
 * Reads `text` into `field`. Returns 0, or a negative errno with a sentence in `err` that names the
 * option and says what the value should have been ("--port must be a whole number from 1 to 65535,
 * not \"x\"."). `text` is NULL for a switch.
 */
typedef int option_read_fn(const struct option_spec *spec, void *field, const char *text,
                           struct err *err);

struct option_spec {
    const char *name;        /* the long name, without dashes; NULL ends a table */
    const char *letters;     /* its short forms, or NULL: "Hh" */
    enum option_group group; /* the heading under which --help lists it */
    option_read_fn *read;
    size_t offset;       /* of the field in the module's config */
    const char *initial; /* the default as a user would type it; NULL: the field stays zero */
    const char *value; /* what --help calls the value; NULL: a switch; "[X]": it may be left out */
    const char *help;  /* a phrase, without the default, which --help adds */
    uint64_t min, max; /* the range of a number, in the field's unit; max 0: no limit */
    const char *choices; /* option_read_choice: "set|get", in the order of the enum */
};

option_read_fn option_read_switch;   /* bool */
option_read_fn option_read_text;     /* const char *: borrowed from argv or the table */
option_read_fn option_read_secret;   /* const char *: likewise; nobody else is to see it */
option_read_fn option_read_count;    /* uint64_t: 500, 10k, 2M, 1G (powers of 1000) */
option_read_fn option_read_duration; /* uint64_t ns: 10 (seconds), 1.5, 250ms, 30s, 5m, 1h */
option_read_fn option_read_millis;   /* uint64_t ns: whole milliseconds */
option_read_fn option_read_rate;     /* uint64_t: millionths; 1000, 0.5, 1.5k; at most 6 decimals */
option_read_fn option_read_choice;   /* int (an enum): one of `choices`, in any case */

#endif
