/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source: what a worker's requests consist of.
 *
 * A driver asks a source for what it needs to carry a request: its RESP bytes, straight into the
 * memory that it picked. All of it is a pure function of the request.
 */
#ifndef LOAD_SOURCE_H
#define LOAD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "load/catalogue.h"
#include "load/keyspace.h"
#include "load/request.h"
#include "load/template.h"

struct source_config {
    const char *type;    /* the name of a built-in test */
    uint64_t data_bytes; /* the size of a value */
    struct keyspace_config keys;
};

extern const struct option_spec source_options[];

struct source {
    const struct catalogue_entry *entry;
    struct template *template; /* owned */
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

/* The room that a render needs: it may write beyond the length that it returns. */
size_t source_room(const struct source *source);

/* Writes a request to `at` (source_room() bytes) and returns its length. */
size_t source_render(const struct source *source, const struct request *request, char *at);

/* The slot of a cluster that a request belongs to; TEMPLATE_NO_SLOT: any node can carry it. */
int source_slot(const struct source *source, const struct request *request);

#endif
