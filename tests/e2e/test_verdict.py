# SPDX-License-Identifier: BSD-3-Clause
"""Whether the client is accused: when it is the limit, and only then."""
import os
import selectors
import signal
import socket
import threading
import time

import pytest

import fake_server
import processes
import program


class FastServer(threading.Thread):
    """
    A server that is faster than any client: it answers +OK to requests that are all of the length
    of the first, without looking at them. It runs on the last core there is.
    """

    REPLIES = b"+OK\r\n" * 10000

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.length = 0
        self.over = {}  # connection: bytes of the request that is not whole
        self.bytes = memoryview(bytearray(1 << 20))
        self.stopping = False
        self.start()

    def answer(self, sock):
        try:
            got = sock.recv_into(self.bytes)
            if not got:
                return False
            if self.bytes[:got] == fake_server.PING:
                sock.sendall(b"+PONG\r\n")
                return True
            self.length = self.length or fake_server.parse_request(bytes(self.bytes[:got]))[1]
            whole, self.over[sock] = divmod(self.over.get(sock, 0) + got, self.length)
            while whole:
                count = min(whole, len(self.REPLIES) // 5)
                sock.sendall(memoryview(self.REPLIES)[:5 * count])
                whole -= count
            return True
        except OSError:
            return False

    def run(self):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # of this thread
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while not self.stopping:
                for key, _ in selector.select(0.1):
                    if key.fileobj is self.listener:
                        selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                    elif not self.answer(key.fileobj):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()

    def crowded(self):
        """For how many seconds it has had no core to work on."""
        with open(f"/proc/self/task/{self.native_id}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9

    def stop(self):
        self.stopping = True
        self.join(10)
        assert not self.is_alive(), "the fast server hangs"
        self.listener.close()


@pytest.fixture
def fast():
    server = FastServer()
    yield server
    server.stop()


@pytest.fixture
def one_core():
    """What the test starts runs on the first core alone."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def test_one_worker_is_asked_for_more_than_it_can_send(fast, one_core, run):
    before = fast.crowded()
    report = run("-p", fast.port, "-r", 1, "-c", 4, "-P", 1000, "--qps", 100000000, "--processes", 1,
                 "--test-duration", 1).expect(0).report
    worker = report.worker(0)
    assert report.completed > 1000
    if worker["crowded"] > 9.9:
        if worker["crowded"] > 10.1:
            assert report.verdict is None or "send lag" in report.verdict
            assert worker["busy"] <= 95 or report.verdict or "had no core to work on" in report.note
        pytest.skip(f"others use the client's core: it had none for {worker['crowded']}% of the time")
    if worker["busy"] <= 95 and fast.crowded() - before > 0.03:
        pytest.skip("others use the core of the fast server, which is no faster then")
    assert worker["busy"] > 95
    assert report.verdict.endswith(f": worker 0 was busy {worker['busy']}% of the time; "
                                   "ask for a lower rate, or share it with another host.")


def test_client_stopped_for_a_while(start, server):
    """Who is not let run is late, though its loop does not work; so it is also said in CSV mode."""
    program_ = start("-p", server.port, "--qps", 1000, "--test-duration", 4, "-c", 500, "--processes", 1,
                     "--interval-metrics-interval-duration-sec", 1)
    processes.wait_until(lambda: server.calls("set") >= 1000, "the first second")
    program_.interrupt(signal.SIGSTOP)
    time.sleep(0.4)  # the experiment itself
    program_.interrupt(signal.SIGCONT)
    result = program_.wait().expect(0)
    report = result.csv_report
    assert report.completed == report.due
    assert report.number("Send Lag (ms)", "99th percentile") > 100
    assert report.worker(0)["busy"] < 70
    assert "99th percentile of send lag" in report.verdict
    assert "keep other load off their cores" in report.verdict
    assert len(result.csv.lines) >= 3


@pytest.mark.parametrize("arguments", [("-c", 1, "-n", 4000), ("-n", 40000)])
def test_plain_run_is_silent(run, server, arguments):
    if "-c" not in arguments and program.is_sanitized():
        pytest.skip("a sanitizer makes the client slower than the server")
    assert run("-p", server.port, *arguments).expect(0).report.verdict is None


def test_server_that_does_not_read_is_not_held_against_the_client(start, make_server):
    """Its requests wait behind bytes that the kernel does not take, in slots that are free."""
    server = make_server()
    program_ = start("-p", server.port, "--qps", 500, "--test-duration", 4, "-c", 2, "-P", 500, "-d", 100000,
                     "--processes", 1)
    processes.wait_until(lambda: server.calls("set") >= 500, "the first second")
    server.signal(signal.SIGSTOP)
    time.sleep(1)  # the experiment itself
    server.signal(signal.SIGCONT)
    report = program_.wait().expect(0).report
    assert report.p99 > 500
    assert report.number("Send Lag (ms)", "99th percentile") < report.p99 / 10
    assert report.verdict is None


def test_many_workers_are_shortened(run, server):
    report = run("-p", server.port, "-n", 2000, "-c", 20, "--processes", 2, "--threads", 9).expect(0).report
    assert len(report.sections["Workers"]) == 17
    assert "The other 2" in report.sections["Workers"]
