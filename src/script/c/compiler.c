/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/c/compiler.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "script/c/headers.h"

enum { WORDS_MAX = 16, LINE_MAX_BYTES = 300 };

/* A folder of its own for one run of the compiler. All owned. */
struct workshop {
    char *folder;
    char *headers; /* the folder in it */
    char *object;
};

/* What is kept of what the compiler says: the line that tells most. */
struct complaint {
    char line[LINE_MAX_BYTES]; /* the one that is being read */
    size_t len;
    char best[LINE_MAX_BYTES]; /* the first error, or the first line */
    bool error;
};

static __attribute__((format(printf, 1, 2))) char *print_text(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    const int len = vasprintf(&text, format, args);
    va_end(args);
    return mem_check(len < 0 ? NULL : text);
}

static int write_header(const struct workshop *workshop, const struct header *header)
{
    char *path = print_text("%s/%s", workshop->headers, header->name);
    FILE *file = fopen(path, "wex");
    bool done = file && fwrite(header->bytes, 1, header->len, file) == header->len;

    if (file && fclose(file) != 0)
        done = false;
    free(path);
    return done ? 0 : -errno;
}

static void close_workshop(struct workshop *workshop)
{
    unlink(workshop->object);
    for (size_t i = 0; i < HEADERS; i++) {
        char *path = print_text("%s/%s", workshop->headers, headers[i].name);

        unlink(path);
        free(path);
    }
    rmdir(workshop->headers);
    rmdir(workshop->folder);
    free(workshop->object);
    free(workshop->headers);
    free(workshop->folder);
}

static int open_workshop(struct workshop *workshop, struct err *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *parent = temporary && *temporary ? temporary : "/tmp";
    char *folder = print_text("%s/valkey-polyglot-XXXXXX", parent);

    if (!mkdtemp(folder)) {
        const int rc =
            err_sys(err, "Cannot make a folder to compile in, in \"%s\" (see TMPDIR)", parent);

        assert(rc < 0);
        free(folder);
        return rc;
    }
    *workshop = (struct workshop){folder, print_text("%s/" HEADERS_FOLDER, folder),
                                  print_text("%s/object.so", folder)};
    int rc = mkdir(workshop->headers, 0700) < 0 ? -errno : 0;
    for (size_t i = 0; i < HEADERS && rc == 0; i++)
        rc = write_header(workshop, &headers[i]);
    if (rc) {
        errno = -rc;
        err_sys(err, "Cannot write to \"%s\" (see TMPDIR)", folder);
        close_workshop(workshop);
    }
    return rc;
}

static void end_line(struct complaint *complaint)
{
    const bool error = strstr(complaint->line, "error:");

    complaint->line[complaint->len] = '\0';
    if (complaint->len > 0 && (complaint->best[0] == '\0' || (error && !complaint->error))) {
        memcpy(complaint->best, complaint->line, complaint->len + 1);
        complaint->error = error;
    }
    complaint->len = 0;
}

static void note(struct complaint *complaint, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\n' && complaint->len < sizeof complaint->line - 1)
            complaint->line[complaint->len++] = text.ptr[i];
        if (text.ptr[i] == '\n') {
            complaint->line[complaint->len] = '\0';
            end_line(complaint);
        }
    }
}

/* Reads all that the compiler says, until it is done, and passes it on. */
static void listen(int from, struct complaint *complaint)
{
    char bytes[4096];
    ssize_t got;

    while ((got = read(from, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
        for (ssize_t done = 0; done < got;) {
            const ssize_t written = write(STDERR_FILENO, bytes + done, (size_t)(got - done));

            if (written < 0 && errno != EINTR)
                break;
            done += written > 0 ? written : 0;
        }
        note(complaint, (struct str){bytes, got > 0 ? (size_t)got : 0});
    }
    end_line(complaint);
}

/* The environment with messages in English, which are searched for "error:"; owned, its strings
 * are not. */
static char **make_environment(void)
{
    static char english[] = "LC_ALL=C";
    size_t count = 0, kept = 0;

    while (environ[count])
        count++;
    char **copy = mem_zalloc(count + 2, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (!str_starts(str_of(environ[i]), STR("LC_ALL=")))
            copy[kept++] = environ[i];
    copy[kept] = english;
    return copy;
}

/* Returns 0 with the process in `*pid`, or a negative errno. */
static int spawn(pid_t *pid, char **argv, int out)
{
    char **environment = make_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    const int rc = -posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(environment);
    return rc;
}

/* Runs a compiler, which may have arguments with it ("ccache gcc"). Returns its exit status, or a
 * negative errno when it cannot be started. */
static int run(const char *compiler, const struct workshop *workshop, const char *file,
               struct complaint *complaint)
{
    const char *const options[] = {
        "-std=gnu11",     "-O2", "-g", "-fPIC", "-shared", "-I", workshop->folder, "-o",
        workshop->object, file,  "-lm"};
    char *words = mem_copy_text(compiler);
    char *argv[WORDS_MAX + COUNT(options) + 1] = {NULL};
    char *place = NULL;
    size_t argc = 0;
    int ends[2];
    int status = 0;
    pid_t pid;

    for (char *word = strtok_r(words, " ", &place); word && argc < WORDS_MAX;
         word = strtok_r(NULL, " ", &place))
        argv[argc++] = word;
    for (size_t i = 0; i < COUNT(options); i++)
        argv[argc++] = (char *)(uintptr_t)options[i];
    int rc = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    if (rc == 0) {
        rc = spawn(&pid, argv, ends[1]);
        close(ends[1]);
        if (rc == 0)
            listen(ends[0], complaint);
        close(ends[0]);
    }
    while (rc == 0 && waitpid(pid, &status, 0) < 0)
        rc = errno == EINTR ? 0 : -errno;
    free(words);
    return rc ? rc : status;
}

/* The same with the one to use. */
static int run_any(const struct workshop *workshop, const char *file, struct complaint *complaint,
                   struct err *err)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    const char *chosen = getenv("CC");
    int status = -ENOENT;

    if (chosen && chosen[strspn(chosen, " ")] != '\0') {
        status = run(chosen, workshop, file, complaint);
        errno = -status;
        if (status < 0)
            err_sys(err,
                    "Cannot compile \"%s\": the compiler \"%s\", which CC names, cannot be run",
                    file, chosen);
        return status;
    }
    for (size_t i = 0; i < COUNT(usual) && status == -ENOENT; i++)
        status = run(usual[i], workshop, file, complaint);
    errno = -status;
    if (status == -ENOENT)
        err_set(
            err,
            "Cannot compile \"%s\": there is no cc, gcc or clang on PATH. Install a C compiler, "
            "set CC, or give a shared object that was made elsewhere.",
            file);
    else if (status < 0)
        err_sys(err, "Cannot compile \"%s\": the compiler cannot be run", file);
    return status;
}

static int compile(const struct workshop *workshop, const char *file, struct err *err)
{
    struct complaint complaint = {.len = 0};
    const int status = run_any(workshop, file, &complaint, err);

    if (status <= 0)
        return status;
    return err_set(err, "Cannot compile \"%s\": %s", file,
                   complaint.best[0] ? complaint.best : "the compiler failed and said nothing.");
}

/* An object in memory can be loaded where files in the temporary folder must not be executed. */
static int load(const char *object, struct err *err)
{
    struct stat info;
    const int from = open(object, O_RDONLY | O_CLOEXEC);
    const int memory = from < 0 ? -1 : memfd_create("custom-command", MFD_CLOEXEC);
    bool whole = memory >= 0 && fstat(from, &info) == 0;

    for (off_t left = whole ? info.st_size : 0; left > 0 && whole;) {
        const ssize_t sent = sendfile(memory, from, NULL, (size_t)left);

        whole = sent > 0;
        left -= whole ? sent : 0;
    }
    const int rc = whole ? memory : err_sys(err, "Cannot read what the compiler wrote");
    if (from >= 0)
        close(from);
    if (!whole && memory >= 0)
        close(memory);
    return rc;
}

int compiler_run(const char *file, struct err *err)
{
    struct workshop workshop;

    if (access(file, R_OK) < 0)
        return err_sys(err, "Cannot read the custom command file \"%s\"", file);
    int rc = open_workshop(&workshop, err);
    if (rc)
        return rc;
    rc = compile(&workshop, file, err);
    if (rc == 0)
        rc = load(workshop.object, err);
    close_workshop(&workshop);
    return rc;
}
