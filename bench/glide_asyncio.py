# SPDX-License-Identifier: BSD-3-Clause
"""
Drives valkey-GLIDE's Python client as Python programs do: a pool of clients, and one asyncio task a request in flight,
each of which times what it awaits. Usage: PORT REQUESTS CLIENTS TASKS KEY VALUE_BYTES; prints requests a second.
"""
import asyncio
import sys
import time

from glide import GlideClient, GlideClientConfiguration, NodeAddress


async def main(port, requests, clients, tasks, key, value_bytes):
    configuration = GlideClientConfiguration([NodeAddress("127.0.0.1", port)], request_timeout=5000)
    pool = [await GlideClient.create(configuration) for _ in range(clients)]
    value = "x" * value_bytes
    latencies = []
    issued = 0

    async def work():
        nonlocal issued
        while issued < requests:
            issued += 1
            client = pool[len(latencies) % len(pool)]
            began = time.time()
            await client.set(key, value)
            latencies.append(time.time() - began)

    began = time.monotonic()
    await asyncio.gather(*[work() for _ in range(tasks)])
    print(f"{len(latencies) / (time.monotonic() - began):.2f} requests per second")
    for client in pool:
        await client.close()


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(main(*[int(word) for word in words[:4]], words[4], int(words[5])))
