/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines: arguments separated by newlines or NULs. A refusal must be one line of text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
    const char *text;
    const char *optional;
    uint64_t count;
    uint64_t duration_ns;
    uint64_t timeout_ns;
    uint64_t rate;
    int mode;
    bool quiet;
    bool verbose;
};

struct whole {
    struct log_config log;
    struct values values;
};

#define FIELD(name) offsetof(struct values, name)

static const struct option_spec value_options[] = {
    {"host", "Hh", OPTION_BASIC, option_read_text, FIELD(text), "127.0.0.1", "NAME", "", 0, 0,
     NULL},
    {"local-server", "L", OPTION_ADVANCED, option_read_text, FIELD(optional), NULL, "[X]", "", 0, 0,
     NULL},
    {"requests", "n", OPTION_BASIC, option_read_count, FIELD(count), "100k", "N", "", 1, 1000000,
     NULL},
    {"test-duration", NULL, OPTION_ADVANCED, option_read_duration, FIELD(duration_ns), NULL, "S",
     "", 1, 0, NULL},
    {"request-timeout", "T", OPTION_TIMEOUTS, option_read_millis, FIELD(timeout_ns), "5000", "MS",
     "", 0, 0, NULL},
    {"keyspace-rate", "3", OPTION_RATE, option_read_rate, FIELD(rate), NULL, "N", "", 1, 0, NULL},
    {"mode", NULL, OPTION_RATE, option_read_choice, FIELD(mode), "linear", "MODE", "", 0, 0,
     "linear|exponential"},
    {"quiet", "q", OPTION_OUTPUT, option_read_switch, FIELD(quiet), NULL, NULL, "", 0, 0, NULL},
    {"verbose", "v", OPTION_OUTPUT, option_read_switch, FIELD(verbose), NULL, NULL, "", 0, 0, NULL},
    {0},
};

static const struct option_table tables[] = {
    {value_options, offsetof(struct whole, values)},
    {log_options, offsetof(struct whole, log)},
    {0},
};

/* Cuts `text` into words, each a copy of its own, behind a program's name; the caller owns all. */
static char **cut_words(const char *text, size_t size, int *argc)
{
    char **argv = mem_zalloc(size + 3, sizeof *argv);
    const char *end = text + size;

    argv[0] = mem_copy_text("program");
    *argc = 1;
    while (text < end) {
        const char *stop = text;
        while (stop < end && *stop != '\0' && *stop != '\n')
            stop++;
        argv[*argc] = mem_zalloc((size_t)(stop - text) + 1, 1);
        memcpy(argv[(*argc)++], text, (size_t)(stop - text));
        text = stop + 1;
    }
    return argv;
}

static void check_text(const char *text)
{
    assert(text[0] != '\0');
    for (; *text != '\0'; text++)
        assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_values(const struct values *values)
{
    assert(strlen(values->text) < SIZE_MAX);
    assert(values->count >= 1 && values->count <= 1000000);
    assert(values->mode == 0 || values->mode == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options *options = options_create(tables, "");
    struct whole config = {.values = {0}};
    struct err err = {""};
    int argc;
    char **argv = cut_words((const char *)data, size, &argc);

    if (options_parse(options, &config, argc, argv, &err) != 0)
        check_text(err.text);
    check_values(&config.values);
    options_destroy(&options);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    free(argv);
    return 0;
}
