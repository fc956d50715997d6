# SPDX-License-Identifier: BSD-3-Clause
"""The schedule: as many requests as asked, when they are due, and none dropped."""
import statistics

import pytest

import resp

FOUR_WORKERS = ("--processes", 2, "--threads", 2)


def ramp(start, end, interval, *rest):
    return ("--start-qps", start, "--end-qps", end, "--qps-change-interval", interval) + rest


COUNTS = [
    (("--qps", 1000, "--test-duration", 3), 3000),
    (("--qps", 1000, "--test-duration", 3) + FOUR_WORKERS, 3000),
    (("--qps", 7, "--test-duration", 3) + FOUR_WORKERS, 21),
    (("--qps", 1, "--test-duration", 2) + FOUR_WORKERS, 2),
    (("--qps", 2.5, "--test-duration", 2), 5),
    (("--qps", "1k", "--test-duration", "1500ms"), 1500),
    (("--qps", 100, "--test-duration", 1, "-n", 100000), 100),
    (("--test-duration", 3) + ramp(1000, 3000, 1, "--qps-change", 1000) + FOUR_WORKERS, 6000),
    (("--test-duration", 3) + ramp(3000, 1000, 1, "--qps-change", 1000), 6000),
    (("--test-duration", 2) + ramp(100, 250, 0.5, "--qps-change", 100), 50 + 100 + 125 + 125),
    (("--test-duration", 4) + ramp(100, 400, 1, "--qps-ramp-mode", "exponential", "--qps-ramp-factor", 2)
     + FOUR_WORKERS, 100 + 200 + 400 + 400),
    (("--test-duration", 3) + ramp(400, 100, 1, "--qps-ramp-mode", "exponential", "--qps-ramp-factor", 2), 700),
]


@pytest.mark.parametrize("arguments, requests", COUNTS, ids=[" ".join(map(str, a)) for a, _ in COUNTS])
def test_as_many_requests_as_the_schedule_has(run, server, arguments, requests):
    report = run("-p", server.port, *arguments).expect(0).report
    assert abs(report.due - requests) <= 1
    assert report.issued == report.due == report.completed == server.calls("set")
    assert report.unsent == 0


def test_whichever_comes_first(run, server):
    report = run("-p", server.port, "--qps", 1000, "-n", 100, "--test-duration", 60).expect(0).report
    assert report.due == report.completed == 100


def test_a_schedule_lasts_until_the_request_after_its_last(run, server):
    """Rates divide by that: the last request of 500 is due before the half second is over."""
    report = run("-p", server.port, "--qps", 1000, "-n", 500).expect(0).report
    assert report.completed == 500
    assert report.time >= 0.5
    assert report.rate <= 1000


def lateness(times, rate):
    """How long after its due time each request came, against the one that came earliest for its index."""
    times = sorted(times)
    raw = [time - k / rate for k, time in enumerate(times)]
    return [one - min(raw) for one in raw]


@pytest.mark.parametrize("rate, requests", [(1000, 3000), (7, 21)])
def test_requests_are_evenly_spaced(start, server, rate, requests):
    """
    The median, not a high percentile: a busy machine may hold up many requests, not most. A rate
    that comes in bursts, once a second or ten times, has a median of half a burst.
    """
    monitor = resp.Monitor(server.port)
    program = start("-p", server.port, "--qps", rate, "-n", requests, *FOUR_WORKERS)
    seen = monitor.take("SET", requests)
    monitor.close()
    program.wait().expect(0)
    assert statistics.median(lateness([time for time, _ in seen], rate)) < 0.025


def test_steps_of_a_ramp_come_one_after_another(start, server):
    monitor = resp.Monitor(server.port)
    program = start("-p", server.port, "--test-duration", 3, *ramp(500, 2000, 1, "--qps-change", 750), *FOUR_WORKERS)
    seen = [time for time, _ in monitor.take("SET", 500 + 1250 + 2000 - 1)]
    monitor.close()
    program.wait().expect(0)
    for second, rate in enumerate((500, 1250, 2000)):
        count = sum(second <= time - min(seen) < second + 1 for time in seen)
        assert 0.7 * rate < count < 1.3 * rate, f"second {second}"


def test_a_schedule_over_workers_uses_each_index_once(run, server):
    report = run("-p", server.port, "--qps", 2000, "-n", 1000, "--sequential", 1000, *FOUR_WORKERS).expect(0).report
    assert report.completed == server.size() == 1000


def test_open_loop_does_not_wait_for_replies(run, fake):
    """A server that never answers gets as many requests as it has clients; the others are unsent."""
    silent = fake(lambda connection, request: None)
    report = run("-p", silent.port, "--qps", 100, "--test-duration", 1, "-c", 4, "--request-timeout", 1500,
                 "--give-up", 0).report
    assert abs(report.due - 100) <= 1
    assert report.issued == silent.requests == 4
    assert report.unsent == report.due - 4
    assert any("lower bound" in line for line in report.closing)
