# SPDX-License-Identifier: BSD-3-Clause
"""Custom commands of which --custom-command-args names the one that a test is after."""
import asyncio


class CustomCommands:
    def __init__(self, args=None):
        self.execute = getattr(self, args)
        self.args = args

    def init(self, config):
        assert config["data_size"] == 3
        assert config["custom_command_args"] == self.args
        if self.args == "bad_init":
            raise ValueError("init failed on purpose")
        while self.args == "endless_init":
            pass

    async def none(self, client):
        return True

    bad_init = endless_init = none

    async def two(self, client):
        await client.incr("probe:a")
        await client.incr("probe:b")

    async def pipeline(self, client):
        replies = await asyncio.gather(client.incr("probe:a"), client.incr("probe:b"), client.ping())
        return len(replies) == 3 and replies[2] == b"PONG"

    async def binary(self, client):
        key, value = b"a\0b\r\n\xff", b"\0\r\n$5\r\n\xfe"
        assert await client.set(key, value) == "OK"
        assert await client.get(key) == value
        await client.set("probe:done", "1")

    async def nested(self, client):
        reply = await client.custom_command(["EVAL", "return {1, {'two', {3}}, {}, {ok = 'fine'}}", "0"])
        assert reply == [1, [b"two", [3]], [], b"fine"] or reply == [1, [b"two", [3]], [], "fine"], reply
        await client.set("probe:done", "1")

    async def swallowed(self, client):
        try:
            await client.lpush("probe:text", ["x"])
        except Exception as error:
            return "WRONGTYPE" in str(error)
        return False

    async def failed(self, client):
        await client.lpush("probe:text", ["x"])

    async def refused(self, client):
        return False

    async def thrown(self, client):
        raise RuntimeError("thrown on purpose")

    async def endless(self, client):
        while True:
            pass

    async def large(self, client):
        return len(await client.get("probe:large")) == 100 * 1024 * 1024

    async def slow(self, client):
        await client.blpop(["probe:never"], 0.1)
        await client.blpop(["probe:never"], 0.1)

    async def cut(self, client):
        """A connection is lost between the two."""
        await client.incr("probe:begun")
        await client.blpop(["probe:never"], 0)
