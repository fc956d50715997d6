# SPDX-License-Identifier: BSD-3-Clause
"""Keys and values: what the server holds after a run."""
import re

import pytest

import resp

FOUR_WORKERS = ("--processes", 2, "--threads", 2)


def names(numbers):
    return {f"key:{number}" for number in numbers}


def test_own_keys_differ_between_workers(run, server):
    run("-p", server.port, "-n", 1000, "-c", 8, *FOUR_WORKERS).expect(0)
    keys = server.client.keys()
    assert len(keys) == 1000
    workers = {re.fullmatch(r"key:(\d+):(\d+)", key).group(1) for key in keys}
    assert workers == {"0", "1", "2", "3"}


def test_random_keys_are_0_to_n_minus_1(run, server):
    run("-p", server.port, "-n", 2000, "-r", 10, *FOUR_WORKERS).expect(0)
    assert server.client.keys() == names(range(10))


def test_offset_shifts_random_keys(run, server):
    run("-p", server.port, "-n", 2000, "-r", 10, "--keyspace-offset", 500).expect(0)
    assert server.client.keys() == names(range(500, 510))


def test_offset_shifts_sequential_keys(run, server):
    run("-p", server.port, "-n", 50, "--sequential", 50, "--keyspace-offset", 7, *FOUR_WORKERS).expect(0)
    assert server.client.keys() == names(range(7, 57))


def test_a_sequence_wraps(run, server):
    run("-p", server.port, "-n", 25, "--sequential", 10, *FOUR_WORKERS).expect(0)
    assert server.client.keys() == names(range(10))


def sequence(start, server, *arguments):
    monitor = resp.Monitor(server.port)
    program = start("-p", server.port, "-n", 100, "-c", 1, "--sequential", 100, *arguments)
    keys = [int(key[len("key:"):]) for _, key in monitor.take("SET", 100)]
    monitor.close()
    program.wait().expect(0)
    return keys


def test_a_sequence_goes_upwards(start, server):
    assert sequence(start, server) == list(range(100))


def test_random_start_rotates_the_sequence(start, server):
    starts = set()
    for seed in range(1, 6):
        keys = sequence(start, server, "--sequential-random-start", "--seed", seed)
        assert keys == [(keys[0] + k) % 100 for k in range(100)]
        starts.add(keys[0])
    assert len(starts) > 1


def test_a_seed_fixes_the_keys_whatever_the_split(run, server):
    found = []
    for seed, workers in ((42, ("--single-process",)), (42, FOUR_WORKERS), (43, FOUR_WORKERS)):
        server.client.call("FLUSHALL")
        report = run("-p", server.port, "-n", 500, "-r", 1000000, "--seed", seed, *workers).expect(0).report
        assert report.number("How It Ran", "Seed") == seed
        found.append(server.client.keys())
    assert found[0] == found[1] != found[2]


def test_without_a_seed_runs_differ(run, server):
    found = []
    for _ in range(2):
        server.client.call("FLUSHALL")
        run("-p", server.port, "-n", 100, "-r", 1000000).expect(0)
        found.append(server.client.keys())
    assert found[0] != found[1]


@pytest.mark.parametrize("size, requests", [(1, 10), (3, 10), (1000, 1000), (100000, 200), (3000000, 4)])
def test_values_have_their_size(run, server, size, requests):
    report = run("-p", server.port, "-n", requests, "-d", size, "-r", 4, "-c", 4).expect(0).report
    assert report.completed == requests
    assert {server.client.call("STRLEN", key) for key in server.client.keys()} == {size}


@pytest.mark.parametrize("size", [3, 3000000])
def test_reads_count_hits_and_misses(run, server, size):
    misses = run("-p", server.port, "-t", "get", "-n", 20, "-r", 4).expect(0).report
    assert (misses.number("Accounting", "Hits"), misses.number("Accounting", "Misses")) == (0, 20)
    assert any("no value" in line for line in misses.closing)
    run("-p", server.port, "-n", 4, "--sequential", 4, "-d", size).expect(0)
    hits = run("-p", server.port, "-t", "get", "-n", 20, "-r", 4).expect(0).report
    assert (hits.number("Accounting", "Hits"), hits.number("Accounting", "Misses")) == (20, 0)
    assert not any(line.startswith("Warning") for line in hits.closing)
