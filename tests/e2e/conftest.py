# SPDX-License-Identifier: BSD-3-Clause
"""
End-to-end tests: the program, as a user runs it, against real servers and fake ones.

VALKEY_POLYGLOT names the program; the default is build/release/valkey-polyglot. VALKEY_POLYGLOT_IO
names the engine that all of them run with; where the kernel has none such, they are skipped. Everything that a
test starts ends with it: by a timeout, by its pid, or with pytest itself.
"""
import os

import pytest

import fake_server
import program
import real_cluster
import real_server


def pytest_configure(config):
    if not os.access(program.PATH, os.X_OK):
        pytest.exit(f"{program.PATH} is no program: build it, or name it in VALKEY_POLYGLOT", 2)


def pytest_collection_modifyitems(items):
    if program.has_engine():
        return
    for item in items:
        item.add_marker(pytest.mark.skip(reason=f"no {program.ENGINE} here"))


@pytest.fixture
def make_server(tmp_path):
    """Starts real servers: make_server("--maxclients", 20000)."""
    servers = []

    def make(*options, **settings):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(real_server.RealServer(folder, options, **settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory):
    """Three primaries with a replica each, for tests that leave them as they are."""
    cluster = real_cluster.RealCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(tmp_path):
    """The same, for a test that does what it likes with it."""
    cluster = real_cluster.RealCluster(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def fake():
    """Starts fake servers: fake(behave), see fake_server.py."""
    servers = []

    def make(*arguments, **settings):
        servers.append(fake_server.FakeServer(*arguments, **settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def start(tmp_path):
    """Starts the program: start("-n", 10) is a program.Program."""
    programs = []

    def start(*arguments, **settings):
        folder = tmp_path / f"run{len(programs)}"
        folder.mkdir()
        programs.append(program.Program(arguments, folder, **settings))
        return programs[-1]

    yield start
    for one in programs:
        one.kill()


@pytest.fixture
def run(start):
    """Runs the program to its end: run("-n", 10) is a program.Result."""

    def run(*arguments, timeout=program.TIMEOUT, **settings):
        return start(*arguments, **settings).wait(timeout)

    return run
