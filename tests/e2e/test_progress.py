# SPDX-License-Identifier: BSD-3-Clause
"""Progress: a line a second, in place on a terminal, none with -q; and the report under it."""
import os
import pty
import re

import pytest

import report as reports

FOUR_WORKERS = ("--processes", 2, "--threads", 2)


def check_rising(progress):
    for earlier, later in zip(progress, progress[1:]):
        assert later["time"] > earlier["time"]
        assert later["done"] >= earlier["done"]


def test_progress_with_a_limit(run, server):
    progress = run("-p", server.port, "--qps", 500, "-n", 1250, *FOUR_WORKERS).expect(0).progress
    assert len(progress) >= 2
    check_rising(progress)
    for line in progress:
        assert line["total"] == 1250
        assert line["share"] == pytest.approx(100 * line["done"] / 1250, abs=0.051)
        assert line["errors"] == 0


def test_progress_without_a_limit(run, server):
    result = run("-p", server.port, "--test-duration", 2.5).expect(0)
    assert len(result.progress) >= 2
    check_rising(result.progress)
    assert all("total" not in line for line in result.progress)
    assert result.progress[-1]["done"] <= result.report.completed


def test_progress_goes_on_when_nothing_completes(run, fake):
    silent = fake(lambda connection, request: None)
    progress = run("-p", silent.port, "-c", 3, "--give-up", 2, "--request-timeout", 0).expect(2).progress
    assert len(progress) >= 2
    assert not any(line["done"] for line in progress)


def test_quiet_prints_the_report_alone(run, server):
    result = run("-p", server.port, "--test-duration", 1.5, "-q").expect(0)
    assert result.out.startswith("Final Results:\n")
    assert result.report.completed > 0


def test_progress_is_in_place_on_a_terminal(start, server):
    master, terminal = pty.openpty()
    program = start("-p", server.port, "--test-duration", 2.5, stdout=terminal)
    os.close(terminal)
    written = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # how a terminal ends
            break
        if not data:
            break
        written += data
    os.close(master)
    program.wait().expect(0)
    before, found, rest = written.decode().replace("\r\n", "\n").partition("Final Results:")
    assert found
    lines = [re.sub(r"\x1b\[K", "", line) for line in before.strip("\n").split("\r") if line]
    assert len(lines) >= 2 and "\n" not in "".join(lines)
    for line in lines:
        reports.parse_progress(line)
    assert reports.parse_report((found + rest).split("\n")).completed > 0
