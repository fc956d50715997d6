# SPDX-License-Identifier: BSD-3-Clause
"""Clusters: where keys go, and what becomes of requests when nodes and slots come and go."""
import signal

import pytest

import processes
from real_cluster import RealCluster

FOUR_WORKERS = ("--processes", 2, "--threads", 2)
EACH_SECOND = ("--interval-metrics-interval-duration-sec", 1)


def keys_of(cluster):
    return set().union(*(node.client.keys() for node in cluster.primaries))


@pytest.mark.tsan
def test_a_sequential_fill_has_no_gap(run, shared_cluster):
    shared_cluster.flush()
    report = run("-p", shared_cluster.port, "--cluster", "-n", 100000, "--sequential", 100000,
                 *FOUR_WORKERS).expect(0).report
    assert report.completed == 100000
    assert shared_cluster.size() == 100000
    assert not report.has("Events", "moved replies"), "a slot is not what the nodes take it for"


def test_keys_are_on_the_nodes_of_their_slots(run, shared_cluster):
    shared_cluster.flush()
    run("-p", shared_cluster.port, "--cluster", "-n", 300, "-r", 1000000, "--seed", 3).expect(0)
    for key in keys_of(shared_cluster):
        node = shared_cluster.node_of(shared_cluster.slot_of(key))
        assert node.client.call("EXISTS", key) == 1


def test_keys_have_the_names_that_they_have_on_one_server(run, server, shared_cluster):
    for keys in (("-r", 1000, "--seed", 5), ("--sequential", 500), ()):
        shared_cluster.flush()
        server.client.call("FLUSHALL")
        for arguments in (("-p", server.port), ("-p", shared_cluster.port, "--cluster")):
            run(*arguments, "-n", 500, "-c", 4, "--single-process", *keys).expect(0)
        assert keys_of(shared_cluster) == server.client.keys()


def test_reads_find_what_was_written(run, shared_cluster):
    shared_cluster.flush()
    arguments = ("-p", shared_cluster.port, "--cluster", "-n", 2000, "--sequential", 2000, "-P", 8)
    run(*arguments, "-d", 100, "-t", "set").expect(0)
    report = run(*arguments, "-t", "get").expect(0).report
    assert (report.number("Accounting", "Hits"), report.count("Accounting", "Misses")) == (2000, 0)


# ---- replicas

def ports_of(report, role):
    """Requests by port, of the nodes that served some in this role."""
    return {int(node["name"].rsplit(":", 1)[1]): node["requests"] for node in report.nodes if node["role"] == role}


def calls_of(nodes, command):
    return {node.port: node.calls(command) for node in nodes}


@pytest.mark.tsan
@pytest.mark.parametrize("arguments", [("-P", 4), ("--qps", 5000, "-3")], ids=str)
def test_reads_go_to_replicas(run, shared_cluster, arguments):
    shared_cluster.show_replicas()
    common = ("-p", shared_cluster.port, "--cluster", "--read-from-replica", "-n", 5000, "--sequential", 5000,
              "--processes", 2)
    written = run(*common, "-t", "set").expect(0).report
    assert not ports_of(written, "replica")
    assert sum(ports_of(written, "primary").values()) == shared_cluster.size() == 5000
    processes.wait_until(lambda: sum(node.size() for node in shared_cluster.replicas) == 5000, "the replicas have all")
    before = calls_of(shared_cluster.nodes, "get")
    report = run(*common, *arguments, "-t", "get").expect(0).report
    served = {port: calls - before[port] for port, calls in calls_of(shared_cluster.nodes, "get").items()}
    assert {port: calls for port, calls in served.items() if calls} == ports_of(report, "replica")
    assert set(ports_of(report, "replica")) == {node.port for node in shared_cluster.replicas}
    assert not ports_of(report, "primary")
    assert not report.has("Events", "moved replies")
    said = [one.text_of("How It Ran", "Cluster") for one in (written, report)]
    assert said == ["yes", "yes, reads from replicas"]
    assert (report.number("Accounting", "Hits"), report.count("Accounting", "Misses")) == (5000, 0)


def test_without_replicas_reads_go_to_primaries(run, tmp_path):
    cluster = RealCluster(tmp_path, replicas=0)
    try:
        report = run("-p", cluster.port, "--cluster", "--read-from-replica", "-n", 2000, "-r", 1000,
                     "-t", "get").expect(0).report
        assert ports_of(report, "primary") == calls_of(cluster.primaries, "get")
    finally:
        cluster.stop()


def test_each_primary_has_a_line(run, shared_cluster):
    before = calls_of(shared_cluster.primaries, "get")
    report = run("-p", shared_cluster.port, "--cluster", "-n", 2000, "-r", 1000, "-t", "get").expect(0).report
    after = calls_of(shared_cluster.primaries, "get")
    assert ports_of(report, "primary") == {port: after[port] - before[port] for port in after}
    assert not ports_of(report, "replica")


def test_reads_from_replicas_want_a_cluster(run):
    sentence = run("--read-from-replica").refusal()
    assert "--read-from-replica" in sentence and "--cluster" in sentence


def test_any_node_will_do_also_by_name(run, shared_cluster):
    for node in shared_cluster.nodes[::3] + shared_cluster.replicas[1:2]:
        report = run("-h", "localhost", "-p", node.port, "--cluster", "-n", 300, "-c", 3).expect(0).report
        assert report.completed == 300


def test_each_client_has_a_connection_to_each_primary(start, shared_cluster):
    before = [int(node.client.info("stats")["total_connections_received"]) for node in shared_cluster.primaries]
    start("-p", shared_cluster.port, "--cluster", "-n", 1, "-c", 7, "--single-process").wait().expect(0)
    after = [int(node.client.info("stats")["total_connections_received"]) for node in shared_cluster.primaries]
    # The probe and the question for the topology come to the first of them.
    assert [b - a for a, b in zip(before, after)] == [9, 7, 7]


def test_a_server_that_is_no_cluster(run, server):
    sentence = run("-p", server.port, "--cluster").refusal()
    assert "cluster support disabled" in sentence and "--cluster" in sentence


def test_a_cluster_without_slots(run, make_server):
    lonely = make_server("--cluster-enabled", "yes")
    sentence = run("-p", lonely.port, "--cluster").refusal()
    assert "no slot is served" in sentence


# ---- connections that are renewed on purpose

def connections_of(nodes):
    return {node.port: int(node.client.info("stats")["total_connections_received"]) for node in nodes}


@pytest.mark.tsan
@pytest.mark.parametrize("arguments, each", [(("-k", 0), 1), (("--reconnect-interval", 10), 10),
                                             (("--reconnect-interval", 7, "-P", 5), 7)], ids=str)
def test_connections_are_as_many_as_asked_for(run, shared_cluster, arguments, each):
    shared_cluster.flush()
    clients, links = 10, 10 * len(shared_cluster.primaries)
    before, served = connections_of(shared_cluster.primaries), calls_of(shared_cluster.primaries, "set")
    report = run("-p", shared_cluster.port, "--cluster", "-n", 3000, "--sequential", 3000, "-c", clients, "--processes", 2,
                 *arguments).expect(0).report
    assert (report.issued, report.completed, report.errors, report.unanswered) == (3000, 3000, 0, 0)
    assert sum(calls_of(shared_cluster.primaries, "set").values()) - sum(served.values()) == 3000
    assert shared_cluster.size() == 3000
    for event in ("disconnects", "reconnects", "failed dials", "moved replies"):
        assert not report.has("Events", event)
    made = report.number("Time to Connect (ms)", "Connections")
    assert made == links + report.count("Events", "planned reconnects")
    # What is left on each client's last connections; and dials that the end of the run has overtaken.
    assert 3000 / each - links <= made <= 3000 / each + links
    after = connections_of(shared_cluster.primaries)
    probe_and_question = 2
    assert made + probe_and_question <= sum(after.values()) - sum(before.values()) <= made + probe_and_question + links
    assert report.number("How It Ran", "Requests a connection") == each


def test_connections_to_replicas_are_renewed(run, shared_cluster):
    shared_cluster.show_replicas()
    before = connections_of(shared_cluster.replicas)
    report = run("-p", shared_cluster.port, "--cluster", "--read-from-replica", "-n", 1000, "-r", 1000, "-c", 4, "-t", "get",
                 "-k", 0, "--qps", 2000, "--processes", 2).expect(0).report
    assert report.completed == sum(ports_of(report, "replica").values()) == 1000
    # As many as requests, each after READONLY: or the replies were redirects.
    assert not report.has("Events", "moved replies")
    after = connections_of(shared_cluster.replicas)
    first, questions = 4 * len(shared_cluster.replicas), 2
    assert 1000 <= sum(after.values()) - sum(before.values()) <= 1000 + first + questions


def test_logging_in_to_all_nodes(run, tmp_path):
    cluster = RealCluster(tmp_path, replicas=0, password="s3cr3t")
    try:
        assert "NOAUTH" in run("-p", cluster.port, "--cluster").refusal()
        for arguments in (("-a", "s3cr3t"), ("-a", "s3cr3t", "-3")):
            cluster.flush()
            report = run("-p", cluster.port, "--cluster", *arguments, "-n", 3000, "--sequential", 3000,
                         "--processes", 2).expect(0).report
            assert report.completed == cluster.size() == 3000
    finally:
        cluster.stop()


def test_a_user_who_may_not_read_from_replicas(run, shared_cluster):
    for node in shared_cluster.nodes:
        node.client.call("ACL", "SETUSER", "reader", "on", ">s3cr3t", "~*", "+@all", "-readonly")
    arguments = ("-p", shared_cluster.port, "--cluster", "--user", "reader", "-a", "s3cr3t", "-n", 100)
    sentence = run(*arguments, "-t", "get", "--read-from-replica").refusal()
    assert "--read-from-replica" in sentence and "NOPERM" in sentence and "'readonly'" in sentence
    # Nothing is to be read here, and nobody asks for it there.
    assert run(*arguments, "-t", "set", "--read-from-replica").expect(0).report.completed == 100
    assert run(*arguments, "-t", "get").expect(0).report.completed == 100


# ---- a cluster that changes

def started(start, cluster, *arguments):
    program = start("-p", cluster.port, "--cluster", "--test-duration", 80, "--processes", 2, *EACH_SECOND, *arguments)
    wait_for_lines(program, 1)
    return program


def wait_for_lines(program, count, holds=lambda line: line["request_finished"]):
    """Waits for so many lines of the CSV from now on that hold something."""
    seen = len(program.csv_lines().lines)
    processes.wait_until(lambda: sum(map(bool, map(holds, program.csv_lines().lines[seen:]))) >= count, "lines", 40)


def finished(program):
    """The report of a run that is ended here; the CSV must agree with it."""
    program.process.send_signal(signal.SIGINT)
    result = program.wait().expect(130)
    assert result.csv.sum("request_finished") == result.csv_report.completed
    assert result.csv.sum("requests_total_failed") == result.csv_report.errors
    return result.csv_report, result


def is_fine(line):
    return line["request_finished"] and not line["requests_total_failed"]


@pytest.mark.tsan
@pytest.mark.parametrize("churn", [(), ("-k", 0), ("--reconnect-interval", 3, "-P", 4)], ids=str)
def test_a_slot_that_moves_to_and_fro(start, cluster, churn):
    slot = cluster.slot_of("key:7")
    source = cluster.node_of(slot)
    target = next(node for node in cluster.primaries if node is not source)
    program = started(start, cluster, "-r", 10, "--qps", 2000, "-c", 8, *churn)
    for _ in range(6):
        cluster.begin_to_migrate(slot, source, target)
        # The key was moved, and the slot has not: that is when the source says ASK.
        asked = target.calls("asking")
        processes.wait_until(lambda: target.calls("asking") > asked, "an ASKING")
        cluster.end_to_migrate(slot, source, target)
        source, target = target, source
    wait_for_lines(program, 1)
    report, _ = finished(program)
    assert report.errors == 0
    assert report.issued == report.completed + report.unanswered
    assert report.number("Events", "moved replies") > 0
    assert report.number("Events", "ask replies") > 0
    assert report.has("Events", "planned reconnects") == bool(churn)


def test_failover_on_command(start, cluster):
    program = started(start, cluster, "-r", 1000, "-c", 8)
    replica = cluster.replicas[0]
    replica.client.call("CLUSTER", "FAILOVER")
    processes.wait_until(lambda: replica.role() == "master", "the replica takes over")
    wait_for_lines(program, 2, is_fine)
    before = replica.calls("set")
    processes.wait_until(lambda: replica.calls("set") > before, "requests of the new primary")
    report, _ = finished(program)
    assert report.errors == 0
    assert report.number("Events", "moved replies") > 0


@pytest.mark.tsan
@pytest.mark.parametrize("load", [("--qps", 1000), ("-P", 4)], ids=["open", "closed"])
def test_a_primary_is_killed(start, cluster, load):
    program = started(start, cluster, "-r", 1000, "-c", 8, *load)
    cluster.primaries[1].crash()
    replica = cluster.replicas[1]
    processes.wait_until(lambda: replica.role() == "master", "the replica takes over")
    wait_for_lines(program, 3, is_fine)
    before = replica.calls("set")
    processes.wait_until(lambda: replica.calls("set") > before, "requests of the new primary")
    report, result = finished(program)
    assert report.issued == report.completed + report.errors + report.unanswered
    assert result.csv.sum("client_disconnects") >= 8
    assert is_fine(result.csv.lines[-2]), "errors stop with the failover"
    assert report.outages, "the failover is read off the report"
    assert sum(outage["failed"] for outage in report.outages) == report.errors


def test_a_primary_is_killed_whose_connections_are_renewed(start, cluster):
    program = started(start, cluster, "-r", 1000, "-c", 8, "--reconnect-interval", 5)
    cluster.primaries[1].crash()
    replica = cluster.replicas[1]
    processes.wait_until(lambda: replica.role() == "master", "the replica takes over")
    wait_for_lines(program, 3, is_fine)
    before = connections_of([replica])[replica.port]
    processes.wait_until(lambda: connections_of([replica])[replica.port] > before + 50, "new connections")
    report, result = finished(program)
    assert report.issued == report.completed + report.errors + report.unanswered
    assert is_fine(result.csv.lines[-2]), "errors stop with the failover"
    assert sum(outage["failed"] for outage in report.outages) == report.errors <= 8


def test_a_replica_is_killed_that_is_read_from(start, cluster):
    cluster.show_replicas()
    program = started(start, cluster, "-r", 1000, "-c", 8, "-t", "get", "--read-from-replica")
    dead, primary = cluster.replicas[1], cluster.primaries[1]
    assert primary.calls("get") == 0
    dead.crash()
    processes.wait_until(lambda: primary.calls("get") > 100, "requests of the primary")
    wait_for_lines(program, 2, is_fine)
    report, _ = finished(program)
    assert report.issued == report.completed + report.errors + report.unanswered
    assert report.errors <= 8, "only what was in flight is lost"
    assert [node["errors"] for node in report.nodes if str(dead.port) in node["name"]] == [report.errors]


def test_replicas_are_read_from_when_they_are_fit_for_it(start, cluster):
    """Nothing was written so far, so that no topology has them when the run begins."""
    program = started(start, cluster, "-r", 1000, "-c", 8, "-t", "get", "--read-from-replica")
    cluster.show_replicas()
    for replica in cluster.replicas:
        processes.wait_until(lambda: replica.calls("get") > 100, "reads from a replica", 30)
    report, _ = finished(program)
    assert report.errors == 0


def test_failover_of_a_primary_whose_replica_is_read_from(start, cluster):
    """The two change places: the one that was written to is read from."""
    cluster.show_replicas()
    program = started(start, cluster, "-r", 1000, "-c", 8, "-t", "get", "--read-from-replica")
    replica, primary = cluster.replicas[0], cluster.primaries[0]
    replica.client.call("CLUSTER", "FAILOVER")
    processes.wait_until(lambda: primary.role() == "slave", "the two change places")
    before = primary.calls("get")
    processes.wait_until(lambda: primary.calls("get") > before + 100, "reads from the new replica")
    wait_for_lines(program, 2, is_fine)
    report, _ = finished(program)
    assert report.errors == 0
    assert ports_of(report, "replica")[primary.port] > 0


def test_a_node_is_added(start, cluster):
    program = started(start, cluster, "-r", 10, "--qps", 2000, "-c", 8)
    node = cluster.add_primary()
    slot = cluster.slot_of("key:3")
    cluster.migrate(slot, cluster.node_of(slot), node)
    processes.wait_until(lambda: node.calls("set") > 100, "requests of the new node")
    report, _ = finished(program)
    assert report.errors == 0


def test_all_nodes_are_killed(start, cluster):
    program = start("-p", cluster.port, "--cluster", "-r", 1000, "-c", 4, "--test-duration", 80, "--give-up", 2,
                    "--request-timeout", 1000)
    processes.wait_until(lambda: cluster.primaries[0].calls("set") > 100, "requests")
    for node in cluster.nodes:
        node.crash()
    report = program.wait().expect(2).report
    assert report.issued == report.completed + report.errors + report.unanswered
    assert any(line.startswith("Ended early") for line in report.closing)


def test_a_hung_primary(start, cluster):
    """What it was sent times out; what comes after waits for whoever takes over."""
    program = started(start, cluster, "-r", 1000, "-c", 8, "--request-timeout", 1000)
    cluster.primaries[2].signal(signal.SIGSTOP)
    replica = cluster.replicas[2]
    processes.wait_until(lambda: replica.role() == "master", "the replica takes over")
    wait_for_lines(program, 3, is_fine)
    report, _ = finished(program)
    assert 8 <= report.count("Errors by Kind", "timeout") <= report.errors
