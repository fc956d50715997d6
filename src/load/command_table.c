/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/command_table.h"

#include <stdlib.h>
#include <strings.h>

#include "load/template.h"
#include "resp/slot.h"

/* Where the first key stands, else than as an argument that is counted. */
enum {
    NO_KEY = 0,
    AFTER_STREAMS = -1, /* behind the word STREAMS */
    COUNTED_AT_1 = -2,  /* behind the number of keys, which is the first argument */
    COUNTED_AT_2 = -3,  /* the same of the second */
    BY_WORD = -4,       /* the second argument, if the first is one of those that take a key */
};

struct row {
    const char *name;
    int key; /* the argument that is the first key, from 1 on, or one of the above */
    bool reads;
};

/* By name, in the order of strcasecmp. */
/* clang-format off */
static const struct row rows[] = {
    {"acl", NO_KEY, false}, {"auth", NO_KEY, false}, {"bgrewriteaof", NO_KEY, false},
    {"bgsave", NO_KEY, false}, {"bitcount", 1, true}, {"bitfield_ro", 1, true}, {"bitop", 2, false},
    {"bitpos", 1, true}, {"blmpop", COUNTED_AT_2, false}, {"bzmpop", COUNTED_AT_2, false},
    {"client", NO_KEY, false}, {"cluster", NO_KEY, false}, {"command", NO_KEY, false},
    {"config", NO_KEY, false}, {"dbsize", NO_KEY, false}, {"debug", NO_KEY, false},
    {"discard", NO_KEY, false}, {"dump", 1, true}, {"echo", NO_KEY, false},
    {"eval", COUNTED_AT_2, false}, {"eval_ro", COUNTED_AT_2, true},
    {"evalsha", COUNTED_AT_2, false}, {"evalsha_ro", COUNTED_AT_2, true},
    {"exec", NO_KEY, false}, {"exists", 1, true}, {"expiretime", 1, true},
    {"fcall", COUNTED_AT_2, false}, {"fcall_ro", COUNTED_AT_2, true}, {"flushall", NO_KEY, false},
    {"flushdb", NO_KEY, false}, {"function", NO_KEY, false}, {"geodist", 1, true},
    {"geohash", 1, true}, {"geopos", 1, true}, {"georadius_ro", 1, true},
    {"georadiusbymember_ro", 1, true}, {"geosearch", 1, true}, {"get", 1, true},
    {"getbit", 1, true}, {"getrange", 1, true}, {"hello", NO_KEY, false}, {"hexists", 1, true},
    {"hget", 1, true}, {"hgetall", 1, true}, {"hkeys", 1, true}, {"hlen", 1, true},
    {"hmget", 1, true}, {"hrandfield", 1, true}, {"hscan", 1, true}, {"hstrlen", 1, true},
    {"hvals", 1, true}, {"info", NO_KEY, false}, {"keys", NO_KEY, false},
    {"lastsave", NO_KEY, false}, {"latency", NO_KEY, false}, {"lcs", 1, true},
    {"lindex", 1, true}, {"llen", 1, true}, {"lmpop", COUNTED_AT_1, false}, {"lolwut", NO_KEY, false},
    {"lpos", 1, true}, {"lrange", 1, true}, {"memory", BY_WORD, true}, {"mget", 1, true},
    {"migrate", 3, false}, {"module", NO_KEY, false}, {"multi", NO_KEY, false},
    {"object", BY_WORD, true}, {"pexpiretime", 1, true}, {"pfcount", 1, true},
    {"ping", NO_KEY, false}, {"psubscribe", NO_KEY, false}, {"pttl", 1, true},
    {"publish", NO_KEY, false}, {"pubsub", NO_KEY, false}, {"randomkey", NO_KEY, false},
    {"role", NO_KEY, false}, {"save", NO_KEY, false}, {"scan", NO_KEY, false},
    {"scard", 1, true}, {"script", NO_KEY, false}, {"sdiff", 1, true}, {"select", NO_KEY, false},
    {"sinter", 1, true}, {"sintercard", COUNTED_AT_1, true}, {"sismember", 1, true},
    {"slowlog", NO_KEY, false}, {"smembers", 1, true}, {"smismember", 1, true},
    {"sort_ro", 1, true}, {"srandmember", 1, true}, {"sscan", 1, true}, {"strlen", 1, true},
    {"subscribe", NO_KEY, false}, {"substr", 1, true}, {"sunion", 1, true},
    {"swapdb", NO_KEY, false}, {"time", NO_KEY, false}, {"touch", 1, true}, {"ttl", 1, true},
    {"type", 1, true}, {"unwatch", NO_KEY, false}, {"wait", NO_KEY, false},
    {"waitaof", NO_KEY, false}, {"xgroup", BY_WORD, false}, {"xinfo", BY_WORD, true},
    {"xlen", 1, true}, {"xpending", 1, true}, {"xrange", 1, true}, {"xread", AFTER_STREAMS, true},
    {"xreadgroup", AFTER_STREAMS, false}, {"xrevrange", 1, true}, {"zcard", 1, true},
    {"zcount", 1, true}, {"zdiff", COUNTED_AT_1, true}, {"zinter", COUNTED_AT_1, true},
    {"zintercard", COUNTED_AT_1, true}, {"zlexcount", 1, true}, {"zmpop", COUNTED_AT_1, false},
    {"zmscore", 1, true}, {"zrandmember", 1, true}, {"zrange", 1, true},
    {"zrangebylex", 1, true}, {"zrangebyscore", 1, true}, {"zrank", 1, true},
    {"zrevrange", 1, true}, {"zrevrangebylex", 1, true}, {"zrevrangebyscore", 1, true},
    {"zrevrank", 1, true}, {"zscan", 1, true}, {"zscore", 1, true}, {"zunion", COUNTED_AT_1, true},
};
/* clang-format on */

enum { NAME_MAX_BYTES = 32 };

/* Walks over the arguments. */
struct arguments {
    const char *at;
    uint64_t left;
};

static uint64_t take_number(const char **at)
{
    uint64_t number = 0;

    for (++*at; **at != '\r'; ++*at)
        number = number * 10 + (uint64_t)(**at - '0');
    *at += 2;
    return number;
}

/* The next argument; empty behind the last. */
static struct str take(struct arguments *arguments)
{
    if (arguments->left == 0)
        return STR("");
    arguments->left--;
    const size_t len = (size_t)take_number(&arguments->at);
    const struct str argument = {arguments->at, len};
    arguments->at += len + 2;
    return argument;
}

static bool is_word(struct str argument, const char *word)
{
    return argument.len == strlen(word) && strncasecmp(argument.ptr, word, argument.len) == 0;
}

static int compare(const void *name, const void *row)
{
    return strcasecmp(name, ((const struct row *)row)->name);
}

static const struct row *find(struct str name)
{
    static const struct row unknown = {"", 1, false};
    char text[NAME_MAX_BYTES];

    if (name.len >= sizeof text)
        return &unknown;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    const struct row *row = bsearch(text, rows, COUNT(rows), sizeof *rows, compare);
    return row ? row : &unknown;
}

/* The first key behind the number of keys; empty when that is 0. */
static struct str take_counted(struct arguments *arguments)
{
    const struct str count = take(arguments);

    return is_word(count, "0") ? STR("") : take(arguments);
}

static struct str take_key_by_word(struct arguments *arguments)
{
    static const char *const keyless[] = {"doctor", "help",         "malloc-stats",
                                          "purge",  "malloc_stats", "stats"};
    const struct str word = take(arguments);

    for (size_t i = 0; i < COUNT(keyless); i++)
        if (is_word(word, keyless[i]))
            return STR("");
    return take(arguments);
}

static struct str first_key(const struct row *row, struct arguments *arguments)
{
    switch (row->key) {
    case NO_KEY:
        return STR("");
    case AFTER_STREAMS:
        while (arguments->left > 0 && !is_word(take(arguments), "streams"))
            continue;
        return take(arguments);
    case COUNTED_AT_2:
        take(arguments);
        return take_counted(arguments);
    case COUNTED_AT_1:
        return take_counted(arguments);
    case BY_WORD:
        return take_key_by_word(arguments);
    default:
        for (int i = 1; i < row->key; i++)
            take(arguments);
        return take(arguments);
    }
}

static struct arguments arguments_of(struct str bytes)
{
    struct arguments arguments = {.at = bytes.ptr};

    arguments.left = take_number(&arguments.at);
    return arguments;
}

struct command_facts command_facts_of(struct str bytes)
{
    struct arguments arguments = arguments_of(bytes);
    const struct str name = take(&arguments);
    const struct row *row = find(name);
    const bool keyed = row->key != NO_KEY && arguments.left > 0;
    const struct str key = first_key(row, &arguments);

    return (struct command_facts){
        .slot = keyed && key.len > 0 ? (int)resp_slot(key) : TEMPLATE_NO_SLOT,
        .reads = row->reads,
        .opens = is_word(name, "multi"),
    };
}

size_t command_length(struct str bytes)
{
    struct arguments arguments = arguments_of(bytes);

    while (arguments.left > 0)
        take(&arguments);
    return (size_t)(arguments.at - bytes.ptr);
}
