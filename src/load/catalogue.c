/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/catalogue.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#include "base/str.h"

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
