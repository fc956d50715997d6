# SPDX-License-Identifier: BSD-3-Clause
"""A custom command in Python: one write an execution, by the name of the command, over the keyspace.

    valkey-polyglot -t custom --custom-command-file examples/custom_command.py --custom-command-args hset -r 100000

The name is set (as without one), mset, hset, lpush or lpush_keyspace.
"""
import random


class CustomCommands:
    def __init__(self, args=None):
        name = args or "set"
        if name not in ("set", "mset", "hset", "lpush", "lpush_keyspace"):
            raise ValueError(f"no command of this name: {name}")
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
        await client.hset(key, {f"field:{i}": self.value for i in range(10)})

    async def lpush(self, client, key):
        """One list for all."""
        await client.lpush("custom:list", [self.value])

    async def lpush_keyspace(self, client, key):
        """A list for each key."""
        await client.lpush(key, [self.value])
