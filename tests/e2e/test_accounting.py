# SPDX-License-Identifier: BSD-3-Clause
"""Every request is accounted for: in a plain run, when the server dies, when a worker does."""
import signal

import processes

FOUR_WORKERS = ("--processes", 2, "--threads", 2)


def test_a_count_that_no_split_divides(run, server):
    report = run("-p", server.port, "-n", 1000003, "-c", 50, *FOUR_WORKERS).expect(0).report
    assert report.completed == report.issued == 1000003
    assert report.outages == []
    assert server.calls("set") == 1000003
    assert report.errors == report.unanswered == 0


def test_a_sequential_fill_has_no_gap(run, server):
    report = run("-p", server.port, "--sequential", 1000000, "-n", 1000000,
                 "--processes", 2, "--threads", 3).expect(0).report
    assert report.completed == 1000000
    assert server.size() == 1000000


def test_fewer_requests_than_clients(run, server):
    for count in (1, 7, 49):
        before = server.calls("set")
        report = run("-p", server.port, "-n", count, "-c", 50, *FOUR_WORKERS).expect(0).report
        assert report.completed == server.calls("set") - before == count


def csv_line(program, matches, what):
    """Waits for a line of the CSV from now on that matches."""
    seen = len(program.csv_lines().lines)
    processes.wait_until(lambda: any(map(matches, program.csv_lines().lines[seen:])), what, 40)


def check_csv_totals(result):
    report, csv = result.csv_report, result.csv
    assert csv.sum("request_finished") == report.completed
    assert csv.sum("requests_total_failed") == report.errors
    return report, csv


def test_server_killed_and_restarted_on_a_schedule(start, server):
    program = start("-p", server.port, "--qps", 1000, "--test-duration", 10, "-c", 50, *FOUR_WORKERS,
                    "--interval-metrics-interval-duration-sec", 1)
    csv_line(program, lambda line: line["request_finished"], "a line with requests")
    server.signal(signal.SIGSTOP)  # so that requests are in flight when it dies
    csv_line(program, lambda line: not line["request_finished"], "a line of the outage")
    server.crash()
    server.start()
    csv_line(program, lambda line: line["request_finished"], "a line with requests after the restart")
    report, csv = check_csv_totals(program.wait().expect(0))
    assert abs(report.due - 10000) <= 1
    assert report.completed > 0
    assert 50 <= report.errors + report.unanswered < 1000
    assert report.sections["Errors by Kind"] == {"disconnect": str(report.errors)}
    assert csv.sum("client_disconnects") >= 50
    assert 0 in csv.column("request_finished")
    outage, = report.outages
    # There was a line of a second without any; looks may begin and end it late and early.
    assert 0.7 <= outage["silent"] <= outage["length"] < 9
    assert outage["kinds"] == {"disconnect": report.errors}
    assert server.calls("set") <= report.completed


def test_server_killed_and_restarted_in_a_closed_loop(start, server):
    program = start("-p", server.port, "--test-duration", 8, "-c", 20, *FOUR_WORKERS,
                    "--interval-metrics-interval-duration-sec", 1)
    csv_line(program, lambda line: line["request_finished"], "a line with requests")
    server.crash()
    csv_line(program, lambda line: not line["request_finished"], "a line of the outage")
    server.start()
    csv_line(program, lambda line: line["request_finished"], "a line with requests after the restart")
    report, csv = check_csv_totals(program.wait().expect(0))
    assert 1 <= report.errors <= 20
    assert csv.sum("client_disconnects") == 20
    outage, = report.outages
    assert 0 < outage["begin"] < outage["end"] < 8
    assert outage["kinds"] == {"disconnect": report.errors}
    assert outage["silent"] >= 0.7, "a line of the CSV was without any"


def kill_a_worker(start, server, *arguments):
    """Kills a worker process in the middle of a run; what the report must hold whatever the load."""
    program = start("-p", server.port, "-c", 20, *FOUR_WORKERS, *arguments)
    processes.wait_until(lambda: server.calls("set") > 1000, "requests from all workers")
    worker = processes.children_of(program.pid)[0]
    before = server.calls("set")
    processes.kill(worker)
    result = program.wait().expect(2)
    report = result.report
    assert report.completed >= before - 20, "what the worker had recorded is lost"
    assert 0 <= server.calls("set") - report.completed <= 20
    assert str(worker) in result.err + report.text, "the report does not name the worker's process"
    return report


def test_worker_process_killed_in_a_closed_loop(start, server):
    kill_a_worker(start, server, "--test-duration", 4)


def test_worker_process_killed_with_a_count(start, server):
    report = kill_a_worker(start, server, "-n", 400000)
    # What it had taken from the counter and not said yet may be lost: one block at most.
    assert 400000 - 256 <= report.issued + report.unsent <= 400000


def test_worker_process_killed_on_a_schedule(start, server):
    report = kill_a_worker(start, server, "--qps", 2000, "--test-duration", 3)
    assert abs(report.due - 6000) <= 1
    assert report.unsent > 0
