/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A script of the Python host, made of a text, in a folder of its own. What it prints goes to a
 * file.
 */
#ifndef TESTS_PYTHON_FIXTURE_H
#define TESTS_PYTHON_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script/script.h"

extern const struct script_host script_module;

enum { PLACES = 1000 };

struct fixture {
    char folder[64];
    char file[96];
    struct script_config config;
    struct keyspace_config keys;
    struct script_setup setup;
    struct script *script;
    struct script_step step;
    struct err err;
    char printed[65536];
};

/*
 * Goes on in a process of its own, which tear_down ends: there is one interpreter a process, for
 * one that is started again is not always sound. Returns false in the one that waited for it.
 */
static inline bool alone(void)
{
    int status;

    fflush(NULL);
    const pid_t child = fork();

    if (child == 0)
        return true;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return false;
}

static inline void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline void set_up(struct fixture *fixture)
{
    *fixture = (struct fixture){.folder = "/tmp/test_python.XXXXXX"};
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->file, sizeof fixture->file, "%s/commands.py", fixture->folder);
    fixture->config.file = fixture->file;
    fixture->setup = (struct script_setup){
        .config = &fixture->config,
        .keys = &fixture->keys,
        .data_bytes = 3,
        .worker = 2,
        .workers = 4,
        .clients = 100,
        .places = PLACES,
        .print_fd = fileno(tmpfile()),
    };
}

static inline int create(struct fixture *fixture, const char *text)
{
    write_file(fixture, "commands.py", text);
    return script_module.create(&fixture->script, &fixture->setup, &fixture->err);
}

static inline void begin(struct fixture *fixture, const char *text)
{
    set_up(fixture);
    if (create(fixture, text) != 0)
        fail_msg("%s", fixture->err.text);
}

static inline void tear_down(struct fixture *fixture)
{
    char command[128];

    script_module.destroy(&fixture->script);
    assert_null(fixture->script);
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    assert_int_equal(system(command), 0);
    close(fixture->setup.print_fd);
    exit(0);
}

static inline enum script_status start(struct fixture *fixture, unsigned place)
{
    return script_module.start(fixture->script, place, &(struct request){0}, &fixture->step);
}

static inline enum script_status resume(struct fixture *fixture, unsigned place, struct str replies)
{
    return script_module.resume(fixture->script, place, &(struct script_answer){.replies = replies},
                                &fixture->step);
}

static inline enum script_status lose(struct fixture *fixture, unsigned place, const char *text,
                                      bool timeout)
{
    return script_module.resume(fixture->script, place,
                                &(struct script_answer){.text = str_of(text), .timeout = timeout},
                                &fixture->step);
}

/* What was printed since the last call, without its last newline. */
static inline const char *take_printed(struct fixture *fixture)
{
    const ssize_t len =
        pread(fixture->setup.print_fd, fixture->printed, sizeof fixture->printed - 1, 0);

    assert_true(len >= 0);
    fixture->printed[len] = '\0';
    if (len > 0 && fixture->printed[len - 1] == '\n')
        fixture->printed[len - 1] = '\0';
    assert_int_equal(ftruncate(fixture->setup.print_fd, 0), 0);
    lseek(fixture->setup.print_fd, 0, SEEK_SET);
    return fixture->printed;
}

#endif
