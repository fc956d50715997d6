# SPDX-License-Identifier: BSD-3-Clause
"""A throwaway server for a measurement: on a core and a port of its own, storing nothing on disk."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

STOP_TIMEOUT_S = 10
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def find_server():
    """The server's program and the name to run it under: the tools' package holds it under another name."""
    for name in ("valkey-server", "redis-server"):
        if shutil.which(name):
            return shutil.which(name), name
    for tool, name in (("valkey-check-rdb", "valkey-server"), ("redis-check-rdb", "redis-server")):
        if shutil.which(tool):
            return shutil.which(tool), name
    sys.exit("No valkey-server was found; scripts/install-deps installs one.")


def cores():
    """The server's core and the client's."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        sys.exit("Two cores are needed: one for the server, one for the client.")
    return allowed[0], allowed[1]


def stop_on_signals():
    """
    SIGINT and SIGTERM unwind the stack, so that the server and whatever runs against it are stopped too. The first
    one does; a second one must not interrupt that.
    """
    def stop(*_):
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        sys.exit("Stopped.")

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)


def free_ports(count):
    """That many, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def make_certificate(certificate, key):
    """A certificate for 127.0.0.1 that is its own authority."""
    if not shutil.which("openssl"):
        sys.exit("openssl was not found, which makes the server's certificate.")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                   stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)


class Server:
    """A throwaway server on a core of its own. With TLS it has a port for that, `tls_port`, beside the plain one."""

    def __init__(self, core, tls=False):
        self.core = core
        self.tls = tls
        self.port, self.tls_port = free_ports(2)

    def tls_arguments(self):
        self.certificate = os.path.join(self.directory, "server.crt")
        key = os.path.join(self.directory, "server.key")
        make_certificate(self.certificate, key)
        return ["--tls-port", str(self.tls_port), "--tls-cert-file", self.certificate, "--tls-key-file", key,
                "--tls-ca-cert-file", self.certificate, "--tls-auth-clients", "no"]

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="throwaway-")
        program, name = find_server()
        arguments = [name, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                     "--dir", self.directory, *(self.tls_arguments() if self.tls else [])]
        self.process = subprocess.Popen(arguments, executable=program, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def ask(self, question):
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(question)
            return link.recv(65536)

    def wait(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"The server ended at once, with status {self.process.returncode}.")
            try:
                if self.ask(b"PING\r\n").startswith(b"+PONG"):
                    return
            except OSError:
                pass
            time.sleep(0.02)
        sys.exit("The server did not answer within 10 s.")

    def store(self, keys, value_bytes):
        """So that a GET finds what a SET wrote, whichever cases are run."""
        for key in keys:
            if not self.ask(f"SET {key} {'x' * value_bytes}\r\n".encode()).startswith(b"+OK"):
                sys.exit(f"The server did not store {key}.")

    def cpu_s(self):
        """User and system time of the server so far, to a hundredth of a second."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def version(self):
        facts = dict(re.findall(r"(\w+)_version:(\S+)", self.ask(b"INFO server\r\n").decode()))
        return "Valkey " + facts["valkey"] if "valkey" in facts else "Redis " + facts.get("redis", "?")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
