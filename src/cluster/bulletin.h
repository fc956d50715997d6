/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulletin: the newest topology, for the workers of one process.
 *
 * One of them publishes, all of them read. A reader adopts the newest topology whenever it suits
 * it, without waiting for anybody, and keeps it until it adopts the next one; a topology that no
 * reader can hold any more is freed by the next publication. Readers also say here that the newest
 * topology seems to be out of date.
 */
#ifndef CLUSTER_BULLETIN_H
#define CLUSTER_BULLETIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/topology.h"

struct bulletin;

/* `readers` at most. Release with bulletin_destroy(), when all have left: with it go all topologies
 * that are left. */
struct bulletin *bulletin_create(unsigned readers);
void bulletin_destroy(struct bulletin **slot);

/* Makes a topology, of a generation above 0 and that of the one before it, the newest. It is the
 * bulletin's from here on. For one publisher at a time. */
void bulletin_publish(struct bulletin *bulletin, struct topology *topology);

/* The newest, or NULL: none was published. For the publisher. */
const struct topology *bulletin_newest(const struct bulletin *bulletin);

/* Whether there is a newer topology than that of a generation. */
bool bulletin_is_newer(const struct bulletin *bulletin, uint64_t generation);

/* The newest topology, valid until the reader (0 .. readers - 1) adopts again or leaves. One must
 * have been published. */
const struct topology *bulletin_adopt(struct bulletin *bulletin, unsigned reader);

/* The reader holds nothing from now on. */
void bulletin_leave(struct bulletin *bulletin, unsigned reader);

/* The lowest generation that a reader holds; UINT64_MAX: none holds any. */
uint64_t bulletin_oldest_held(const struct bulletin *bulletin);

/* How much a newer topology is wanted. */
enum bulletin_want {
    BULLETIN_FINE,
    BULLETIN_STALE,   /* the newest seems to be out of date: requests take a way about */
    BULLETIN_WAITING, /* ... and requests wait for a better one */
};

/* Says that a newer topology is wanted; what is wanted most counts. */
void bulletin_ask(struct bulletin *bulletin, enum bulletin_want want);

/* What has been said since this was asked last. */
enum bulletin_want bulletin_take_asked(struct bulletin *bulletin);

/* Whether the caller is the one who is to publish: true for the first that asks, until that one
 * gives it back. */
bool bulletin_take_press(struct bulletin *bulletin);
void bulletin_give_press(struct bulletin *bulletin);

#endif
