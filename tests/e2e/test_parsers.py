# SPDX-License-Identifier: BSD-3-Clause
"""The suite's own parsers: they take what is right, and refuse each line of it that goes wrong."""
import pytest

import fake_server
import interval_csv
import report

BLOCK = """\
Final Results:
=============
Total time: 2.00 seconds
Requests completed: 4
Requests per second: 2.00
Total errors: 1

Latency Statistics (ms):
=====================
Minimum: 0.050
Average: 0.537
Maximum: 1.500
Median (p50): 0.100
95th percentile: 1.500
99th percentile: 1.500

Latency Distribution:
====================
<= 0.1 ms: 50.00% (2 requests)
<= 0.5 ms: 25.00% (1 requests)
<= 1.0 ms: 0.00% (0 requests)
<= 2.0 ms: 25.00% (1 requests)
<= 5.0 ms: 0.00% (0 requests)
<= 10.0 ms: 0.00% (0 requests)
<= 20.0 ms: 0.00% (0 requests)
<= 50.0 ms: 0.00% (0 requests)
<= 100.0 ms: 0.00% (0 requests)
<= 200.0 ms: 0.00% (0 requests)
<= 500.0 ms: 0.00% (0 requests)
<= 1000.0 ms: 0.00% (0 requests)
> 1000.0 ms: 0.00% (0 requests)
"""
REST = """
Accounting:
==========
Issued: 6
Unanswered: 1
Due: 8
Unsent: 2

Errors by Kind:
=======
timeout: 1

Outages:
=======
1: from 0.2 s to 1.2 s (1.0 s): no request failed; no request succeeded for 0.9 s
2: from 1.2 s to 1.5 s (0.3 s): 1 request failed (timeout 1), 1,204 retried

Nodes:
=====
h:1 (primary): requests 3, errors 1, p50 0.100 ms, p99 1.500 ms
[::1]:2 (primary): requests 0, errors 0
h:1 (replica): requests 1, errors 0, p50 0.050 ms, p99 0.050 ms

Workers:
=======
Worker 0: busy 91.2%, crowded out 3.0%, longest turn 1.234 ms
Worker 1: busy 99.0%, longest turn 0.000 ms, 2 overflows of the queue

How It Ran:
==========
Server: 127.0.0.1:6379
Workers in all: 2

Warning: something is odd.
The client was the limit: worker 1 was busy; use less.
"""
PROGRESS = ("[1.5s] Progress: 1,234/100,000 (1.2%), RPS: current=1,234 avg=1,230.5, Errors: 0 | "
            "Latency (ms): avg=0.12 p50=0.11 p95=0.15 p99=0.18")
CSV_LINE = "1700000000,3.000000,10,20,20,30,30,30,30,40,15,3,1,0,0,2"


def test_report_is_read():
    output = report.parse_output(PROGRESS + "\n\n" + BLOCK + REST)
    assert output.report.completed == 4
    assert output.report.due == 8
    assert output.report.sections["How It Ran"]["Server"] == "127.0.0.1:6379"
    assert output.report.closing[0] == "Warning: something is odd."
    assert output.report.verdict == "The client was the limit: worker 1 was busy; use less."
    assert output.report.note is None
    assert output.report.outages[1] == {"begin": 1.2, "end": 1.5, "length": 0.3, "failed": 1, "retried": 1204,
                                        "silent": 0, "kinds": {"timeout": 1}}
    assert output.report.worker(0) == {"busy": 91.2, "crowded": 3.0, "longest": 1.234}
    assert output.report.worker(1) == {"busy": 99.0, "crowded": 0.0, "longest": 0.0}
    assert [node["name"] for node in output.report.nodes] == ["h:1", "[::1]:2", "h:1"]
    assert [node["requests"] for node in output.report.nodes] == [3, 0, 1]
    assert output.progress[0]["total"] == 100000


@pytest.mark.parametrize("at", range(len(BLOCK.splitlines())))
def test_report_without_a_line_is_refused(at):
    lines = BLOCK.splitlines()
    del lines[at]
    with pytest.raises(report.ReportError):
        report.parse_output("\n".join(lines) + REST)


@pytest.mark.parametrize("right, wrong", [
    ("Minimum: 0.050", "Minimum: 0.05"),
    ("Total time: 2.00", "Total time: 2.000"),
    ("completed: 4", "completed: 5"),
    ("second: 2.00", "second: 3.00"),
    ("(p50): 0.100", "(p50): 1.600"),
    ("25.00% (1 requests)", "26.00% (1 requests)"),
    ("> 1000.0 ms", "> 1000 ms"),
    ("Issued: 6", "Issued: 7"),
    ("Unsent: 2", "Unsent: 3"),
    ("\nAccounting", "Accounting"),
    ("Issued: 6\n", "Issued 6\n"),
    ("from 0.2 s", "from 0.20 s"),
    ("from 0.2 s to 1.2 s (1.0 s)", "from 0.2 s to 1.3 s (1.1 s)"),
    ("(0.3 s)", "(0.4 s)"),
    ("for 0.9 s", "for 1.1 s"),
    ("1 request failed", "2 requests failed"),
    ("(timeout 1)", "(timeout 2)"),
    ("(timeout 1)", "(loading 1)"),
    ("(timeout 1), 1,204 retried", "(timeout 1) 1,204 retried"),
    ("\n2: from", "\n3: from"),
    ("1,204 retried\n", "1,204 retried\nMore: 1 that are not shown\n"),
    ("busy 91.2%", "busy 91%"),
    ("busy 91.2%", "busy 100.1%"),
    ("out 3.0%", "out 100.1%"),
    ("2 overflows", "1 overflows"),
    ("requests 3", "requests 4"),
    ("requests 3, errors 1", "requests 3, errors 2"),
    ("h:1 (primary)", "h:1 (master)"),
    ("h:1 (primary)", "h:1 (replica)"),
    ("h:1 (primary): requests 3", "h:1 (primary) requests 3"),
    ("[::1]:2 (primary)", "h:1 (primary)"),
    ("requests 1, errors 0, p50 0.050 ms, p99 0.050 ms", "requests 1, errors 0"),
    ("p50 0.100 ms", "p50 1.501 ms"),
    ("Nodes:\n=====\n", "Nodes:\n"),
    ("Worker 1", "Worker X"),
    ("Worker 0", "Worker 2"),
    ("in all: 2", "in all: 3"),
    ("in all: 2", "in all: 18"),
    ("Warning: something", "Something"),
    ("busy; use less.", "busy."),
    ("use less.\n", "use less.\nWarning: and more.\n"),
    ("use less.\n", "use less.\nNote: and more.\n"),
])
def test_report_with_a_wrong_line_is_refused(right, wrong):
    text = BLOCK + REST
    assert right in text
    with pytest.raises(report.ReportError):
        report.parse_output(text.replace(right, wrong, 1))


@pytest.mark.parametrize("line", [
    PROGRESS.replace("1,234/", "1234/"), PROGRESS.replace("(1.2%)", "(1.20%)"),
    PROGRESS.replace("[1.5s]", "[1.50s]"), PROGRESS.replace("avg=0.12", "avg=0.123"),
    PROGRESS + " ", "a log line",
])
def test_other_lines_before_the_report_are_refused(line):
    with pytest.raises(report.ReportError):
        report.parse_output(line + "\n" + BLOCK + REST)


def test_csv_is_read():
    csv = interval_csv.parse(f"{interval_csv.HEADER}\n{CSV_LINE}\n{CSV_LINE}\n")
    assert csv.sum("client_disconnects") == 4


@pytest.mark.parametrize("right, wrong", [
    ("3.000000", "3.0"), ("3.000000", "3e0"), ("3.000000", "0.000000"), (",30,40,", ",30,29,"),
    (",15,", ",41,"), (",3,1,", ",0,1,"), (",0,2", ",0"), (",0,2", ",0,-2"), ("1700000000", "1700000000.5"),
])
def test_csv_with_a_wrong_field_is_refused(right, wrong):
    with pytest.raises(interval_csv.CsvError):
        interval_csv.parse(f"{interval_csv.HEADER}\n{CSV_LINE.replace(right, wrong)}\n")


def test_csv_without_its_header_or_end_is_refused():
    for text in (CSV_LINE + "\n", interval_csv.HEADER, f"{interval_csv.HEADER}\n{CSV_LINE}"):
        with pytest.raises(interval_csv.CsvError):
            interval_csv.parse(text)


def test_requests_are_cut_where_they_end():
    whole = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    assert fake_server.parse_request(whole + b"*1") == ([b"GET", b"k"], len(whole))
    assert all(fake_server.parse_request(whole[:end]) is None for end in range(len(whole)))
