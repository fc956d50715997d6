/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shapes: the shapes that replies can be given (shape.h says when).
 *
 * Each steals a reply as it came, and returns it as it should be: what does not fit is left alone.
 */
#ifndef SCRIPT_PYTHON_SHAPES_H
#define SCRIPT_PYTHON_SHAPES_H

#include "script/python/shape.h"

shape_fn shape_bool;  /* 0 and 1 */
shape_fn shape_float; /* a str of bytes */
shape_fn shape_set;   /* a list */

/* Of each item of a list. */
shape_fn shape_bools;
shape_fn shape_floats;
shape_fn shape_maps;
shape_fn shape_positions; /* [longitude, latitude] */

/* Of a flat list, or one of pairs. */
shape_fn shape_map;         /* {key: value} */
shape_fn shape_scores;      /* {member: float} */
shape_fn shape_pairs;       /* [[key, value]] */
shape_fn shape_score_pairs; /* [[member, float]] */

shape_fn shape_popped_lists;   /* {key: [element]} */
shape_fn shape_popped_scores;  /* [key, {member: float}] */
shape_fn shape_popped_member;  /* [key, member, float] */
shape_fn shape_rank;           /* [rank, float] */
shape_fn shape_places;         /* [[member, [distance, hash, [longitude, latitude]]]] */
shape_fn shape_libraries;      /* [{..., "functions": [{..., "flags": set}]}] */
shape_fn shape_function_stats; /* a map, with maps of the running script and of engines */

shape_fn shape_entries;         /* {id: [[field, value]]} */
shape_fn shape_claimed_entries; /* [next id, entries, deleted] */
shape_fn shape_streams;         /* {key: entries} */
shape_fn shape_stream;          /* XINFO STREAM: a map; FULL: of it groups and consumers too */

#endif
