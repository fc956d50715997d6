/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/shape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

#include "resp/cursor.h"
#include "script/python/shapes.h"

enum { NAME_MAX_LEN = 32 };

struct shape_row {
    const char *name;      /* of the command, its subcommand behind a blank */
    const char *condition; /* only if it is among the arguments; NULL: always */
    shape_fn *shape;
};

/* Sorted by name. */
static const struct shape_row rows[] = {
    {"BLMPOP", NULL, shape_popped_lists},
    {"BZMPOP", NULL, shape_popped_scores},
    {"BZPOPMAX", NULL, shape_popped_member},
    {"BZPOPMIN", NULL, shape_popped_member},
    {"CLIENT TRACKINGINFO", NULL, shape_map},
    {"CONFIG GET", NULL, shape_map},
    {"COPY", NULL, shape_bool},
    {"EXPIRE", NULL, shape_bool},
    {"EXPIREAT", NULL, shape_bool},
    {"FUNCTION LIST", NULL, shape_libraries},
    {"FUNCTION STATS", NULL, shape_function_stats},
    {"GEODIST", NULL, shape_float},
    {"GEOPOS", NULL, shape_positions},
    {"GEOSEARCH", NULL, shape_places},
    {"HELLO", NULL, shape_map},
    {"HEXISTS", NULL, shape_bool},
    {"HGETALL", NULL, shape_map},
    {"HINCRBYFLOAT", NULL, shape_float},
    {"HRANDFIELD", "WITHVALUES", shape_pairs},
    {"HSETNX", NULL, shape_bool},
    {"INCRBYFLOAT", NULL, shape_float},
    {"LCS", "IDX", shape_map},
    {"LMPOP", NULL, shape_popped_lists},
    {"MEMORY STATS", NULL, shape_map},
    {"MOVE", NULL, shape_bool},
    {"MSETNX", NULL, shape_bool},
    {"PERSIST", NULL, shape_bool},
    {"PEXPIRE", NULL, shape_bool},
    {"PEXPIREAT", NULL, shape_bool},
    {"PFADD", NULL, shape_bool},
    {"PUBSUB NUMSUB", NULL, shape_map},
    {"PUBSUB SHARDNUMSUB", NULL, shape_map},
    {"RENAMENX", NULL, shape_bool},
    {"SCRIPT EXISTS", NULL, shape_bools},
    {"SDIFF", NULL, shape_set},
    {"SINTER", NULL, shape_set},
    {"SISMEMBER", NULL, shape_bool},
    {"SMEMBERS", NULL, shape_set},
    {"SMISMEMBER", NULL, shape_bools},
    {"SMOVE", NULL, shape_bool},
    {"SPOP", NULL, shape_set},
    {"SUNION", NULL, shape_set},
    {"XAUTOCLAIM", NULL, shape_claimed_entries},
    {"XCLAIM", NULL, shape_entries},
    {"XGROUP CREATECONSUMER", NULL, shape_bool},
    {"XGROUP DESTROY", NULL, shape_bool},
    {"XINFO CONSUMERS", NULL, shape_maps},
    {"XINFO GROUPS", NULL, shape_maps},
    {"XINFO STREAM", NULL, shape_stream},
    {"XRANGE", NULL, shape_entries},
    {"XREAD", NULL, shape_streams},
    {"XREADGROUP", NULL, shape_streams},
    {"XREVRANGE", NULL, shape_entries},
    {"ZADD", "INCR", shape_float},
    {"ZDIFF", "WITHSCORES", shape_scores},
    {"ZINCRBY", NULL, shape_float},
    {"ZINTER", "WITHSCORES", shape_scores},
    {"ZMPOP", NULL, shape_popped_scores},
    {"ZMSCORE", NULL, shape_floats},
    {"ZPOPMAX", NULL, shape_scores},
    {"ZPOPMIN", NULL, shape_scores},
    {"ZRANDMEMBER", "WITHSCORES", shape_score_pairs},
    {"ZRANGE", "WITHSCORES", shape_scores},
    {"ZRANGEBYSCORE", "WITHSCORES", shape_scores},
    {"ZRANK", NULL, shape_rank},
    {"ZREVRANGE", "WITHSCORES", shape_scores},
    {"ZREVRANGEBYSCORE", "WITHSCORES", shape_scores},
    {"ZREVRANK", NULL, shape_rank},
    {"ZSCORE", NULL, shape_float},
    {"ZUNION", "WITHSCORES", shape_scores},
};

static int compare_row(const void *name, const void *row)
{
    return strcasecmp(name, ((const struct shape_row *)row)->name);
}

static const struct shape_row *find_row(const char *name)
{
    return bsearch(name, rows, COUNT(rows), sizeof *rows, compare_row);
}

static bool equal_words(struct str argument, const char *word)
{
    return argument.len == strlen(word) && strncasecmp(argument.ptr, word, argument.len) == 0;
}

static bool has_argument(struct resp_cursor cursor, size_t count, const char *word)
{
    struct resp_item item;

    for (size_t i = 0; i < count; i++) {
        resp_cursor_take(&cursor, &item);
        if (equal_words(item.text, word))
            return true;
    }
    return false;
}

/* Appends a word to a name, if there is room. */
static bool add_word(char name[NAME_MAX_LEN], struct str word)
{
    const size_t len = strlen(name);
    const size_t blank = len > 0;

    if (len + blank + word.len >= NAME_MAX_LEN)
        return false;
    memcpy(name + len, " ", blank);
    memcpy(name + len + blank, word.ptr, word.len);
    name[len + blank + word.len] = '\0';
    return true;
}

shape_fn *shape_find(struct str command)
{
    struct resp_cursor cursor = {command.ptr};
    struct resp_item head, item;
    char name[NAME_MAX_LEN] = "";
    const struct shape_row *row = NULL;

    resp_cursor_take(&cursor, &head);
    for (size_t i = 0; i < 2 && i < head.count && row == NULL; i++) {
        resp_cursor_take(&cursor, &item);
        if (!add_word(name, item.text))
            return NULL;
        row = find_row(name);
    }
    if (row == NULL)
        return NULL;
    /* From the first argument on again: a name of two words has them before any condition. */
    cursor.at = command.ptr;
    resp_cursor_take(&cursor, &head);
    if (row->condition != NULL && !has_argument(cursor, head.count, row->condition))
        return NULL;
    return row->shape;
}
