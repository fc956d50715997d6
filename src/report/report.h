/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report: where the results of a run go.
 *
 * A sink is told that the run begins, what had been counted at a moment, and that the run has
 * ended. It gets cumulative snapshots and makes its own differences; it never touches workers,
 * reads no clock, and computes percentiles of merged counts only. Several sinks can be on at once.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/option.h"
#include "stats/outage.h"
#include "stats/snapshot.h"

struct report_config {
    uint64_t interval_ns; /* of the interval CSV; 0: no CSV */
    bool quiet;
};

extern const struct option_spec report_options[];

/* What is known of a run when it begins. Sinks copy it; texts are borrowed for the whole run. */
struct report_run {
    const char *version; /* "valkey-polyglot 0.1.0" */
    const char *command; /* "SET" */
    const char *custom;  /* the file of the custom commands; NULL: a built-in test */
    const char *server;  /* "127.0.0.1:6379" */
    const char *tls;     /* "verified, TLSv1.3, " and the cipher; NULL: without TLS */
    const char *cluster; /* "yes, reads from replicas"; NULL: no cluster */
    const char *user;    /* "alice"; NULL: the default one */
    const char *driver;  /* what carried the requests: "native", "valkey-GLIDE 2.6 (/path)" */
    const char *engine;  /* how bytes were moved: "epoll" */
    const char *keys;    /* "random, 1,000,000 keys" */
    const char *load;    /* "closed loop", "open loop, 1000 requests a second" */
    const char *pace;    /* how it waited: "hybrid, margin 63 us"; NULL: by sleeping */
    const char *cpus;    /* which workers were pinned to: "0-3,8"; NULL: to none */
    bool scheduled;      /* an open loop: response times count from the due time */
    bool reads;          /* hits and misses are told apart */
    bool resp3;          /* else RESP2 */
    uint64_t db;
    uint64_t processes, workers, clients, pipeline, data_bytes, seed;
    uint64_t library_clients;    /* of the driver's library; 0: it has none */
    uint64_t reconnect_interval; /* requests a connection gets; 0: no limit */
    uint64_t cores;              /* that its workers may use */
    uint64_t requests;           /* the limit; 0: none */
    uint64_t start_ns;           /* T0 */
    uint64_t start_unix_ns;      /* the wall clock at T0, for timestamps */
};

/* What a worker's loop did from T0 on. */
struct report_worker {
    double busy;         /* the share of the time in which it did not wait: 0..1 */
    double crowded;      /* ... in which it had no core to work on, if it got to its end */
    uint64_t longest_ns; /* the longest stretch of work between two waits */
    uint64_t overflows;  /* times when the kernel had no room for what it had to tell */
    uint64_t loop_ns;    /* what the shares are of: from T0 to its last turn */
};

/* What is known when it has ended. */
struct report_end {
    const struct snapshot *total; /* the last snapshot */
    uint64_t elapsed_ns;          /* what rates divide by */
    uint64_t due, unsent; /* of a schedule; without one, unsent: left by workers that died */
    /* Of a schedule: the variance of the requests that were sent in a millisecond over their mean;
     * 1 is that of a Poisson process, 0 that of perfectly even ones. */
    double burstiness;
    const char *ending; /* why it ended early; NULL: it was complete */
    bool interrupted;   /* ... because the user wanted it: what was measured until then is right */
    const struct report_worker *workers; /* as many as the run had, in order */
    unsigned library_threads;            /* of the driver's library, in all processes */
    uint64_t library_cpu_ns;             /* that they used, from T0 on */
    const struct outages *outages;       /* or NULL: nothing is known of them */
    const char *const *warnings;         /* sentences, ended by NULL; or NULL: none */
};

struct report_sink;

/* A kind of sink. Each is called once, but `interval`, in this order; snapshots never go back. */
struct report_ops {
    void (*begin)(struct report_sink *sink, const struct report_run *run);
    void (*interval)(struct report_sink *sink, const struct snapshot *now);
    void (*end)(struct report_sink *sink, const struct report_end *end);
    void (*destroy)(struct report_sink *sink); /* frees the sink itself too */
};

/* The head of every sink. */
struct report_sink {
    const struct report_ops *ops;
    uint64_t period_ns; /* how often `interval` wants to be called; 0: never */
    FILE *out;          /* borrowed */
    int stop_fd;        /* borrowed; readable: a stalled `out` is waited for no longer; -1: none */
    int failure;        /* errno of the first write that failed; nothing is written after it */
};

/*
 * The human report on `out`: a progress line a second (in place on a terminal) unless `progress` is
 * false, and the final block. Progress counts the requests that have an outcome, rates successes.
 */
struct report_sink *report_text_create(FILE *out, bool progress);

/*
 * The interval CSV: a header, a line an interval, flushed one by one, and a last line for what came
 * after the last interval if anything did.
 */
struct report_sink *report_csv_create(FILE *out, uint64_t interval_ns);

/* Accepts NULL; leaves NULL. */
void report_destroy(struct report_sink **sink);

/* Prints to a sink's file and notes a failure. For the sinks' own use. */
void report_print(struct report_sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flushes, so that a reader of the stream has each line when it is due. For the sinks' own use. */
void report_flush(struct report_sink *sink);

#endif
