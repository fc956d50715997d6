/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script/executor.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "load/template.h"

/* A host, a driver and a worker that write down what they are told. */

enum { DIARY_MAX = 2048, PLACES = 2 };

/* What a script does, in turn, in any place. */
struct act {
    enum script_status status;
    const char *bytes; /* WAITS: the commands; FAILED: the text */
    uint32_t count;
};

struct script {
    const struct act *acts;
};

struct fixture {
    struct driver driver; /* first: the executor hands it on */
    struct source source; /* as the driver has it */
    struct script script;
    unsigned at[PLACES];
    struct executor_setup setup;
    struct script_setup script_setup;
    struct executor *executor;
    struct request sent[PLACES]; /* the driver's, by place */
    bool keeps;                  /* the client of the last request can carry another */
    char diary[DIARY_MAX];
};

/* Hosts have no context of their own. */
static struct fixture *current;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    const size_t len = strlen(current->diary);
    va_list args;

    va_start(args, format);
    vsnprintf(current->diary + len, DIARY_MAX - len, format, args);
    va_end(args);
    assert_true(strlen(current->diary) < DIARY_MAX - 1);
}

static int fake_create(struct script **script, const struct script_setup *setup, struct err *err)
{
    (void)setup, (void)err;
    *script = &current->script;
    return 0;
}

static void fake_destroy(struct script **script)
{
    *script = NULL;
}

static enum script_status act(struct script *script, unsigned place, struct script_step *step)
{
    const struct act *next = &script->acts[current->at[place]++];

    step->bytes = step->text = str_of(next->bytes ? next->bytes : "");
    step->count = next->count;
    return next->status;
}

static enum script_status fake_start(struct script *script, unsigned place,
                                     const struct request *request, struct script_step *step)
{
    note("start %u k%u; ", place, (unsigned)request->k);
    current->at[place] = 0;
    return act(script, place, step);
}

static enum script_status fake_resume(struct script *script, unsigned place,
                                      const struct script_answer *answer, struct script_step *step)
{
    const struct str said = answer->replies.len ? answer->replies : answer->text;

    note("resume %u \"%.*s\"%s; ", place, (int)said.len, said.len ? said.ptr : "",
         answer->timeout ? " timeout" : "");
    return act(script, place, step);
}

static void fake_cancel(struct script *script, unsigned place)
{
    (void)script;
    note("cancel %u; ", place);
}

static const struct script_host fake_host = {.version = SCRIPT_HOST_VERSION,
                                             .name = "fake",
                                             .create = fake_create,
                                             .destroy = fake_destroy,
                                             .start = fake_start,
                                             .resume = fake_resume,
                                             .cancel = fake_cancel};

static void take(const char *how, const struct request *request)
{
    char bytes[256];
    const size_t len = source_render(&current->source, request, bytes);

    assert_true(request->n < PLACES);
    current->sent[request->n] = *request;
    current->driver.free--;
    current->driver.in_flight++;
    note("%s %u \"%.*s\" slot %d; ", how, (unsigned)request->n, (int)len, bytes,
         source_slot(&current->source, request));
}

static bool fake_submit(struct driver *driver, const struct request *request)
{
    if (driver->free == 0)
        return false;
    take("send", request);
    return true;
}

static bool fake_submit_again(struct driver *driver, const struct request *request, unsigned client)
{
    assert_int_equal(client, 7);
    if (!current->keeps || driver->free == 0)
        return false;
    take("again", request);
    return true;
}

static const struct driver_ops fake_driver = {.submit = fake_submit,
                                              .submit_again = fake_submit_again};

static void on_done(void *context, const struct completion *completion)
{
    (void)context;
    note("done k%u %s %u..%u \"%.*s\"; ", (unsigned)completion->request->k,
         completion->outcome == OUTCOME_UNANSWERED ? "unanswered"
                                                   : outcome_name(completion->outcome),
         (unsigned)completion->sent_ns, (unsigned)completion->replied_ns, (int)completion->text.len,
         completion->text.len ? completion->text.ptr : "");
}

static void on_answered(void *context, uint32_t commands)
{
    (void)context;
    note("answered %u; ", commands);
}

static void set_up(struct fixture *fixture, const struct act *acts, bool cluster)
{
    struct err err;
    const struct source_config config = {.type = "custom"};

    *fixture = (struct fixture){.driver = {.ops = &fake_driver, .free = PLACES},
                                .script = {acts},
                                .keeps = true,
                                .script_setup = {.places = PLACES},
                                .setup = {.host = &fake_host,
                                          .cluster = cluster,
                                          .request_timeout_ns = CLOCK_NS_PER_S,
                                          .done = on_done,
                                          .answered = on_answered}};
    current = fixture;
    fixture->setup.script = &fixture->script_setup;
    assert_int_equal(source_init(&fixture->source, &config, 0, &err), 0);
    assert_int_equal(executor_create(&fixture->executor, &fixture->setup, &err), 0);
    fixture->source.commands = fixture->executor->commands;
    fixture->executor->driver = &fixture->driver;
}

static void tear_down(struct fixture *fixture)
{
    assert_int_equal(fixture->executor->running, 0);
    executor_destroy(&fixture->executor);
    source_deinit(&fixture->source);
}

static void submit(struct fixture *fixture, unsigned k)
{
    const struct request request = {.k = k};

    assert_true(executor_free(fixture->executor) > 0);
    executor_submit(fixture->executor, &request);
}

/* The driver's end of the request of a place. */
static void end(struct fixture *fixture, unsigned place, const struct completion *how)
{
    const struct request request = fixture->sent[place];
    struct completion completion = *how;

    completion.request = &request;
    completion.client = 7;
    fixture->driver.free++;
    fixture->driver.in_flight--;
    executor_done(fixture->executor, &completion);
}

static void reply(struct fixture *fixture, unsigned place, const char *replies, unsigned time)
{
    end(fixture, place,
        &(struct completion){.sent_ns = time, .replied_ns = time + 5, .replies = str_of(replies)});
}

#define assert_diary(fixture, text)                                                                \
    do {                                                                                           \
        assert_string_equal((fixture)->diary, text);                                               \
        (fixture)->diary[0] = '\0';                                                                \
    } while (0)

/* From the first send to the last reply, over one client. */
static void test_several_commands(void **state)
{
    static const struct act acts[] = {
        {SCRIPT_WAITS, "A", 1}, {SCRIPT_WAITS, "BC", 2}, {SCRIPT_OK, NULL, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, acts, false);
    submit(&fixture, 3);
    assert_diary(&fixture, "start 0 k3; send 0 \"A\" slot -1; ");
    reply(&fixture, 0, "+a\r\n", 100);
    assert_diary(&fixture, "answered 1; resume 0 \"+a\r\n\"; again 0 \"BC\" slot -1; ");
    assert_int_equal(fixture.executor->running, 1);
    reply(&fixture, 0, "+b\r\n+c\r\n", 200);
    assert_diary(&fixture, "answered 2; resume 0 \"+b\r\n+c\r\n\"; done k3 ok 100..205 \"\"; ");
    tear_down(&fixture);
}

static void test_failures(void **state)
{
    static const struct {
        struct act last;
        struct completion completion;
        const char *diary;
    } cases[] = {
        {{SCRIPT_FAILED, "it broke", 0},
         {.replies = {"+a\r\n", 4}, .sent_ns = 1, .replied_ns = 2},
         "answered 1; resume 0 \"+a\r\n\"; done k1 script 1..2 \"it broke\"; "},
        {{SCRIPT_FAILED, "", 0},
         {.replies = {"+a\r\n", 4}, .sent_ns = 1, .replied_ns = 2},
         "answered 1; resume 0 \"+a\r\n\"; done k1 script 1..2 \"the custom command said that it "
         "failed\"; "},
        {{SCRIPT_FAILED, "", 0},
         {.replies = {"-OOM full\r\n", 11},
          .sent_ns = 1,
          .replied_ns = 2,
          .outcome = OUTCOME_OOM,
          .text = {"OOM full", 8}},
         "answered 1; resume 0 \"-OOM full\r\n\"; done k1 oom 1..2 \"OOM full\"; "},
        /* The first of several, whose text is not at hand. */
        {{SCRIPT_FAILED, "", 0},
         {.replies = {"+a\r\n-OOM full\r\n", 15},
          .sent_ns = 1,
          .replied_ns = 2,
          .outcome = OUTCOME_OOM},
         "answered 1; resume 0 \"+a\r\n-OOM full\r\n\"; done k1 oom 1..2 \"OOM full\"; "},
        /* What the script has swallowed. */
        {{SCRIPT_OK, NULL, 0},
         {.replies = {"-OOM full\r\n", 11},
          .sent_ns = 1,
          .replied_ns = 2,
          .outcome = OUTCOME_OOM,
          .text = {"OOM full", 8}},
         "answered 1; resume 0 \"-OOM full\r\n\"; done k1 ok 1..2 \"\"; "},
        {{SCRIPT_FAILED, "", 0},
         {.replied_ns = 2, .outcome = OUTCOME_DISCONNECT, .text = {"lost", 4}},
         "resume 0 \"lost\"; done k1 disconnect 2..2 \"lost\"; "},
        {{SCRIPT_FAILED, "", 0},
         {.sent_ns = 1, .replied_ns = 2, .outcome = OUTCOME_TIMEOUT, .text = {"late", 4}},
         "resume 0 \"late\" timeout; done k1 timeout 1..2 \"late\"; "},
        {{SCRIPT_OK, NULL, 0},
         {.sent_ns = 1, .replied_ns = 2, .outcome = OUTCOME_UNANSWERED},
         "cancel 0; done k1 unanswered 1..2 \"\"; "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct act acts[] = {{SCRIPT_WAITS, "A", 1}, cases[i].last};
        struct fixture fixture;

        set_up(&fixture, acts, false);
        submit(&fixture, 1);
        fixture.diary[0] = '\0';
        end(&fixture, 0, &cases[i].completion);
        assert_diary(&fixture, cases[i].diary);
        tear_down(&fixture);
    }
}

/* An execution without commands is a request as well, and takes no time that is known. */
static void test_no_command(void **state)
{
    static const struct act acts[] = {{SCRIPT_OK, NULL, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, acts, false);
    submit(&fixture, 1);
    assert_int_equal(strncmp(fixture.diary, "start 0 k1; done k1 ok ", 23), 0);
    assert_int_equal(fixture.executor->ended, 1);
    assert_int_equal(executor_free(fixture.executor), PLACES);
    tear_down(&fixture);
}

/* A client is gone: the execution goes on over another, before anything new begins. */
static void test_waits_for_a_slot(void **state)
{
    static const struct act acts[] = {
        {SCRIPT_WAITS, "A", 1}, {SCRIPT_WAITS, "B", 1}, {SCRIPT_OK, NULL, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, acts, false);
    submit(&fixture, 1);
    fixture.driver.free = 0;
    fixture.keeps = false;
    fixture.diary[0] = '\0';
    fixture.driver.free--; /* the slot that ends is not free again */
    end(&fixture, 0,
        &(struct completion){
            .sent_ns = 1, .replied_ns = 2, .outcome = OUTCOME_DISCONNECT, .text = STR("lost")});
    assert_diary(&fixture, "resume 0 \"lost\"; ");
    assert_int_equal(fixture.executor->waiting, 1);
    executor_tick(fixture.executor, 0);
    assert_diary(&fixture, "");
    fixture.driver.free = 1;
    assert_int_equal(executor_free(fixture.executor), 0);
    executor_tick(fixture.executor, 0);
    assert_diary(&fixture, "send 0 \"B\" slot -1; ");
    reply(&fixture, 0, "+b\r\n", 10);
    assert_diary(&fixture, "answered 1; resume 0 \"+b\r\n\"; done k1 ok 1..15 \"\"; ");
    tear_down(&fixture);
}

static void test_waits_in_vain(void **state)
{
    static const struct act acts[] = {
        {SCRIPT_WAITS, "A", 1}, {SCRIPT_WAITS, "B", 1}, {SCRIPT_FAILED, "", 0}};
    const bool abandoned[] = {false, true};

    (void)state;
    for (size_t i = 0; i < COUNT(abandoned); i++) {
        struct fixture fixture;

        set_up(&fixture, acts, false);
        submit(&fixture, 1);
        fixture.driver.free = (unsigned)-1;
        fixture.keeps = false;
        end(&fixture, 0,
            &(struct completion){
                .sent_ns = 1, .replied_ns = 2, .outcome = OUTCOME_DISCONNECT, .text = STR("lost")});
        const uint64_t tick_ns = fixture.executor->tick_ns;
        assert_true(tick_ns > clock_now_ns() && tick_ns < clock_now_ns() + 2 * CLOCK_NS_PER_S);
        executor_tick(fixture.executor, tick_ns - 1);
        assert_int_equal(fixture.executor->waiting, 1);
        fixture.diary[0] = '\0';
        if (abandoned[i])
            executor_abandon(fixture.executor, 9);
        else
            executor_tick(fixture.executor, tick_ns);
        assert_non_null(
            strstr(fixture.diary,
                   abandoned[i] ? "cancel 0; done k1 unanswered 1..9"
                                : "resume 0 \"No client was connected within 1000 ms.\" timeout; "
                                  "done k1 timeout 1.."));
        assert_int_equal(fixture.executor->waiting, 0);
        assert_true(fixture.executor->tick_ns == CLOCK_NEVER);
        tear_down(&fixture);
    }
}

#define GET_A          "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
#define GET_B          "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"
#define MULTI          "*1\r\n$5\r\nMULTI\r\n"
#define NO_TRANSACTION "-ERR no transactions in a cluster: each command may go to another node\r\n"

/* In a cluster each command finds its own node. */
static void test_cluster(void **state)
{
    static const struct act acts[] = {{SCRIPT_WAITS, GET_A GET_B, 2}, {SCRIPT_OK, NULL, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, acts, true);
    submit(&fixture, 1);
    assert_diary(&fixture, "start 0 k1; send 0 \"" GET_A "\" slot 15495; ");
    reply(&fixture, 0, "+a\r\n", 10);
    assert_diary(&fixture, "answered 1; again 0 \"" GET_B "\" slot 3300; ");
    reply(&fixture, 0, "+b\r\n", 20);
    assert_diary(&fixture, "answered 1; resume 0 \"+a\r\n+b\r\n\"; done k1 ok 10..25 \"\"; ");
    tear_down(&fixture);
}

static void test_no_transaction_in_a_cluster(void **state)
{
    static const struct act acts[] = {
        {SCRIPT_WAITS, MULTI, 1}, {SCRIPT_WAITS, GET_A MULTI, 2}, {SCRIPT_OK, NULL, 0}};
    struct fixture fixture;

    (void)state;
    set_up(&fixture, acts, true);
    submit(&fixture, 1);
    assert_diary(&fixture,
                 "start 0 k1; resume 0 \"" NO_TRANSACTION "\"; send 0 \"" GET_A "\" slot 15495; ");
    reply(&fixture, 0, "+a\r\n", 10);
    assert_diary(&fixture,
                 "answered 1; resume 0 \"+a\r\n" NO_TRANSACTION "\"; done k1 ok 10..15 \"\"; ");
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_commands),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_command),
        cmocka_unit_test(test_waits_for_a_slot),
        cmocka_unit_test(test_waits_in_vain),
        cmocka_unit_test(test_cluster),
        cmocka_unit_test(test_no_transaction_in_a_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
