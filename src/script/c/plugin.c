/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/c/plugin.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/c/plugin_place.h"

/* The number that a macro stands for, as text. */
#define TEXT(number)         #number
#define VERSION_TEXT(number) TEXT(number)

enum {
    STACK_BYTES_MIN = 16 * 1024, /* for this host's own functions */
    KEPT_BYTES = 64 * 1024,      /* of commands, by a place */
};

/* What runs in a fiber. */
static void execute(void *context)
{
    struct plugin_place *place = context;
    struct script *script = place->script;

    place->result = script->file.command->execute(&place->client, script->state);
}

static void read_settings(struct script *script, const struct script_setup *setup)
{
    script->data = mem_zalloc(setup->data_bytes + 1, 1);
    memset(script->data, 'x', setup->data_bytes);
    script->keyspace = keyspace_of(setup->keys, setup->worker);
    script->config = (struct vpb_config){
        .calls = &plugin_calls,
        .custom_command_args = setup->config->args,
        .data = script->data,
        .data_size = setup->data_bytes,
        .keyspace_offset = setup->keys->offset,
        .random_keyspace = setup->keys->random,
        .use_sequential = setup->keys->sequential > 0,
        .sequential_keyspacelen = setup->keys->sequential,
        .seed = setup->keys->seed,
        .worker = setup->worker,
        .workers = setup->workers,
        .clients = setup->clients,
        .slots = setup->places,
        .print_fd = setup->print_fd,
    };
}

static int make_places(struct script *script, unsigned count, struct err *err)
{
    const uint32_t asked = script->file.command->stack_bytes;
    const size_t stack_bytes = asked == 0                ? FIBER_STACK_BYTES
                               : asked < STACK_BYTES_MIN ? STACK_BYTES_MIN
                                                         : asked;
    const int rc = fiber_set_create(&script->fibers, count, stack_bytes, err);

    if (rc)
        return rc;
    script->places = mem_zalloc(count, sizeof *script->places);
    for (unsigned i = 0; i < count; i++) {
        struct plugin_place *place = &script->places[i];

        place->client.calls = &plugin_calls;
        place->client.config = &script->config;
        place->client.slot = i;
        place->script = script;
        place->fiber = fiber_set_at(script->fibers, i);
    }
    return 0;
}

static int init_plugin(struct script *script, const char *name, struct err *err)
{
    const struct vpb_command *command = script->file.command;

    if (command->init && command->init(&script->config, &script->state) != 0)
        return err_set(err, "`init` of \"%s\" failed: %s", name,
                       script->refusal ? script->refusal : "it gave no reason.");
    script->ready = true;
    return 0;
}

static void release_place(struct plugin_place *place)
{
    free(place->commands.bytes);
    free(place->error);
    free(place->failure);
}

static void destroy(struct script **slot)
{
    struct script *script = *slot;

    if (!script)
        return;
    fiber_set_destroy(&script->fibers);
    if (script->ready && script->file.command->deinit)
        script->file.command->deinit(script->state);
    for (unsigned i = 0; script->places && i < script->config.slots; i++)
        release_place(&script->places[i]);
    plugin_file_close(&script->file);
    plugin_replies_deinit(&script->replies);
    free(script->places);
    free(script->refusal);
    free(script->data);
    free(script);
    *slot = NULL;
}

static int create(struct script **out, const struct script_setup *setup, struct err *err)
{
    struct script *script = mem_zalloc(1, sizeof *script);

    *out = NULL;
    read_settings(script, setup);
    int rc = plugin_file_open(&script->file, setup->config, err);
    if (rc == 0)
        rc = make_places(script, setup->places, err);
    if (rc == 0)
        rc = init_plugin(script, setup->config->file, err);
    if (rc)
        destroy(&script);
    *out = script;
    return rc;
}

/* Ready for the next commands of its execution. */
static void clear_commands(struct plugin_place *place)
{
    struct plugin_commands *commands = &place->commands;

    commands->len = 0;
    commands->count = 0;
    commands->refused = false;
    if (commands->room > KEPT_BYTES) {
        free(commands->bytes);
        commands->bytes = NULL;
        commands->room = 0;
    }
}

/* What it is to say that there are commands which nobody has flushed. */
static void check_end(struct plugin_place *place)
{
    if (place->commands.count == 0)
        return;
    clear_commands(place);
    free(place->failure);
    place->failure = mem_copy_text("Commands were appended and never flushed: they were not sent.");
    place->result = -1;
}

/* What an execution came to that has just stopped or ended. */
static enum script_status take_step(struct plugin_place *place, bool waits,
                                    struct script_step *step)
{
    plugin_replies_clear(&place->script->replies);
    *step = (struct script_step){.text = STR(""), .bytes = STR("")};
    if (waits) {
        step->bytes = (struct str){place->commands.bytes, place->commands.len};
        step->count = place->commands.count;
        return SCRIPT_WAITS;
    }
    check_end(place);
    if (place->result == 0)
        return SCRIPT_OK;
    if (place->failure || place->error)
        step->text = str_of(place->failure ? place->failure : place->error);
    return SCRIPT_FAILED;
}

static enum script_status start(struct script *script, unsigned index,
                                const struct request *request, struct script_step *step)
{
    struct plugin_place *place = &script->places[index];

    place->request = *request;
    place->client.index = request->k;
    place->key[0] = '\0';
    if (place->error || place->failure) {
        free(place->error);
        free(place->failure);
        place->error = NULL;
        place->failure = NULL;
    }
    return take_step(place, fiber_start(place->fiber, execute, place), step);
}

static void lay_replies(struct plugin_place *place, const struct script_answer *answer)
{
    struct plugin_replies *replies = &place->script->replies;
    const uint32_t count = place->commands.count;

    if (answer->replies.len > 0)
        plugin_replies_read(replies, answer->replies, count);
    else
        plugin_replies_fail(replies, count, answer->timeout ? VPB_TIMEOUT : VPB_LOST, answer->text);
    plugin_place_note_error(place);
}

static enum script_status resume(struct script *script, unsigned index,
                                 const struct script_answer *answer, struct script_step *step)
{
    struct plugin_place *place = &script->places[index];

    lay_replies(place, answer);
    clear_commands(place);
    return take_step(place, fiber_resume(place->fiber), step);
}

static void cancel(struct script *script, unsigned index)
{
    struct plugin_place *place = &script->places[index];

    fiber_cancel(place->fiber);
    clear_commands(place);
}

static const char *library(void)
{
    return "custom_command.h " VERSION_TEXT(VPB_API_VERSION);
}

const struct script_host script_host_c = {
    .version = SCRIPT_HOST_VERSION,
    .name = "C",
    .create = create,
    .destroy = destroy,
    .start = start,
    .resume = resume,
    .cancel = cancel,
    .library = library,
    .prepare = plugin_file_prepare,
};
