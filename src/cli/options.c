/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/options.h"

#include <argp.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/foreign.h"

/* argp takes the key of an option for its letter if it is a character; others lie above. */
enum { FIRST_LONG_KEY = 256 };

/* clang-format off */
static const char *const headings[OPTION_GROUPS] = {
    [OPTION_BASIC] = "Basic options:",
    [OPTION_ADVANCED] = "Advanced options:",
    [OPTION_TLS] = "TLS options:",
    [OPTION_RATE] = "Rate limiting options:",
    [OPTION_RAMP] = "Client ramp options:",
    [OPTION_PROCESSES] = "Multi-process options:",
    [OPTION_TIMEOUTS] = "Timeout options:",
    [OPTION_OUTPUT] = "Output options:",
    [OPTION_SCRIPT] = "Options of the custom commands:",
};
/* clang-format on */

struct entry {
    const struct option_spec *spec;
    size_t offset; /* of the field in the whole config */
    char *doc;     /* the help phrase with the default */
    char *value;   /* the name of the value, without brackets, or NULL */
    bool given;
};

struct options {
    struct entry *entries;
    size_t count;
    char *doc;
    char **secrets; /* owned: the texts of options that nobody is to see */
    size_t secrets_count;
    struct argp_option *argp_options; /* headings, names and letters; a zero row ends them */
    struct argp argp;
};

/* What argp hands to its callback. */
struct parse {
    struct options *options;
    void *config;
    struct err *err;
    int code;
    int word; /* the index in argv of the word that argp reads next, or is in the middle of */
};

static bool has_optional_value(const struct option_spec *spec)
{
    return spec->value != NULL && spec->value[0] == '[';
}

static const char *letters_of(const struct option_spec *spec)
{
    return spec->letters != NULL ? spec->letters : "";
}

static struct entry *find_letter(const struct options *options, int letter)
{
    for (size_t i = 0; i < options->count; i++)
        if (letter != '\0' && strchr(letters_of(options->entries[i].spec), letter) != NULL)
            return &options->entries[i];
    return NULL;
}

static struct entry *find_name(const struct options *options, struct str name)
{
    for (size_t i = 0; i < options->count; i++)
        if (str_equal(name, str_of(options->entries[i].spec->name)))
            return &options->entries[i];
    return NULL;
}

static char *make_doc(const struct option_spec *spec)
{
    char *doc = NULL;

    if (spec->initial == NULL || *spec->initial == '\0')
        return mem_copy_text(spec->help);
    const size_t size = strlen(spec->help) + strlen(spec->initial) + sizeof " (default: )";
    doc = mem_zalloc(size, 1);
    snprintf(doc, size, "%s (default: %s)", spec->help, spec->initial);
    return doc;
}

/* "X" of "[X]": argp adds the brackets itself. */
static char *make_value(const struct option_spec *spec)
{
    if (spec->value == NULL)
        return NULL;
    if (!has_optional_value(spec))
        return mem_copy_text(spec->value);
    char *value = mem_copy_text(spec->value + 1);
    value[strcspn(value, "]")] = '\0';
    return value;
}

static void add_entry(struct options *options, const struct option_spec *spec, size_t offset)
{
    assert(find_name(options, str_of(spec->name)) == NULL);
    for (const char *letter = letters_of(spec); *letter != '\0'; letter++)
        assert(find_letter(options, *letter) == NULL);

    options->entries = mem_resize(options->entries, options->count + 1, sizeof *options->entries);
    options->entries[options->count++] = (struct entry){
        .spec = spec,
        .offset = offset + spec->offset,
        .doc = make_doc(spec),
        .value = make_value(spec),
    };
}

/* Writes the rows of one option: its name with the first letter, then its other letters. */
static struct argp_option *put_option(struct argp_option *row, const struct entry *entry, int key)
{
    const char *letters = letters_of(entry->spec);

    *row++ = (struct argp_option){
        .name = entry->spec->name,
        .key = *letters != '\0' ? *letters : key,
        .arg = entry->value,
        .flags = has_optional_value(entry->spec) ? OPTION_ARG_OPTIONAL : 0,
        .doc = entry->doc,
        .group = (int)entry->spec->group + 1,
    };
    if (*letters != '\0')
        letters++;
    for (; *letters != '\0'; letters++)
        *row++ = (struct argp_option){.key = *letters, .flags = OPTION_ALIAS};
    return row;
}

static struct argp_option *put_group(struct argp_option *row, const struct options *options,
                                     enum option_group group)
{
    struct argp_option *heading = row++;

    for (size_t i = 0; i < options->count; i++)
        if (options->entries[i].spec->group == group)
            row = put_option(row, &options->entries[i], FIRST_LONG_KEY + (int)i);
    if (row == heading + 1)
        return heading; /* a heading over nothing is not shown */
    *heading = (struct argp_option){.doc = headings[group], .group = (int)group + 1};
    return row;
}

static void build_argp_options(struct options *options)
{
    size_t rows = OPTION_GROUPS + 1;

    for (size_t i = 0; i < options->count; i++)
        rows += 1 + strlen(letters_of(options->entries[i].spec));
    options->argp_options = mem_zalloc(rows, sizeof *options->argp_options);

    struct argp_option *row = options->argp_options;
    for (int group = 0; group < OPTION_GROUPS; group++)
        row = put_group(row, options, (enum option_group)group);
    *row = (struct argp_option){0};
}

/* `option` is the word at fault, with its dashes and without its value. */
static int explain_unknown(struct str option, struct err *err)
{
    if (foreign_explain(option, err))
        return -EINVAL;
    return err_set(err, "Unknown option %.*s; see --help.", (int)option.len, option.ptr);
}

static int explain_ambiguous(const struct options *options, struct str option, struct str name,
                             struct err *err)
{
    char list[sizeof err->text] = "";
    size_t used = 0;

    for (size_t i = 0; i < options->count && used < sizeof list; i++) {
        const char *candidate = options->entries[i].spec->name;
        if (str_starts(str_of(candidate), name))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s--%s",
                                     used == 0 ? "" : ", ", candidate);
    }
    return err_set(err, "%.*s is ambiguous: %s.", (int)option.len, option.ptr, list);
}

/* getopt refused a word that starts with two dashes: finds out why. */
static int explain_long(const struct options *options, const char *word, struct err *err)
{
    const struct str option = {word, strcspn(word, "=")};
    const struct str name = {word + 2, option.len - 2};
    const struct entry *match = find_name(options, name);
    size_t matches = 0;

    for (size_t i = 0; match == NULL && i < options->count; i++)
        matches += str_starts(str_of(options->entries[i].spec->name), name);
    if (match == NULL && (name.len == 0 || matches == 0 || foreign_explain(option, err)))
        return explain_unknown(name.len == 0 ? str_of(word) : option, err);
    if (matches > 1)
        return explain_ambiguous(options, option, name, err);
    for (size_t i = 0; match == NULL; i++)
        if (str_starts(str_of(options->entries[i].spec->name), name))
            match = &options->entries[i];
    if (word[option.len] == '=')
        return err_set(err, "--%s takes no value.", match->spec->name);
    return err_set(err, "--%s needs a value.", match->spec->name);
}

/* getopt refused one of the letters behind a single dash: finds out which and why. */
static int explain_letters(const struct options *options, const char *word, struct err *err)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct entry *entry = find_letter(options, *letter);
        if (entry == NULL && (*letter <= ' ' || *letter > '~'))
            return explain_unknown(str_of(word), err);
        if (entry == NULL)
            return explain_unknown((struct str){(const char[]){'-', *letter, '\0'}, 2}, err);
        if (entry->spec->value == NULL)
            continue;
        if (*letter == 'h') /* Elsewhere it asks for help. */
            return err_set(err, "-h is the %s; use --help.", entry->spec->name);
        return err_set(err, "-%c/--%s needs a value.", *letter, entry->spec->name);
    }
    return explain_unknown(str_of(word), err);
}

static int explain_word(const struct options *options, const char *word, struct err *err)
{
    if (word[0] == '-' && word[1] == '-')
        return explain_long(options, word, err);
    return explain_letters(options, word, err);
}

/* A sentence quotes what the user typed: keeps it on one line. */
static void flatten(struct err *err)
{
    for (char *c = err->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static struct entry *find_key(const struct options *options, int key)
{
    if (key < FIRST_LONG_KEY)
        return find_letter(options, key);
    return &options->entries[key - FIRST_LONG_KEY];
}

static int read_entry(struct entry *entry, void *config, const char *text, struct err *err)
{
    return entry->spec->read(entry->spec, (char *)config + entry->offset, text, err);
}

/*
 * Whether `word` is a whole option of another tool that getopt took for a prefix of one of ours:
 * its value would end up in the wrong place.
 */
static bool is_foreign(const char *word, const struct entry *entry, struct err *err)
{
    const struct str option = {word, strcspn(word, "=")};

    if (!str_starts(option, STR("--")) || option.len == 2 + strlen(entry->spec->name))
        return false;
    return foreign_explain(option, err);
}

/* Moves a text out of argv, which `ps` shows. */
static const char *hide(struct options *options, char *text)
{
    char *copy = mem_copy_text(text);

    memset(text, '*', strlen(text));
    options->secrets =
        mem_resize(options->secrets, options->secrets_count + 1, sizeof *options->secrets);
    options->secrets[options->secrets_count++] = copy;
    return copy;
}

static int take_option(struct parse *parse, struct entry *entry, const char *word, char *value)
{
    const char *text = value;

    if (is_foreign(word, entry, parse->err))
        return -EINVAL;
    entry->given = true;
    if (text == NULL && entry->spec->value != NULL)
        text = "";
    if (value != NULL && entry->spec->read == option_read_secret)
        text = hide(parse->options, value);
    return read_entry(entry, parse->config, text, parse->err);
}

static error_t take_key(int key, char *text, struct argp_state *state)
{
    struct parse *parse = state->input;

    if (key == ARGP_KEY_ARG && strstr(text, "://") != NULL) /* it may hold a password */
        parse->code = err_set(parse->err, "Unexpected argument; a URI is the value of --uri.");
    else if (key == ARGP_KEY_ARG)
        parse->code = err_set(parse->err, "Unexpected argument \"%s\"; see --help.", text);
    else if (key > 0 && key < FIRST_LONG_KEY + (int)parse->options->count)
        parse->code =
            take_option(parse, find_key(parse->options, key), state->argv[parse->word], text);
    else
        return ARGP_ERR_UNKNOWN; /* an event of argp's own */
    parse->word = state->next;
    return -parse->code;
}

static void set_defaults(struct options *options, void *config)
{
    struct err err;

    for (size_t i = 0; i < options->count; i++) {
        struct entry *entry = &options->entries[i];
        entry->given = false;
        if (entry->spec->initial == NULL)
            continue;
        const int code = read_entry(entry, config, entry->spec->initial, &err);
        assert(code == 0);
        (void)code;
    }
}

int options_parse(struct options *options, void *config, int argc, char **argv, struct err *err)
{
    const unsigned flags = ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_IN_ORDER;
    struct parse parse = {.options = options, .config = config, .err = err, .word = 1};

    set_defaults(options, config);
    const error_t failed =
        argc > 0 ? argp_parse(&options->argp, argc, argv, flags, NULL, &parse) : 0;
    if (failed == 0)
        return 0;
    if (failed == ENOMEM && parse.code == 0)
        return err_set(err, "Out of memory.");
    /* argp does not say what it refused: it is the first word that take_key has not seen. */
    if (parse.code == 0)
        parse.code = explain_word(options, argv[parse.word], err);
    flatten(err);
    return parse.code;
}

bool options_given(const struct options *options, const char *long_name)
{
    const struct entry *entry = find_name(options, str_of(long_name));

    assert(entry != NULL);
    return entry->given;
}

void options_print_help(const struct options *options, const char *program, FILE *out)
{
    char *name = mem_copy_text(program);

    argp_help(&options->argp, out, ARGP_HELP_STD_HELP, name);
    free(name);
}

struct options *options_create(const struct option_table *tables, const char *doc)
{
    struct options *options = mem_zalloc(1, sizeof *options);

    for (; tables->specs != NULL; tables++)
        for (const struct option_spec *spec = tables->specs; spec->name != NULL; spec++)
            add_entry(options, spec, tables->offset);
    build_argp_options(options);
    options->doc = mem_copy_text(doc);
    options->argp = (struct argp){
        .options = options->argp_options,
        .parser = take_key,
        .doc = options->doc,
    };
    return options;
}

void options_set_heading(struct options *options, enum option_group group, const char *heading)
{
    for (struct argp_option *row = options->argp_options; row->group != 0 || row->key != 0; row++)
        if (row->doc == headings[group])
            row->doc = heading;
}

void options_destroy(struct options **options)
{
    struct options *gone = *options;

    *options = NULL;
    if (gone == NULL)
        return;
    for (size_t i = 0; i < gone->count; i++) {
        free(gone->entries[i].doc);
        free(gone->entries[i].value);
    }
    for (size_t i = 0; i < gone->secrets_count; i++)
        free(gone->secrets[i]);
    free(gone->secrets);
    free(gone->entries);
    free(gone->argp_options);
    free(gone->doc);
    free(gone);
}
