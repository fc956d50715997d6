# SPDX-License-Identifier: BSD-3-Clause
"""A custom command in Python: one write an execution, by the name of the command, over the keyspace.

    valkey-polyglot -t custom --custom-command-file examples/custom_command.py --custom-command-args hset -r 100000

The name is set, mset, hset, lpush, or lpop; set if none is given.
"""
import random


class CustomCommands:
    def __init__(self, args=None):
        name = args or "set"
        if name not in ("set", "mset", "hset", "lpush", "lpop"):
            raise ValueError(f"--custom-command-args must be set, mset, hset, lpush or lpop, not {name!r}")
        self.run = getattr(self, name)
        self.count = 0

    def init(self, config):
        """Called once, before the first execution."""
        self.value = "x" * config["data_size"]
        self.offset = config["keyspace_offset"]
        self.random_size = config["random_keyspace"]
        self.sequential_size = config["sequential_keyspacelen"] if config["use_sequential"] else 0
        # Workers take turns, so that a sequence over all of them has no gaps.
        self.count, self.step = config["worker"], config["workers"]

    def key(self):
        number = self.count
        self.count += self.step
        if self.random_size:
            number = random.randrange(self.random_size)
        elif self.sequential_size:
            number %= self.sequential_size
        return f"key:{number + self.offset}"

    async def execute(self, client):
        """One request: its time is that of all commands awaited in here; it failed if this raises or returns False."""
        return await self.run(client, self.key())

    async def set(self, client, key):
        return await client.set(key, self.value) == "OK"

    async def mset(self, client, key):
        # In a cluster, keys of one command have one slot: that of what stands in braces.
        return await client.mset({f"{{{key}}}:{i}": self.value for i in range(10)}) == "OK"

    async def hset(self, client, key):
        await client.hset(f"hash:{key}", {"field": self.value})

    async def lpush(self, client, key):
        await client.lpush(f"list:{key}", [self.value])

    async def lpop(self, client, key):
        await client.lpop(f"list:{key}")
