# SPDX-License-Identifier: BSD-3-Clause
"""A server that stands still for a second: who waited for what, in a schedule that goes on."""
import signal
import time

import processes


def test_server_stopped_for_a_second(start, server):
    program = start("-p", server.port, "--qps", 1000, "--test-duration", 6, "-c", 20)
    processes.wait_until(lambda: server.calls("set") >= 1000, "the first second")
    server.signal(signal.SIGSTOP)
    time.sleep(1)  # the experiment itself
    server.signal(signal.SIGCONT)
    report = program.wait().expect(0).report
    assert abs(report.due - 6000) <= 1
    assert report.due == report.completed == server.calls("set")
    assert report.errors == report.unsent == 0

    # 1000 of 6000 were due while it stood, so the 60 slowest had waited for 0.94 s and more.
    assert 700 <= report.p99 <= 2500
    # But 20 were in flight: too few for the p99 of the service time, enough for its maximum.
    assert report.number("Service Time (ms)", "99th percentile") < report.p99 / 3
    assert report.number("Service Time (ms)", "Maximum") >= 900
    assert report.number("Slot Wait (ms)", "99th percentile") >= 700
    assert report.number("Send Lag (ms)", "99th percentile") < report.p99 / 3
    assert report.verdict is None

    # Nobody was told anything, but nothing succeeded; looks are 0.1 s apart.
    outage, = report.outages
    assert outage["failed"] == 0
    assert 0.7 <= outage["silent"] <= outage["length"] <= 2


def test_response_time_is_the_sum_of_its_parts(run, server):
    report = run("-p", server.port, "--qps", 500, "-n", 1000, "-c", 5).expect(0).report
    parts = [report.number(title, "Average") for title in ("Service Time (ms)", "Slot Wait (ms)", "Send Lag (ms)")]
    assert abs(sum(parts) - report.average) <= 0.002
