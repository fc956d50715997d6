/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/language.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "script/c/plugin.h"

#define FIELD(member) offsetof(struct script_config, member)

/* clang-format off */
const struct option_spec script_options[] = {
    {.name = "custom-command-file", .group = OPTION_ADVANCED, .read = option_read_text,
     .offset = FIELD(file), .value = "FILE",
     .help = "the file of the custom commands that -t custom runs: .py, .lua, .c or .so"},
    {.name = "custom-command-args", .group = OPTION_ADVANCED, .read = option_read_text,
     .offset = FIELD(args), .value = "TEXT", .help = "a text for the custom commands"},
    {.name = "script-timeout", .group = OPTION_TIMEOUTS, .read = option_read_duration,
     .offset = FIELD(timeout_ns), .initial = "5", .value = "TIME",
     .help = "how long custom commands may keep a worker without a command; 0: for ever"},
    {0},
};

const struct script_language script_languages[] = {
    {.name = "Python", .endings = (const char *const[]){".py", NULL},
     .module = "valkey-polyglot-python.so", .package = "python3-dev", .one_a_process = true},
    {.name = "Lua", .endings = (const char *const[]){".lua", NULL},
     .module = "valkey-polyglot-lua.so", .package = "libluajit-5.1-dev",
     .declares_options = true},
    {.name = "C", .endings = (const char *const[]){".c", ".so", NULL}, .host = &script_host_c},
    {0},
};
/* clang-format on */

static bool ends_in(const char *file, const char *ending)
{
    const size_t len = strlen(file), end_len = strlen(ending);

    return len > end_len && strcmp(file + len - end_len, ending) == 0;
}

static const struct script_language *find(const char *file)
{
    for (const struct script_language *language = script_languages; language->name; language++)
        for (const char *const *ending = language->endings; *ending; ending++)
            if (ends_in(file, *ending))
                return language;
    return NULL;
}

/* The path of a module, beside the program or else where it is installed. Returns whether it is
 * there. */
static bool find_module(const char *module, char *path, size_t size)
{
    static const char *const folders[] = {"", "../lib/valkey-polyglot/"};
    char program[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    if (len <= 0)
        return false;
    program[len] = '\0';
    *(strrchr(program, '/') + 1) = '\0';
    for (size_t i = 0; i < COUNT(folders); i++)
        if ((size_t)snprintf(path, size, "%s%s%s", program, folders[i], module) < size &&
            access(path, R_OK) == 0)
            return true;
    return false;
}

static int check_module(const struct script_language *language, char *path, size_t size,
                        struct err *err)
{
    if (find_module(language->module, path, size))
        return 0;
    return err_set(err,
                   "Custom commands in %s need %s, which this build lacks: install %s and build "
                   "again.",
                   language->name, language->module, language->package);
}

const struct script_language *script_language_of(const char *file, struct err *err)
{
    const struct script_language *language = find(file);
    char path[PATH_MAX];

    if (!language) {
        err_set(err, "--custom-command-file must end in .py, .lua, .c or .so, not \"%.200s\".",
                file);
        return NULL;
    }
    if (access(file, R_OK) < 0) {
        err_sys(err, "Could not read %.200s of --custom-command-file", file);
        return NULL;
    }
    if (language->module && check_module(language, path, sizeof path, err) < 0)
        return NULL;
    return language;
}

const struct script_host *script_language_host(const struct script_language *language,
                                               struct err *err)
{
    char path[PATH_MAX];

    if (language->host)
        return language->host;
    if (check_module(language, path, sizeof path, err) < 0)
        return NULL;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct script_host *host = module ? dlsym(module, SCRIPT_MODULE_SYMBOL) : NULL;
    if (!host) {
        err_set(err, "Could not load %s: %.300s.", language->module, dlerror());
        return NULL;
    }
    if (host->version != SCRIPT_HOST_VERSION) {
        err_set(err, "%.200s is of another version of this program: build both again.", path);
        return NULL;
    }
    return host;
}
