/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of the client: the bytes of their commands, and what becomes of the replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "notation.h"
#include "python_expect.h"

static const char evaluator[] = "from datetime import datetime, timedelta, timezone\n"
                                "from glide import *\n"
                                "class CustomCommands:\n"
                                "    def __init__(self, args):\n"
                                "        self.lines = iter(open(args).read().splitlines())\n"
                                "    async def execute(self, client):\n"
                                "        print(repr(await eval(next(self.lines))))\n";

struct method_case {
    const char *call; /* of the client */
    const char *command;
    const char *reply;  /* in notation */
    const char *result; /* repr */
};

static const struct method_case methods[] = {
    {"get('k')", "GET k", "'v'", "b'v'"},
    {"get(key='k')", "GET k", "_", "None"},
    {"get(b'k')", "GET k", "''", "b''"},
    {"set('k', 'v')", "SET k v", "_", "None"},
    {"set('k', 'v', ConditionalChange.ONLY_IF_EXISTS)", "SET k v XX", "_", "None"},
    {"set('k', 'v', conditional_set=OnlyIfEqual('w'))", "SET k v IFEQ w", "_", "None"},
    {"set('k', 'v', expiry=ExpirySet(ExpiryType.SEC, 5), return_old_value=True)",
     "SET k v GET EX 5", "'old'", "b'old'"},
    {"set('k', 'v', expiry=ExpirySet(ExpiryType.MILLSEC, timedelta(seconds=2)))", "SET k v PX 2000",
     "_", "None"},
    {"set('k', 'v', expiry=ExpirySet(ExpiryType.KEEP_TTL, None))", "SET k v KEEPTTL", "_", "None"},
    {"set('k', 'v', expiry=ExpirySet(ExpiryType.UNIX_SEC, "
     "datetime(2030, 1, 1, tzinfo=timezone.utc)))",
     "SET k v EXAT 1893456000", "_", "None"},
    {"getex('k', ExpiryGetEx(ExpiryTypeGetEx.PERSIST, None))", "GETEX k PERSIST", "'v'", "b'v'"},
    {"mset({'a': '1', b'b': b'2'})", "MSET a 1 b 2", "_", "None"},
    {"msetnx({'a': '1'})", "MSETNX a 1", "1", "True"},
    {"mget(['a', 'b'])", "MGET a b", "['x' _]", "[b'x', None]"},
    {"incrby('k', -3)", "INCRBY k -3", "7", "7"},
    {"incrby('k', 1 << 70)", "INCRBY k 1180591620717411303424", "7", "7"},
    {"incrbyfloat('k', 0.5)", "INCRBYFLOAT k 0.5", "'10.5'", "10.5"},
    {"getrange('k', 0, -1)", "GETRANGE k 0 -1", "'v'", "b'v'"},
    {"lcs_idx('a', 'b', min_match_len=2, with_match_len=True)",
     "LCS a b IDX MINMATCHLEN 2 WITHMATCHLEN", "['matches' [] 'len' 0]",
     "{b'matches': [], b'len': 0}"},

    {"delete(['a', 'b'])", "DEL a b", "2", "2"},
    {"delete(('a',))", "DEL a", "1", "1"},
    {"expire('k', 5, ExpireOptions.HasNoExpiry)", "EXPIRE k 5 NX", "1", "True"},
    {"pexpireat('k', 5)", "PEXPIREAT k 5", "0", "False"},
    {"ttl('k')", "TTL k", "-2", "-2"},
    {"copy('a', 'b', 1, replace=True)", "COPY a b DB 1 REPLACE", "1", "True"},
    {"object_encoding('k')", "OBJECT ENCODING k", "'raw'", "b'raw'"},
    {"restore('k', 0, b'x', replace=True, idletime=3)", "RESTORE k 0 x REPLACE IDLETIME 3", "_",
     "None"},
    {"scan('0', match='a*', count=10, type=ObjectType.STRING)",
     "SCAN 0 MATCH a* COUNT 10 TYPE String", "['7' ['a']]", "[b'7', [b'a']]"},
    {"sort('k', 'w_*', Limit(0, 3), ['#', 'o_*'], OrderBy.DESC, True)",
     "SORT k BY w_* LIMIT 0 3 GET # GET o_* DESC ALPHA", "['a' _]", "[b'a', None]"},
    {"sort_store('k', 'd', alpha=True)", "SORT k ALPHA STORE d", "1", "1"},

    {"hset('h', {'f': 'v', 'g': 'w'})", "HSET h f v g w", "2", "2"},
    {"hgetall('h')", "HGETALL h", "['f' 'v' 'g' 'w']", "{b'f': b'v', b'g': b'w'}"},
    {"hgetall('h')", "HGETALL h", "{'f' 'v'}", "{b'f': b'v'}"},
    {"hgetall('h')", "HGETALL h", "[]", "{}"},
    {"hmget('h', ['f', 'g'])", "HMGET h f g", "['v' _]", "[b'v', None]"},
    {"hsetnx('h', 'f', 'v')", "HSETNX h f v", "1", "True"},
    {"hincrbyfloat('h', 'f', 1)", "HINCRBYFLOAT h f 1", "'1'", "1.0"},
    {"hrandfield_withvalues('h', 2)", "HRANDFIELD h 2 WITHVALUES", "['f' 'v' 'g' 'w']",
     "[[b'f', b'v'], [b'g', b'w']]"},
    {"hexpire('h', 9, ['f', 'g'], ExpireOptions.HasNoExpiry)", "HEXPIRE h 9 NX FIELDS 2 f g",
     "[1 1]", "[1, 1]"},
    {"hsetex('h', {'f': 'v'}, HashFieldConditionalChange.ONLY_IF_ALL_EXIST, "
     "ExpirySet(ExpiryType.SEC, 9), ConditionalChange.ONLY_IF_EXISTS)",
     "HSETEX h XX FXX EX 9 FIELDS 1 f v", "1", "1"},
    {"hscan('h', '0', no_values=True)", "HSCAN h 0 NOVALUES", "['0' ['f']]", "[b'0', [b'f']]"},

    {"lpush('l', ['a', 'b'])", "LPUSH l a b", "2", "2"},
    {"linsert('l', InsertPosition.BEFORE, 'p', 'e')", "LINSERT l BEFORE p e", "3", "3"},
    {"lmove('a', 'b', ListDirection.LEFT, ListDirection.RIGHT)", "LMOVE a b LEFT RIGHT", "'x'",
     "b'x'"},
    {"lmpop(['a', 'b'], ListDirection.LEFT, 2)", "LMPOP 2 a b LEFT COUNT 2", "['a' ['x' 'y']]",
     "{b'a': [b'x', b'y']}"},
    {"blmpop(['a'], ListDirection.LEFT, 0.5)", "BLMPOP 0.5 1 a LEFT", "_", "None"},
    {"blpop(['a', 'b'], 1)", "BLPOP a b 1", "['a' 'x']", "[b'a', b'x']"},
    {"lpos('l', 'e', rank=-1, count=2, max_len=9)", "LPOS l e RANK -1 COUNT 2 MAXLEN 9", "[1]",
     "[1]"},

    {"sadd('s', ['a', 'b'])", "SADD s a b", "2", "2"},
    {"smembers('s')", "SMEMBERS s", "['a']", "{b'a'}"},
    {"sismember('s', 'a')", "SISMEMBER s a", "1", "True"},
    {"smismember('s', ['a', 'b'])", "SMISMEMBER s a b", "[1 0]", "[True, False]"},
    {"spop('s')", "SPOP s", "'a'", "b'a'"},
    {"spop_count('s', 2)", "SPOP s 2", "['a']", "{b'a'}"},
    {"sintercard(['a', 'b'], 5)", "SINTERCARD 2 a b LIMIT 5", "1", "1"},

    {"zadd('z', {'a': 1.5, 'b': 2})", "ZADD z 1.5 a 2 b", "2", "2"},
    {"zadd('z', {'a': 1}, ConditionalChange.ONLY_IF_EXISTS, UpdateOptions.LESS_THAN, True)",
     "ZADD z XX LT CH 1 a", "1", "1"},
    {"zadd_incr('z', 'a', 2.0)", "ZADD z INCR 2.0 a", "'3.5'", "3.5"},
    {"zscore('z', 'a')", "ZSCORE z a", "'1.5'", "1.5"},
    {"zscore('z', 'a')", "ZSCORE z a", "'-inf'", "-inf"},
    {"zmscore('z', ['a', 'b'])", "ZMSCORE z a b", "['1' _]", "[1.0, None]"},
    {"zcount('z', InfBound.NEG_INF, ScoreBoundary(3, False))", "ZCOUNT z -inf (3", "1", "1"},
    {"zlexcount('z', LexBoundary('a'), InfBound.POS_INF)", "ZLEXCOUNT z [a +", "1", "1"},
    {"zrange('z', RangeByIndex(0, -1))", "ZRANGE z 0 -1", "['a' 'b']", "[b'a', b'b']"},
    {"zrange('z', RangeByScore(ScoreBoundary(1), InfBound.POS_INF, Limit(0, 2)), True)",
     "ZRANGE z 1 +inf BYSCORE REV LIMIT 0 2", "[]", "[]"},
    {"zrange('z', RangeByLex(InfBound.NEG_INF, LexBoundary('c', False)))", "ZRANGE z - (c BYLEX",
     "[]", "[]"},
    {"zrange_withscores('z', RangeByIndex(0, 1))", "ZRANGE z 0 1 WITHSCORES", "['a' '1' 'b' '2']",
     "{b'a': 1.0, b'b': 2.0}"},
    {"zrange_withscores('z', RangeByIndex(0, 1))", "ZRANGE z 0 1 WITHSCORES", "[['a' '1']]",
     "{b'a': 1.0}"},
    {"zpopmin('z')", "ZPOPMIN z", "['a' '1']", "{b'a': 1.0}"},
    {"bzpopmax(['z'], 1)", "BZPOPMAX z 1", "['z' 'a' '1']", "[b'z', b'a', 1.0]"},
    {"zmpop(['z'], ScoreFilter.MIN, 1)", "ZMPOP 1 z MIN COUNT 1", "['z' [['a' '1']]]",
     "[b'z', {b'a': 1.0}]"},
    {"zrandmember_withscores('z', 1)", "ZRANDMEMBER z 1 WITHSCORES", "['a' '1']", "[[b'a', 1.0]]"},
    {"zrank_withscore('z', 'a')", "ZRANK z a WITHSCORE", "[0 '1']", "[0, 1.0]"},
    {"zunion_withscores([('a', 2.0), ('b', 1)], AggregationType.MAX)",
     "ZUNION 2 a b WEIGHTS 2.0 1 AGGREGATE MAX WITHSCORES", "[]", "{}"},
    {"zinterstore('d', ['a', 'b'])", "ZINTERSTORE d 2 a b", "0", "0"},

    {"xadd('x', [('f', 'v'), ('f', 'w')])", "XADD x * f v f w", "'1-0'", "b'1-0'"},
    {"xadd('x', [('f', 'v')], StreamAddOptions('1-0', False, TrimByMaxLen(False, 9, 3)))",
     "XADD x NOMKSTREAM MAXLEN ~ 9 LIMIT 3 1-0 f v", "_", "None"},
    {"xrange('x', MinId(), MaxId(), 2)", "XRANGE x - + COUNT 2", "[['1-0' ['f' 'v' 'f' 'w']]]",
     "{b'1-0': [[b'f', b'v'], [b'f', b'w']]}"},
    {"xrange('x', ExclusiveIdBound('1-0'), IdBound('2-0'))", "XRANGE x (1-0 2-0", "[]", "{}"},
    {"xread({'x': '0', 'y': '1'}, StreamReadOptions(count=2))", "XREAD COUNT 2 STREAMS x y 0 1",
     "[['x' [['1-0' ['f' 'v']]]]]", "{b'x': {b'1-0': [[b'f', b'v']]}}"},
    {"xreadgroup({'x': '>'}, 'g', 'c', StreamReadGroupOptions(no_ack=True))",
     "XREADGROUP GROUP g c NOACK STREAMS x >", "_", "None"},
    {"xgroup_create('x', 'g', '$', StreamGroupOptions(make_stream=True))",
     "XGROUP CREATE x g $ MKSTREAM", "_", "None"},
    {"xgroup_destroy('x', 'g')", "XGROUP DESTROY x g", "1", "True"},
    {"xpending_range('x', 'g', MinId(), MaxId(), 3, StreamPendingOptions(5, 'c'))",
     "XPENDING x g IDLE 5 - + 3 c", "[]", "[]"},
    {"xclaim_just_id('x', 'g', 'c', 5, ['1-0'])", "XCLAIM x g c 5 1-0 JUSTID", "['1-0']",
     "[b'1-0']"},
    {"xclaim('x', 'g', 'c', 5, ['1-0'], StreamClaimOptions(idle=3, is_force=True))",
     "XCLAIM x g c 5 1-0 IDLE 3 FORCE", "[['1-0' ['f' 'v']]]", "{b'1-0': [[b'f', b'v']]}"},
    {"xautoclaim('x', 'g', 'c', 5, '0')", "XAUTOCLAIM x g c 5 0", "['0-0' [['1-0' ['f' 'v']]] []]",
     "[b'0-0', {b'1-0': [[b'f', b'v']]}, []]"},
    {"xinfo_groups('x')", "XINFO GROUPS x", "[['name' 'g' 'pending' 1]]",
     "[{b'name': b'g', b'pending': 1}]"},
    {"xinfo_stream_full('x', 1)", "XINFO STREAM x FULL COUNT 1",
     "['length' 1 'groups' [['name' 'g' 'consumers' [['name' 'c']]]]]",
     "{b'length': 1, b'groups': [{b'name': b'g', b'consumers': [{b'name': b'c'}]}]}"},

    {"bitcount('b', OffsetOptions(0, 5, BitmapIndexType.BIT))", "BITCOUNT b 0 5 BIT", "1", "1"},
    {"bitop(BitwiseOperation.AND, 'd', ['a', 'b'])", "BITOP AND d a b", "1", "1"},
    {"bitfield('b', [BitFieldGet(UnsignedEncoding(4), BitOffset(1)), "
     "BitFieldOverflow(BitOverflowControl.SAT), "
     "BitFieldIncrBy(SignedEncoding(8), BitOffsetMultiplier(2), -1)])",
     "BITFIELD b GET u4 1 OVERFLOW SAT INCRBY i8 #2 -1", "[1 _]", "[1, None]"},
    {"pfadd('p', [])", "PFADD p", "1", "True"},
    {"pfmerge('d', ['a'])", "PFMERGE d a", "_", "None"},

    {"geoadd('g', {'m': GeospatialData(1.5, -2)}, ConditionalChange.ONLY_IF_EXISTS, True)",
     "GEOADD g XX CH 1.5 -2 m", "1", "1"},
    {"geodist('g', 'a', 'b', GeoUnit.KILOMETERS)", "GEODIST g a b km", "'1.25'", "1.25"},
    {"geopos('g', ['a', 'b'])", "GEOPOS g a b", "[['1.5' '2'] _]", "[[1.5, 2.0], None]"},
    {"geosearch('g', GeospatialData(1, 2), GeoSearchByBox(1, 2, GeoUnit.METERS), OrderBy.ASC, "
     "GeoSearchCount(3, True), True, True, True)",
     "GEOSEARCH g FROMLONLAT 1 2 BYBOX 1 2 m ASC COUNT 3 ANY WITHCOORD WITHDIST WITHHASH",
     "[['a' '1.5' 7 ['1' '2']]]", "[[b'a', [1.5, 7, [1.0, 2.0]]]]"},
    {"geosearch('g', 'a', GeoSearchByRadius(1.5, GeoUnit.MILES))",
     "GEOSEARCH g FROMMEMBER a BYRADIUS 1.5 mi", "['a']", "[b'a']"},

    {"fcall('f')", "FCALL f 0", "1", "1"},
    {"fcall('f', ['k'], ['a', 'b'])", "FCALL f 1 k a b", "1", "1"},
    {"function_load('code', True)", "FUNCTION LOAD REPLACE code", "'lib'", "b'lib'"},
    {"function_list()", "FUNCTION LIST",
     "[['library_name' 'l' 'functions' [['name' 'f' 'flags' ['x']]]]]",
     "[{b'library_name': b'l', b'functions': [{b'name': b'f', b'flags': {b'x'}}]}]"},
    {"script_exists(['a', 'b'])", "SCRIPT EXISTS a b", "[1 0]", "[True, False]"},
    {"invoke_script(Script('return 1'), ['k'], ['a'])",
     "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k a", "1", "1"},

    {"ping()", "PING", "'PONG'", "b'PONG'"},
    {"ping('hi')", "PING hi", "'hi'", "b'hi'"},
    {"info([InfoSection.STATS, InfoSection.COMMAND_STATS])", "INFO stats commandstats", "''",
     "b''"},
    {"config_get(['a', 'b'])", "CONFIG GET a b", "['a' '1']", "{b'a': b'1'}"},
    {"config_set({'a': 'b'})", "CONFIG SET a b", "_", "None"},
    {"flushall(FlushMode.ASYNC)", "FLUSHALL ASYNC", "_", "None"},
    {"publish('message', 'channel')", "PUBLISH channel message", "0", "0"},
    {"pubsub_numsub(['a'])", "PUBSUB NUMSUB a", "['a' 1]", "{b'a': 1}"},
    {"latency_reset('a', 'b')", "LATENCY RESET a b", "0", "0"},
    {"wait(1, 500)", "WAIT 1 500", "1", "1"},

    {"custom_command(['SET', 'k', b'v', 1, 2.5, bytearray(b'x')])", "SET k v 1 2.5 x", "_", "None"},
    {"custom_command(['hgetall', 'h'])", "hgetall h", "['f' 'v']", "{b'f': b'v'}"},
    {"custom_command(['Config', 'Get', 'a'])", "Config Get a", "['a' '1']", "{b'a': b'1'}"},
    {"custom_command(['ZRANGE', 'z', '0', '1', 'withscores'])", "ZRANGE z 0 1 withscores",
     "['a' '1']", "{b'a': 1.0}"},
    {"custom_command(['ZRANGE', 'z', '0', '1'])", "ZRANGE z 0 1", "['a' '1']", "[b'a', b'1']"},
    {"custom_command(['EXPIRE', 'k', '1'])", "EXPIRE k 1", "1", "True"},
    {"custom_command(['OBJECT', 'HELP'])", "OBJECT HELP", "['x']", "[b'x']"},
};

static void write_calls(struct fixture *fixture)
{
    static char text[65536];
    size_t len = 0;

    for (size_t i = 0; i < COUNT(methods); i++)
        len += (size_t)sprintf(text + len, "client.%s\n", methods[i].call);
    write_file(fixture, "calls", text);
}

static void check_method(struct fixture *fixture, const struct method_case *method)
{
    char wire[4096];

    if (start(fixture, 0) != SCRIPT_WAITS)
        fail_msg("%s: %.*s", method->call, (int)fixture->step.text.len, fixture->step.text.ptr);
    expect_commands(fixture, method->command);
    const size_t len = notation_write(method->reply, wire);

    if (resume(fixture, 0, (struct str){wire, len}) != SCRIPT_OK)
        fail_msg("%s: %.*s", method->call, (int)fixture->step.text.len, fixture->step.text.ptr);
    assert_string_equal(take_printed(fixture), method->result);
}

static void test_methods_send_and_shape_as_in_glide(void **state)
{
    struct fixture fixture;
    char path[128];

    (void)state;
    if (!alone())
        return;
    set_up(&fixture);
    write_calls(&fixture);
    snprintf(path, sizeof path, "%s/calls", fixture.folder);
    fixture.config.args = path;
    if (create(&fixture, evaluator) != 0)
        fail_msg("%s", fixture.err.text);
    for (size_t i = 0; i < COUNT(methods); i++)
        check_method(&fixture, &methods[i]);
    tear_down(&fixture);
}

static const char asking[] = "class CustomCommands:\n"
                             "    async def execute(self, client):\n"
                             "        print(repr(await client.get('k')))\n";

static const struct {
    const char *wire, *result;
} replies[] = {
    {"+OK\r\n", "'OK'"},
    {"+PONG\r\n", "b'PONG'"},
    {":-9223372036854775808\r\n", "-9223372036854775808"},
    {"$4\r\n\r\n\r\n\r\n", "b'\\r\\n\\r\\n'"},
    {"$3\r\na\xff\x80\r\n", "b'a\\xff\\x80'"},
    {"$-1\r\n", "None"},
    {"*-1\r\n", "None"},
    {"_\r\n", "None"},
    {",1.5\r\n", "1.5"},
    {",-inf\r\n", "-inf"},
    {"#t\r\n", "True"},
    {"#f\r\n", "False"},
    {"(123456789012345678901234567890\r\n", "123456789012345678901234567890"},
    {"=8\r\ntxt:text\r\n", "b'text'"},
    {"*0\r\n", "[]"},
    {"*2\r\n*1\r\n*1\r\n:1\r\n%1\r\n+a\r\n~1\r\n#t\r\n", "[[[1]], {b'a': {True}}]"},
    {"~1\r\n*2\r\n:1\r\n:2\r\n", "{(1, 2)}"},
    {"%1\r\n%1\r\n+a\r\n:1\r\n:2\r\n", "{((b'a', 1),): 2}"},
    {"|1\r\n+ttl\r\n:3\r\n:7\r\n", "7"},
    {"*2\r\n-ERR no\r\n:1\r\n", "[RequestError('ERR no'), 1]"},
};

static void test_replies_of_every_type(void **state)
{
    struct fixture fixture;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, asking);
    for (size_t i = 0; i < COUNT(replies); i++) {
        assert_int_equal(start(&fixture, 7), SCRIPT_WAITS);
        assert_int_equal(resume(&fixture, 7, str_of(replies[i].wire)), SCRIPT_OK);
        assert_string_equal(take_printed(&fixture), replies[i].result);
    }
    tear_down(&fixture);
}

static void test_a_reply_that_is_too_deep_is_an_exception(void **state)
{
    struct fixture fixture;
    static char wire[400000];
    char *end = wire;

    (void)state;
    if (!alone())
        return;
    begin(&fixture, asking);
    for (int i = 0; i < 90000; i++)
        end = stpcpy(end, "*1\r\n");
    stpcpy(end, ":1\r\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, str_of(wire)), SCRIPT_FAILED);
    expect_text(&fixture, "RecursionError");
    tear_down(&fixture);
}

static void test_a_huge_reply(void **state)
{
    enum { BYTES = 100 << 20 };
    struct fixture fixture;
    char *wire = malloc(BYTES + 64);
    const int head = sprintf(wire, "$%d\r\n", BYTES);

    (void)state;
    if (!alone()) {
        free(wire);
        return;
    }
    memset(wire + head, 'x', BYTES);
    memcpy(wire + head + BYTES, "\r\n", 2);
    begin(&fixture, "class CustomCommands:\n"
                    "    async def execute(self, client):\n"
                    "        value = await client.get('k')\n"
                    "        await client.set('k', value)\n"
                    "        return len(value) == 100 << 20\n");
    assert_int_equal(start(&fixture, 0), SCRIPT_WAITS);
    assert_int_equal(resume(&fixture, 0, (struct str){wire, (size_t)head + BYTES + 2}),
                     SCRIPT_WAITS);
    assert_true(fixture.step.bytes.len > BYTES);
    assert_memory_equal(fixture.step.bytes.ptr + fixture.step.bytes.len - 2 - BYTES, wire + head,
                        BYTES);
    assert_int_equal(resume(&fixture, 0, STR("+OK\r\n")), SCRIPT_OK);
    free(wire);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_send_and_shape_as_in_glide),
        cmocka_unit_test(test_replies_of_every_type),
        cmocka_unit_test(test_a_reply_that_is_too_deep_is_an_exception),
        cmocka_unit_test(test_a_huge_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
