/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

enum { MAX_ARGS = 12 };

struct net {
    const char *host;
    uint64_t port;
    const char *program;
};

struct load {
    uint64_t clients;
    uint64_t requests;
    uint64_t timeout_ns;
    uint64_t offset;
    uint64_t rate;
    bool quiet;
    bool verbose;
};

struct whole {
    uint64_t before; /* so that no table starts at offset 0 */
    struct net net;
    struct load load;
};

static const struct option_spec net_options[] = {
    {"host", "Hh", OPTION_BASIC, option_read_text, offsetof(struct net, host), "127.0.0.1", "NAME",
     "server host", 0, 0, NULL},
    {"port", "p", OPTION_BASIC, option_read_count, offsetof(struct net, port), "6379", "N",
     "server port", 1, 65535, NULL},
    {"local-server", NULL, OPTION_ADVANCED, option_read_text, offsetof(struct net, program), NULL,
     "[PROGRAM]", "start a server for this run", 0, 0, NULL},
    {0},
};

static const struct option_spec load_options[] = {
    {"clients", "c", OPTION_BASIC, option_read_count, offsetof(struct load, clients), "50", "N",
     "parallel clients in all", 1, 0, NULL},
    {"requests", "n", OPTION_BASIC, option_read_count, offsetof(struct load, requests), "100k", "N",
     "requests in all", 1, 0, NULL},
    {"request-timeout", NULL, OPTION_TIMEOUTS, option_read_millis,
     offsetof(struct load, timeout_ns), "5000", "MS",
     "how long to wait for a reply, a help text of so many words that it is wrapped", 0, 0, NULL},
    {"keyspace-offset", NULL, OPTION_ADVANCED, option_read_count, offsetof(struct load, offset),
     "0", "N", "first key", 0, 0, NULL},
    {"qps", NULL, OPTION_RATE, option_read_rate, offsetof(struct load, rate), NULL, "N",
     "requests a second in all", 1, 0, NULL},
    {"quiet", "q", OPTION_OUTPUT, option_read_switch, offsetof(struct load, quiet), NULL, NULL,
     "final report only", 0, 0, NULL},
    {"verbose", "v", OPTION_OUTPUT, option_read_switch, offsetof(struct load, verbose), NULL, NULL,
     "say more", 0, 0, NULL},
    {0},
};

static const struct option_table tables[] = {
    {net_options, offsetof(struct whole, net)},
    {load_options, offsetof(struct whole, load)},
    {0},
};

/* Parses the words of `args`, which end with NULL, behind a program's name. */
static int parse(struct options *options, struct whole *config, const char *const *args,
                 struct err *err)
{
    char *argv[MAX_ARGS + 2] = {strdup("program")};
    int argc = 1;

    memset(config, 0, sizeof *config);
    *err = (struct err){""};
    for (; args[argc - 1] != NULL; argc++)
        argv[argc] = (char *)args[argc - 1];
    const int code = options_parse(options, config, argc, argv, err);
    free(argv[0]);
    return code;
}

static int set_up(void **state)
{
    *state = options_create(tables, "Loads a server.");
    return 0;
}

static int tear_down(void **state)
{
    struct options *options = *state;

    options_destroy(&options);
    assert_null(options);
    options_destroy(&options);
    return 0;
}

static void test_defaults(void **state)
{
    struct whole c;
    struct err err;

    assert_int_equal(parse(*state, &c, (const char *[]){NULL}, &err), 0);
    assert_string_equal(c.net.host, "127.0.0.1");
    assert_int_equal(c.net.port, 6379);
    assert_null(c.net.program);
    assert_int_equal(c.load.clients, 50);
    assert_int_equal(c.load.requests, 100000);
    assert_int_equal(c.load.timeout_ns, 5000000000);
    assert_int_equal(c.load.rate, 0);
    assert_false(c.load.quiet);
    assert_int_equal(c.before, 0);
    assert_false(options_given(*state, "host"));
    assert_false(options_given(*state, "quiet"));

    char *none[] = {NULL};
    assert_int_equal(options_parse(*state, &c, 0, none, &err), 0);
}

static void test_spellings_of_a_value(void **state)
{
    static const char *const spellings[][MAX_ARGS] = {
        {"-c", "7"},  {"-c7"},  {"--clients", "7"}, {"--clients=7"},    {"--cl=7"},    {"--c", "7"},
        {"-qc", "7"}, {"-qc7"}, {"-vq", "-c7"},     {"-c", "9", "-c7"}, {"-c7", "--"},
    };

    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct whole c;
        struct err err;
        if (parse(*state, &c, spellings[i], &err) != 0)
            fail_msg("%s: %s", spellings[i][0], err.text);
        assert_int_equal(c.load.clients, 7);
        assert_true(options_given(*state, "clients"));
        assert_false(options_given(*state, "port"));
    }
}

static void test_everything_at_once(void **state)
{
    static const char *const args[] = {
        "-h",
        "::1",
        "-qvp1",
        "--requests=2k",
        "--request-timeout",
        "0",
        "--qps=0.5",
        "--local-server",
        NULL,
    };
    struct whole c;
    struct err err;

    assert_int_equal(parse(*state, &c, args, &err), 0);
    assert_string_equal(c.net.host, "::1");
    assert_int_equal(c.net.port, 1);
    assert_string_equal(c.net.program, "");
    assert_int_equal(c.load.requests, 2000);
    assert_int_equal(c.load.timeout_ns, 0);
    assert_int_equal(c.load.rate, 500000);
    assert_true(c.load.quiet);
    assert_true(c.load.verbose);
    assert_true(options_given(*state, "request-timeout"));

    /* A second parse knows nothing of the first. */
    assert_int_equal(parse(*state, &c, (const char *[]){NULL}, &err), 0);
    assert_false(options_given(*state, "host"));
    assert_false(c.load.quiet);
}

static void test_optional_value_is_glued(void **state)
{
    struct whole c;
    struct err err;

    assert_int_equal(parse(*state, &c, (const char *[]){"--local-server=/bin/x", NULL}, &err), 0);
    assert_string_equal(c.net.program, "/bin/x");
    assert_int_not_equal(parse(*state, &c, (const char *[]){"--local-server", "x", NULL}, &err), 0);
    assert_string_equal(err.text, "Unexpected argument \"x\"; see --help.");
}

/* A host may look like an option: what needs a value takes the next word. */
static void test_value_with_a_dash(void **state)
{
    struct whole c;
    struct err err;

    assert_int_equal(parse(*state, &c, (const char *[]){"-H", "--quiet", NULL}, &err), 0);
    assert_string_equal(c.net.host, "--quiet");
    assert_false(c.load.quiet);
}

struct refusal {
    const char *sentence;
    const char *args[MAX_ARGS];
};

static const struct refusal refusals[] = {
    /* Unknown. */
    {"Unknown option --foo; see --help.", {"--foo"}},
    {"Unknown option --foo; see --help.", {"--foo=1", "-q"}},
    {"Unknown option --foo; see --help.", {"-q", "-c", "5", "--foo", "--bar"}},
    {"Unknown option --clientsx; see --help.", {"--clientsx=5"}},
    {"Unknown option --Clients; see --help.", {"--Clients=5"}},
    {"Unknown option --=5; see --help.", {"--=5"}},
    {"Unknown option -Z; see --help.", {"-Z"}},
    {"Unknown option -Z; see --help.", {"-qZ"}},
    {"Unknown option -Z; see --help.", {"-qZv"}},
    {"Unknown option -Z; see --help.", {"-qZv", "-Y"}},
    {"Unknown option -Z; see --help.", {"-q", "-vZ", "-Yq"}},
    {"Unknown option -Z; see --help.", {"-Zq", "-Yq"}},
    {"Unknown option -Z; see --help.", {"-qv", "-Zc", "5"}},
    {"Unknown option -=; see --help.", {"-q=1"}},
    {"Unknown option -:; see --help.", {"-:"}},
    {"Unknown option -;; see --help.", {"-;"}},
    {"Unknown option -?; see --help.", {"-?"}},
    {"Unknown option --; see --help.", {"-q-"}},
    {"Unknown option -q\xc3\xa9; see --help.", {"-q\xc3\xa9"}},
    {"Unknown option --a?b; see --help.", {"--a\nb"}},
    /* Ambiguous. */
    {"--req is ambiguous: --requests, --request-timeout.", {"--req", "5"}},
    {"--request is ambiguous: --requests, --request-timeout.", {"-q", "--request=5"}},
    {"--q is ambiguous: --qps, --quiet.", {"--q"}},
    /* A value missing or needless. */
    {"--port needs a value.", {"--port"}},
    {"--port needs a value.", {"-q", "--po"}},
    {"-p/--port needs a value.", {"-p"}},
    {"-p/--port needs a value.", {"-qp"}},
    {"-h is the host; use --help.", {"-h"}},
    {"-h is the host; use --help.", {"-c5", "-qh"}},
    {"-H/--host needs a value.", {"-H"}},
    {"--quiet takes no value.", {"--quiet=yes"}},
    {"--quiet takes no value.", {"-q", "--qui="}},
    /* A value that is wrong. */
    {"--port must be a whole number from 1 to 65535, not \"70000\".", {"--port", "70000"}},
    {"--port must be a whole number from 1 to 65535, not \"\".", {"--port="}},
    {"--port must be a whole number from 1 to 65535, not \"\".", {"-p", ""}},
    {"--port must be a whole number from 1 to 65535, not \"ort\".", {"-port", "5"}},
    {"--port must be a whole number from 1 to 65535, not \"-1\".", {"-p", "-1", "--foo"}},
    {"--port must be a whole number from 1 to 65535, not \"1?\".", {"-qp1\n"}},
    {"--clients must be a whole number of at least 1, not \" 5\".", {"-c", " 5"}},
    {"--clients must be a whole number of at least 1, not \"+5\".", {"-c+5"}},
    {"--clients must be a whole number of at least 1, not \"=5\".", {"-c=5"}},
    {"--clients must be a whole number of at least 1, not \"1e3\".", {"-c", "1e3"}},
    {"--clients must be a whole number of at least 1, not \"10x\".", {"-c7", "-c", "10x", "-c7"}},
    {"--clients must be a whole number of at least 1, not \"99999999999999999999\".",
     {"-c", "99999999999999999999"}},
    {"--qps must be a number above 0 with at most 6 decimals, not \"x\".", {"--qps", "x"}},
    /* What is no option. */
    {"Unexpected argument \"foo\"; see --help.", {"foo"}},
    {"Unexpected argument \"foo\"; see --help.", {"-q", "foo", "-c", "x"}},
    {"Unexpected argument \"-c\"; see --help.", {"--", "-c", "5"}},
    {"Unexpected argument \"-\"; see --help.", {"-"}},
    {"Unexpected argument \"\"; see --help.", {""}},
    {"Unexpected argument \"5\"; see --help.", {"-h", "-c", "5"}},
    {"Unexpected argument; a URI is the value of --uri.", {"valkey://:secret@h"}},
    /* Options of other tools. */
    {"--rps is not an option here; use --qps.", {"--rps", "100"}},
    {"--rps is not an option here; use --qps.", {"-q", "--rps=100"}},
    {"--duration is not an option here; use --test-duration.", {"--duration=5"}},
    {"-D is not an option here; use --debug.", {"-qD", "secret"}},
    {"--fuzz has no counterpart here.", {"--fuzz"}},
    {"-x is not an option here: start the program once for each run.", {"-x3"}},
};

static void test_refusals(void **state)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct whole c;
        struct err err;
        if (parse(*state, &c, refusals[i].args, &err) >= 0)
            fail_msg("not refused: %s", refusals[i].sentence);
        assert_string_equal(err.text, refusals[i].sentence);
    }
}

static const struct option_spec fuzzy_options[] = {
    {"fuzzy", NULL, OPTION_BASIC, option_read_count, 0, "0", "N", "how blurred", 0, 0, NULL},
    {0},
};

/* A name of another tool's that is the beginning of ours is still theirs. */
static void test_a_foreign_name_is_no_prefix(void **state)
{
    static const struct option_table fuzzy_tables[] = {{fuzzy_options, 0}, {0}};
    static const char *const cases[][3] = {{"--fuzz", "5"}, {"--fuzz=5"}};
    struct options *options = options_create(fuzzy_tables, "");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct whole c;
        struct err err;

        assert_true(parse(options, &c, cases[i], &err) < 0);
        assert_string_equal(err.text, "--fuzz has no counterpart here.");
    }
    options_destroy(&options);
}

static void test_a_prefix_of_one_name_is_not_foreign(void **state)
{
    struct whole c;
    struct err err;

    assert_int_equal(parse(*state, &c, (const char *[]){"--keys=5", NULL}, &err), 0);
    assert_int_equal(c.load.offset, 5);
}

static void test_given_before_a_fault(void **state)
{
    struct whole c;
    struct err err;

    assert_int_not_equal(parse(*state, &c, (const char *[]){"-q", "--foo", "-v", NULL}, &err), 0);
    assert_true(options_given(*state, "quiet"));
    assert_false(options_given(*state, "verbose"));
}

static void test_a_long_word_is_cut(void **state)
{
    char word[2000];
    struct whole c;
    struct err err;

    memset(word, 'a', sizeof word);
    memcpy(word, "--", 2);
    word[sizeof word - 1] = '\0';
    assert_int_not_equal(parse(*state, &c, (const char *[]){word, NULL}, &err), 0);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(strncmp(err.text, "Unknown option --aaa", 20), 0);
}

struct safe {
    const char *word;
    bool quiet;
};

static const struct option_spec safe_options[] = {
    {"word", "w", OPTION_BASIC, option_read_secret, offsetof(struct safe, word), NULL, "WORD",
     "nobody is to see", 0, 0, NULL},
    {"quiet", "q", OPTION_BASIC, option_read_switch, offsetof(struct safe, quiet), NULL, NULL,
     "say less", 0, 0, NULL},
    {0},
};

/* What `ps` shows of a secret is stars, however it was given; its value is there all the same. */
static void test_secrets_leave_argv(void **state)
{
    static const struct option_table safe_tables[] = {{safe_options, 0}, {0}};
    static const struct {
        const char *given[3], *shown[3];
    } cases[] = {
        {{"--word", "secret"}, {"--word", "******"}},
        {{"--word=secret", "-q"}, {"--word=******", "-q"}},
        {{"--wo=secret"}, {"--wo=******"}},
        {{"-wsecret"}, {"-w******"}},
        {{"-qwsecret"}, {"-qw******"}},
        {{"-w", "old", "-wsecret"}, {"-w", "***", "-w******"}},
    };
    struct options *options = options_create(safe_tables, "");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char words[3][32], *argv[5] = {words[0]};
        char program[] = "program";
        struct safe config = {.word = NULL};
        struct err err;
        int argc = 1;

        argv[0] = program;
        for (; argc <= 3 && cases[i].given[argc - 1]; argc++)
            argv[argc] = strcpy(words[argc - 1], cases[i].given[argc - 1]);
        assert_int_equal(options_parse(options, &config, argc, argv, &err), 0);
        assert_string_equal(config.word, "secret");
        for (int j = 1; j < argc; j++)
            assert_string_equal(words[j - 1], cases[i].shown[j - 1]);
    }
    options_destroy(&options);
}

/* The whole of --help, owned by the caller. */
static char *print_help(const struct options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    options_print_help(options, "valkey-test", out);
    fclose(out);
    return text;
}

static void test_help_in_its_order(void **state)
{
    static const char *const parts[] = {
        "Usage: valkey-test [OPTION...]\n",
        "Loads a server.\n",
        " Basic options:\n",
        "  -c, --clients=N            parallel clients in all (default: 50)\n",
        "  -H, -h, --host=NAME        server host (default: 127.0.0.1)\n",
        "  -n, --requests=N           requests in all (default: 100k)\n",
        "  -p, --port=N               server port (default: 6379)\n",
        " Advanced options:\n",
        "      --keyspace-offset=N    first key (default: 0)\n",
        "      --local-server[=PROGRAM]   start a server for this run\n",
        " Rate limiting options:\n",
        "      --qps=N                requests a second in all\n",
        " Timeout options:\n",
        "      --request-timeout=MS   how long to wait for a reply, a help text of so\n",
        "                             many words that it is wrapped (default: 5000)\n",
        " Output options:\n",
        "  -q, --quiet                final report only\n",
        "  -v, --verbose              say more\n",
    };
    char *text = print_help(*state);
    const char *rest = text;

    for (size_t i = 0; i < COUNT(parts); i++) {
        rest = strstr(rest, parts[i]);
        if (rest == NULL)
            fail_msg("\"%s\" is missing or misplaced in\n%s", parts[i], text);
        rest += strlen(parts[i]);
    }
    assert_null(strstr(text, "Multi-process options"));
    assert_null(strstr(text, "Client ramp options"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_spellings_of_a_value),
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_optional_value_is_glued),
        cmocka_unit_test(test_value_with_a_dash),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_foreign_name_is_no_prefix),
        cmocka_unit_test(test_a_prefix_of_one_name_is_not_foreign),
        cmocka_unit_test(test_given_before_a_fault),
        cmocka_unit_test(test_a_long_word_is_cut),
        cmocka_unit_test(test_secrets_leave_argv),
        cmocka_unit_test(test_help_in_its_order),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
