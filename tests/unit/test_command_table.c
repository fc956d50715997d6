/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "load/command_table.h"
#include "load/template.h"
#include "resp/slot.h"
#include "resp/writer.h"

enum { ARGUMENTS_MAX = 8 };

/* A command as RESP in a block of its exact size, which is the caller's to free. */
static struct str render(const char *const *arguments)
{
    char bytes[512], *at;
    unsigned count = 0;

    while (arguments[count])
        count++;
    at = resp_write_array(bytes, count);
    for (unsigned i = 0; i < count; i++)
        at = resp_write_bulk(at, str_of(arguments[i]));
    const size_t len = (size_t)(at - bytes);
    char *exact = mem_zalloc(len, 1);
    memcpy(exact, bytes, len);
    return (struct str){exact, len};
}

static void test_facts(void **state)
{
    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *key; /* NULL: any node can carry it */
        bool reads, opens;
    } cases[] = {
        {{"SET", "k", "v"}, "k", false, false},
        {{"get", "k"}, "k", true, false},
        {{"GeT", "{tag}rest"}, "tag", true, false},
        {{"MGET", "a", "b"}, "a", true, false},
        {{"PING"}, NULL, false, false},
        {{"PING", "k"}, NULL, false, false},
        {{"CONFIG", "GET", "maxmemory"}, NULL, false, false},
        {{"EVAL", "return 1", "1", "k", "arg"}, "k", false, false},
        {{"EVAL", "return 1", "0", "arg"}, NULL, false, false},
        {{"EVALSHA_RO", "abc", "2", "k", "l"}, "k", true, false},
        {{"XREAD", "COUNT", "2", "STREAMS", "s", "0"}, "s", true, false},
        {{"XREAD", "COUNT", "2"}, NULL, true, false},
        {{"XREADGROUP", "GROUP", "g", "c", "streams", "s", ">"}, "s", false, false},
        {{"BITOP", "AND", "to", "from"}, "to", false, false},
        {{"OBJECT", "ENCODING", "k"}, "k", true, false},
        {{"OBJECT", "HELP"}, NULL, true, false},
        {{"MEMORY", "USAGE", "k"}, "k", true, false},
        {{"MEMORY", "DOCTOR"}, NULL, true, false},
        {{"XINFO", "STREAM", "s"}, "s", true, false},
        {{"ZUNION", "2", "a", "b"}, "a", true, false},
        {{"BLMPOP", "0", "1", "l", "LEFT"}, "l", false, false},
        {{"MIGRATE", "host", "1", "k", "0", "5"}, "k", false, false},
        {{"multi"}, NULL, false, true},
        {{"JSON.SET", "doc", "$", "1"}, "doc", false, false},
        {{"A.COMMAND.WITH.A.NAME.BEYOND.ALL.THAT.ARE.KNOWN", "k"}, "k", false, false},
        {{"GET"}, NULL, true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct str bytes = render(cases[i].arguments);
        const struct command_facts facts = command_facts_of(bytes);
        const int slot =
            cases[i].key ? (int)resp_slot(str_of(cases[i].key)) : (int)TEMPLATE_NO_SLOT;

        assert_int_equal(facts.slot, slot);
        assert_int_equal(facts.reads, cases[i].reads);
        assert_int_equal(facts.opens, cases[i].opens);
        assert_int_equal(command_length(bytes), bytes.len);
        free((void *)(uintptr_t)bytes.ptr);
    }
}

/* The first of several. */
static void test_length(void **state)
{
    static const char two[] = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n";

    (void)state;
    assert_int_equal(command_length((struct str){two, sizeof two - 1}), 14);
    assert_int_equal(command_length((struct str){two + 14, sizeof two - 15}), sizeof two - 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
