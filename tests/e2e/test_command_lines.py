# SPDX-License-Identifier: BSD-3-Clause
"""
The command lines that users of the Python program know: each is taken as it stands, and each, made
short, runs, and reports exactly what the server counted.
"""
import shlex

import pytest

LINEAR = "--start-qps {} --end-qps {} --qps-change-interval {} --qps-change {}"
EXPONENTIAL = ("--start-qps 100 --end-qps 10000 --qps-change-interval {}"
               " --qps-ramp-mode exponential --qps-ramp-factor 2.0")

# As it stands; made short, None where it is; its requests, None where it does as many as it can.
LINES = [
    ("-c 50 -t set", None, 100000),
    ("-t get --qps 1000", "-t get --qps 1000 -n 500", 500),
    ("--test-duration 60", "--test-duration 1", None),
    ("--sequential 1000000", None, 100000),
    ("-c 100 -n 1000000", "-c 100 -n 200000", 200000),
    ("-c 50 --qps 5000", "-c 50 --qps 5000 -n 5000", 5000),
    ("-c 1 -n 10000", None, 10000),
    ("-c 200 -n 100000", None, 100000),
    ("--test-duration 300", "--test-duration 1.5", None),
    ("--test-duration 60 " + LINEAR.format(1000, 10000, 5, 500),
     "--test-duration 3 " + LINEAR.format(1000, 10000, 1, 500), 1000 + 1500 + 2000),
    ("--test-duration 120 " + EXPONENTIAL.format(5),
     "--test-duration 3 " + EXPONENTIAL.format(1), 100 + 200 + 400),
    ("-r 1000000", None, 100000),
    ("-c 100 -n 1000000 --processes 4", "-c 100 -n 100000 --processes 4", 100000),
    ("-c 100 -n 1000000 --single-process", "-c 100 -n 100000 --single-process", 100000),
    ("-c 200 -n 10000000 --processes 8 -t set", "-c 200 -n 100000 --processes 8 -t set", 100000),
    ("--processes 4 --test-duration 120 " + LINEAR.format(1000, 50000, 10, 5000),
     "--processes 4 --test-duration 2 " + LINEAR.format(1000, 50000, 1, 5000), 1000 + 6000),
]
BY_NAME = pytest.mark.parametrize("line, short, requests", LINES, ids=[line for line, _, _ in LINES])


@BY_NAME
def test_line_is_taken_as_it_stands(run, line, short, requests):
    result = run(*shlex.split(line), "--show-config").expect(0)
    assert result.err == ""
    assert result.out


@BY_NAME
def test_line_reports_what_the_server_counted(run, server, line, short, requests):
    result = run(*shlex.split(short or line), "-p", server.port).expect(0)
    report = result.report
    assert report.errors == report.unanswered == 0
    assert report.count("Accounting", "Due") in (0, report.issued + report.count("Accounting", "Unsent"))
    assert server.calls("get" if "-t get" in line else "set") == report.completed
    if requests is None:
        assert report.completed > 0
    elif "--test-duration" in line:
        assert abs(report.completed - requests) <= 1
    else:
        assert report.completed == requests


def test_host_and_port(run, server):
    """A name with several addresses, of which not all answer."""
    report = run("-H", "localhost", "-p", server.port, "-n", 1000).expect(0).report
    assert report.completed == server.calls("set") == 1000
