# SPDX-License-Identifier: BSD-3-Clause
"""How workers wait (--pace) and where they run (--cpus, and the affinity of the whole program)."""
import os
import re
import signal
import time

import pytest

import fake_server
import processes

MODES = ("sleep", "hybrid", "spin")
AWAKE = ("hybrid", "spin")
MINE = sorted(os.sched_getaffinity(0))


@pytest.fixture
def on_one_cpu():
    """What is started inherits the affinity: one CPU, the last of ours."""
    os.sched_setaffinity(0, MINE[-1:])
    yield MINE[-1]
    os.sched_setaffinity(0, MINE)


@pytest.mark.parametrize("pace", MODES)
def test_a_schedule_is_exact(run, server, pace):
    report = run("-p", server.port, "--qps", 2000, "--test-duration", 2, "--pace", pace, "--processes", 1).expect(0).report
    assert abs(report.due - 4000) <= 1
    assert report.issued == report.due == report.completed == server.calls("set")
    assert report.unsent == report.errors == 0
    assert report.number("Send Lag (ms)", "Burstiness") >= 0
    assert report.has("How It Ran", "Pace") == (pace != "sleep")


@pytest.mark.tsan
@pytest.mark.parametrize("pace", AWAKE)
def test_a_closed_loop(run, server, pace):
    report = run("-p", server.port, "-n", 5000, "--pace", pace, "--threads", 2, "--processes", 1).expect(0).report
    assert report.completed == server.calls("set") == 5000
    assert not report.has("Send Lag (ms)", "Burstiness")


@pytest.mark.parametrize("pace", AWAKE)
@pytest.mark.parametrize("load", [(), ("--qps", 2000)], ids=["closed", "open"])
def test_an_interrupt_is_heard(start, server, pace, load):
    program = start("-p", server.port, "--test-duration", 85, "-c", 4, "--pace", pace, "--processes", 2, *load)
    processes.wait_until(lambda: server.calls("set") > 2000, "requests")
    program.interrupt()
    report = program.wait().expect(130).report
    assert report.completed > 1000


@pytest.mark.parametrize("pace", AWAKE)
def test_requests_time_out(run, fake, pace):
    """Ticks of the driver come by polling too; slots that are all taken are waited for."""
    silent = fake(lambda connection, request: None)
    report = run("-p", silent.port, "--qps", 20, "--test-duration", 1, "-c", 2, "--request-timeout", 300, "--pace", pace,
                 "--give-up", 0).report
    assert report.errors == report.issued == report.number("Errors by Kind", "timeout")
    assert 4 <= report.issued <= 8


@pytest.mark.parametrize("pace", AWAKE)
def test_a_client_ramp_goes_on(run, fake, pace):
    used = set()
    plain = fake(lambda connection, request: used.add(connection) or fake_server.Slow(b"+OK\r\n", 0.001))
    report = run("-p", plain.port, "--clients-ramp-start", 2, "--clients-ramp-end", 6, "--client-ramp-interval", 0.3,
                 "--clients-per-ramp", 2, "--test-duration", 1, "--pace", pace, "--processes", 1).expect(0).report
    assert report.errors == 0
    assert len(used) == 6


def test_a_burst_is_told(start, server):
    """A program that stood still sends what came due meanwhile at once: 1000 of 4000 in a millisecond or a few."""
    program = start("-p", server.port, "--qps", 2000, "--test-duration", 2, "-P", 20, "--processes", 1)
    processes.wait_until(lambda: server.calls("set") >= 1000, "the first half second")
    os.kill(program.pid, signal.SIGSTOP)
    time.sleep(0.5)  # the experiment itself
    os.kill(program.pid, signal.SIGCONT)
    report = program.wait().expect(0).report
    assert report.issued == report.due
    assert report.number("Send Lag (ms)", "Burstiness") > 20


def test_hybrid_names_its_margin(run, server):
    report = run("-p", server.port, "-n", 100, "--qps", 1000, "--pace", "hybrid").expect(0).report
    margin = re.fullmatch(r"hybrid, margin (\d+) us", report.text_of("How It Ran", "Pace"))
    assert margin and 5 <= int(margin.group(1)) <= 1000
    report = run("-p", server.port, "-n", 100, "--pace", "spin").expect(0).report
    assert report.text_of("How It Ran", "Pace") == "spin"


@pytest.mark.parametrize("arguments, lines", [
    ((), ["Pace: sleep"]),
    (("--pace", "SPIN"), ["Pace: spin"]),
    (("--cpus", MINE[0]), [f"CPUs: {MINE[0]}", "Processes: 1"]),
    (("--cpus", MINE[0], "--processes", 2),
     [f"  worker 0: process 0, 25 clients, CPU {MINE[0]}", f"  worker 1: process 1, 25 clients, CPU {MINE[0]}"]),
], ids=str)
def test_show_config(run, arguments, lines):
    out = run("-p", 1, *arguments, "--show-config").expect(0).out.splitlines()
    for line in lines:
        assert line in out, f"no {line!r} in {out}"


def test_automatic_processes_follow_the_affinity(run, on_one_cpu):
    assert "Processes: 1" in run("-p", 1, "--show-config").expect(0).out.splitlines()


@pytest.mark.skipif(len(MINE) < 2, reason="needs two CPUs")
def test_cpus_outside_the_affinity_are_refused(run, server, on_one_cpu):
    sentence = run("-p", server.port, "--cpus", f"{on_one_cpu},{MINE[0]}").refusal()
    assert sentence == f"--cpus names CPU {MINE[0]}, which this process may not use."
    assert server.calls("set") == 0


def threads_of(pid):
    """Thread id -> the CPUs that it may use."""
    masks = {}
    for name in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{name}/status", encoding="ascii") as file:
            masks[int(name)] = re.search(r"^Cpus_allowed_list:\s*(\S+)$", file.read(), re.MULTILINE).group(1)
    return masks


@pytest.mark.parametrize("count", [1, 2], ids=["threads", "processes"])
def test_workers_are_pinned_and_nobody_else(start, server, count):
    program = start("-p", server.port, "--test-duration", 60, "--qps", 1000, "-c", 4, "--cpus", MINE[0],
                    "--processes", count, "--threads", 2)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    free = threads_of(os.getpid())[os.getpid()]
    for pid in [program.pid] if count == 1 else processes.children_of(program.pid):
        masks = threads_of(pid)
        assert masks.pop(pid) == free
        # A sanitizer may have a thread of its own, which is free too.
        assert sorted(masks.values()).count(str(MINE[0])) == 2
    assert threads_of(program.pid)[program.pid] == free
    program.interrupt()
    assert program.wait().expect(130).report.text_of("How It Ran", "CPUs") == str(MINE[0])
