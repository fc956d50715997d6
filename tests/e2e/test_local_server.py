# SPDX-License-Identifier: BSD-3-Clause
"""--local-server: throwaway servers that go with the run, however the run ends."""
import os
import re
import signal

import pytest

import processes
import real_server
import resp

LONG = ("--local-server", "--test-duration", 85, "-c", 5)


CLUSTER = ("--local-server", "--cluster", "--test-duration", 85, "-c", 5)
NODES = 6


class Throwaway:
    """A server of a running program, found among its descendants by its title."""

    def __init__(self, pid):
        self.pid = pid
        self.directory = os.readlink(f"/proc/{self.pid}/cwd")
        self.port = int(self.title_of(self.pid)[1])
        self.client = processes.wait_until(self.answers, "an answer of the local server")

    @staticmethod
    def find(program, count):
        """Those of a program, as soon as there are `count`."""
        def found():
            pids = [pid for pid in processes.descendants_of(program.pid) if Throwaway.title_of(pid)]
            return pids if len(pids) == count else None
        return [Throwaway(pid) for pid in processes.wait_until(found, f"{count} local servers", 30)]

    @staticmethod
    def title_of(pid):
        """A server that runs names its address in its command line, in place of its arguments."""
        return re.search(r"server 127\.0\.0\.1:(\d+)", " ".join(processes.arguments_of(pid)))

    def answers(self):
        try:
            return resp.Client(self.port)
        except OSError:
            return None

    def is_gone(self):
        return not processes.is_alive(self.pid) and not os.path.exists(self.directory)

    def wait_for_requests(self):
        processes.wait_until(lambda: self.client.calls("set") > 1000, "requests")


@pytest.fixture
def scratch(tmp_path):
    """Where local servers have their directories."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def start_nodes(start, scratch):
    """Starts a program with local servers, all of whose files are in `scratch`."""
    def start_nodes(*arguments, count=NODES):
        program = start(*arguments, env={"TMPDIR": str(scratch)})
        nodes = Throwaway.find(program, count)
        assert all(os.path.dirname(node.directory) == str(scratch) for node in nodes)
        return program, nodes

    return start_nodes


@pytest.fixture
def start_local(start_nodes):
    def start_local(*arguments):
        program, nodes = start_nodes(*arguments, count=1)
        return program, nodes[0]

    return start_local


def check_gone(*nodes):
    for node in nodes:
        processes.wait_until(node.is_gone, "the local server and its directory go", 20)


def servers_in(folder):
    """The processes that run in a folder."""
    def directory_of(pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return ""
    return [pid for pid in processes.all_pids() if directory_of(pid).startswith(str(folder))]


def write_program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def server_link(folder):
    """The server under its own name, which is what makes the checker of RDB files a server."""
    link = folder / "valkey-server"
    link.symlink_to(real_server.find())
    return link


@pytest.mark.parametrize("options", [(), ("--tls",), ("--cluster",), ("--cluster", "--tls")], ids=" ".join)
def test_a_run_with_a_local_server(run, scratch, options):
    report = run("--local-server", *options, "-n", 1000, "-r", 1000, env={"TMPDIR": str(scratch)}).expect(0).report
    assert report.completed == 1000
    assert report.errors == 0
    if "--tls" in options:
        assert report.text_of("How It Ran", "TLS").startswith("verified, TLSv1.")
    assert not list(scratch.iterdir())
    assert not servers_in(scratch)


@pytest.mark.parametrize("options", [(), ("--tls",), ("--cluster",), ("--cluster", "--tls")], ids=" ".join)
def test_port_is_named(run, options):
    # A cluster's bus takes the port 10000 above, where the kernel must not give it to a dial in the meantime.
    port = next(port for port in iter(real_server.free_port, None) if port < 22000)
    report = run("--local-server", *options, "-p", port, "-n", 100).expect(0).report
    assert report.text_of("How It Ran", "Server") == f"127.0.0.1:{port}"


def test_certificate_need_not_be_verified(run):
    report = run("--local-server", "--tls", "--insecure", "-n", 100).expect(0).report
    assert report.text_of("How It Ran", "TLS").startswith("not verified, TLSv1.")


def test_certificates_are_for_the_user_alone(start_local):
    program, throwaway = start_local(*LONG, "--tls")
    throwaway.wait_for_requests()
    for name in os.listdir(throwaway.directory):
        assert os.stat(os.path.join(throwaway.directory, name)).st_mode & 0o077 == 0 or not name.startswith("server.")
    assert "authority.crt" in os.listdir(throwaway.directory)
    program.interrupt()
    program.wait().expect(130)
    check_gone(throwaway)


@pytest.mark.parametrize("options", [(), ("--tls",)], ids=" ".join)
def test_cluster_has_a_replica_of_each_primary(start_nodes, options):
    program, nodes = start_nodes(*CLUSTER, *options)
    processes.wait_until(lambda: sum(node.client.calls("set") for node in nodes) > 1000, "requests")
    roles = {node.port: node.client.call("ROLE") for node in nodes}
    primaries = {port for port, role in roles.items() if role[0] == "master"}
    replicas = {port: int(role[2]) for port, role in roles.items() if role[0] == "slave"}
    assert len(primaries) == len(replicas) == NODES / 2
    assert set(replicas.values()) == primaries
    assert all(role[3] == "connected" for role in roles.values() if role[0] == "slave")
    for node in nodes:
        state = node.client.call("CLUSTER", "INFO")
        assert "cluster_state:ok" in state and "cluster_slots_assigned:16384" in state
        assert f"cluster_known_nodes:{NODES}" in state
    program.interrupt()
    assert program.wait().expect(130).report.errors == 0
    check_gone(*nodes)


def test_cluster_is_read_from_its_replicas(run):
    report = run("--local-server", "--cluster", "--read-from-replica", "-t", "get", "-n", 3000, "-r", 1000).expect(0).report
    assert sorted(node["role"] for node in report.nodes) == ["replica"] * 3
    assert sum(node["requests"] for node in report.nodes) == 3000


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_program_leaves_no_cluster(start_nodes, scratch, workers):
    program, nodes = start_nodes(*CLUSTER, "--processes", workers)
    processes.wait_until(lambda: sum(node.client.calls("set") for node in nodes) > 1000, "requests")
    os.kill(program.pid, signal.SIGKILL)
    assert program.wait().code == -signal.SIGKILL
    check_gone(*nodes)
    processes.wait_until(lambda: not list(scratch.iterdir()), "all directories go")


@pytest.mark.parametrize("count", [2, NODES])
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_end_while_the_cluster_starts(start, scratch, count, number, code):
    program = start(*CLUSTER, env={"TMPDIR": str(scratch)})
    processes.wait_until(lambda: len(list(scratch.iterdir())) >= count, "the first servers")
    os.kill(program.pid, number)
    assert program.wait().code == code
    processes.wait_until(lambda: not list(scratch.iterdir()), "all directories go")
    processes.wait_until(lambda: not servers_in(scratch), "all servers go")


def test_node_that_does_not_start(run, scratch, tmp_path):
    """The fourth of six."""
    broken = write_program(tmp_path / "broken-server",
                           f"for i in 1 2 3; do\n"
                           f"    mkdir {tmp_path}/$i 2>/dev/null && exec {server_link(tmp_path)} \"$@\"\n"
                           f"done\necho I am broken >&2\nexit 3")
    sentence = run(f"--local-server={broken}", "--cluster", env={"TMPDIR": str(scratch)}).refusal()
    assert "I am broken" in sentence
    assert not list(scratch.iterdir())
    assert not servers_in(scratch)


def test_servers_that_form_no_cluster(run, scratch, tmp_path):
    alone = write_program(tmp_path / "alone",
                          f"exec {server_link(tmp_path)} \"$@\" --cluster-enabled no")
    sentence = run(f"--local-server={alone}", "--cluster", env={"TMPDIR": str(scratch)}).refusal()
    assert "cluster support disabled" in sentence
    assert not list(scratch.iterdir())
    assert not servers_in(scratch)


def test_server_is_named(run):
    assert run(f"--local-server={real_server.find()}", "-n", 100).expect(0).report.completed == 100


def test_server_listens_on_loopback_and_keeps_nothing(start_local):
    program, throwaway = start_local(*LONG)
    assert throwaway.client.call("CONFIG", "GET", "bind")[1].strip("-") == "127.0.0.1"
    assert throwaway.client.call("CONFIG", "GET", "save")[1] == ""
    assert throwaway.client.call("CONFIG", "GET", "appendonly")[1] == "no"
    program.interrupt()
    program.wait().expect(130)
    check_gone(throwaway)


@pytest.mark.parametrize("number, workers", [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2)])
def test_signal_ends_the_run_and_then_the_server(start_local, number, workers):
    program, throwaway = start_local(*LONG, "--processes", workers)
    throwaway.wait_for_requests()
    program.interrupt(number)
    report = program.wait().expect(130).report
    assert report.completed > 1000
    assert report.errors == 0, "the server went before the run had ended"
    check_gone(throwaway)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_program_leaves_nothing(start_local, workers):
    program, throwaway = start_local(*LONG, "--processes", workers)
    throwaway.wait_for_requests()
    os.kill(program.pid, signal.SIGKILL)
    assert program.wait().code == -signal.SIGKILL
    check_gone(throwaway)


def test_server_that_dies_in_the_run(start_local):
    program, throwaway = start_local(*LONG, "--give-up", 1)
    throwaway.wait_for_requests()
    processes.kill(throwaway.pid)
    report = program.wait().expect(2).report
    assert report.completed > 0
    check_gone(throwaway)


def test_no_server_to_be_found(run, tmp_path):
    sentence = run("--local-server", env={"PATH": str(tmp_path)}).refusal()
    assert "valkey-server" in sentence


def test_server_that_does_not_start(run, tmp_path):
    broken = tmp_path / "broken-server"
    broken.write_text("#!/bin/sh\necho I am broken >&2\nexit 3\n")
    broken.chmod(0o755)
    sentence = run(f"--local-server={broken}").refusal()
    assert "broken" in sentence
