/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/engine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

static struct engine chosen(enum engine_choice choice)
{
    const struct engine_config config = {.choice = (int)choice};
    struct engine engine;

    engine_choose(&engine, &config);
    return engine;
}

static void test_epoll_is_taken_without_a_word(void **state)
{
    (void)state;
    const struct engine engine = chosen(ENGINE_EPOLL);

    assert_ptr_equal(engine.ops, &loop_epoll);
    assert_string_equal(engine.name, "epoll");
    assert_string_equal(engine.note, "");
}

/* Whatever this kernel has: io_uring with its flags, or epoll with a reason. */
static void test_io_uring_is_taken_or_missed(void **state)
{
    (void)state;
    const struct engine engine = chosen(ENGINE_URING);

    if (engine.note[0]) {
        assert_ptr_equal(engine.ops, &loop_epoll);
        assert_string_equal(engine.name, "epoll");
    } else {
        assert_non_null(strstr(engine.name, "io_uring ("));
    }
}

static void test_the_library_has_a_version(void **state)
{
    (void)state;
    assert_true(strlen(engine_library()) > 0);
}

/* From now on this process is told `failure` when it asks for a ring. */
static bool forbid_rings(int failure)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)failure),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = COUNT(filter), .filter = filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0 &&
           prctl(PR_SET_SECCOMP, (unsigned long)SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a process of its own, since a filter stays. */
static void check_fall_back(int failure)
{
    int status;
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (!forbid_rings(failure))
            _exit(2);
        const struct engine engine = chosen(ENGINE_AUTO);
        const char *words = "epoll is used instead of io_uring: ";
        const bool right = engine.ops == &loop_epoll && strcmp(engine.name, "epoll") == 0 &&
                           strncmp(engine.note, words, strlen(words)) == 0 &&
                           strcmp(chosen(ENGINE_URING).note, engine.note) == 0;
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_falls_back_where_rings_are_refused(void **state)
{
    static const int failures[] = {EPERM, ENOSYS, ENOMEM};

    (void)state;
    for (size_t i = 0; i < COUNT(failures); i++)
        check_fall_back(failures[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoll_is_taken_without_a_word),
        cmocka_unit_test(test_io_uring_is_taken_or_missed),
        cmocka_unit_test(test_the_library_has_a_version),
        cmocka_unit_test(test_falls_back_where_rings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
