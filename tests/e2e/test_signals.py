# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C, SIGTERM, an impatient second Ctrl-C, and a reader of stdout that goes away."""
import array
import fcntl
import os
import signal
import subprocess
import termios

import pytest

import processes
import program as polyglot

FOUR_WORKERS = ("--processes", 2, "--threads", 2)


def check_interrupted(result, server):
    report = result.expect(130).report
    assert report.completed > 1000
    assert report.errors == 0
    assert report.completed <= server.calls("set") <= report.issued
    assert any(line.startswith("Ended early") for line in report.closing)


@pytest.mark.tsan
@pytest.mark.parametrize("load", [(), ("--qps", 5000)], ids=["closed", "open"])
@pytest.mark.parametrize("workers", [FOUR_WORKERS, ("--single-process", "--threads", 4)], ids=["processes", "threads"])
def test_interrupt_ends_with_a_report(start, server, workers, load):
    program = start("-p", server.port, "--test-duration", 85, "-c", 20, *workers, *load)
    processes.wait_until(lambda: server.calls("set") > 2000, "requests")
    program.interrupt()
    check_interrupted(program.wait(), server)


def test_termination_ends_with_a_report(start, server):
    program = start("-p", server.port, "--test-duration", 85, *FOUR_WORKERS)
    processes.wait_until(lambda: server.calls("set") > 2000, "requests")
    os.kill(program.pid, signal.SIGTERM)
    check_interrupted(program.wait(), server)


def test_interrupt_with_requests_in_flight(start, fake):
    silent = fake(lambda connection, request: None)
    program = start("-p", silent.port, "-c", 8, "--request-timeout", 0, *FOUR_WORKERS)
    processes.wait_until(lambda: silent.requests == 8, "a request of each client")
    program.interrupt()
    report = program.wait().expect(130).report
    assert (report.issued, report.unanswered, report.completed, report.errors) == (8, 8, 0, 0)


def test_second_interrupt_ends_at_once(start, fake):
    """Without the report, that is, for which it would have waited for the requests in flight."""
    silent = fake(lambda connection, request: None)
    program = start("-p", silent.port, "-c", 8, "--request-timeout", 0, *FOUR_WORKERS)
    processes.wait_until(lambda: silent.requests == 8, "a request of each client")

    def interrupt_again():
        if program.running():
            program.interrupt()
        return not program.running()

    processes.wait_until(interrupt_again, "the end")
    result = program.wait()
    assert result.code in (130, -signal.SIGINT), str(result)
    assert "Final Results" not in result.out


def test_interrupt_before_the_start(start, fake):
    """A connection that takes no reply: the program may be dialling, or waiting for its clients."""
    deaf = fake(lambda connection, request: None, accept_pause=0.2)
    program = start("-p", deaf.port, "-c", 50)
    processes.wait_until(lambda: deaf.connections, "a connection")
    program.interrupt()
    assert program.wait().code in (130, -signal.SIGINT)


@pytest.mark.parametrize("csv", [(), ("--interval-metrics-interval-duration-sec", 1)], ids=["progress", "csv"])
def test_reader_that_leaves(start, server, csv):
    """As `| head -1` does."""
    reader, writer = os.pipe()
    program = start("-p", server.port, "--test-duration", 85, *FOUR_WORKERS, *csv, stdout=writer)
    os.close(writer)
    with os.fdopen(reader) as out:
        assert out.readline()
    result = program.wait(60)
    assert result.code >= 0 or result.code == -signal.SIGPIPE, str(result)
    for complaint in ("pipe", "rror", "write"):
        assert complaint not in result.err.replace("Total errors", "").replace("Errors:", ""), str(result)


def test_standard_descriptors_may_be_closed(server, tmp_path):
    """No socket may take the place of stdout or stderr, where the report would go to the server."""
    command = f'exec "{polyglot.PATH}" -p {server.port} -n 1000 <&- >&- 2>&-'
    subprocess.run(["/bin/sh", "-c", command], timeout=60, check=False)
    assert server.calls("set") == 1000
    assert not [name for name in server.client.info("commandstats") if name not in
                ("cmdstat_set", "cmdstat_ping", "cmdstat_info")]


def test_reader_that_stalls(start, server):
    """Nobody reads, nobody leaves: the run still ends when it is told to."""
    reader, writer = os.pipe()
    program = start("-p", server.port, "--test-duration", 85, "-c", 2, "--processes", 1,
                    "--interval-metrics-interval-duration-sec", "1ms", "-q", stdout=writer)
    os.close(writer)
    os.set_blocking(reader, False)
    # A pipe has 16 pages, and takes nothing more once the last of them has been begun.
    processes.wait_until(lambda: pending(reader) > 14 * 4096, "a pipe that is full")
    program.interrupt()
    assert program.wait(30).code == 130
    os.close(reader)


def pending(reader):
    """How many bytes wait in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(reader, termios.FIONREAD, count)
    return count[0]


def test_ignored_signals_stay_ignored(start, server):
    """As under nohup."""
    program = start("-p", server.port, "--test-duration", 3, "-c", 2, ignore=[signal.SIGHUP])
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    os.kill(program.pid, signal.SIGHUP)
    program.wait().expect(0)
