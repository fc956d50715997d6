/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * option_list: the options that a script has of its own, as its file declares them.
 *
 * They are texts, all of them: what a value means is the script's to say.
 */
#ifndef SCRIPT_OPTION_LIST_H
#define SCRIPT_OPTION_LIST_H

#include <stddef.h>

/* In a list the texts are the list's. */
struct script_option {
    const char *name;    /* the long name, without dashes: letters, digits and dashes */
    const char *initial; /* the value where none is given; NULL: none */
    const char *value;   /* what --help calls the value */
    const char *help;    /* a phrase; may be empty */
};

/* The fields are the list's own, to be read; a zeroed one is empty. */
struct script_option_list {
    struct script_option *items; /* owned, and all texts in them */
    size_t count;
};

/* The value that is given to an option. */
struct script_value {
    const char *name;
    const char *text;
};

/* Adds a copy; of `option` a `value` that is NULL is "VALUE", a `help` "". */
void script_option_list_add(struct script_option_list *list, const struct script_option *option);

/* The option of that name; NULL: there is none. */
const struct script_option *script_option_list_find(const struct script_option_list *list,
                                                    const char *name);

/* Releases what the list holds, which is empty then. */
void script_option_list_clear(struct script_option_list *list);

#endif
