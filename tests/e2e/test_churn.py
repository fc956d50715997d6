# SPDX-License-Identifier: BSD-3-Clause
"""Connections that are closed and dialled again on purpose: how many, with what on each, at whose cost."""
import collections

import pytest

import fake_server

SECTION = "Time to Connect (ms)"


def connections_of(server):
    return int(server.client.info("stats")["total_connections_received"])


@pytest.mark.parametrize("arguments, each", [(["-k", 0], 1), (["--keepalive", "0"], 1), (["--reconnect-interval", 10], 10),
                                             (["--reconnect-interval", 7, "-P", 5], 7)])
def test_connections_are_as_many_as_asked_for(run, server, arguments, each):
    before = connections_of(server)
    report = run("-p", server.port, "-n", 3000, "-c", 20, "--processes", 2, *arguments).expect(0).report
    assert report.completed == server.calls("set") == 3000
    assert report.errors == report.unanswered == 0
    assert not report.has("Events", "disconnects") and not report.has("Events", "reconnects")
    planned = report.count("Events", "planned reconnects")
    made = report.number(SECTION, "Connections")
    assert made == 20 + planned
    # What is left on each client's last connection; and dials that the end of the run has overtaken.
    assert 3000 / each - 20 <= made <= 3000 / each + 20
    probe = 1
    assert made + probe <= connections_of(server) - before <= made + probe + 20
    assert report.number("How It Ran", "Requests a connection") == each


def test_nobody_is_sent_more_or_anything_twice(run, fake):
    keys = collections.Counter()

    def behave(connection, request):
        keys[request[1]] += 1
        assert connection.requests <= 3
        return b"+OK\r\n"

    server = fake(behave)
    report = run("-p", server.port, "-n", 200, "-c", 4, "-P", 2, "--sequential", 200, "--reconnect-interval", 3).expect(0).report
    assert report.completed == len(keys) == sum(keys.values()) == 200
    assert sum(connection.requests == 3 for connection in server.connections) >= 60


def test_on_a_schedule(run, server):
    report = run("-p", server.port, "--qps", 500, "-n", 1000, "-c", 10, "-k", 0).expect(0).report
    assert report.completed == report.due == 1000
    assert report.errors == report.unsent == 0
    assert 980 <= report.number("Events", "planned reconnects") <= 1000


def test_the_session_is_opened_each_time(run, make_server):
    server = make_server(password="s3cr3t")
    report = run("-p", server.port, "-a", "s3cr3t", "--dbnum", 4, "-3", "-n", 100, "-c", 2, "-k", 0).expect(0).report
    assert report.completed == 100 and report.errors == 0
    server.client.call("SELECT", 4)
    assert server.size() == 100
    assert report.number(SECTION, "Connections") >= 98
    assert report.has(SECTION, "Connect") and report.has(SECTION, "Handshake")


def test_a_server_that_breaks_off_is_not_planned(run, fake):
    def behave(connection, request):
        return [fake_server.RESET] if connection.requests == 2 and connection.number < 10 else b"+OK\r\n"

    server = fake(behave)
    report = run("-p", server.port, "-n", 100, "-c", 2, "--reconnect-interval", 4).expect(0).report
    assert report.completed + report.errors == 100
    assert report.errors == report.number("Events", "disconnects") >= 5
    # The last of them may still wait to be dialled when the run ends.
    assert report.errors - 2 <= report.number("Events", "reconnects") <= report.errors
    assert report.number("Events", "planned reconnects") >= 15


def test_time_to_connect_is_shown_of_every_run(run, server):
    report = run("-p", server.port, "-n", 100, "-c", 7).expect(0).report
    assert report.number(SECTION, "Connections") == 7
    assert report.has(SECTION, "Connect") and not report.has(SECTION, "Handshake")
    assert not report.has("Events", "planned reconnects")


@pytest.mark.parametrize("arguments, word", [(["-k", 2], "--keepalive"), (["-k", "no"], "--keepalive"),
                                             (["--reconnect-interval", 0], "--reconnect-interval"),
                                             (["-k", 0, "--reconnect-interval", 5], "--reconnect-interval")])
def test_refused(run, arguments, word):
    assert word in run(*arguments).refusal()
