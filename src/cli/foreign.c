/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/foreign.h"

#include <stddef.h>

static const char not_yet[] = "is not supported yet.";
static const char no_such[] = "has no counterpart here.";

struct foreign {
    const char *option;
    const char *rest; /* the rest of the sentence, after the option */
};

/* One row an option: in the order of the themes of the tools' own help. */
static const struct foreign table[] = {
    /* The server and the connection. */
    {"--server", "is not an option here; use --host."},
    {"--hostname", "is not an option here; use --host."},
    {"-S", "is not an option here; use --socket."},
    {"--unix-socket", "is not an option here; use --socket."},
    {"-4", "is not an option here; give --host an IPv4 address."},
    {"--ipv4", "is not an option here; give --host an IPv4 address."},
    {"-6", "is not an option here; give --host an IPv6 address."},
    {"--ipv6", "is not an option here; give --host an IPv6 address."},
    {"--askpass", no_such},
    {"--authenticate", "is not an option here; use --pass."},
    {"--select-db", "is not an option here; use --dbnum."},
    {"-2", "is not needed: RESP2 is what is spoken without -3."},
    {"--protocol", "is not an option here: -3 is RESP3, without it RESP2 is spoken."},
    {"--enable-tracking", no_such},
    {"--rdma", no_such},
    {"--mptcp", no_such},
    {"--reconnect-on-error", "is not needed: a lost connection is always opened again."},
    {"--max-reconnect-attempts", "is not an option here; see --give-up."},
    {"--reconnect-backoff-factor", no_such},
    {"--thread-conn-start-min-jitter-micros", "is not an option here; see --clients-ramp-start."},
    {"--thread-conn-start-max-jitter-micros", "is not an option here; see --clients-ramp-start."},

    /* TLS. */
    {"--tls-skip-verify", "is not an option here; use --insecure."},
    {"--tls-protocols", no_such},

    /* Clusters. */
    {"--cluster-mode", "is not an option here; use --cluster."},
    {"--rfr", "is not an option here; use --read-from-replica."},

    /* How much, how long, how fast. */
    {"--rps", "is not an option here; use --qps."},
    {"--rate-limiting", "is not an option here; use --qps, which limits all clients together."},
    {"--duration", "is not an option here; use --test-duration."},
    {"--test-time", "is not an option here; use --test-duration."},
    {"-l", "is not an option here; use --test-duration for a long run."},
    {"-I", "is not an option here: clients that wait need no load; see --qps."},
    {"-x", "is not an option here: start the program once for each run."},
    {"--run-count", "is not an option here: start the program once for each run."},
    {"--warmup", not_yet},
    {"--prefill", not_yet},
    {"--clients-start", "is not an option here; use --clients-ramp-start."},
    {"--clients-step", "is not an option here; use --clients-per-ramp."},
    {"--step-duration", "is not an option here; use --client-ramp-interval."},
    {"--numreq", "is not an option here; use --requests."},

    /* Commands. */
    {"--tests", "is not an option here; use --type."},
    {"--command", not_yet},
    {"--command-ratio", not_yet},
    {"--command-key-pattern", not_yet},
    {"--command-stats-breakdown", not_yet},
    {"--custom-command-file", not_yet},
    {"--custom-command-args", not_yet},
    {"--script-timeout", not_yet},
    {"--ratio", not_yet},
    {"--multi-key-get", not_yet},
    {"--wait-ratio", no_such},
    {"--wait-timeout", no_such},
    {"--num-slaves", no_such},
    {"--num-functions", no_such},
    {"--num-keys-in-fcall", no_such},
    {"--monitor-input", no_such},
    {"--monitor-pattern", no_such},
    {"--fuzz", no_such},
    {"--fuzz-mode", no_such},
    {"--fuzz-loglevel", no_such},

    /* Keys. */
    {"--key-prefix", no_such},
    {"--key-minimum", "is not an option here; use --keyspace-offset."},
    {"--key-maximum", "is not an option here; use --random or --sequential with a keyspace."},
    {"--key-pattern", "is not an option here; use --random or --sequential."},
    {"--key-stddev", not_yet},
    {"--key-median", not_yet},
    {"--key-zipf-exp", not_yet},
    {"--randomize", "is not an option here; every run has its own --seed unless you give one."},
    {"--distinct-client-seed", "is not needed: every request draws its own key; see --seed."},

    /* Values. */
    {"--data-size", "is not an option here; use --datasize."},
    {"--data-size-range", not_yet},
    {"--data-size-list", not_yet},
    {"--data-size-pattern", not_yet},
    {"--data-offset", no_such},
    {"-R", no_such},
    {"--random-data", no_such},
    {"--expiry-range", no_such},
    {"--no-expiry", no_such},
    {"--data-import", no_such},
    {"--data-verify", no_such},
    {"--verify-only", no_such},
    {"--generate-keys", no_such},
    {"--dataset", no_such},
    {"--maxdocs", no_such},

    /* Output. */
    {"--csv", "is not an option here; use --interval-metrics-interval-duration-sec."},
    {"--precision", "is not an option here: latencies are kept to three digits or better."},
    {"-e", "is not needed: the report counts errors by kind."},
    {"-o", "is not an option here; redirect stdout."},
    {"--out-file", "is not an option here; redirect stdout."},
    {"--json-out-file", no_such},
    {"--hdr-file-prefix", no_such},
    {"--client-stats", no_such},
    {"--hide-histogram", "is not an option here: the distribution is part of the report."},
    {"--print-percentiles", "is not an option here: the report's percentiles are fixed."},
    {"--print-all-runs", "is not an option here: start the program once for each run."},
    {"--show-throughput", "is not needed: progress shows the rate once a second."},
    {"-D", "is not an option here; use --debug."},
    {"--statsd-host", no_such},
    {"--statsd-port", no_such},
    {"--statsd-prefix", no_such},
    {"--statsd-run-label", no_such},
    {"--graphite-port", no_such},

    /* Engines and client libraries. */
    {"--cores", "is not an option here; use --cpus."},
    {"--driver", not_yet},
    {"--glide-library", not_yet},
    {"--glide-clients", not_yet},
    {"--glide-log-level", not_yet},
};

bool foreign_explain(struct str option, struct err *err)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_equal(option, str_of(table[i].option))) {
            err_set(err, "%s %s", table[i].option, table[i].rest);
            return true;
        }
    return false;
}
