/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link: a connection to one server that is kept up while it is wanted.
 *
 * A channel, the reader of its replies, and what is needed to dial: the addresses in turn, a bound
 * on each attempt, and a wait before the next one that doubles from 50 ms to 1 s, with jitter, so
 * that a restarted server is not met by all clients at once. A link never dials by itself: its
 * owner asks, when link_wake_ns() has come, and so can bound how many dials are under way.
 *
 * It is up when the session's opening has been answered, which is part of each dial: until then its
 * owner hears of nothing but an end. With TLS requests are encrypted when they leave, all at once.
 */
#ifndef IO_LINK_H
#define IO_LINK_H

#include <stdint.h>

#include "io/endpoint.h"
#include "io/loop.h"
#include "io/session.h"
#include "io/tls.h"
#include "resp/reader.h"

struct link;

/* Reasons of `down` beside errno values. */
enum {
    LINK_ENDED = 0,
    LINK_GARBAGE = -1,
    LINK_UNASKED = -2,
    LINK_NO_REPLY = -3,
    LINK_GIVEN_UP = -4,
    LINK_REFUSED = -5,  /* the server answered the opening with an error: see link_words() */
    LINK_RENEWED = -6,  /* closed by its owner to be dialled again, at once */
    LINK_INSECURE = -7, /* TLS failed: see link_words() */
    LINK_WANTS_TLS = -8 /* the server speaks TLS to a link that does not */
};

/* A piece of what arrives: more follows; it ends a reply, which is told next; it ends a push. */
enum link_piece { LINK_PART, LINK_REPLY, LINK_PUSH };

struct link_events {
    /* Connected, and requests may be sent. */
    void (*up)(struct link *link, uint64_t now_ns);
    /* All bytes added so far are about to be handed to the kernel. */
    void (*sending)(struct link *link, uint64_t now_ns);
    /* A whole reply; its text is borrowed until return. Pushes do not come here. */
    void (*reply)(struct link *link, const struct resp_reply *reply, uint64_t now_ns);
    /* Nothing that is added from now on will leave: `down` follows. Not told of what the owner
     * closes. */
    void (*ending)(struct link *link);
    /*
     * The connection was lost (`was_up`) or could not be made. `reason`: an errno, LINK_ENDED by
     * the server, LINK_GARBAGE: it sent what is not RESP, LINK_REFUSED, LINK_INSECURE,
     * LINK_WANTS_TLS, or what link_close() was given.
     */
    void (*down)(struct link *link, int reason, bool was_up, uint64_t now_ns);
    /* What arrives, for whoever needs more of a reply than the reader keeps. What ends a reply
     * stays where it is until `reply` returns. May be NULL. */
    void (*heard)(struct link *link, struct str bytes, enum link_piece piece);
};

/* What all links of an owner share. Borrowed by each of them. */
struct link_setup {
    struct loop *loop;
    const struct endpoint *endpoint;
    const struct link_events *events;
    const struct session_opening *opening; /* NULL: none */
    struct tls_context *tls;               /* NULL: without TLS */
    uint64_t connect_timeout_ns;           /* 0: none */
    uint64_t seed;                         /* of the jitter */
};

enum link_state { LINK_DOWN, LINK_DIALING, LINK_UP };

struct link {
    struct channel channel; /* first: events come with it */
    const struct link_setup *setup;
    struct resp_reader reader;
    uint64_t wake_ns;              /* DOWN: when to dial next; DIALING: when to give up */
    uint32_t number;               /* among all links, for the jitter */
    uint32_t failures;             /* since it was well: they set the wait */
    uint32_t attempts;             /* dials so far, for the jitter */
    uint32_t address;              /* to dial next: moved on when a dial fails */
    uint8_t state;                 /* enum link_state */
    uint8_t answered;              /* steps of the opening */
    char *words;                   /* owned: with which the last dial was refused, or NULL */
    uint64_t dialed_ns, opened_ns; /* when the last dial began; when it was connected, or 0 */
    uint64_t secured_ns;           /* when its TLS handshake was done, or 0 */
    struct outbox *outbox;         /* where requests go: the channel's, or with TLS `clear` */
    struct outbox clear;           /* what is to be encrypted */
    struct tls *tls;               /* owned; NULL: not connected, or without TLS */
};

/* Makes a link that is down and may be dialled at once. */
void link_init(struct link *link, const struct link_setup *setup, uint32_t number);

/* Releases what it holds. The channel must be closed. */
void link_deinit(struct link *link);

/* Begins to connect a link that is down. */
void link_dial(struct link *link, uint64_t now_ns);

/* Gives the connection up; `reason` comes back with `down` at the end of the next turn at the
 * latest. */
void link_close(struct link *link, int reason);

/* Says that the server answers: the next wait before a dial is the shortest again. */
static inline void link_is_well(struct link *link)
{
    link->failures = 0;
}

/* When a link that is not up wants attention: to be dialled, or to be closed with ETIMEDOUT. */
static inline uint64_t link_wake_ns(const struct link *link)
{
    return link->wake_ns;
}

/* Where the requests of a link that is up go; link_send() then says so. */
static inline struct outbox *link_outbox(struct link *link)
{
    return link->outbox;
}

/* Whether the kernel has all that was sent: what is added now leaves at the next chance. */
static inline bool link_has_left(const struct link *link)
{
    return outbox_has_left(&link->channel.outbox);
}

/* Says that bytes were added to the outbox of a link that is up. */
static inline void link_send(struct link *link)
{
    loop_send(link->setup->loop, &link->channel);
}

/* What the server said when it refused the last dial, without secrets, or why TLS failed; "" when
 * neither did. Borrowed until the next dial. */
static inline const char *link_words(const struct link *link)
{
    return link->words ? link->words : "";
}

/* The sentence for a reason: "the server closed the connection". Borrowed, constant or strerror's.
 */
const char *link_reason_text(int reason);

#endif
