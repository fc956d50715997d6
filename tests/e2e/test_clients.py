# SPDX-License-Identifier: BSD-3-Clause
"""Clients: pipelines, ramps, more than files are allowed, and very many."""
import resource

import pytest

import fake_server
import processes


def test_pipeline_is_a_sliding_window(start, fake):
    """
    A server that holds its replies back has a whole window of requests, and gets one more for each
    reply, where a lockstep client would wait for all of them.
    """
    holding = fake(lambda connection, request: None)
    program = start("-p", holding.port, "-c", 1, "-P", 16, "-n", 100, "--request-timeout", 0)
    for answered in range(101):
        expected = min(16 + answered, 100)
        processes.wait_until(lambda e=expected: holding.requests == e, f"request {expected}")
        if answered < 100:
            holding.call(holding.clients()[0].send, b"+OK\r\n")
    report = program.wait().expect(0).report
    assert report.completed == 100
    assert len(holding.clients()) == 1


@pytest.mark.tsan
def test_pipelined_requests_are_all_counted(run, server):
    report = run("-p", server.port, "-n", 100003, "-c", 20, "-P", 16, "--processes", 2, "--threads", 2).expect(0).report
    assert report.completed == server.calls("set") == 100003


@pytest.mark.parametrize("mode, steps", [
    (("--clients-per-ramp", 3), [2, 5, 8]),
    (("--client-ramp-mode", "exponential", "--client-ramp-factor", 2), [2, 4, 8]),
], ids=["linear", "exponential"])
def test_client_ramp_opens_totals_in_steps(start, fake, mode, steps):
    """As the server sees it: how many connections carry requests, and none much too early."""
    plain = fake(lambda connection, request: fake_server.Slow(b"+OK\r\n", 0.001))
    program = start("-p", plain.port, "--test-duration", 80, "--clients-ramp-start", 2, "--clients-ramp-end", 8,
                    "--client-ramp-interval", 1.5, "--processes", 2, *mode)
    processes.wait_until(lambda: len(plain.clients()) == steps[-1], "all clients")
    program.interrupt()
    assert program.wait().expect(130).report.errors == 0
    began = sorted(connection.first_request for connection in plain.clients())
    for step in (1, 2):
        assert began[steps[step - 1]] - began[0] >= step * 1.5 - 0.7, f"step {step} came early"
        assert began[steps[step] - 1] - began[steps[step - 1]] < 1.2, f"step {step} is not one step"


def test_two_thousand_clients_of_a_server_slow_to_accept(start, fake, many_files):
    slow = fake(accept_pause=0.001, backlog=511)
    program = start("-p", slow.port, "-c", 2000, "--test-duration", 85)
    processes.wait_until(lambda: len(slow.clients()) == 2000, "2000 clients with requests", 60)
    program.interrupt()
    report = program.wait().expect(130).report
    assert report.completed >= 2000
    assert report.issued <= slow.requests + 2000


@pytest.fixture
def many_files():
    """Room for the files of a server of 10,000 clients, in this process and those that it starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 11000
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"the limit of open files is {before[1]}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ten_thousand_clients_on_one_worker(run, make_server, many_files):
    server = make_server("--maxclients", 10500)
    report = run("-p", server.port, "-c", 10000, "-n", 100003, "--single-process", "--threads", 1,
                 limits=[(resource.RLIMIT_NOFILE, (1024, 11000))]).expect(0).report
    assert report.completed == server.calls("set") == 100003
    assert report.errors == 0


def test_limit_of_open_files_is_raised(run, server):
    limits = [(resource.RLIMIT_NOFILE, (64, 2000))]
    report = run("-p", server.port, "-c", 200, "-n", 1000, limits=limits).expect(0).report
    assert report.completed == 1000


def test_limit_of_open_files_that_cannot_be_raised(run, server):
    sentence = run("-p", server.port, "-c", 200, limits=[(resource.RLIMIT_NOFILE, (64, 64))]).refusal()
    assert "200" in sentence and "64" in sentence


def test_a_run_does_not_wait_for_clients_still_to_come(run, server):
    """Workers whose clients come later in the ramp learn that the others have done all there was."""
    report = run("-p", server.port, "-n", 1000, "--clients-ramp-start", 1, "--clients-ramp-end", 4, "--clients-per-ramp", 1,
                 "--client-ramp-interval", 60, "--processes", 1, "--threads", 4).expect(0).report
    assert report.completed == 1000
    assert report.time < 30
