/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "client/glide_exports.h"

#define FILE_NAME "libglide_ffi.so"
#define GETS      "scripts/fetch-glide gets one that fits"

/* ---- loading */

static int resolve(struct glide_library *library, const char *path, struct err *err)
{
    const struct {
        const char *name;
        void *place; /* of a pointer to a function */
    } wanted[] = {
        {"create_client", &library->create_client},
        {"free_connection_response", &library->free_connection},
        {"close_client", &library->close_client},
        {"command", &library->command},
        {"batch", &library->batch},
        {"free_command_response", &library->free_reply},
        {"init", &library->init},
        {"free_log_result", &library->free_log_result},
    };

    for (size_t i = 0; i < COUNT(wanted); i++) {
        void *const symbol = dlsym(library->handle, wanted[i].name);

        if (!symbol)
            return err_set(err, "%s does not export \"%s\"; " GETS ".", path, wanted[i].name);
        memcpy(wanted[i].place, &symbol, sizeof symbol); /* C has no conversion between the two */
    }
    return 0;
}

/* Maps the library and finds out what it is; runs nothing of it. */
static int open_library(struct glide_library *library, const char *path, struct err *err)
{
    *library =
        (struct glide_library){.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    if (!library->handle) {
        err_set(err, "Could not load GLIDE's library: %s; " GETS ".", dlerror());
        return -ENOENT;
    }
    const int minor = glide_exports_minor(library->handle, path, err);
    if (minor < 0)
        return minor;
    library->minor = (unsigned)minor;
    return resolve(library, path, err);
}

int glide_library_load(struct glide_library *library, const char *path, int log_level,
                       struct err *err)
{
    const int32_t level = log_level;
    const int rc = open_library(library, path, err);

    if (rc < 0)
        return rc;
    /* Without this it logs to stdout, and with it into a file that it makes if there is anything to
     * be said. */
    library->free_log_result(
        library->init(&level, level == GLIDE_LOG_OFF ? NULL : "valkey-polyglot"));
    return 0;
}

/* ---- looking */

/* What the process that looks tells the one that asks. */
struct finding {
    int rc;
    struct glide_facts facts;
    struct err err;
};

static int try_path(struct finding *finding, const char *path)
{
    struct glide_library library;
    struct link_map *map;

    finding->rc = open_library(&library, path, &finding->err);
    if (finding->rc < 0)
        return finding->rc;
    finding->facts.minor = library.minor;
    if (dlinfo(library.handle, RTLD_DI_LINKMAP, &map) != 0 ||
        !realpath(map->l_name, finding->facts.path))
        finding->rc = err_sys(&finding->err, "Could not tell where %s is", path);
    return finding->rc;
}

/* Where scripts/fetch-glide puts it; "": nowhere. */
static void cache_path(char *path)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && cache[0] == '/';

    path[0] = '\0';
    if (own || home)
        snprintf(path, PATH_MAX, "%s%s/valkey-polyglot/" FILE_NAME, own ? cache : home,
                 own ? "" : "/.cache");
}

/* The search without a name ends at the first file that there is, fit or not. */
static void look(struct finding *finding, const struct glide_config *config)
{
    const char *variable = getenv("VALKEY_GLIDE_LIBRARY");
    char path[PATH_MAX];

    if (config->library || (variable && *variable)) {
        try_path(finding, config->library ? config->library : variable);
        return;
    }
    cache_path(path);
    if (try_path(finding, FILE_NAME) == -ENOENT && access(path, F_OK) == 0)
        try_path(finding, path);
    else if (finding->rc == -ENOENT)
        err_set(&finding->err, "There is no library of valkey-GLIDE here: scripts/fetch-glide gets "
                               "it, or name its " FILE_NAME " by --glide-library.");
}

static void be_finder(const struct glide_config *config, int fd)
{
    struct finding finding = {0};

    look(&finding, config);
    _exit(write(fd, &finding, sizeof finding) == sizeof finding ? 0 : 1);
}

/* Takes what the other process has found, all of it or nothing. */
static bool take_finding(struct finding *finding, int fd)
{
    size_t got = 0;

    while (got < sizeof *finding) {
        const ssize_t len = read(fd, (char *)finding + got, sizeof *finding - got);

        if (len <= 0 && !(len < 0 && errno == EINTR))
            return false;
        got += len > 0 ? (size_t)len : 0;
    }
    return true;
}

int glide_library_look(struct glide_facts *facts, const struct glide_config *config,
                       struct err *err)
{
    struct finding finding;
    int ends[2];

    if (pipe(ends) < 0)
        return err_sys(err, "Could not make a pipe");
    const pid_t pid = fork();
    if (pid == 0)
        be_finder(config, ends[1]);
    close(ends[1]);
    const bool told = pid > 0 && take_finding(&finding, ends[0]);
    close(ends[0]);
    if (pid < 0)
        return err_sys(err, "Could not start a process");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!told)
        return err_set(err, "GLIDE's library ended the process that loaded it; " GETS ".");
    *err = finding.err;
    *facts = finding.facts;
    return finding.rc;
}
