-- SPDX-License-Identifier: BSD-3-Clause
-- Custom commands of which --custom-command-args names the one that a test is after.
local probes = {}
local chosen

local function expect(got, want, what)
    if got ~= want then
        error(what .. ": " .. tostring(got))
    end
end

function probes.none()
    return true
end

function probes.two(client)
    client:call("INCR", "probe:a")
    return client:call("INCR", "probe:b")
end

function probes.pipeline(client)
    local replies = client:pipeline{{"INCR", "probe:a"}, {"INCR", "probe:b"}, {"PING"}}
    return #replies == 3 and replies[3] == "PONG"
end

function probes.binary(client)
    local key, value = "a\0b\r\n\255", "\0\r\n$5\r\n\254"
    expect(client:call("SET", key, value), "OK", "SET")
    expect(client:call("GET", key), value, "GET")
    return client:call("SET", "probe:done", 1)
end

function probes.nested(client)
    local reply = client:call("EVAL", "return {1, {'two', {3}}, {}, {ok = 'fine'}}", 0)
    expect(#reply, 4, "elements")
    expect(reply[1], 1, "first")
    expect(reply[2][1], "two", "second")
    expect(reply[2][2][1], 3, "third")
    expect(#reply[3], 0, "empty")
    expect(reply[4], "fine", "last")
    return client:call("SET", "probe:done", 1)
end

function probes.swallowed(client)
    local reply, message = client:call("LPUSH", "probe:text", "x")
    return reply == nil and message:sub(1, 9) == "WRONGTYPE"
end

function probes.failed(client)
    return client:call("LPUSH", "probe:text", "x")
end

function probes.refused()
    return false
end

function probes.thrown()
    error("thrown on purpose")
end

function probes.endless()
    while true do
    end
end

function probes.large(client)
    return #client:call("GET", "probe:large") == 100 * 1024 * 1024
end

function probes.slow(client)
    client:call("BLPOP", "probe:never", 0.1)
    client:call("BLPOP", "probe:never", 0.1)
end

-- A connection is lost between the two.
function probes.cut(client)
    client:call("INCR", "probe:begun")
    return client:call("BLPOP", "probe:never", 0)
end

probes.bad_init = probes.none
probes.endless_init = probes.none

function init(config)
    expect(config.data_size, 3, "data_size")
    if config.custom_command_args == "bad_init" then
        error("init failed on purpose")
    end
    while config.custom_command_args == "endless_init" do
    end
    chosen = probes[config.custom_command_args]
end

function execute(client)
    return chosen(client)
end
