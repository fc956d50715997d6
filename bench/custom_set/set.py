# SPDX-License-Identifier: BSD-3-Clause
"""One SET an execution, as the built-in test sends it but for the names of the keys."""


class CustomCommands:
    def __init__(self):
        self.counter = 0

    async def execute(self, client):
        key = f"key:0:{self.counter}"
        self.counter += 1
        await client.set(key, "xxx")
        return True
