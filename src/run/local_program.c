/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
    const char *file, *name;
} candidates[] = {
    {"valkey-server", "valkey-server"},
    {"redis-server", "redis-server"},
    {"valkey-check-rdb", "valkey-server"},
    {"redis-check-rdb", "redis-server"},
};

/* Sets errno when it is not. */
static bool is_executable(const char *path)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return false;
    if (!S_ISREG(info.st_mode)) {
        errno = EACCES;
        return false;
    }
    return access(path, X_OK) == 0;
}

/* An absolute path, since the program runs elsewhere. Links stay: their name may have a meaning. */
static char *join_path(struct str folder, const char *name)
{
    char *here = folder.len > 0 && folder.ptr[0] == '/' ? NULL : get_current_dir_name();
    const size_t size = (here ? strlen(here) : 0) + folder.len + strlen(name) + 3;
    char *path = mem_zalloc(size, 1);

    snprintf(path, size, "%s%s%.*s%s%s", here ? here : "", here ? "/" : "", (int)folder.len,
             folder.ptr, folder.len > 0 ? "/" : "", name);
    free(here);
    return path;
}

/* The executable of that name on PATH, owned, or NULL. */
static char *search_path(const char *name)
{
    const char *left = getenv("PATH");

    if (!left)
        left = "/usr/local/bin:/usr/bin:/bin";
    for (;;) {
        const struct str folder = {left, strcspn(left, ":")};
        char *path = join_path(folder, name);
        if (is_executable(path))
            return path;
        free(path);
        left += folder.len;
        if (*left++ == '\0')
            return NULL;
    }
}

static int take_named(struct local_program *program, const char *asked, struct err *err)
{
    const char *slash = strrchr(asked, '/');

    if (!slash)
        program->file = search_path(asked);
    else
        program->file = asked[0] == '/' ? mem_copy_text(asked) : join_path(STR(""), asked);
    if (!program->file) {
        err_set(err, "--local-server found no executable \"%s\" on PATH.", asked);
        return -ENOENT;
    }
    if (!is_executable(program->file))
        return err_sys(err, "--local-server cannot execute \"%s\"", asked);
    program->name = asked;
    for (size_t i = 0; i < COUNT(candidates); i++) {
        if (strcmp(slash ? slash + 1 : asked, candidates[i].file) == 0)
            program->name = candidates[i].name;
    }
    return 0;
}

int local_program_find(struct local_program *program, const char *asked, struct err *err)
{
    if (asked)
        return take_named(program, asked, err);
    for (size_t i = 0; i < COUNT(candidates); i++) {
        program->file = search_path(candidates[i].file);
        program->name = candidates[i].name;
        if (program->file)
            return 0;
    }
    err_set(err, "--local-server found neither valkey-server nor redis-server on PATH. Install "
                 "Valkey, or name the program: --local-server=PROGRAM.");
    return -ENOENT;
}

void local_program_deinit(struct local_program *program)
{
    free(program->file);
    *program = (struct local_program){NULL, NULL};
}
