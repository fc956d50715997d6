/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/config.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"

#define FIELD(member) offsetof(struct program_config, member)

/* clang-format off */
static const struct option_spec program_options[] = {
    {.name = "help", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(help), .help = "print this help"},
    {.name = "version", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(version), .help = "print the versions of the program and what it is made of"},
    {.name = "show-config", .group = OPTION_OUTPUT, .read = option_read_switch,
     .offset = FIELD(show_config),
     .help = "print the effective settings and their split over workers, without a run"},
    {0},
};

const struct option_table config_tables[] = {
    {program_options, offsetof(struct config, program)},
    {endpoint_options, offsetof(struct config, endpoint)},
    {session_options, offsetof(struct config, session)},
    {tls_options, offsetof(struct config, tls)},
    {engine_options, offsetof(struct config, engine)},
    {source_options, offsetof(struct config, source)},
    {keyspace_options, offsetof(struct config, source.keys)},
    {script_options, offsetof(struct config, script)},
    {client_options, offsetof(struct config, client)},
    {glide_options, offsetof(struct config, client.glide)},
    {rate_options, offsetof(struct config, rate)},
    {client_ramp_options, offsetof(struct config, ramp)},
    {run_options, offsetof(struct config, run)},
    {report_options, offsetof(struct config, report)},
    {log_options, offsetof(struct config, log)},
    {NULL, 0},
};
/* clang-format on */

/* Refuses an option beside another that says the same or the opposite. */
static int exclude(const struct options *options, const char *one, const char *const *others,
                   struct err *err)
{
    for (; options_given(options, one) && *others; others++)
        if (options_given(options, *others))
            return err_set(err, "--%s and --%s exclude one another: leave out one of the two.", one,
                           *others);
    return 0;
}

/* What else it says may hold a password, and is not repeated. */
static int refuse_uri(const char *option, const char *text, struct err *err)
{
    if (!text || !strstr(text, "://"))
        return 0;
    return err_set(err, "--%s takes no URI: give it to -u/--uri.", option);
}

static int check_server(const struct config *config, const struct options *options, struct err *err)
{
    static const char *const all[] = {"host", "port", "socket", "user", "pass", "dbnum", NULL};
    static const char *const not_local[] = {"host", "uri", "socket", "user", "pass", NULL};
    static const char *const address[] = {"host", "port", NULL};
    int rc = exclude(options, "uri", all, err);

    if (rc == 0)
        rc = refuse_uri("host", config->endpoint.host, err);
    if (rc == 0)
        rc = refuse_uri("socket", config->endpoint.socket, err);
    if (rc == 0)
        rc = exclude(options, "socket", address, err);
    if (rc < 0 || !config->run.local_server)
        return rc;
    for (const char *const *name = not_local; *name; name++)
        if (options_given(options, *name))
            return err_set(err,
                           "--local-server starts its own server on 127.0.0.1, without a "
                           "password: leave out --%s.",
                           *name);
    return 0;
}

static int check_pairs(const struct config *config, const struct options *options, struct err *err)
{
    const bool keyspace = config->source.keys.random || config->source.keys.sequential;

    if (options_given(options, "keyspace-offset") && !keyspace)
        return err_set(err, "--keyspace-offset needs a keyspace: -r/--random or --sequential.");
    if (options_given(options, "clients") && client_ramp_wanted(&config->ramp))
        return err_set(err, "-c/--clients and a client ramp exclude one another: leave out one of "
                            "-c and --clients-ramp-start.");
    if (config->run.single_process && options_given(options, "processes") &&
        config->run.processes != 1)
        return err_set(err, "--single-process is --processes 1: leave out one of the two.");
    if (!config->client.keepalive && options_given(options, "reconnect-interval"))
        return err_set(err,
                       "-k/--keepalive 0 is --reconnect-interval 1: leave out one of the two.");
    if (config->client.read_from_replica && !config->client.cluster)
        return err_set(err, "--read-from-replica reads from the replicas of a cluster: add "
                            "--cluster, or leave it out.");
    return check_server(config, options, err);
}

/* What the library of the other driver cannot do, or does by itself. */
static int check_driver(const struct config *config, const struct options *options, struct err *err)
{
    static const char *const glide[] = {"glide-library", "glide-clients", "glide-log-level", NULL};
    static const struct {
        const char *option, *why;
    } refused[] = {
        {"io", "it does its own I/O"},
        {"reconnect-interval", "it keeps its connections"},
        {"cacertdir", "it takes certificates from a file (--cacert)"},
        {"sni", "it asks for the name that it connects to"},
        {"tls-ciphers", "it chooses ciphers itself"},
        {"tls-ciphersuites", "it chooses ciphers itself"},
    };

    for (const char *const *name = glide; config->client.driver == DRIVER_NATIVE && *name; name++)
        if (options_given(options, *name))
            return err_set(err, "--%s needs --driver glide.", *name);
    if (config->client.driver == DRIVER_NATIVE)
        return 0;
    for (size_t i = 0; i < COUNT(refused); i++)
        if (options_given(options, refused[i].option))
            return err_set(err, "valkey-GLIDE cannot be given --%s: %s. Leave it out.",
                           refused[i].option, refused[i].why);
    if (!config->client.keepalive)
        return err_set(err, "valkey-GLIDE keeps its connections: leave out -k 0.");
    if (!config->client.request_timeout_ns)
        return err_set(err, "valkey-GLIDE always limits how long a reply may take: "
                            "--request-timeout must not be 0.");
    if (!config->endpoint.connect_timeout_ns)
        return err_set(err, "valkey-GLIDE always limits how long a connection may take to open: "
                            "--connection-timeout must not be 0.");
    return 0;
}

static int take_uri(struct config *config, struct err *err)
{
    struct uri *uri = &config->uri;
    const int rc = uri_parse(uri, config->session.uri, err);

    if (rc < 0)
        return rc;
    config->tls.on |= uri->tls;
    config->endpoint.from = "--uri";
    config->endpoint.socket = uri->socket;
    if (uri->host)
        config->endpoint.host = uri->host;
    if (uri->port)
        config->endpoint.port = uri->port;
    config->session.user = uri->user;
    config->session.password = uri->password;
    config->session.password_from = "--uri";
    config->session.db = uri->db;
    return 0;
}

static int settle_session(struct config *config, struct err *err)
{
    struct session_config *session = &config->session;

    session->password_from = "--pass";
    const int rc = session->uri ? take_uri(config, err) : 0;
    if (rc < 0)
        return rc;
    if (!config->run.local_server)
        session_take_environment(session);
    if (session->user && !session->password)
        return err_set(err, "--user needs a password: --pass, or the variable VALKEYCLI_AUTH.");
    return 0;
}

static int check_tls(const struct config *config, struct err *err)
{
    if (config->run.local_server && (config->tls.cacert || config->tls.cacertdir))
        return err_set(err,
                       "--local-server makes its certificates, and trusts them: leave out --%s.",
                       config->tls.cacert ? "cacert" : "cacertdir");
    if (config->tls.on && config->endpoint.socket)
        return err_set(err, "--tls needs a host: no server speaks TLS on a Unix socket.");
    return tls_config_check(&config->tls, err);
}

static int settle_script(struct config *config, const struct options *options, struct err *err)
{
    if (config->script.file && !options_given(options, "type"))
        config->source.type = "custom";
    const bool custom = strcasecmp(config->source.type, "custom") == 0;
    if (custom && !config->script.file)
        return err_set(err, "-t/--type custom needs a file of custom commands: "
                            "--custom-command-file FILE.");
    if (custom)
        return 0;
    if (config->script.file)
        return err_set(err, "--custom-command-file is for -t custom: leave it out, or -t %s.",
                       config->source.type);
    if (config->script.args)
        return err_set(err, "--custom-command-args is for -t custom with --custom-command-file.");
    return 0;
}

int config_settle(struct config *config, const struct options *options, struct err *err)
{
    int rc = check_pairs(config, options, err);

    if (rc == 0)
        rc = check_driver(config, options, err);
    if (rc == 0)
        rc = settle_session(config, err);
    if (rc == 0)
        rc = check_tls(config, err);
    if (rc == 0)
        rc = settle_script(config, options, err);
    if (rc < 0)
        return rc;
    if (config->run.duration_ns && !options_given(options, "requests"))
        config->run.requests = 0;
    if (!config->client.keepalive)
        config->client.reconnect_interval = 1;
    if (config->run.local_server && !options_given(options, "port"))
        config->endpoint.port = 0;
    if (!options_given(options, "seed"))
        /* Short enough to be typed again. */
        config->source.keys.seed =
            rng_mix(clock_unix_ns() ^ ((uint64_t)getpid() << 32)) % UINT64_C(1000000000);
    return 0;
}

void config_deinit(struct config *config)
{
    uri_deinit(&config->uri);
}

struct plan_input config_plan_input(const struct config *config)
{
    return (struct plan_input){.run = &config->run,
                               .endpoint = &config->endpoint,
                               .source = &config->source,
                               .script = &config->script,
                               .client = &config->client,
                               .rate = &config->rate,
                               .ramp = &config->ramp};
}
