/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/supervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "base/str.h"
#include "children.h"

/* Writes its number, whole at once, and stays. */
#define STAY "echo $$ >new && mv new pid; exec sleep 1000"

static bool has_pid_file(const void *directory)
{
    char path[256];

    snprintf(path, sizeof path, "%s/pid", (const char *)directory);
    return access(path, F_OK) == 0;
}

static int start_shell(struct supervisor *supervisor, const char *script, struct err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    return supervisor_start(supervisor, &(struct supervisor_job){"/bin/sh", argv, NULL}, err);
}

static void read_file(const char *directory, const char *name, char *text, size_t size)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static struct facts learn(const char *directory)
{
    struct facts facts = {.pid = 0};
    char text[32];

    await(has_pid_file, directory);
    snprintf(facts.directory, sizeof facts.directory, "%s", directory);
    read_file(directory, "pid", text, sizeof text);
    facts.pid = (pid_t)strtol(text, NULL, 10);
    assert_true(facts.pid > 0);
    return facts;
}

/* Starts a script that writes its number. */
static struct facts start(struct supervisor *supervisor, const char *script)
{
    struct err err = {""};

    if (start_shell(supervisor, script, &err) < 0)
        fail_msg("%s", err.text);
    return learn(supervisor->directory);
}

static void test_starts_and_stops(void **state)
{
    const struct place *place = *state;
    struct supervisor supervisor;
    struct stat info;
    int status;
    const struct facts facts = start(&supervisor, STAY);

    assert_memory_equal(facts.directory, place->temporary, strlen(place->temporary));
    assert_int_equal(stat(facts.directory, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_false(supervisor_has_ended(&supervisor, &status));
    assert_int_not_equal(fcntl(supervisor.line, F_GETFD) & FD_CLOEXEC, 0);
    const pid_t child = supervisor.pid;
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
    assert_true(is_dead(&child));
}

static int await_end(const struct supervisor *supervisor)
{
    struct pollfd end = {.fd = supervisor->line, .events = POLLIN};
    int status;

    assert_int_equal(poll(&end, 1, 20000), 1);
    assert_true(supervisor_has_ended(supervisor, &status));
    return status;
}

static void test_tells_the_end(void **state)
{
    static const struct {
        const char *script, *log;
        int status;
    } cases[] = {
        {"echo out; echo err >&2; exit 7", "out\nerr\n", 7 << 8},
        {"cat; ls", SUPERVISOR_LOG "\n", 0}, /* the input is empty, the log the only file */
        {"kill -9 $$", "", SIGKILL},
        {"exec /no/such", NULL, 127 << 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct supervisor supervisor;
        struct err err;
        char text[256];

        assert_int_equal(start_shell(&supervisor, cases[i].script, &err), 0);
        assert_int_equal(await_end(&supervisor), cases[i].status);
        assert_int_equal(await_end(&supervisor), cases[i].status); /* it can be asked again */
        read_file(supervisor.directory, SUPERVISOR_LOG, text, sizeof text);
        if (cases[i].log)
            assert_string_equal(text, cases[i].log);
        supervisor_stop(&supervisor);
    }
}

/* Whole, for the user alone, and there before the program is. */
static void test_files_of_the_program(void **state)
{
    static char large[200001];
    const struct supervisor_file files[] = {{"one", "first\n"}, {"two", large}, {NULL, NULL}};
    const char *const argv[] = {"sh", "-c", "cat one; stat -c %a one two; wc -c <two", NULL};
    struct supervisor supervisor;
    struct err err;
    char text[256];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    const struct supervisor_job job = {"/bin/sh", argv, files};
    assert_int_equal(supervisor_start(&supervisor, &job, &err), 0);
    assert_int_equal(await_end(&supervisor), 0);
    read_file(supervisor.directory, SUPERVISOR_LOG, text, sizeof text);
    assert_string_equal(text, "first\n600\n600\n200000\n");
    supervisor_stop(&supervisor);
}

static void test_file_that_cannot_be_written(void **state)
{
    const struct supervisor_file files[] = {{"no/where", "text"}, {NULL, NULL}};
    const char *const argv[] = {"true", NULL};
    const struct supervisor_job job = {"/bin/true", argv, files};
    struct supervisor supervisor;
    struct err err;
    char text[256];

    (void)state;
    assert_int_equal(supervisor_start(&supervisor, &job, &err), 0);
    assert_int_equal(await_end(&supervisor), 127 << 8);
    read_file(supervisor.directory, SUPERVISOR_LOG, text, sizeof text);
    assert_string_equal(text, "no/where: No such file or directory\n");
    supervisor_stop(&supervisor);
}

static void test_ends_without_being_waited_for(void **state)
{
    struct supervisor supervisor;

    (void)state;
    const struct facts facts = start(&supervisor, STAY);
    supervisor_end(&supervisor);
    await(is_gone, &facts);
    supervisor_stop(&supervisor);
}

static void test_failed_starts_leave_nothing(void **state)
{
    struct supervisor supervisor;
    struct err err;
    struct rlimit before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int rc = start_shell(&supervisor, STAY, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, -EMFILE);
    assert_non_null(strstr(err.text, "Too many open files"));
    setenv("TMPDIR", "/no/such", 1);
    assert_int_equal(start_shell(&supervisor, STAY, &err), -ENOENT);
    assert_non_null(strstr(err.text, "made in /no/such: No such file"));
}

static bool be_tool(void *unused, struct facts *told)
{
    struct supervisor supervisor;
    struct err err;

    (void)unused;
    if (start_shell(&supervisor, STAY, &err) < 0)
        return false;
    snprintf(told->directory, sizeof told->directory, "%s", supervisor.directory);
    return true;
}

static void test_goes_when_the_tool_is_killed(void **state)
{
    struct facts told;

    (void)state;
    const pid_t tool = fork_tool(be_tool, NULL, &told);
    const struct facts facts = learn(told.directory);
    assert_false(is_gone(&facts));
    end_tool(tool);
    await(is_gone, &facts);
}

/* The tool's worker has forgotten the program, and lives until the test closes the pipe. */
static bool be_tool_with_worker(void *leash, struct facts *told)
{
    const int *ends = leash;
    struct supervisor supervisor;
    struct err err;
    char byte;

    if (start_shell(&supervisor, STAY, &err) < 0)
        return false;
    snprintf(told->directory, sizeof told->directory, "%s", supervisor.directory);
    if (fork() != 0)
        return true;
    supervisor_forget(&supervisor);
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
}

static void test_forgotten_by_a_worker_that_lives_on(void **state)
{
    int leash[2];
    struct facts told;

    (void)state;
    assert_int_equal(pipe2(leash, O_CLOEXEC), 0);
    const pid_t tool = fork_tool(be_tool_with_worker, leash, &told);
    const struct facts facts = learn(told.directory);
    end_tool(tool);
    await(is_gone, &facts);
    close(leash[0]);
    close(leash[1]);
}

static bool forget(void *supervisor, struct facts *told)
{
    (void)told;
    supervisor_forget(supervisor);
    return true;
}

static bool keep(void *supervisor, struct facts *told)
{
    (void)supervisor, (void)told;
    return true;
}

static void test_workers_do_not_matter(void **state)
{
    static tool_fn *const acts[] = {forget, keep};

    (void)state;
    for (size_t i = 0; i < COUNT(acts); i++) {
        struct supervisor supervisor;
        struct facts told;
        int status;
        const struct facts facts = start(&supervisor, STAY);
        const pid_t worker = fork_tool(acts[i], &supervisor, &told);
        const pid_t lost = fork_tool(acts[i], &supervisor, &told);

        end_tool(lost);
        assert_false(supervisor_has_ended(&supervisor, &status));
        assert_false(is_gone(&facts));
        supervisor_stop(&supervisor);
        assert_true(is_gone(&facts));
        end_tool(worker);
    }
}

static void test_program_dies_with_its_supervisor(void **state)
{
    struct supervisor supervisor;

    (void)state;
    const struct facts facts = start(&supervisor, STAY);
    kill(supervisor.pid, SIGKILL);
    assert_int_equal(await_end(&supervisor), -1);
    await(is_dead, &facts.pid);
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
}

/* Whether a signal is in one of the masks of a /proc/PID/status. */
static bool has_signal(const char *status, const char *mask, int signal)
{
    const char *line = strstr(status, mask);

    assert_non_null(line);
    return strtoull(line + strlen(mask), NULL, 16) >> (signal - 1) & 1;
}

static void test_signals_of_the_tool(void **state)
{
    struct supervisor supervisor;
    struct sigaction before;
    struct err err;
    sigset_t blocked;
    char text[4096], process[64];

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
    assert_int_equal(start_shell(&supervisor, "exec cat /proc/self/status", &err), 0);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    sigaction(SIGUSR1, &before, NULL);
    assert_int_equal(await_end(&supervisor), 0);
    read_file(supervisor.directory, SUPERVISOR_LOG, text, sizeof text);
    assert_false(has_signal(text, "SigBlk:", SIGUSR2));
    assert_false(has_signal(text, "SigIgn:", SIGUSR1));
    read_file("/proc/self", "status", text, sizeof text);
    assert_false(has_signal(text, "SigBlk:", SIGTERM));

    /* What a terminal or a service manager sends to all. */
    assert_int_equal(getsid(supervisor.pid), supervisor.pid);
    kill(supervisor.pid, SIGTERM);
    snprintf(process, sizeof process, "/proc/%d", (int)supervisor.pid);
    read_file(process, "status", text, sizeof text);
    assert_true(has_signal(text, "ShdPnd:", SIGTERM));
    supervisor_stop(&supervisor);
}

/* A reader of the tool's output (`| head`) sees its end though the program lives. */
static void test_descriptors_are_not_held(void **state)
{
    struct supervisor supervisor;
    struct err err = {""};
    int out[2];

    (void)state;
    assert_int_equal(pipe(out), 0);
    fflush(stdout);
    const int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    dup2(out[1], STDOUT_FILENO);
    const int rc = start_shell(&supervisor, STAY, &err);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(out[1]);
    assert_int_equal(rc, 0);
    const struct facts facts = learn(supervisor.directory);
    struct pollfd end = {.fd = out[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 0), 1);
    assert_int_equal(end.revents, POLLHUP);
    close(out[0]);
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
}

static void test_stops_whatever_state_it_is_in(void **state)
{
    static const int signals[] = {SIGKILL, SIGSTOP, SIGTERM};

    (void)state;
    for (size_t i = 0; i < COUNT(signals); i++) {
        struct supervisor supervisor;
        const struct facts facts = start(&supervisor, STAY);

        kill(facts.pid, signals[i]);
        if (signals[i] == SIGKILL) {
            await(is_dead, &facts.pid);
            assert_int_equal(access(facts.directory, F_OK), 0);
        }
        supervisor_stop(&supervisor);
        assert_true(is_gone(&facts));
    }
}

/* It stays when it is asked to go, and so does its child, of whom the number is told. */
static void test_kills_what_ignores_sigterm(void **state)
{
    static const char script[] = "trap '' TERM; sleep 1000 & echo $! >new; mv new pid; "
                                 "while :; do sleep 1; done";
    struct supervisor supervisor;

    (void)state;
    const struct facts facts = start(&supervisor, script);
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
}

static void test_ends_what_the_program_leaves(void **state)
{
    struct supervisor supervisor;

    (void)state;
    const struct facts facts = start(&supervisor, "sleep 1000 & echo $! >new; mv new pid");
    await(is_dead, &facts.pid);
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
}

static void test_removal_does_not_follow_links(void **state)
{
    const struct place *place = *state;
    struct supervisor supervisor;
    char victim[128], path[256];

    snprintf(victim, sizeof victim, "%s/victim", place->files);
    write_file(victim, "", 0600);
    const struct facts facts = start(&supervisor, "mkdir -p a/b; >a/b/c; " STAY);
    snprintf(path, sizeof path, "%s/a/b/link", facts.directory);
    assert_int_equal(symlink(place->files, path), 0);
    supervisor_stop(&supervisor);
    assert_true(is_gone(&facts));
    assert_int_equal(access(victim, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_starts_and_stops),
        TEST(test_tells_the_end),
        TEST(test_files_of_the_program),
        TEST(test_file_that_cannot_be_written),
        TEST(test_ends_without_being_waited_for),
        TEST(test_failed_starts_leave_nothing),
        TEST(test_goes_when_the_tool_is_killed),
        TEST(test_forgotten_by_a_worker_that_lives_on),
        TEST(test_workers_do_not_matter),
        TEST(test_program_dies_with_its_supervisor),
        TEST(test_signals_of_the_tool),
        TEST(test_descriptors_are_not_held),
        TEST(test_stops_whatever_state_it_is_in),
        TEST(test_kills_what_ignores_sigterm),
        TEST(test_ends_what_the_program_leaves),
        TEST(test_removal_does_not_follow_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
