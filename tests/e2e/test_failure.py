# SPDX-License-Identifier: BSD-3-Clause
"""Servers that refuse, hang, lie and break off: each request gets an outcome, and the run ends."""
import socket

import pytest

import fake_server
import processes
import real_server
from fake_server import CLOSE, RESET, Slow

ERRORS = [
    ("-LOADING Redis is loading the dataset in memory", "loading"),
    ("-OOM command not allowed when used memory > 'maxmemory'.", "oom"),
    ("-BUSY Redis is busy running a script.", "busy"),
    ("-READONLY You can't write against a read only replica.", "readonly"),
    ("-NOAUTH Authentication required.", "auth"),
    ("-CLUSTERDOWN Hash slot not served", "clusterdown"),
    ("-MOVED 1 127.0.0.1:1", "redirect"),
    ("-ERR something else", "other"),
]


def kinds(report):
    return {name: int(count) for name, count in report.sections.get("Errors by Kind", {}).items()}


def only_kind(report, word):
    """The count of the one kind of error, whose name begins with `word`."""
    (name, count), = kinds(report).items()
    assert name.startswith(word), f"{name!r} is not {word!r}"
    assert count == report.errors
    return count


@pytest.mark.parametrize("reply, kind", ERRORS, ids=[kind for _, kind in ERRORS])
def test_error_replies_are_counted_by_kind(run, fake, reply, kind):
    def behave(connection, _request):
        return b"+OK\r\n" if connection.server.requests % 2 else reply.encode() + b"\r\n"

    half_broken = fake(behave)
    result = run("-p", half_broken.port, "-n", 200, "-c", 4).expect(0)
    report = result.report
    assert report.completed == 100
    assert only_kind(report, kind) == 100
    assert half_broken.requests == report.issued == 200
    assert reply[1:] in result.err, "the first error of a kind is shown with its text"


def test_repeated_errors_do_not_flood_stderr(run, fake):
    """The first at once, then at most one line a second."""
    broken = fake(lambda connection, request: b"-ERR no\r\n")
    result = run("-p", broken.port, "--test-duration", 2.5, "--processes", 2).expect(0)
    assert result.report.errors > 100
    assert 1 <= len(result.err.splitlines()) < 8


@pytest.mark.parametrize("reply, event", [(b"-MOVED 1 127.0.0.1:1\r\n", "requests_moved"),
                                          (b"-CLUSTERDOWN down\r\n", "requests_clusterdown")])
def test_cluster_replies_have_columns_of_their_own(run, fake, reply, event):
    server = fake(lambda connection, request: reply)
    result = run("-p", server.port, "-n", 50, "-c", 4, "--interval-metrics-interval-duration-sec", 1).expect(0)
    assert result.csv.sum(event) == result.csv.sum("requests_total_failed") == result.csv_report.errors == 50


@pytest.mark.parametrize("reply", [b"hello\r\n", b"$-7\r\n", b"*99999999999999999999\r\n", b"\0\0\0\0", b"$3\r\nabcde"])
def test_garbage_ends_the_connection_as_a_protocol_error(run, fake, reply):
    def behave(connection, _request):
        return reply if connection.requests == 3 else b"+OK\r\n"

    liar = fake(behave)
    report = run("-p", liar.port, "-n", 30, "-c", 2).expect(0).report
    assert report.completed + report.errors == 30
    assert only_kind(report, "protocol") >= 8
    assert liar.requests == 30


def test_more_replies_than_requests(run, fake):
    """An answer to nothing must not be taken for that of the next request: the connection goes."""
    liar = fake(lambda connection, request: b"+OK\r\n+OK\r\n" if connection.requests == 5 else b"+OK\r\n")
    report = run("-p", liar.port, "-n", 50, "-c", 2).expect(0).report
    assert report.issued == 50
    assert all(connection.requests <= 5 for connection in liar.connections)


BREAKS = {
    "half-reset": [b"$100\r\nhalf", RESET],
    "half-close": [b"$100\r\nhalf", CLOSE],
    "header-reset": [b"$1", RESET],
    "reset": [RESET],
    "close": [CLOSE],
}


@pytest.mark.parametrize("actions", BREAKS.values(), ids=BREAKS.keys())
def test_connections_broken_off_in_a_reply(run, fake, actions):
    def behave(connection, _request):
        return actions if connection.requests == 5 else b"$5\r\nhello\r\n"

    breaker = fake(behave)
    report = run("-p", breaker.port, "-t", "get", "-n", 50, "-c", 2).expect(0).report
    assert only_kind(report, "disconnect") >= 8
    assert report.completed == 50 - report.errors
    assert breaker.requests == report.issued == 50, "a request was sent twice"


def test_slow_bytes_are_put_together(run, fake):
    slow = fake(lambda connection, request: Slow(b"$12\r\nhello\r\nworld\r\n"))
    report = run("-p", slow.port, "-t", "get", "-n", 30, "-c", 3).expect(0).report
    assert report.completed == slow.requests == 30
    assert report.min >= 30, "19 bytes, 2 ms apart: the clock stops at the end of a reply"


@pytest.mark.parametrize("half", [b"", b"+O", b"$5\r\nhel"])
def test_request_timeout_ends_the_connection(run, fake, half):
    """A late reply could be taken for that of the next request, so the connection goes."""
    hanging = fake(lambda connection, request: half if connection.number < 3 else b"+OK\r\n")
    report = run("-p", hanging.port, "-n", 20, "-c", 2, "--request-timeout", 300).expect(0).report
    assert only_kind(report, "timeout") >= 1
    assert report.completed + report.errors == hanging.requests == 20


def test_others_in_flight_on_a_timed_out_connection_are_disconnects(run, fake):
    hanging = fake(lambda connection, request: None if connection.number < 2 else b"+OK\r\n")
    report = run("-p", hanging.port, "-n", 20, "-c", 1, "-P", 4, "--request-timeout", 300).expect(0).report
    assert report.completed + report.errors == hanging.requests == 20
    assert set(kinds(report)) <= {"timeout", "disconnect"}
    assert kinds(report)["timeout"] >= 1


def test_errors_here_and_there_are_no_outage(run, fake):
    """The server is there: one in a hundred is refused, one in fifty comes late."""
    def behave(connection, _request):
        if connection.server.requests % 50 == 7:
            return None
        return b"-OOM no\r\n" if connection.server.requests % 100 == 1 else b"+OK\r\n"

    shaky = fake(behave)
    report = run("-p", shaky.port, "--qps", 500, "--test-duration", 3, "-c", 20, "--request-timeout", 50).expect(0).report
    assert kinds(report)["timeout"] >= 20 and kinds(report)["oom"] >= 10
    assert report.outages == []


def test_a_server_that_refuses_all_for_a_while_is_an_outage(run, fake):
    def behave(connection, _request):
        return b"-LOADING no\r\n" if 300 <= connection.server.requests < 700 else b"+OK\r\n"

    loading = fake(behave)
    report = run("-p", loading.port, "--qps", 400, "--test-duration", 4, "-c", 5).expect(0).report
    outage, = report.outages
    assert outage["kinds"] == {"loading": 400}
    assert 0.7 <= outage["begin"] + 0.1 and outage["end"] <= 3
    assert 0.7 <= outage["silent"] <= 1.3


def test_give_up_on_silence(run, fake):
    silent = fake(lambda connection, request: None)
    report = run("-p", silent.port, "-n", 100000, "-c", 5, "--give-up", 1).expect(2).report
    assert report.completed == 0
    assert report.issued == silent.requests
    assert report.errors + report.unanswered >= 5
    assert any(line.startswith("Ended early") for line in report.closing)


def test_give_up_when_the_server_has_gone(start, server):
    program = start("-p", server.port, "--test-duration", 80, "-c", 5, "--give-up", 1)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    server.crash()
    report = program.wait().expect(2).report
    assert report.completed > 100
    assert report.errors + report.unanswered <= 5


def test_accept_and_close(run, fake):
    """Whether that is a server that cannot be reached or one to give up, it is not waited for for ever."""
    rude = fake(on_accept=lambda connection: CLOSE)
    result = run("-p", rude.port, "-n", 1000, "-c", 4, "--give-up", 1)
    assert result.code in (1, 2), str(result)
    if result.code == 2:
        assert result.report.completed == 0


def test_connections_are_dialled_again(run, fake):
    flaky = fake(on_accept=lambda connection: RESET if 1 <= connection.number < 8 else None)
    report = run("-p", flaky.port, "-n", 400, "-c", 4, "--give-up", 10).expect(0).report
    assert report.completed + report.errors == 400
    assert report.completed >= 380


def test_no_server(run):
    port = real_server.free_port()
    sentence = run("-p", port).refusal()
    assert sentence.endswith(f"Could not connect to Valkey at 127.0.0.1:{port}: Connection refused. "
                             "Start a server, or let --local-server start one.")


def test_no_such_host(run):
    result = run("-H", "nowhere.invalid").expect(1)
    assert result.out == ""
    assert "nowhere.invalid" in result.err and len(result.err.splitlines()) == 1


def test_host_that_does_not_answer(run):
    """A listener with a full backlog takes no more connections, nor does it refuse any."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        try:
            for _ in range(4):
                fillers.append(socket.socket())
                fillers[-1].setblocking(False)
                fillers[-1].connect_ex(("127.0.0.1", port))
            result = run("-p", port, "--connection-timeout", 300).expect(1)
        finally:
            for filler in fillers:
                filler.close()
    assert result.out == ""
    assert f"127.0.0.1:{port}" in result.err and len(result.err.splitlines()) == 1


def test_ipv6(run, make_server):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 here")
    server = make_server(bind="::1")
    assert run("-h", "::1", "-p", server.port, "-n", 100).expect(0).report.completed == 100


def test_fakes_count_what_they_got(run, fake):
    plain = fake(fake_server.ok)
    report = run("-p", plain.port, "-n", 2000, "-c", 10).expect(0).report
    assert report.completed == plain.requests == 2000
    assert report.errors == 0
