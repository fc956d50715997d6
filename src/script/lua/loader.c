/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/loader.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "script/lua/failure.h"

/* Where loader_run_file() left what the file returned. */
enum { RETURNED = 1 };

static const char *file_of(const struct script *script)
{
    return script->setup->config->file;
}

static int check_readable(const char *file, struct err *err)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, "Could not read %s", file);
    close(fd);
    return 0;
}

/* What follows the file's name at the front of a text of Lua's, which leaves out the front of a
 * long one: ":3: ..."; NULL: the text does not begin with it. */
static const char *skip_name(const char *text, const char *file)
{
    const bool is_cut = strncmp(text, "...", 3) == 0;
    const char *name = is_cut ? text + 3 : text;

    for (const char *tail = file; *tail; tail += is_cut ? 1 : strlen(tail)) {
        const size_t len = strlen(tail);

        if (strncmp(name, tail, len) == 0 && name[len] == ':')
            return name + len;
    }
    return NULL;
}

/* Tells the error on top of the stack, which may be of a line of the file or not. */
static int tell(struct script *script, const char *what, struct err *err)
{
    lua_State *lua = script->lua;
    const char *file = file_of(script);

    failure_describe(script);
    const char *text = lua_tostring(lua, -1);
    const char *rest = skip_name(text, file);
    if (rest)
        lua_pushfstring(lua, "%s%s%s", what, file, rest);
    else
        lua_pushfstring(lua, "%s: %s%s", file, what, text);
    return failure_tell(script, err);
}

int loader_run_file(struct script *script, struct err *err)
{
    lua_State *lua = script->lua;
    const int rc = check_readable(file_of(script), err);

    if (rc < 0)
        return rc;
    if (luaL_loadfile(lua, file_of(script)) != 0 || lua_pcall(lua, 0, 1, 0) != 0)
        return tell(script, "", err);
    return 0;
}

/* Pushes a field of the returned table or, if it has none, a global. Both are read raw, so that
 * nothing of the user's code runs. */
static void push_offer(lua_State *lua, const char *name)
{
    if (lua_istable(lua, RETURNED)) {
        lua_pushstring(lua, name);
        lua_rawget(lua, RETURNED);
        if (!lua_isnil(lua, -1))
            return;
        lua_pop(lua, 1);
    }
    lua_pushstring(lua, name);
    lua_rawget(lua, LUA_GLOBALSINDEX);
}

int loader_find_execute(struct script *script, struct err *err)
{
    lua_State *lua = script->lua;

    push_offer(lua, "execute");
    if (!lua_isfunction(lua, -1))
        return err_set(
            err,
            "%s has no function execute(client), neither as a global nor in a table that "
            "it returns.",
            file_of(script));
    script->execute_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

/* Pushes a field of the table at `row` and returns it as a text; NULL: it is none. */
static const char *push_text(lua_State *lua, int row, const char *name)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, row);
    return lua_tostring(lua, -1);
}

static bool is_option_name(const char *name)
{
    static const char allowed[] = "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    return name && *name && *name != '-' && name[strspn(name, allowed)] == '\0';
}

/* Adds the option that the table on top of the stack tells of; returns false if it tells of none.
 */
static bool add_option(lua_State *lua, struct script_option_list *list)
{
    const int row = lua_gettop(lua);

    if (!lua_istable(lua, row) || !lua_checkstack(lua, 8))
        return false;
    const struct script_option option = {
        .name = push_text(lua, row, "name"),
        .initial = push_text(lua, row, "default"),
        .value = push_text(lua, row, "value"),
        .help = push_text(lua, row, "help"),
    };
    const bool good = is_option_name(option.name) && !script_option_list_find(list, option.name);
    if (good)
        script_option_list_add(list, &option);
    lua_settop(lua, row);
    return good;
}

int loader_read_options(struct script *script, struct script_option_list *list, struct err *err)
{
    lua_State *lua = script->lua;

    push_offer(lua, "options");
    const int table = lua_gettop(lua);
    const bool is_list = lua_istable(lua, table);
    if (!is_list && !lua_isnil(lua, table))
        return err_set(err, "%s: options must be a list of tables.", file_of(script));
    const int count = is_list ? (int)lua_objlen(lua, table) : 0;
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, table, i);
        if (!add_option(lua, list))
            return err_set(err,
                           "%s: options[%d] must be a table with a name of its own, of letters, "
                           "digits and dashes.",
                           file_of(script), i);
        lua_pop(lua, 1);
    }
    lua_settop(lua, table - 1);
    return 0;
}

static void set_number(lua_State *lua, const char *name, uint64_t number)
{
    lua_pushnumber(lua, (lua_Number)number);
    lua_setfield(lua, -2, name);
}

/* A size of 0 is left out: in Lua 0 is true. */
static void set_size(lua_State *lua, const char *name, uint64_t size)
{
    if (size)
        set_number(lua, name, size);
}

static void set_text(lua_State *lua, const char *name, const char *text)
{
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
}

/* What was given comes after the defaults. */
static void set_options(const struct script *script, const struct script_option_list *list)
{
    const struct script_config *config = script->setup->config;
    lua_State *lua = script->lua;

    lua_newtable(lua);
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].initial)
            set_text(lua, list->items[i].name, list->items[i].initial);
    for (size_t i = 0; i < config->value_count; i++)
        set_text(lua, config->values[i].name, config->values[i].text);
    lua_setfield(lua, -2, "options");
}

static void push_config(const struct script *script, const struct script_option_list *list)
{
    const struct script_setup *setup = script->setup;
    const struct keyspace_config *keys = setup->keys;
    lua_State *lua = script->lua;

    lua_newtable(lua);
    if (setup->config->args)
        set_text(lua, "custom_command_args", setup->config->args);
    set_number(lua, "data_size", setup->data_bytes);
    set_number(lua, "keyspace_offset", keys->offset);
    set_size(lua, "random_keyspace", keys->random);
    set_size(lua, "sequential_keyspacelen", keys->sequential);
    lua_pushboolean(lua, keys->sequential != 0);
    lua_setfield(lua, -2, "use_sequential");
    set_number(lua, "seed", keys->seed);
    set_number(lua, "worker", setup->worker);
    set_number(lua, "workers", setup->workers);
    set_number(lua, "clients", setup->clients);
    set_options(script, list);
}

int loader_call_init(struct script *script, const struct script_option_list *list, struct err *err)
{
    lua_State *lua = script->lua;
    const int top = lua_gettop(lua);

    push_offer(lua, "init");
    if (lua_isnil(lua, -1)) {
        lua_settop(lua, top);
        return 0;
    }
    push_config(script, list);
    if (lua_pcall(lua, 1, 2, 0) != 0)
        return tell(script, "init failed: ", err);
    const bool has_text = !lua_isnil(lua, top + 2);
    const bool failed = lua_isnil(lua, top + 1) ? has_text : !lua_toboolean(lua, top + 1);
    if (failed && !has_text)
        return err_set(err, "%s: init returned false.", file_of(script));
    if (failed)
        return tell(script, "init failed: ", err);
    lua_settop(lua, top);
    return 0;
}
