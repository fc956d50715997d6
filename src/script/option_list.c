/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/option_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *copy_text(const char *text, const char *otherwise)
{
    return text || otherwise ? mem_copy_text(text ? text : otherwise) : NULL;
}

void script_option_list_add(struct script_option_list *list, const struct script_option *option)
{
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct script_option){
        .name = mem_copy_text(option->name),
        .initial = copy_text(option->initial, NULL),
        .value = copy_text(option->value, "VALUE"),
        .help = copy_text(option->help, ""),
    };
}

const struct script_option *script_option_list_find(const struct script_option_list *list,
                                                    const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

void script_option_list_clear(struct script_option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((char *)list->items[i].name);
        free((char *)list->items[i].initial);
        free((char *)list->items[i].value);
        free((char *)list->items[i].help);
    }
    free(list->items);
    *list = (struct script_option_list){0};
}
