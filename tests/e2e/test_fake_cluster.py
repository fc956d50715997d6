# SPDX-License-Identifier: BSD-3-Clause
"""Clusters whose nodes say what real ones seldom say: redirects that lead nowhere, maps with holes, cut replies."""
import binascii
import collections
import resource
import threading
import time

import pytest

import fake_server
import real_server

SLOTS = 16384
EACH_SECOND = ("--interval-metrics-interval-duration-sec", 1)


def slot_of(key):
    """Of a key without a hash tag. CRC-16/XMODEM it is, as in the servers' specification."""
    return binascii.crc_hqx(key, 0) % SLOTS


def bulk(text):
    return b"$-1\r\n" if text is None else b"$%d\r\n%s\r\n" % (len(text), text)


def array(*items):
    return b"*%d\r\n" % len(items) + b"".join(items)


def integer(number):
    return b":%d\r\n" % number


def slots(*ranges):
    """A reply to CLUSTER SLOTS: (first, last, port), or with the endpoint as a fourth."""
    return array(*(array(integer(first), integer(last),
                         array(bulk(endpoint[0] if endpoint else b"127.0.0.1"), integer(port), bulk(b"id%d" % port)))
                   for first, last, port, *endpoint in ranges))


def moved(key, port, kind=b"MOVED"):
    return b"-%s %d 127.0.0.1:%d\r\n" % (kind, slot_of(key), port)


class FakeCluster:
    """
    `count` nodes that all show the map that `ranges(ports)` gives when they are asked, and then do what
    `answer(node, request)` says, by number of node; ok() where that is None. `got`: the keys that each was asked for.
    """

    def __init__(self, fake, count, ranges, answer=lambda node, request: None):
        self.ranges = ranges
        self.answer = answer
        self.got = [collections.Counter() for _ in range(count)]
        self.questions = 0
        self.asking = set()  # connections
        self.lock = threading.Lock()
        self.nodes = [fake(lambda connection, request, node=node: self.behave(node, connection, request))
                      for node in range(count)]

    ports = property(lambda self: [node.port for node in self.nodes])
    port = property(lambda self: self.nodes[0].port)

    def behave(self, node, connection, request):
        if request[0] == b"CLUSTER":
            with self.lock:
                self.questions += 1
            return slots(*self.ranges(self.ports))
        if request[0] == b"ASKING":
            self.asking.add(connection)
            return b"+OK\r\n"
        request = request + [b"ASKING"] if connection in self.asking else request
        self.asking.discard(connection)
        with self.lock:
            self.got[node][request[1]] += 1
        return self.answer(node, request) or b"+OK\r\n"


def all_of_first(ports):
    return [(0, SLOTS - 1, ports[0])]


# ---- the map

@pytest.mark.parametrize("endpoint", [None, b"", b"127.0.0.1", b"localhost"], ids=str)
def test_forms_of_endpoints(run, fake, endpoint):
    cluster = FakeCluster(fake, 1, lambda ports: [(0, SLOTS - 1, ports[0], endpoint)])
    report = run("-p", cluster.port, "--cluster", "-n", 100, "-c", 2).expect(0).report
    assert report.completed == cluster.got[0].total() == 100


@pytest.mark.parametrize("endpoint", [None, b"::1"], ids=str)
def test_ipv6_endpoints(run, fake, endpoint):
    try:
        node = fake(lambda connection, request: slots((0, SLOTS - 1, connection.server.port, endpoint))
                    if request[0] == b"CLUSTER" else b"+OK\r\n", host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    report = run("-h", "::1", "-p", node.port, "--cluster", "-n", 100, "-c", 2).expect(0).report
    assert report.completed == 100
    assert [one["name"] for one in report.nodes] == [f"[::1]:{node.port}"]


def test_split_ranges(run, fake):
    """Two nodes share the slots in pieces of 1000, which are not in order; what belongs to whom is exact."""
    def ranges(ports):
        pieces = [(first, min(first + 999, SLOTS - 1), ports[first // 1000 % 2]) for first in range(0, SLOTS, 1000)]
        return pieces[::-1]

    cluster = FakeCluster(fake, 2, ranges)
    report = run("-p", cluster.port, "--cluster", "-n", 2000, "--sequential", 2000, "-c", 4).expect(0).report
    assert report.completed == 2000
    for node, keys in enumerate(cluster.got):
        assert all(slot_of(key) // 1000 % 2 == node for key in keys)
    assert sum(len(keys) for keys in cluster.got) == sum(keys.total() for keys in cluster.got) == 2000


def test_a_hole_in_the_map_is_waited_out(run, fake):
    """Until the map has been asked for three times nobody serves the upper half."""
    cluster = FakeCluster(fake, 2, lambda ports: [(0, 8191, ports[0])] +
                          ([(8192, SLOTS - 1, ports[1])] if cluster.questions > 3 else []))
    report = run("-p", cluster.port, "--cluster", "-n", 500, "--sequential", 500, "-c", 4).expect(0).report
    assert (report.completed, report.errors) == (500, 0)
    assert min(len(keys) for keys in cluster.got) > 100


def test_a_hole_that_stays_is_a_timeout(run, fake):
    cluster = FakeCluster(fake, 1, lambda ports: [(0, 8191, ports[0])])
    report = run("-p", cluster.port, "--cluster", "-n", 40, "--sequential", 40, "-c", 10,
                 "--request-timeout", 200).expect(0).report
    assert report.completed == cluster.got[0].total() == sum(slot_of(b"key:%d" % i) < 8192 for i in range(40))
    assert report.issued == 40 == report.completed + report.errors + report.unanswered
    assert 5 <= report.errors == report.count("Errors by Kind", "timeout")


@pytest.mark.parametrize("reply, words", [
    (slots((0, 5, 7000), (5, 9, 7001)), "slot 5"),
    (slots((9, 5, 7000)), "9"),
    (slots((0, SLOTS, 7000)), "16384"),
    (slots((0, 5, 0)), "no slot is served"),
    (slots((0, 5, 65536)), "describes no shard"),
    (b"*0\r\n", "no slot is served"),
    (b"+OK\r\n", "CLUSTER SLOTS"),
    (b"-ERR This instance has cluster support disabled\r\n", "cluster support disabled"),
], ids=str)
def test_maps_that_are_refused(run, fake, reply, words):
    sentence = run("-p", fake(lambda _connection, _request: reply).port, "--cluster").refusal()
    assert "--cluster" in sentence and words in sentence


# ---- redirects

@pytest.mark.parametrize("kind", [b"MOVED", b"ASK"])
def test_redirects_to_a_node_that_no_map_has(run, fake, kind):
    def answer(node, request):
        assert kind == b"MOVED" or node == 0 or b"ASKING" in request, "an ASK was followed without ASKING"
        return moved(request[1], cluster.ports[1], kind) if node == 0 else None

    cluster = FakeCluster(fake, 2, all_of_first, answer)
    result = run("-p", cluster.port, "--cluster", "-n", 400, "--sequential", 400, "-c", 4, *EACH_SECOND).expect(0)
    assert (result.csv_report.completed, result.csv_report.errors) == (400, 0)
    assert cluster.got[1].total() == len(cluster.got[1]) == 400
    assert all(count == 1 for count in cluster.got[0].values())
    event = "moved replies" if kind == b"MOVED" else "ask replies"
    assert result.csv_report.number("Events", event) == cluster.got[0].total()
    assert result.csv.sum("requests_moved") == (cluster.got[0].total() if kind == b"MOVED" else 0)


@pytest.mark.parametrize("kind", [b"MOVED", b"ASK"])
def test_redirects_to_a_dead_node_until_it_is_forgotten(run, fake, kind):
    """Each key is sent there twice, and would wait for ever if it was not asked for again where it came from."""
    dead = real_server.free_port()

    def answer(node, request):
        return moved(request[1], dead, kind) if cluster.got[node][request[1]] <= 2 else None

    cluster = FakeCluster(fake, 1, all_of_first, answer)
    report = run("-p", cluster.port, "--cluster", "-n", 20, "--sequential", 20, "-c", 10).expect(0).report
    assert (report.completed, report.errors) == (20, 0)
    assert all(count >= 3 for count in cluster.got[0].values())
    assert report.number("Events", "failed dials") > 0


@pytest.mark.parametrize("kind", [b"MOVED", b"ASK"])
def test_redirects_to_a_dead_node_for_good(run, fake, kind):
    dead = real_server.free_port()
    cluster = FakeCluster(fake, 1, all_of_first, lambda _node, request: moved(request[1], dead, kind))
    report = run("-p", cluster.port, "--cluster", "-n", 10, "--sequential", 10, "-c", 5,
                 "--request-timeout", 500).expect(0).report
    assert report.completed == 0
    # Those that were sent last may be given up with the run, whose end waits as long as they would.
    assert report.issued == 10 == report.errors + report.unanswered
    assert 5 <= report.errors == report.count("Errors by Kind", "timeout")


@pytest.mark.parametrize("kind", [b"MOVED", b"ASK"])
@pytest.mark.parametrize("count", [1, 2])
def test_redirects_in_circles_end(run, fake, kind, count):
    cluster = FakeCluster(fake, count, all_of_first,
                          lambda node, request: moved(request[1], cluster.ports[(node + 1) % count], kind))
    result = run("-p", cluster.port, "--cluster", "-n", 20, "--sequential", 20, "-c", 2, *EACH_SECOND).expect(0)
    assert result.csv_report.errors == result.csv.sum("requests_total_failed") == 20
    assert result.csv_report.count("Errors by Kind", "redirect limit") == 20
    hops = 5
    assert sum(keys.total() for keys in cluster.got) == 20 * (1 + hops)
    assert result.csv.sum("requests_moved") == (20 * (1 + hops) if kind == b"MOVED" else 0)


@pytest.mark.parametrize("reply", [b"-MOVED\r\n", b"-MOVED 1\r\n", b"-MOVED x 127.0.0.1:1\r\n", b"-MOVED 16384 127.0.0.1:1\r\n",
                                   b"-ASK 1 127.0.0.1\r\n", b"-ASK 1 127.0.0.1:0\r\n", b"-MOVED 1 127.0.0.1:65536\r\n"], ids=str)
def test_redirects_that_cannot_be_read(run, fake, reply):
    cluster = FakeCluster(fake, 1, all_of_first, lambda _node, _request: reply)
    report = run("-p", cluster.port, "--cluster", "-n", 20, "-c", 2).expect(0).report
    assert report.count("Errors by Kind", "redirect limit") == report.errors == 20


# ---- bytes

def test_replies_cut_at_every_byte(run, fake):
    """A node is lost in each place of its reply, also of one that redirects; the next connection is whole."""
    ends = [b"+OK\r\n", b"-MOVED 1 127.0.0.1:1\r\n", b"-ASK 16383 :7000\r\n", b"-CLUSTERDOWN The cluster is down\r\n"]
    cuts = [reply[:size] for reply in ends for size in range(len(reply))]

    def answer(node, request):
        number = int(request[1].removeprefix(b"key:"))
        if node == 1 and number < len(cuts):
            return [cuts[number], fake_server.CLOSE]
        return None

    cluster = FakeCluster(fake, 2, lambda ports: [(0, 99, ports[0]), (100, SLOTS - 1, ports[1])], answer)
    report = run("-p", cluster.port, "--cluster", "-n", 150, "--sequential", 150, "-c", 4).expect(0).report
    lost = sum(slot_of(b"key:%d" % i) >= 100 for i in range(len(cuts)))
    assert report.errors == report.count("Errors by Kind", "disconnect") == report.number("Events", "disconnects") == lost
    assert report.completed == 150 - lost
    assert sum(keys.total() for keys in cluster.got) == 150, "nothing that may have been executed is sent again"


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_maps_cut_at_the_start(run, fake, cut):
    """The one node that was named cannot say where the slots are."""
    def behave(connection, request):
        if request[0] == b"CLUSTER":
            return [slots((0, SLOTS - 1, connection.server.port))[:cut], fake_server.CLOSE]
        return b"+OK\r\n"

    sentence = run("-p", fake(behave).port, "--cluster").refusal()
    assert "did not tell which nodes its cluster has" in sentence and "closed the connection" in sentence


def test_a_map_that_may_not_be_asked_for(run, fake):
    """What to do about it is not to measure something else."""
    cluster = fake(lambda connection, request: b"-NOPERM User u has no permissions to run 'cluster|slots'\r\n")
    sentence = run("-p", cluster.port, "--cluster").refusal()
    assert "'cluster|slots'. Allow the user CLUSTER SLOTS." in sentence and "leave out" not in sentence.lower()


def test_a_map_that_takes_its_time(run, fake):
    """The connection timeout bounds it: silence says nothing about what the server is."""
    def behave(connection, request):
        if request[0] == b"CLUSTER":
            time.sleep(1.2)
            return slots((0, SLOTS - 1, connection.server.port))
        return b"+OK\r\n"

    node = fake(behave)
    assert run("-p", node.port, "--cluster", "-n", 10, "-c", 1).expect(0).report.completed == 10
    sentence = run("-p", node.port, "--cluster", "--connection-timeout", 50).refusal()
    assert "no reply came in time" in sentence and "--connection-timeout" in sentence


def test_maps_cut_in_the_run(run, fake):
    """Another node is asked, or the same again: each question is answered by one byte more."""
    whole = []

    def answer(node, request):
        return moved(request[1], cluster.ports[1]) if node == 0 else None

    cluster = FakeCluster(fake, 2, all_of_first, answer)
    honest = cluster.behave

    def behave(node, connection, request):
        reply = honest(node, connection, request)
        if request[0] != b"CLUSTER":
            return reply
        whole.append(len(reply))
        size = cluster.questions - 2
        return reply if cluster.questions == 1 or size > len(reply) else [reply[:size], fake_server.CLOSE]

    cluster.behave = behave
    report = run("-p", cluster.port, "--cluster", "-n", 2000, "--qps", 1000, "--sequential", 2000, "-c", 4).expect(0).report
    assert (report.completed, report.errors) == (2000, 0)
    assert len(whole) > 3


def test_slow_bytes(run, fake):
    cluster = FakeCluster(fake, 2, lambda ports: [(0, 8191, ports[0]), (8192, SLOTS - 1, ports[1])],
                          lambda node, request: [fake_server.Slow(moved(request[1], cluster.ports[1 - node], b"ASK"), 0.001)]
                          if b"ASKING" not in request else [fake_server.Slow(b"+OK\r\n", 0.001)])
    report = run("-p", cluster.port, "--cluster", "-n", 40, "-c", 4).expect(0).report
    assert (report.completed, report.number("Events", "ask replies")) == (40, 40)


def test_nodes_that_join_find_room_for_their_connections(run, fake):
    """The limit on open files is enough for the nodes at the start, not for all of them."""
    def ranges(ports):
        grown = cluster.got[0].total() > 200
        return [(first, first + 4095, ports[first // 4096 if grown else 0]) for first in range(0, SLOTS, 4096)]

    def answer(node, request):
        owner = slot_of(request[1]) // 4096
        return moved(request[1], cluster.ports[owner]) if node != owner and cluster.got[0].total() > 200 else None

    cluster = FakeCluster(fake, 4, ranges, answer)
    report = run("-p", cluster.port, "--cluster", "-c", 60, "-n", 4000, "--sequential", 4000, "--processes", 1,
                 limits=[(resource.RLIMIT_NOFILE, (150, 2000))]).expect(0).report
    assert (report.completed, report.errors, report.count("Events", "failed dials")) == (4000, 0, 0)
    assert all(keys.total() > 60 for keys in cluster.got)
