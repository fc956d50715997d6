/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/lua/sandbox.h"

#include <dlfcn.h>
#include <unistd.h>

#include <lualib.h>

#include "base/rng.h"
#include "script/lua/raise.h"

/* Gives up where it cannot be written: nobody is there to be told. */
static void write_all(int fd, struct str text)
{
    while (text.len) {
        const ssize_t wrote = write(fd, text.ptr, text.len);

        if (wrote <= 0)
            return;
        text = (struct str){text.ptr + wrote, text.len - (size_t)wrote};
    }
}

static int print(lua_State *lua)
{
    const struct script *script = lua_touserdata(lua, lua_upvalueindex(1));
    const int count = lua_gettop(lua);
    struct str line;
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&buffer, '\t');
        lua_getglobal(lua, "tostring");
        lua_pushvalue(lua, i);
        lua_call(lua, 1, 1);
        if (!lua_isstring(lua, -1))
            raise_error(lua, "'tostring' must return a string to 'print'");
        luaL_addvalue(&buffer);
    }
    luaL_addchar(&buffer, '\n');
    luaL_pushresult(&buffer);
    line.ptr = lua_tolstring(lua, -1, &line.len);
    write_all(script->setup->print_fd, line);
    return 0;
}

static int refuse_exit(lua_State *lua)
{
    raise_error(lua, "os.exit() would end the whole run: return false or raise an error instead");
}

static void set_function(struct script *script, const char *table, const char *name,
                         lua_CFunction function)
{
    lua_State *lua = script->lua;

    lua_getglobal(lua, table);
    lua_pushlightuserdata(lua, script);
    lua_pushcclosure(lua, function, 1);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 1);
}

static void add_folder(lua_State *lua, const char *file)
{
    const char *slash = strrchr(file, '/');

    if (slash)
        lua_pushlstring(lua, file, slash == file ? 1 : (size_t)(slash - file));
    else
        lua_pushliteral(lua, ".");
    const char *folder = lua_tostring(lua, -1);
    lua_getglobal(lua, "package");
    lua_getfield(lua, -1, "path");
    lua_pushfstring(lua, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(lua, -1));
    lua_setfield(lua, -3, "path");
    lua_pop(lua, 3);
}

static void seed_random(const struct script *script)
{
    lua_State *lua = script->lua;
    const uint64_t bits =
        rng_draw(script->setup->keys->seed, RNG_SCRIPT, UINT64_MAX - 1 - script->setup->worker);

    lua_getglobal(lua, "math");
    lua_getfield(lua, -1, "randomseed");
    lua_pushnumber(lua, (lua_Number)(bits >> 11));
    lua_call(lua, 1, 0);
    lua_pop(lua, 1);
}

/* What is written through `io` goes where print() does. */
static void divert_io(lua_State *lua)
{
    lua_getglobal(lua, "io");
    lua_getfield(lua, -1, "output");
    lua_getfield(lua, -2, "stderr");
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -4, "stdout");
    lua_call(lua, 1, 0);
    lua_pop(lua, 1);
}

/* Modules that are written in C look for the interpreter among what the whole program shares, and
 * it was opened for this host alone. Where it has another name they have to name it themselves. */
static void share_interpreter(void)
{
    dlopen("libluajit-5.1.so.2", RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

void sandbox_open(struct script *script)
{
    share_interpreter();
    luaL_openlibs(script->lua);
    set_function(script, "_G", "print", print);
    set_function(script, "os", "exit", refuse_exit);
    add_folder(script->lua, script->setup->config->file);
    seed_random(script);
    if (script->setup->print_fd == STDERR_FILENO)
        divert_io(script->lua);
}
