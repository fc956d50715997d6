/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source: what a worker's requests consist of.
 *
 * A driver asks a source for what it needs to carry a request: its RESP bytes, straight into the
 * memory that it picked. Of a built-in test all of it is a pure function of the request. Of custom
 * commands it is dictated: it stands in a table, see command.h.
 */
#ifndef LOAD_SOURCE_H
#define LOAD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "load/catalogue.h"
#include "load/command.h"
#include "load/keyspace.h"
#include "load/request.h"
#include "load/template.h"

struct source_config {
    const char *type;    /* the name of a built-in test, or "custom" */
    uint64_t data_bytes; /* the size of a value */
    struct keyspace_config keys;
};

extern const struct option_spec source_options[];

struct source {
    const struct catalogue_entry *entry;
    struct template *template;      /* owned; NULL: requests are dictated */
    const struct command *commands; /* borrowed: of dictated requests, by place */
    struct keyspace keyspace;
};

/*
 * Makes the source of one worker. Returns 0, or a negative errno with one sentence (an unknown
 * type, a bad keyspace), in which case there is nothing to release.
 */
int source_init(struct source *source, const struct source_config *config, unsigned worker,
                struct err *err);
void source_deinit(struct source *source);

/* The name of the command, as reports show it ("SET"). */
const char *source_name(const struct source *source);

/* Whether a null reply is a miss and any other a hit. */
bool source_reads(const struct source *source);

/* Whether requests are dictated. Then what is asked of them below is answered by `commands`, which
 * has to be set before the first. */
static inline bool source_is_dictated(const struct source *source)
{
    return !source->template;
}

/* How many commands a request consists of, so how many replies it has. */
static inline uint32_t source_replies(const struct source *source, const struct request *request)
{
    return source_is_dictated(source) ? source->commands[request->n].count : 1;
}

/* The room that a render needs: it may write beyond the length that it returns. */
size_t source_room(const struct source *source, const struct request *request);

/* Writes a request to `at` (source_room() bytes) and returns its length. */
size_t source_render(const struct source *source, const struct request *request, char *at);

/* The slot of a cluster that a request belongs to; TEMPLATE_NO_SLOT: any node can carry it. */
int source_slot(const struct source *source, const struct request *request);

/* Whether a request changes nothing, so that a replica can carry it. */
bool source_only_reads(const struct source *source, const struct request *request);

#endif
