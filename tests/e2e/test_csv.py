# SPDX-License-Identifier: BSD-3-Clause
"""The interval CSV: on time, in its format, adding up to the report, which goes to stderr."""
import time

import pytest

import fake_server
import interval_csv
import processes

CSV = "--interval-metrics-interval-duration-sec"
FOUR_WORKERS = ("--processes", 2, "--threads", 2)


@pytest.mark.tsan
@pytest.mark.parametrize("load", [(), ("--qps", 2000), ("-P", 8)], ids=["closed", "open", "pipelined"])
def test_lines_add_up_to_the_report(run, server, load):
    result = run("-p", server.port, "--test-duration", 3.5, CSV, 1, *FOUR_WORKERS, *load).expect(0)
    csv, report = result.csv, result.csv_report
    assert len(csv.lines) in (4, 5)
    assert csv.sum("request_finished") == report.completed == server.calls("set")
    assert csv.sum("requests_total_failed") == report.errors == 0
    assert csv.sum("client_disconnects") == csv.sum("requests_moved") == csv.sum("requests_clusterdown") == 0
    assert all(csv.column("request_finished"))
    assert max(csv.column("p100_usec")) <= report.max * 1000 + 1


def test_time_stamps_are_an_interval_apart(run, server):
    before = time.time()
    csv = run("-p", server.port, "--qps", 100, "--test-duration", 4, CSV, 1).expect(0).csv
    stamps = csv.column("timestamp")
    assert before <= stamps[0] + 1 and stamps[-1] <= time.time()
    assert all(later - earlier in (0, 1, 2) for earlier, later in zip(stamps, stamps[1:]))
    assert 3 <= stamps[3] - stamps[0] + 1 <= 5


def test_rate_is_that_of_the_interval(run, server):
    csv = run("-p", server.port, "--qps", 200, "--test-duration", 4, CSV, 2).expect(0).csv
    for line in csv.lines[:2]:
        assert line["request_sec"] == pytest.approx(line["request_finished"] / 2, rel=0.2)


def test_a_run_shorter_than_the_interval_has_one_line(run, server):
    csv = run("-p", server.port, "-n", 1000, CSV, 60).expect(0).csv
    assert csv.column("request_finished") == [1000]


def test_lines_come_when_nothing_completes(start, fake):
    silent = fake(lambda connection, request: None)
    program = start("-p", silent.port, "-c", 3, "--request-timeout", 0, "--give-up", 0, CSV, 1)
    processes.wait_until(lambda: len(program.csv_lines().lines) >= 2, "two lines", 20)
    program.interrupt()
    result = program.wait().expect(130)
    assert result.csv.sum("request_finished") == result.csv_report.completed == 0
    assert result.csv_report.unanswered == 3


def test_errors_have_their_column_and_no_latency(run, fake):
    broken = fake(lambda connection, request: b"-ERR no\r\n")
    result = run("-p", broken.port, "-n", 500, CSV, 1).expect(0)
    assert result.csv.sum("requests_total_failed") == result.csv_report.errors == 500
    assert not any(result.csv.column("p100_usec"))


def test_disconnects_have_their_column(run, fake):
    def behave(connection, _request):
        return fake_server.CLOSE if connection.requests == 10 else b"+OK\r\n"

    breaker = fake(behave)
    result = run("-p", breaker.port, "-n", 200, "-c", 4, CSV, 1).expect(0)
    closed = sum(connection.requests == 10 for connection in breaker.connections)
    assert closed > 10
    assert result.csv.sum("client_disconnects") == closed
    assert result.csv.sum("requests_total_failed") == result.csv_report.errors == closed


def test_quiet_leaves_nothing_but_the_csv(run, server):
    result = run("-p", server.port, "-n", 1000, "-q", CSV, 1).expect(0)
    assert result.csv.sum("request_finished") == 1000
    assert result.err == ""


def test_header_comes_first_and_once(run, server):
    out = run("-p", server.port, "-n", 1000, CSV, 1).expect(0).out
    assert out.startswith(interval_csv.HEADER + "\n")
    assert out.count("timestamp") == 1
