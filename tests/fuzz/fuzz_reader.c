/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes, read whole and in pieces cut at places that the bytes themselves decide: both must
 * find the same replies, at the same places, up to the same end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "resp/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reader and what it is fed. */
struct stream {
    struct resp_reader reader;
    struct str wire;
    uint64_t seed; /* of the cuts; 0: none */
    size_t used;
    char *piece; /* owned; a copy, so that ASan sees a read past its end */
    size_t piece_at, piece_len;
};

/* The next thing that is not RESP_MORE, which stands for the end of the bytes here. */
struct event {
    enum resp_status status;
    struct resp_reply reply; /* its text is valid until the next event of the stream */
};

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* Mostly short pieces, some of any length. */
static size_t draw_piece(const struct stream *stream)
{
    const size_t left = stream->wire.len - stream->used;

    if (stream->seed == 0)
        return left;

    const uint64_t bits = rng_draw(stream->seed, RNG_KEY, stream->used);
    const size_t most = bits % 4 == 0 ? left : 1 + bits % 16;

    return (size_t)rng_below(rng_mix(bits), most < left ? most : left) + 1;
}

static void take_piece(struct stream *stream)
{
    free(stream->piece);
    stream->piece_at = 0;
    stream->piece_len = draw_piece(stream);
    stream->piece = mem_zalloc(stream->piece_len, 1);
    memcpy(stream->piece, stream->wire.ptr + stream->used, stream->piece_len);
}

static struct event next_event(struct stream *stream)
{
    struct event event = {RESP_MORE, {0}};

    while (event.status == RESP_MORE && stream->used < stream->wire.len) {
        if (stream->piece_at == stream->piece_len)
            take_piece(stream);

        const struct str in = {stream->piece + stream->piece_at,
                               stream->piece_len - stream->piece_at};
        size_t used;

        event.status = resp_reader_feed(&stream->reader, in, &used, &event.reply);
        require(used <= in.len);
        require(event.status != RESP_MORE || used == in.len);
        stream->piece_at += used;
        stream->used += used;
    }
    return event;
}

static void require_same(const struct event *a, const struct event *b)
{
    require(a->status == b->status);
    if (a->status != RESP_REPLY)
        return;
    require(a->reply.kind == b->reply.kind);
    require(a->reply.number == b->reply.number);
    require(a->reply.text.len <= RESP_TEXT_MAX);
    require(str_equal(a->reply.text, b->reply.text));
}

static struct stream open_stream(struct str wire, uint64_t seed)
{
    struct stream stream = {.wire = wire, .seed = seed};

    resp_reader_init(&stream.reader);
    return stream;
}

static void close_stream(struct stream *stream)
{
    resp_reader_deinit(&stream->reader);
    free(stream->piece);
}

static uint64_t seed_of(struct str wire)
{
    uint64_t seed = wire.len;

    for (size_t i = 0; i < wire.len; i++)
        seed = rng_mix(seed + (unsigned char)wire.ptr[i]);
    return seed | 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str wire = {(const char *)data, size};
    struct stream whole = open_stream(wire, 0);
    struct stream cut = open_stream(wire, seed_of(wire));
    struct event event;

    do {
        event = next_event(&whole);

        const struct event other = next_event(&cut);

        require_same(&event, &other);
        require(whole.used == cut.used);
        require(resp_reader_idle(&whole.reader) == resp_reader_idle(&cut.reader));
    } while (event.status == RESP_REPLY);
    close_stream(&whole);
    close_stream(&cut);
    return 0;
}
