/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIELD(member) offsetof(struct source_config, member)

/* clang-format off */
const struct option_spec source_options[] = {
    {.name = "datasize", .letters = "d", .group = OPTION_BASIC, .read = option_read_count,
     .offset = FIELD(data_bytes), .initial = "3", .value = "BYTES", .help = "the size of a value",
     .max = 536870912},
    {.name = "type", .letters = "t", .group = OPTION_BASIC, .read = option_read_text,
     .offset = FIELD(type), .initial = "set", .value = "NAME",
     .help = "the test to run: set, get or custom"},
    {0},
};
/* clang-format on */

static int compile(struct source *source, uint64_t data_bytes, struct err *err)
{
    struct str arguments[CATALOGUE_ARGUMENTS_MAX];
    unsigned count = 0;
    char *value = mem_zalloc(data_bytes, 1); /* owned */

    for (; source->entry->arguments[count]; count++)
        arguments[count] = str_of(source->entry->arguments[count]);
    memset(value, 'x', data_bytes);
    const int rc =
        template_create(&source->template, arguments, count, (struct str){value, data_bytes}, err);
    free(value);
    return rc;
}

int source_init(struct source *source, const struct source_config *config, unsigned worker,
                struct err *err)
{
    *source = (struct source){.entry = catalogue_find(config->type, err)};
    if (!source->entry)
        return -EINVAL;

    const int rc = keyspace_check(&config->keys, err);
    if (rc)
        return rc;
    source->keyspace = keyspace_of(&config->keys, worker);
    if (source->entry->dictated)
        return 0;
    return compile(source, config->data_bytes, err);
}

void source_deinit(struct source *source)
{
    template_destroy(&source->template);
}

const char *source_name(const struct source *source)
{
    return source->entry->arguments[0];
}

bool source_reads(const struct source *source)
{
    return source->entry->reads;
}

size_t source_room(const struct source *source, const struct request *request)
{
    return source_is_dictated(source) ? source->commands[request->n].bytes.len
                                      : template_room(source->template);
}

size_t source_render(const struct source *source, const struct request *request, char *at)
{
    if (!source_is_dictated(source))
        return template_render(source->template, &source->keyspace, request, at);
    const struct str bytes = source->commands[request->n].bytes;
    memcpy(at, bytes.ptr, bytes.len);
    return bytes.len;
}

int source_slot(const struct source *source, const struct request *request)
{
    return source_is_dictated(source) ? source->commands[request->n].slot
                                      : template_slot(source->template, &source->keyspace, request);
}

bool source_only_reads(const struct source *source, const struct request *request)
{
    return source_is_dictated(source) ? source->commands[request->n].reads : source->entry->reads;
}
