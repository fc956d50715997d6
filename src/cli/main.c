/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * valkey-polyglot: composes the program and nothing else. The only place that prints a failure and
 * the only one that exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/config.h"
#include "client/glide_library.h"
#include "io/probe.h"
#include "io/tls_context.h"
#include "run/describe.h"
#include "run/files.h"
#include "run/local_server.h"
#include "run/monitor.h"
#include "run/signals.h"

static const char program_doc[] = "Benchmarks Valkey and Redis: throughput, latencies that a user "
                                  "would have felt, and an account "
                                  "of every request.";

static const char version_text[] = "valkey-polyglot " PROGRAM_VERSION;

/* What a run holds on to; each part is released wherever the run ended. */
struct session {
    const struct config *config;
    struct plan plan;
    struct board board;
    struct crew *crew;
    struct local_server *server;
    struct cluster *cluster;  /* owned; NULL: none */
    char *prepared;           /* owned; of the file of custom commands; NULL: nothing */
    struct glide_facts glide; /* what `plan` borrows its path from */
    struct report_sink *sinks[3];
    int signal_fd;
    int worker_fd;
    bool hung; /* threads of workers that hang may be using all of this */
};

/* What can be used here and now, not what was built in. */
static void print_engines(void)
{
    const struct engine_config wanted = {.choice = ENGINE_URING};
    struct engine engine;

    engine_choose(&engine, &wanted);
    printf("I/O engines: epoll%s%s\n", engine.note[0] ? "" : ", ",
           engine.note[0] ? "" : engine.name);
    printf("liburing: %s\n", engine_library());
    if (engine.note[0])
        printf("%s\n", engine.note);
}

static void print_languages(void)
{
    struct err err;

    for (const struct script_language *language = script_languages; language->name; language++) {
        const struct script_host *host = script_language_host(language, &err);

        printf("custom commands in %s: %s\n", language->name, host ? host->library() : err.text);
    }
}

/* Looks where a run without --glide-library would. */
static void print_drivers(void)
{
    const struct glide_config wanted = {0};
    struct glide_facts facts;
    struct err err;

    if (glide_library_look(&facts, &wanted, &err) == 0)
        printf("drivers: native, glide\nvalkey-GLIDE: 2.%u (%s)\n", facts.minor, facts.path);
    else
        printf("drivers: native, glide\nvalkey-GLIDE: none\n%s\n", err.text);
}

static void print_version(void)
{
    printf("%s\n", version_text);
    printf("compiled by: %s\n", __VERSION__);
    print_engines();
    printf("TLS: %s\n", tls_library());
    print_languages();
    print_drivers();
}

/* In CSV mode stdout carries the CSV and nothing else. */
static void open_sinks(struct session *session)
{
    const struct report_config *report = &session->config->report;
    unsigned count = 0;

    if (report->interval_ns)
        session->sinks[count++] = report_csv_create(stdout, report->interval_ns);
    if (!report->interval_ns || !report->quiet)
        session->sinks[count++] =
            report_text_create(report->interval_ns ? stderr : stdout, !report->quiet);
    for (unsigned i = 0; i < count; i++)
        session->sinks[i]->stop_fd = session->signal_fd;
}

/* From here on signals are the monitor's; until then a Ctrl-C ends the program by itself. */
static int take_signals(struct session *session, struct err *err)
{
    if (session->signal_fd < 0)
        session->signal_fd = signals_open(err);
    return session->signal_fd < 0 ? session->signal_fd : 0;
}

/* NULL without TLS. */
static int make_tls(struct tls_context **tls, const struct plan *plan, struct err *err)
{
    *tls = NULL;
    return plan->tls.on ? tls_context_create(tls, &plan->tls, plan->endpoint.host, err) : 0;
}

static int probe(struct plan *plan, struct err *err)
{
    struct tls_context *tls;

    int rc = make_tls(&tls, plan, err);
    if (rc == 0)
        rc = probe_server(&plan->endpoint, &plan->opening, tls, plan->connect_timeout_ns, err);
    if (tls)
        snprintf(plan->tls_agreed, sizeof plan->tls_agreed, "%s", tls_context_agreed(tls));
    tls_context_destroy(&tls);
    return rc;
}

static int know_cluster(struct session *session, struct err *err)
{
    struct plan *plan = &session->plan;
    struct tls_context *tls;

    int rc = make_tls(&tls, plan, err);
    if (rc < 0)
        return rc;
    const struct cluster_setup setup = {.endpoint = &plan->endpoint,
                                        .opening = &plan->opening,
                                        .tls = tls,
                                        .timeout_ns = plan->connect_timeout_ns,
                                        .readers = plan->workers};
    rc = cluster_create(&session->cluster, &setup, err);
    tls_context_destroy(&tls);
    plan->cluster = session->cluster;
    return rc;
}

/* The cluster that the server is a node of: its topology known, and files for all connections. */
static int reach_cluster(struct session *session, struct err *err)
{
    struct plan *plan = &session->plan;

    const int rc = know_cluster(session, err);
    if (rc < 0)
        return rc;
    if (plan_reads_replicas(plan)) {
        session_opening_add_readonly(&plan->opening);
        const int refused = probe(plan, err);
        if (refused < 0)
            return refused;
    }
    /* Nodes may join. */
    return files_allow(plan_connections_of(plan, plan->ramp.clients.end), plan->processes,
                       plan->workers, true, err);
}

/* A server of the run's own, whose port and authority are put where the user would name them. */
static int start_server(struct session *session, struct endpoint_config *endpoint, struct err *err)
{
    const struct config *config = session->config;
    struct plan *plan = &session->plan;

    /* Before there is something that a run, however short, is to end and to clean up. */
    int rc = take_signals(session, err);
    if (rc < 0)
        return rc;
    const struct local_server_setup setup = {
        .program = config->run.local_server_program,
        .port = (uint16_t)endpoint->port,
        .clients = (unsigned)plan->ramp.clients.end,
        .cluster = config->client.cluster,
        .replicas = plan_reads_replicas(plan),
        .tls = plan->tls.on,
        .stop_fd = session->signal_fd,
    };
    rc = local_server_start(&session->server, &setup, err);
    if (rc < 0)
        return rc;
    endpoint->port = local_server_port(session->server);
    plan->tls.cacert = local_server_cacert(session->server);
    return 0;
}

/* The server of the run: its address known, and one connection to it tried. */
static int reach_server(struct session *session, struct err *err)
{
    const struct config *config = session->config;
    struct endpoint_config endpoint = config->endpoint;

    int rc = config->run.local_server ? start_server(session, &endpoint, err) : 0;
    if (rc < 0)
        return rc;
    rc = endpoint_resolve(&session->plan.endpoint, &endpoint, err);
    if (rc < 0)
        return rc;
    rc = probe(&session->plan, err);
    if (rc < 0 || !config->client.cluster)
        return rc;
    return reach_cluster(session, err);
}

/* A host in a module has nothing to prepare: it is not loaded here, but once a process. */
static int prepare_script(struct session *session, struct err *err)
{
    struct plan *plan = &session->plan;
    const struct script_host *host = plan->language ? plan->language->host : NULL;

    if (!host || !host->prepare)
        return 0;
    const int rc = host->prepare(&plan->script, &session->prepared, err);
    plan->script.prepared = session->prepared;
    return rc;
}

/* Everything that must be there before a process or a thread is made. */
static int prepare(struct session *session, struct err *err)
{
    const struct plan *plan = &session->plan;

    int rc = prepare_script(session, err);
    if (rc < 0)
        return rc;
    rc = files_allow(plan_connections_of(plan, plan->ramp.clients.end), plan->processes,
                     plan->workers, false, err);
    if (rc < 0)
        return rc;
    rc = reach_server(session, err);
    if (rc < 0)
        return rc;
    rc = take_signals(session, err);
    if (rc < 0)
        return rc;
    session->worker_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->worker_fd < 0)
        return err_sys(err, "Could not make an eventfd");
    return board_init(&session->board, plan->workers, err);
}

static enum run_exit run(struct session *session, struct err *err)
{
    const int rc = prepare(session, err);
    if (rc < 0) {
        cluster_destroy(&session->cluster);
        return rc == -EINTR ? RUN_INTERRUPTED : RUN_NOT_STARTED;
    }
    if (crew_start(&session->crew, &session->plan, &session->board, session->worker_fd, err) < 0)
        return RUN_NOT_STARTED;
    open_sinks(session);
    const struct monitor_setup setup = {.plan = &session->plan,
                                        .board = &session->board,
                                        .crew = session->crew,
                                        .log = &session->config->log,
                                        .version = version_text,
                                        .sinks = session->sinks,
                                        .signal_fd = session->signal_fd,
                                        .worker_fd = session->worker_fd};
    const struct monitor_result result = monitor_run(&setup, err);
    session->hung = result.hung;
    if (result.hung) {
        crew_abandon(&session->crew);
    } else {
        crew_join(&session->crew);
        board_deinit(&session->board);
        cluster_destroy(&session->cluster);
    }
    return result.exit;
}

static void release(struct session *session)
{
    for (unsigned i = 0; session->sinks[i]; i++)
        report_destroy(&session->sinks[i]);
    local_server_stop(&session->server);
    if (session->hung)
        return;
    session_opening_deinit(&session->plan.opening);
    free(session->prepared);
    if (session->worker_fd >= 0)
        close(session->worker_fd);
    if (session->signal_fd >= 0)
        close(session->signal_fd);
}

/* What is done otherwise than it was asked for. */
static void tell_notes(const struct plan *plan)
{
    if (plan->engine.note[0])
        fprintf(stderr, "Note: %s\n", plan->engine.note);
    if (plan->folded)
        fprintf(stderr,
                "Note: a process runs %s in one worker, which has all its clients: --threads says "
                "nothing here, --processes does.\n",
                plan->language->name);
    if (plan->wanted_workers > plan->workers)
        fprintf(stderr, "Note: %u of %u workers are started: each needs a client of its own.\n",
                plan->workers, plan->wanted_workers);
}

/* Ends what was printed without a run. */
static enum run_exit finish_print(struct err *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return RUN_COMPLETE;
    err_set(err, "Could not write to stdout.");
    return RUN_NOT_STARTED;
}

static enum run_exit show_config(struct session *session, struct err *err)
{
    struct endpoint *endpoint = &session->plan.endpoint;

    if (endpoint_resolve(endpoint, &session->config->endpoint, err) < 0)
        return RUN_NOT_STARTED;
    if (session->config->run.local_server)
        snprintf(endpoint->name, sizeof endpoint->name, "a local one, on a free port");
    describe_plan(&session->plan, stdout);
    return finish_print(err);
}

/* Why there was no run, if that is so. */
static void say_why(enum run_exit exit_code, const struct err *err)
{
    if (exit_code == RUN_NOT_STARTED && err->text[0])
        fprintf(stderr, "%s\n", err->text);
}

/* What carries the requests: GLIDE's library, whose workers only sleep in their loops, or a loop.
 */
static int choose_driver(struct session *session, struct err *err)
{
    static const struct engine_config to_sleep = {.choice = ENGINE_EPOLL};
    const struct config *config = session->config;
    struct plan *plan = &session->plan;

    if (plan->client.driver == DRIVER_NATIVE) {
        engine_choose(&plan->engine, &config->engine);
        return 0;
    }
    engine_choose(&plan->engine, &to_sleep);
    const int rc = glide_library_look(&session->glide, &plan->client.glide, err);
    if (rc < 0)
        return rc;
    plan->client.glide.library = session->glide.path;
    plan->glide_minor = session->glide.minor;
    if (config->endpoint.socket && session->glide.minor < GLIDE_MINOR_SOCKETS)
        return err_set(err,
                       "--socket needs valkey-GLIDE 2.%u, and %s is 2.%u; scripts/fetch-glide gets "
                       "a newer one.",
                       GLIDE_MINOR_SOCKETS, session->glide.path, session->glide.minor);
    return 0;
}

/* With a sentence in `err` when something went wrong before there could be a report. */
static enum run_exit session_main(const struct config *config, struct err *err)
{
    struct session session = {.config = config, .signal_fd = -1, .worker_fd = -1};
    const struct plan_input input = config_plan_input(config);

    enum run_exit exit_code;

    if (plan_init(&session.plan, &input, err) < 0 || choose_driver(&session, err) < 0)
        return RUN_NOT_STARTED;
    session.plan.tls = config->tls;
    session.plan.print_fd = config->report.interval_ns ? STDERR_FILENO : STDOUT_FILENO;
    session_opening_init(&session.plan.opening, &config->session);
    if (config->program.show_config) {
        exit_code = show_config(&session, err);
    } else {
        tell_notes(&session.plan);
        exit_code = run(&session, err);
    }
    release(&session);
    if (session.hung) {
        /* What they use lies in the frames of functions here, too: none returns. */
        say_why(exit_code, err);
        fflush(NULL);
        _exit((int)exit_code);
    }
    return exit_code;
}

static enum run_exit options_main(struct options *options, struct script_options *script, int argc,
                                  char **argv, struct err *err)
{
    struct config config = {0};
    const int rc = options_parse(options, &config, argc, argv, err);

    if (config.program.help) {
        options_print_help(options, "valkey-polyglot", stdout);
        return finish_print(err);
    }
    if (script->failed)
        *err = script->err; /* what the command line lacks for it is no fault of the user's */
    if (rc < 0 || script->failed)
        return RUN_NOT_STARTED;
    if (config.program.version) {
        print_version();
        return finish_print(err);
    }
    script_options_settle(script, options, &config.script_texts, &config.script);
    const bool settled = config_settle(&config, options, err) == 0;
    const enum run_exit exit_code = settled ? session_main(&config, err) : RUN_NOT_STARTED;
    config_deinit(&config);
    return exit_code;
}

/* A descriptor that the caller has closed would be the first socket's, and what is printed a
 * request. */
static void open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            _exit(RUN_NOT_STARTED);
}

int main(int argc, char **argv)
{
    open_standard_files();
    struct script_options script = {0};
    struct err err = {0};

    script_options_read(&script, config_tables, offsetof(struct config, script_texts), argc, argv);
    struct options *options = options_create(script.tables, program_doc);
    if (script.heading)
        options_set_heading(options, OPTION_SCRIPT, script.heading);
    const enum run_exit exit_code = options_main(options, &script, argc, argv, &err);

    say_why(exit_code, &err);
    options_destroy(&options);
    script_options_deinit(&script);
    return (int)exit_code;
}
