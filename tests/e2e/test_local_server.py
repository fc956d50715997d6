# SPDX-License-Identifier: BSD-3-Clause
"""--local-server: a throwaway server that goes with the run, however the run ends."""
import os
import re
import signal

import pytest

import processes
import real_server
import resp

LONG = ("--local-server", "--test-duration", 85, "-c", 5)


class Throwaway:
    """The server of a running program, found among its descendants by its title."""

    def __init__(self, program):
        self.pid = processes.wait_until(lambda: self.find(program.pid), "a local server", 30)
        self.directory = os.readlink(f"/proc/{self.pid}/cwd")
        self.port = int(self.title_of(self.pid)[1])
        self.client = processes.wait_until(self.answers, "an answer of the local server")

    @staticmethod
    def find(ancestor):
        for pid in processes.descendants_of(ancestor):
            if Throwaway.title_of(pid):
                return pid
        return None

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
def start_local(start, tmp_path):
    """Starts a program with a local server, all of whose files are in `tmp_path`."""
    def start_local(*arguments):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        program = start(*arguments, env={"TMPDIR": str(scratch)})
        throwaway = Throwaway(program)
        assert os.path.dirname(throwaway.directory) == str(scratch)
        return program, throwaway

    return start_local


def check_gone(throwaway):
    processes.wait_until(throwaway.is_gone, "the local server and its directory go", 20)


def test_a_run_with_a_local_server(run, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    report = run("--local-server", "-n", 1000, env={"TMPDIR": str(scratch)}).expect(0).report
    assert report.completed == 1000
    assert not list(scratch.iterdir())


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
