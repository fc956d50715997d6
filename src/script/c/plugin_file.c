/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/c/plugin_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "script/c/compiler.h"

static bool is_source(const char *name)
{
    const size_t len = strlen(name);

    return len > 2 && strcmp(name + len - 2, ".c") == 0;
}

/* The name of a descriptor for dlopen, owned. */
static char *name_object(int object)
{
    char name[32];

    snprintf(name, sizeof name, "/proc/self/fd/%d", object);
    return mem_copy_text(name);
}

/* A name without a slash would be searched for in the folders of the system. Owned. */
static char *name_here(const char *name)
{
    const size_t size = strlen(name) + 3;
    char *path = mem_zalloc(size, 1);

    snprintf(path, size, "%s%s", strchr(name, '/') ? "" : "./", name);
    return path;
}

int plugin_file_prepare(const struct script_config *config, char **prepared, struct err *err)
{
    *prepared = NULL;
    if (!is_source(config->file))
        return 0;

    const int object = compiler_run(config->file, err);
    if (object < 0)
        return object;
    /* The descriptor stays open: it is all that there is of the object. */
    *prepared = name_object(object);
    return 0;
}

/* Opens the shared object `path` for `name`, as the user knows it. */
static int load(struct plugin_file *file, const char *path, const char *name, struct err *err)
{
    if (access(path, R_OK) < 0)
        return err_sys(err, "Cannot read the custom command file \"%s\"", name);
    file->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (file->handle)
        return 0;
    err_set(err, "Cannot load \"%s\", which should be a shared object or end in .c: %s.", name,
            dlerror());
    return -ENOEXEC;
}

static int check(struct plugin_file *file, const char *name, struct err *err)
{
    file->command = dlsym(file->handle, "vpb_command");
    if (!file->command) {
        err_set(err,
                "\"%s\" does not export vpb_command, which valkey_polyglot/custom_command.h "
                "declares: define it there.",
                name);
        return -ENOEXEC;
    }
    if (file->command->version != VPB_API_VERSION) {
        err_set(err,
                "\"%s\" was made for version %u of custom_command.h, and this program has version "
                "%d: compile it with the header of this program.",
                name, file->command->version, VPB_API_VERSION);
        return -ENOEXEC;
    }
    if (file->command->execute)
        return 0;
    return err_set(err, "\"%s\" has no `execute` in its vpb_command.", name);
}

int plugin_file_open(struct plugin_file *file, const struct script_config *config, struct err *err)
{
    char *path = NULL;

    *file = (struct plugin_file){.object = -1};
    if (config->prepared) {
        path = mem_copy_text(config->prepared);
    } else if (is_source(config->file)) {
        file->object = compiler_run(config->file, err);
        if (file->object < 0)
            return file->object;
        path = name_object(file->object);
    } else {
        path = name_here(config->file);
    }
    int rc = load(file, path, config->file, err);
    free(path);
    if (rc == 0)
        rc = check(file, config->file, err);
    if (rc)
        plugin_file_close(file);
    return rc;
}

void plugin_file_close(struct plugin_file *file)
{
    if (file->handle)
        dlclose(file->handle);
    if (file->object >= 0)
        close(file->object);
    *file = (struct plugin_file){.object = -1};
}
