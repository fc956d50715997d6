# SPDX-License-Identifier: BSD-3-Clause
"""A small RESP2 client, for asking a real server what it saw."""
import re
import socket


class ReplyError(Exception):
    """An error reply."""


class Client:
    def __init__(self, port, timeout=20.0, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def call(self, *arguments):
        parts = [f"*{len(arguments)}\r\n".encode()]
        for argument in arguments:
            data = str(argument).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2].decode()
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        raise ValueError(f"no RESP2: {line!r}")

    def info(self, section):
        lines = self.call("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def calls(self, command):
        """How often the server executed a command, as INFO commandstats says."""
        entry = self.info("commandstats").get(f"cmdstat_{command}", "calls=0")
        return int(re.match(r"calls=(\d+)", entry).group(1))

    def keys(self):
        return set(self.call("KEYS", "*"))


class Monitor:
    """The server's MONITOR: all commands, with the server's own time stamps in seconds."""

    LINE = re.compile(r'(\d+\.\d{6}) \[\d+ [^]]+\] "([^"]*)"(?: "([^"]*)")?')

    def __init__(self, port):
        self.client = Client(port)
        self.client.call("MONITOR")

    def take(self, command, count):
        """The next `count` calls of a command, as (time, first argument)."""
        found = []
        while len(found) < count:
            match = self.LINE.match(self.client.read())
            if match and match.group(2).upper() == command:
                found.append((float(match.group(1)), match.group(3)))
        return found

    def close(self):
        self.client.close()
