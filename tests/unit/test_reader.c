/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

#include "reader_cases.h"

/* What came of one call of the reader. The text may lie in the copy that was fed. */
struct fed {
    enum resp_status status;
    size_t used;
    struct resp_reply reply;
    char *copy;
};

/* Feeds a copy of just these bytes, so that ASan sees a read past their end. */
static struct fed feed(struct resp_reader *reader, struct str piece)
{
    struct fed fed = {.copy = malloc(piece.len ? piece.len : 1)};

    assert_non_null(fed.copy);
    memcpy(fed.copy, piece.ptr, piece.len);
    fed.status = resp_reader_feed(reader, (struct str){fed.copy, piece.len}, &fed.used, &fed.reply);
    assert_true(fed.used <= piece.len);
    return fed;
}

static void check(bool ok, const char *what, struct str wire)
{
    if (!ok)
        fail_msg("%s: \"%.*s\"", what, wire.len < 80 ? (int)wire.len : 80, wire.ptr);
}

/* Feeds what has to leave the reply incomplete. */
static void feed_more(struct resp_reader *reader, struct str piece, struct str wire)
{
    struct fed fed = feed(reader, piece);

    check(fed.status == RESP_MORE, "a part is not incomplete", wire);
    check(fed.used == piece.len, "a part was not used up", wire);
    free(fed.copy);
}

/* Feeds what has to make the reply whole. */
static void feed_last(struct resp_reader *reader, struct str piece, const struct valid *want)
{
    struct fed fed = feed(reader, piece);

    check(fed.status == RESP_REPLY, "no reply", want->wire);
    check(fed.used == piece.len, "not all was used", want->wire);
    check(fed.reply.kind == want->kind, "wrong kind", want->wire);
    check(fed.reply.number == want->number, "wrong number", want->wire);
    check(str_equal(fed.reply.text, want->text), "wrong text", want->wire);
    check(resp_reader_idle(reader), "not idle after a reply", want->wire);
    free(fed.copy);
}

static struct str part(struct str wire, size_t from, size_t to)
{
    return (struct str){wire.ptr + from, to - from};
}

static void feed_bytewise(struct resp_reader *reader, const struct valid *want)
{
    const size_t last = want->wire.len - 1;

    for (size_t at = 0; at < last; at++)
        feed_more(reader, part(want->wire, at, at + 1), want->wire);
    feed_last(reader, part(want->wire, last, last + 1), want);
}

/* Whole, cut in two everywhere and byte by byte; by one reader, which each reply leaves as new. */
static void check_valid(const struct valid *want)
{
    struct resp_reader reader;

    resp_reader_init(&reader);
    assert_true(resp_reader_idle(&reader));
    feed_last(&reader, want->wire, want);
    for (size_t cut = 0; cut < want->wire.len; cut++) {
        feed_more(&reader, part(want->wire, 0, cut), want->wire);
        check(resp_reader_idle(&reader) == (cut == 0), "wrongly idle", want->wire);
        feed_last(&reader, part(want->wire, cut, want->wire.len), want);
    }
    feed_bytewise(&reader, want);
    resp_reader_deinit(&reader);
}

static void replies_are_read_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++)
        check_valid(&valid[i]);
}

static void nothing_is_more(void **state)
{
    (void)state;
    struct resp_reader reader;
    struct resp_reply reply;
    size_t used = 1;

    resp_reader_init(&reader);
    assert_int_equal(resp_reader_feed(&reader, (struct str){NULL, 0}, &used, &reply), RESP_MORE);
    assert_int_equal(used, 0);
    assert_true(resp_reader_idle(&reader));
    resp_reader_deinit(&reader);
}

/* All valid replies one after the other, `each` times; owned by the caller. */
static struct str join_valid(size_t each)
{
    size_t len = 0;

    for (size_t i = 0; i < COUNT(valid); i++)
        len += valid[i].wire.len * each;

    char *const joined = malloc(len);
    char *at = joined;

    assert_non_null(joined);
    for (size_t i = 0; i < COUNT(valid) * each; i++) {
        const struct str wire = valid[i / each].wire;

        memcpy(at, wire.ptr, wire.len);
        at += wire.len;
    }
    return (struct str){joined, len};
}

static void replies_in_one_buffer_come_one_by_one(void **state)
{
    (void)state;
    const struct str joined = join_valid(2);
    struct resp_reader reader;
    size_t at = 0;

    resp_reader_init(&reader);
    for (size_t i = 0; i < COUNT(valid) * 2; i++) {
        const struct valid *const want = &valid[i / 2];
        struct fed fed = feed(&reader, part(joined, at, joined.len));

        check(fed.status == RESP_REPLY, "no reply", want->wire);
        check(fed.used == want->wire.len, "wrong end", want->wire);
        check(fed.reply.kind == want->kind, "wrong kind", want->wire);
        check(fed.reply.number == want->number, "wrong number", want->wire);
        check(str_equal(fed.reply.text, want->text), "wrong text", want->wire);
        at += fed.used;
        free(fed.copy);
    }
    assert_int_equal(at, joined.len);
    resp_reader_deinit(&reader);
    free((char *)joined.ptr);
}

/* A bad reader uses nothing and says so until it is initialised. */
static void check_stays_bad(struct resp_reader *reader, struct str wire)
{
    struct fed fed = feed(reader, STR("+OK\r\n"));

    check(fed.status == RESP_BAD, "bad no longer", wire);
    check(fed.used == 0, "bad, but used", wire);
    check(!resp_reader_idle(reader), "bad, but idle", wire);
    free(fed.copy);
    fed = feed(reader, STR(""));
    check(fed.status == RESP_BAD, "bad no longer", wire);
    free(fed.copy);
    resp_reader_deinit(reader);
    resp_reader_init(reader);
    fed = feed(reader, STR("+OK\r\n"));
    check(fed.status == RESP_REPLY, "still bad", wire);
    free(fed.copy);
}

static void check_garbage(const struct garbage *bad)
{
    struct resp_reader reader;

    resp_reader_init(&reader);

    struct fed fed = feed(&reader, bad->wire);

    check(fed.status == RESP_BAD, "not bad", bad->wire);
    check(fed.used == bad->used, "bad at a wrong place", bad->wire);
    free(fed.copy);
    check_stays_bad(&reader, bad->wire);
    for (size_t at = 0; at < bad->used; at++)
        feed_more(&reader, part(bad->wire, at, at + 1), bad->wire);
    fed = feed(&reader, part(bad->wire, bad->used, bad->used + 1));
    check(fed.status == RESP_BAD, "not bad bytewise", bad->wire);
    check(fed.used == 0, "a bad byte was used", bad->wire);
    free(fed.copy);
    check_stays_bad(&reader, bad->wire);
    resp_reader_deinit(&reader);
}

static void garbage_is_bad_at_its_first_bad_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(garbage); i++)
        check_garbage(&garbage[i]);
}

static void lengths_up_to_the_limits_are_believed(void **state)
{
    (void)state;
    static const struct str wires[] = {
        TEXT("$1099511627776\r\nabc"),
        TEXT("=1099511627776\r\nabc"),
        TEXT("!1099511627776\r\nabc"),
        TEXT("*4294967296\r\n+a\r\n"),
        TEXT("%4294967296\r\n+a\r\n"),
        TEXT("|4294967296\r\n+a\r\n"),
        TEXT("*4294967296\r\n*4294967296\r\n%4294967296\r\n>4294967296\r\n~4294967296\r\n"),
    };

    for (size_t i = 0; i < COUNT(wires); i++) {
        struct resp_reader reader;

        resp_reader_init(&reader);
        feed_more(&reader, wires[i], wires[i]);
        assert_false(resp_reader_idle(&reader));
        resp_reader_deinit(&reader);
    }
}

/* `count` times a header of one element, then the end. */
static void check_deep(struct str header, struct str end, enum resp_kind kind, int64_t number)
{
    const size_t count = 100000;
    const size_t len = header.len * count + end.len;
    char *const wire = malloc(len);

    assert_non_null(wire);
    for (size_t i = 0; i < count; i++)
        memcpy(wire + header.len * i, header.ptr, header.len);
    memcpy(wire + header.len * count, end.ptr, end.len);

    const struct valid want = {{wire, len}, kind, number, STR("")};
    struct resp_reader reader;

    resp_reader_init(&reader);
    feed_last(&reader, want.wire, &want);
    feed_bytewise(&reader, &want);
    resp_reader_deinit(&reader);
    free(wire);
}

static void nesting_has_no_limit(void **state)
{
    (void)state;
    check_deep(STR("*1\r\n"), STR(":7\r\n"), RESP_ARRAY, 1);
    check_deep(STR("%1\r\n+k\r\n"), STR("$1\r\na\r\n"), RESP_MAP, 1);
    check_deep(STR("|1\r\n+k\r\n+v\r\n"), STR(":7\r\n"), RESP_INTEGER, 7);
    check_deep(STR("*1\r\n|1\r\n+k\r\n+v\r\n"), STR("*-1\r\n"), RESP_ARRAY, 1);
}

static void texts_are_cut_at_their_limit(void **state)
{
    (void)state;
    static const size_t lens[] = {RESP_TEXT_MAX - 1, RESP_TEXT_MAX, RESP_TEXT_MAX + 1, 1000};
    static const struct {
        char type;
        enum resp_kind kind;
    } forms[] = {{'+', RESP_SIMPLE}, {'-', RESP_ERROR}, {'!', RESP_ERROR}};

    for (size_t i = 0; i < COUNT(lens) * COUNT(forms); i++) {
        const size_t len = lens[i / COUNT(forms)];
        const size_t form = i % COUNT(forms);
        char wire[1100];
        const int head = forms[form].type == '!'
                             ? snprintf(wire, sizeof wire, "!%zu\r\n", len)
                             : snprintf(wire, sizeof wire, "%c", forms[form].type);
        char *const text = wire + head;

        for (size_t k = 0; k < len; k++)
            text[k] = (char)('a' + k % 23);
        memcpy(text + len, "\r\n", 2);

        const size_t kept = len < RESP_TEXT_MAX ? len : RESP_TEXT_MAX;
        const struct valid want = {
            {wire, (size_t)head + len + 2}, forms[form].kind, 0, {text, kept}};

        check_valid(&want);
    }
}

static void a_long_bulk_is_skipped(void **state)
{
    (void)state;
    enum { LEN = 1 << 20, STEP = 7777 };
    char *const wire = calloc(1, LEN + 32);
    struct resp_reader reader;

    assert_non_null(wire);

    const size_t head = (size_t)snprintf(wire, 32, "$%d\r\n", LEN);
    const size_t len = head + LEN + 2;

    memcpy(wire + len - 2, "\r\n", 2);

    const struct valid want = {{wire, len}, RESP_BULK, LEN, STR("")};
    size_t at = 0;

    resp_reader_init(&reader);
    feed_last(&reader, want.wire, &want);
    for (; len - at > STEP; at += STEP)
        feed_more(&reader, part(want.wire, at, at + STEP), want.wire);
    feed_last(&reader, part(want.wire, at, len), &want);
    resp_reader_deinit(&reader);
    free(wire);
}

/* A text that is whole where it was fed is not copied. */
static void a_whole_text_is_a_view(void **state)
{
    (void)state;
    static const struct str wires[] = {TEXT("+OK\r\n"), TEXT("+PONG\r\n"), TEXT("-ERR\r\n"),
                                       TEXT("!3\r\nERR\r\n"), TEXT("|1\r\n+a\r\n+b\r\n-ERR\r\n")};

    for (size_t i = 0; i < COUNT(wires); i++) {
        struct resp_reader reader;
        struct resp_reply reply;
        size_t used;

        resp_reader_init(&reader);
        assert_int_equal(resp_reader_feed(&reader, wires[i], &used, &reply), RESP_REPLY);
        assert_ptr_equal(reply.text.ptr + reply.text.len + 2, wires[i].ptr + wires[i].len);
        resp_reader_deinit(&reader);
    }
}

/* A random number below `range`, from its place in one fixed sequence. */
static size_t draw(uint64_t *index, size_t range)
{
    return (size_t)rng_below(rng_draw(3, RNG_KEY, (*index)++), range);
}

/* Random replies one after the other, now and then with one byte changed. Returns their length. */
static size_t draw_stream(uint64_t *index, char *stream, size_t room)
{
    size_t len = 0;

    for (size_t left = 1 + draw(index, 12); left > 0; left--) {
        const struct str wire = valid[draw(index, COUNT(valid))].wire;

        if (wire.len > room - len)
            break;
        memcpy(stream + len, wire.ptr, wire.len);
        len += wire.len;
    }
    if (draw(index, 3) == 0)
        stream[draw(index, len)] = "\r\n+-:$*!=%~>|#,(_0123a"[draw(index, 22)];
    return len;
}

/* The next thing that is not RESP_MORE is the same in random pieces. Returns its end. */
static size_t check_same(uint64_t *index, struct resp_reader *cut, struct fed *want,
                         struct str stream, size_t from)
{
    size_t at = from;
    struct fed got;

    for (;;) {
        const size_t len = draw(index, stream.len - at + 1) % (1 + draw(index, 40));

        got = feed(cut, part(stream, at, at + len));
        at += got.used;
        if (got.status != RESP_MORE || at == stream.len)
            break;
        free(got.copy);
    }
    check(got.status == want->status, "another status", stream);
    check(at == from + want->used, "another end", stream);
    if (got.status == RESP_REPLY) {
        check(got.reply.kind == want->reply.kind, "another kind", stream);
        check(got.reply.number == want->reply.number, "another number", stream);
        check(str_equal(got.reply.text, want->reply.text), "another text", stream);
    }
    free(got.copy);
    return at;
}

static void random_cuts_change_nothing(void **state)
{
    (void)state;
    char room[2000];
    uint64_t index = 0;

    for (int round = 0; round < 20000; round++) {
        const struct str stream = {room, draw_stream(&index, room, sizeof room)};
        struct resp_reader whole, cut;
        enum resp_status status = RESP_REPLY;

        resp_reader_init(&whole);
        resp_reader_init(&cut);
        for (size_t at = 0; status == RESP_REPLY && at < stream.len;) {
            struct fed want = feed(&whole, part(stream, at, stream.len));

            status = want.status;
            at = check_same(&index, &cut, &want, stream, at);
            check(resp_reader_idle(&whole) == resp_reader_idle(&cut), "idle or not", stream);
            free(want.copy);
        }
        resp_reader_deinit(&whole);
        resp_reader_deinit(&cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_however_they_are_cut),
        cmocka_unit_test(nothing_is_more),
        cmocka_unit_test(replies_in_one_buffer_come_one_by_one),
        cmocka_unit_test(garbage_is_bad_at_its_first_bad_byte),
        cmocka_unit_test(lengths_up_to_the_limits_are_believed),
        cmocka_unit_test(nesting_has_no_limit),
        cmocka_unit_test(texts_are_cut_at_their_limit),
        cmocka_unit_test(a_long_bulk_is_skipped),
        cmocka_unit_test(a_whole_text_is_a_view),
        cmocka_unit_test(random_cuts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
