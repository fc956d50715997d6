# SPDX-License-Identifier: BSD-3-Clause
"""A real server on a free port, without persistence, in a folder of the test."""
import os
import random
import shutil
import signal
import socket
import subprocess

import processes
import resp

ATTEMPTS = 5


def find():
    """The server's binary. The checkers of RDB files are the same binary under another name."""
    for name in ("valkey-server", "redis-server", "valkey-check-rdb", "redis-check-rdb"):
        path = shutil.which(name)
        if path:
            return path
    raise AssertionError("no valkey-server, redis-server, valkey-check-rdb or redis-check-rdb on PATH")


def free_port():
    """A free port below those that the kernel gives to dials, so that no dial can take it meanwhile."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given = int(file.read().split()[0])
    while True:
        port = random.randrange(10000, max(first_given, 20000))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class RealServer:
    def __init__(self, folder, options=(), bind="127.0.0.1", password=None):
        self.folder = folder
        self.password = password
        self.options = [str(option) for option in options]
        if password:
            self.options += ["--requirepass", password]
        self.bind = bind
        self.client = None
        self.process = None
        for attempt in range(ATTEMPTS):
            self.port = free_port()
            try:
                self.start()
                return
            except AssertionError:
                self.stop()
                if attempt == ATTEMPTS - 1:
                    raise

    def start(self):
        """Starts the server on its port and waits until it answers."""
        arguments = ["valkey-server", "--port", str(self.port), "--bind", self.bind, "--save", "",
                     "--appendonly", "no", "--dir", str(self.folder)] + self.options
        with open(os.path.join(str(self.folder), "server.log"), "ab") as log:
            self.process = subprocess.Popen(arguments, executable=find(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            preexec_fn=processes.die_with_parent)
        self.client = processes.wait_until(self.answers, f"a server on port {self.port}", 20)

    def answers(self):
        assert self.process.poll() is None, f"the server ended: see {self.folder}/server.log"
        try:
            client = resp.Client(self.port, host=self.bind)
        except OSError:
            return None
        try:
            if self.password:
                client.call("AUTH", self.password)
            client.call("PING")
            return client
        except (OSError, resp.ReplyError):
            client.close()
            return None

    def signal(self, number):
        self.process.send_signal(number)

    def crash(self):
        """kill -9; returns when the port is closed."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)
        self.client.close()

    def stop(self):
        if self.client:
            self.client.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def calls(self, command):
        return self.client.calls(command)

    def size(self):
        return self.client.call("DBSIZE")
