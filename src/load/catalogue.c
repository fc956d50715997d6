/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/catalogue.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#include "base/str.h"
#include "load/template.h"

static const struct catalogue_entry entries[] = {
    {.name = "set", .arguments = {"SET", "__key__", "__data__"}},
    {.name = "get", .arguments = {"GET", "__key__"}, .reads = true},
    {.name = "custom", .arguments = {"CUSTOM"}, .dictated = true},
};

static void list_names(char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < COUNT(entries) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", entries[i].name);
}

const struct catalogue_entry *catalogue_find(const char *name, struct err *err)
{
    char known[256];

    for (size_t i = 0; i < COUNT(entries); i++)
        if (strcasecmp(name, entries[i].name) == 0)
            return &entries[i];

    list_names(known, sizeof known);
    err_set(err, "-t/--type must be one of the tests (%s), not \"%.100s\".", known, name);
    return NULL;
}

int catalogue_check_slots(const struct catalogue_entry *entry, struct err *err)
{
    struct str arguments[CATALOGUE_ARGUMENTS_MAX];
    unsigned count = 0;

    for (; entry->arguments[count]; count++)
        arguments[count] = str_of(entry->arguments[count]);
    if (template_has_one_slot(arguments, count))
        return 0;
    return err_set(err,
                   "-t/--type %s has keys of different slots in one command, which no node of a "
                   "cluster takes: leave out --cluster.",
                   entry->name);
}
