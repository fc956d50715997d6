/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * template: a command with placeholders, compiled to pieces that render fast.
 *
 * An argument may hold __key__ and __data__, also inside other text. Everything that is the same
 * for all requests (headers, names, the value) is formatted once, when the template is made, and
 * the length of an argument with a key in it once for every length of a key: a render copies pieces
 * and writes the key between them.
 */
#ifndef LOAD_TEMPLATE_H
#define LOAD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "load/keyspace.h"
#include "load/request.h"

struct template;

/*
 * Compiles `count` arguments; `value` stands for __data__; all is copied. Returns 0, or a negative
 * errno with a sentence in `err` when there is no argument. Release with template_destroy().
 */
int template_create(struct template **out, const struct str *arguments, unsigned count,
                    struct str value, struct err *err);
void template_destroy(struct template **slot);

/* No render is longer; one with a key of KEYSPACE_NAME_MAX bytes is as long. */
size_t template_bytes_max(const struct template *template);

/* The room that a render needs: it may write beyond the length that it returns. */
size_t template_room(const struct template *template);

/* Writes a request's command to `at` (template_room() bytes) and returns its length. */
size_t template_render(const struct template *template, const struct keyspace *keyspace,
                       const struct request *request, char *at);

enum { TEMPLATE_NO_SLOT = -1 };

/*
 * The slot of a cluster that a request belongs to: that of the first argument that holds a key.
 * TEMPLATE_NO_SLOT when none does.
 */
int template_slot(const struct template *template, const struct keyspace *keyspace,
                  const struct request *request);

/*
 * Whether all arguments that hold a key belong to the slot of the first one, whatever the keys are:
 * that is so if what they are hashed by is the same, as in {__key__}:a {__key__}:b. Each argument
 * with a key in it is taken for one, a value too.
 */
bool template_has_one_slot(const struct str *arguments, unsigned count);

#endif
