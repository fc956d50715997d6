/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glide_failure: what a message of GLIDE's library says of a request that failed.
 *
 * The library has a handful of kinds, and hides what the server said in a sentence of its own. Here
 * its words become the server's line again, so that errors have the same kinds and the same texts
 * whatever carried the request.
 */
#ifndef CLIENT_GLIDE_FAILURE_H
#define CLIENT_GLIDE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "stats/outcome.h"

enum { GLIDE_FAILURE_TEXT_MAX = 300 };

/*
 * The kind of a failure; fills `text`, of GLIDE_FAILURE_TEXT_MAX bytes, with what there is to say.
 * Sets `*said` to whether that is the server's line.
 */
enum outcome glide_failure_read(int32_t type, const char *message, char *text, bool *said);

#endif
