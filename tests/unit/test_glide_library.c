/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "client/glide_library.h"

static const struct {
    const char *path;
    unsigned minor; /* 0: refused */
    const char *words;
} cases[] = {
    {STUB_GLIDE "3.so", 0, "older than valkey-GLIDE 2.4"},
    {STUB_GLIDE "4.so", 4, NULL},
    {STUB_GLIDE "5.so", 5, NULL},
    {STUB_GLIDE "6.so", 6, NULL},
    {STUB_GLIDE "7.so", 0, "\"function_of_tomorrow\""},
    {"/nowhere/libglide_ffi.so", 0, "Could not load GLIDE's library: /nowhere/"},
    {"/proc/self/exe", 0, "/proc/self/exe"},
};

static int look(struct glide_facts *facts, const char *path, struct err *err)
{
    const struct glide_config config = {.library = path};

    return glide_library_look(facts, &config, err);
}

static void test_knows_versions(void **state)
{
    struct glide_facts facts;
    struct err err;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int rc = look(&facts, cases[i].path, &err);

        assert_int_equal(rc == 0, cases[i].minor != 0);
        if (rc < 0) {
            assert_non_null(strstr(err.text, cases[i].words));
            assert_non_null(strstr(err.text, "scripts/fetch-glide"));
            continue;
        }
        assert_int_equal(facts.minor, cases[i].minor);
        assert_int_equal(facts.path[0], '/');
    }
}

/* Looking leaves nothing of the library in this process. */
static void test_does_not_load_what_it_finds(void **state)
{
    struct glide_facts facts;
    struct err err;
    char line[1024];
    bool mapped = false;

    (void)state;
    assert_int_equal(look(&facts, STUB_GLIDE "5.so", &err), 0);
    FILE *maps = fopen("/proc/self/maps", "re");
    while (fgets(line, sizeof line, maps))
        mapped |= strstr(line, "stub_glide_5") != NULL;
    fclose(maps);
    assert_false(mapped);
}

static void test_searches(void **state)
{
    char cache[] = "/tmp/test_glide_XXXXXX", path[128];
    struct glide_facts facts;
    struct err err;

    (void)state;
    unsetenv("VALKEY_GLIDE_LIBRARY");
    assert_non_null(mkdtemp(cache));
    setenv("XDG_CACHE_HOME", cache, 1);
    if (look(&facts, NULL, &err) < 0) /* the system may have one */
        assert_non_null(strstr(err.text, "There is no library of valkey-GLIDE here"));
    snprintf(path, sizeof path, "%s/valkey-polyglot", cache);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/libglide_ffi.so");
    assert_int_equal(symlink(STUB_GLIDE "4.so", path), 0);
    assert_int_equal(look(&facts, NULL, &err), 0);
    setenv("VALKEY_GLIDE_LIBRARY", STUB_GLIDE "5.so", 1);
    assert_int_equal(look(&facts, NULL, &err), 0);
    assert_int_equal(facts.minor, 5);
    assert_int_equal(look(&facts, STUB_GLIDE "6.so", &err), 0);
    assert_int_equal(facts.minor, 6);
    setenv("VALKEY_GLIDE_LIBRARY", "/nowhere/libglide_ffi.so", 1);
    assert_true(look(&facts, NULL, &err) < 0);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(cache);
}

static void test_loads(void **state)
{
    struct glide_library library;
    struct err err;

    (void)state;
    assert_int_equal(glide_library_load(&library, STUB_GLIDE "6.so", GLIDE_LOG_OFF, &err), 0);
    assert_int_equal(library.minor, 6);
    assert_non_null(library.handle);
    assert_int_equal(glide_library_load(&library, STUB_GLIDE "6.so", GLIDE_LOG_DEBUG, &err), 0);
    assert_true(glide_library_load(&library, STUB_GLIDE "7.so", GLIDE_LOG_OFF, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_versions),
        cmocka_unit_test(test_does_not_load_what_it_finds),
        cmocka_unit_test(test_searches),
        cmocka_unit_test(test_loads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
