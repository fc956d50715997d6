/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/script_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "script/language.h"

static const char file_option[] = "--custom-command-file";

/* Shorter than this it might be --custom-command-args. */
enum { FILE_OPTION_MIN = sizeof "--custom-command-f" - 1 };

const char *script_options_find_file(int argc, char **argv)
{
    const char *file = NULL;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const size_t len = strcspn(argv[i], "=");

        if (len < FILE_OPTION_MIN || strncmp(argv[i], file_option, len) != 0)
            continue;
        if (argv[i][len] == '=')
            file = argv[i] + len + 1;
        else if (i + 1 < argc)
            file = argv[++i];
    }
    return file;
}

static size_t count_tables(const struct option_table *tables)
{
    size_t count = 0;

    while (tables[count].specs)
        count++;
    return count;
}

static bool is_known(const struct option_table *tables, const char *name)
{
    for (; tables->specs; tables++)
        for (const struct option_spec *spec = tables->specs; spec->name; spec++)
            if (strcmp(spec->name, name) == 0)
                return true;
    return false;
}

static int check_list(const struct script_option_list *list, const struct option_table *program,
                      const char *file, struct err *err)
{
    if (list->count > SCRIPT_OPTIONS_MAX)
        return err_set(err, "%s has %zu options of its own: it can have %d.", file, list->count,
                       SCRIPT_OPTIONS_MAX);
    for (size_t i = 0; i < list->count; i++)
        if (is_known(program, list->items[i].name))
            return err_set(err, "%s declares --%s, which is an option of the program: rename it.",
                           file, list->items[i].name);
    return 0;
}

static const char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash ? slash + 1 : file;
}

static void add_table(struct script_options *script, size_t offset, const char *file)
{
    const struct script_option_list *list = &script->list;
    const char *name = name_of(file);
    const size_t size = sizeof "Options of :" + strlen(name);

    script->heading = mem_zalloc(size, 1);
    snprintf(script->heading, size, "Options of %s:", name);
    script->specs = mem_zalloc(list->count + 1, sizeof *script->specs);
    for (size_t i = 0; i < list->count; i++)
        script->specs[i] = (struct option_spec){.name = list->items[i].name,
                                                .group = OPTION_SCRIPT,
                                                .read = option_read_text,
                                                .offset = offsetof(struct script_texts, of[i]),
                                                .initial = list->items[i].initial,
                                                .value = list->items[i].value,
                                                .help = list->items[i].help};
    script->tables[count_tables(script->tables)] = (struct option_table){script->specs, offset};
}

void script_options_join(struct script_options *script, const struct option_table *program,
                         size_t offset, const char *file)
{
    const size_t count = count_tables(program);

    script->tables = mem_zalloc(count + 2, sizeof *script->tables);
    memcpy(script->tables, program, count * sizeof *program);
    script->failed |= check_list(&script->list, program, file, &script->err) < 0;
    if (!script->failed && script->list.count)
        add_table(script, offset, file);
}

static int read_list(struct script_option_list *list, const char *file, struct err *err)
{
    struct err later;
    const struct script_language *language = file ? script_language_of(file, &later) : NULL;

    if (!language || !language->declares_options)
        return 0;
    const struct script_host *host = script_language_host(language, &later);
    return host && host->read_options ? host->read_options(file, list, err) : 0;
}

void script_options_read(struct script_options *script, const struct option_table *program,
                         size_t offset, int argc, char **argv)
{
    const char *file = script_options_find_file(argc, argv);

    script->failed = read_list(&script->list, file, &script->err) < 0;
    script_options_join(script, program, offset, file);
}

void script_options_settle(struct script_options *script, const struct options *options,
                           const struct script_texts *texts, struct script_config *config)
{
    const struct script_option_list *list = &script->list;

    config->values = script->values;
    config->value_count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (options_given(options, list->items[i].name))
            script->values[config->value_count++] =
                (struct script_value){list->items[i].name, texts->of[i]};
}

void script_options_deinit(struct script_options *script)
{
    script_option_list_clear(&script->list);
    free(script->tables);
    free(script->specs);
    free(script->heading);
    *script = (struct script_options){0};
}
