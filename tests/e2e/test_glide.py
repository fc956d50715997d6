# SPDX-License-Identifier: BSD-3-Clause
"""
The driver of valkey-GLIDE's library, with the real one: what scripts/fetch-glide gets, or VALKEY_GLIDE_LIBRARY names.
Without one all but the refusals are skipped.
"""
import signal
import subprocess

import pytest

import certificates
import processes
import program
import real_server
from test_custom import FOLDER, every_language

GLIDE = ("--driver", "glide")
LOCAL = "DNS:localhost,IP:127.0.0.1"
SPLITS = [("--processes", 1), ("--processes", 2), ("--processes", 2, "--threads", 2),
          ("--processes", 1, "--glide-clients", 1), ("--processes", 2, "--threads", 2, "--glide-clients", 5)]


def version():
    return subprocess.run([program.PATH, "--version"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


@pytest.fixture(autouse=True)
def no_engine(monkeypatch):
    """The library does its own I/O: these tests are the same whatever the engine, so that one is enough."""
    if program.ENGINE == "uring":
        pytest.skip("they run with epoll")
    monkeypatch.setattr(program, "ENGINE", "")


@pytest.fixture(scope="session", autouse=True)
def said():
    return version()


@pytest.fixture
def glide(run, said):
    """Runs the program with this driver: glide("-n", 10)."""
    if "valkey-GLIDE: none" in said:
        pytest.skip("there is no library of valkey-GLIDE here: scripts/fetch-glide gets it")
    return lambda *arguments, **settings: run(*GLIDE, *arguments, **settings)


@pytest.fixture
def start_glide(start, glide):
    del glide
    return lambda *arguments, **settings: start(*GLIDE, *arguments, **settings)


def ran(report, key):
    return report.text_of("How It Ran", key)


def kinds(report):
    return {name: int(count) for name, count in report.sections.get("Errors by Kind", {}).items()}


# ---- runs in which nothing goes wrong

def test_the_same_report_as_with_our_own_driver(run, glide, server):
    reports = {}
    run("-p", server.port, "-t", "set", "-n", 10000, "--sequential", 10000).expect(0)
    for name, execute in (("native", run), ("glide", glide)):
        before = server.calls("get")
        reports[name] = execute("-p", server.port, "-t", "get", "-c", 50, "-n", 20000, "-r", 10000).expect(0).report
        assert server.calls("get") - before == reports[name].completed == reports[name].issued == 20000
        assert reports[name].number("Accounting", "Hits") == 20000
    native, other = reports["native"], reports["glide"]
    assert list(native.sections) == list(other.sections)
    added = [key for key in other.sections["How It Ran"] if key not in native.sections["How It Ran"]]
    assert added == ["Library clients", "Library threads", "Library CPU"]
    assert ran(native, "Driver") == "native"
    assert ran(other, "Driver").startswith("valkey-GLIDE 2.")


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: " ".join(map(str, split)))
def test_counts_are_exact_however_it_is_split(glide, server, split):
    report = glide("-p", server.port, "-n", 30011, "-c", 20, "-P", 3, *split).expect(0).report
    assert report.completed == report.issued == server.calls("set") == 30011
    assert report.errors == report.unanswered == 0
    clients = split[split.index("--glide-clients") + 1] if "--glide-clients" in split else 20
    assert report.number("How It Ran", "Library clients") == clients
    assert report.number("How It Ran", "Library threads") >= clients
    assert report.number("How It Ran", "Library CPU") > 0
    assert report.number("Time to Connect (ms)", "Connections") == clients


def test_a_fill_has_no_gap(glide, server):
    glide("-p", server.port, "--sequential", 20000, "-n", 20000, "-d", 100).expect(0)
    assert server.size() == 20000
    assert all(server.client.call("STRLEN", f"key:{number}") == 100 for number in (0, 777, 19999))


def test_a_schedule(glide, server):
    report = glide("-p", server.port, "--qps", 1000, "--test-duration", 3, "-c", 10).expect(0).report
    assert report.due == report.issued == report.completed == server.calls("set") == 3000
    assert report.number("Service Time (ms)", "Average") > 0


def test_a_ramp_of_clients(glide, server):
    report = glide("-p", server.port, "--test-duration", 3, "--clients-ramp-start", 2, "--clients-ramp-end", 8,
                   "--clients-per-ramp", 2, "--client-ramp-interval", 0.5, "--processes", 1).expect(0).report
    assert report.completed == report.issued == server.calls("set")
    assert report.number("Time to Connect (ms)", "Connections") == 8


def test_logins_and_databases(glide, make_server):
    server = make_server(password="a password")
    server.client.call("ACL", "SETUSER", "alice", "on", ">secret", "~*", "+@all")
    for login in (("-a", "a password"), ("--user", "alice", "-a", "secret", "--resp3")):
        glide("-p", server.port, "-n", 100, "-c", 2, "--dbnum", 3, *login).expect(0)
    assert server.client.call("DBSIZE") == 0
    server.client.call("SELECT", 3)
    assert server.client.call("DBSIZE") > 0
    assert "--pass" in glide("-p", server.port, "-n", 1, "-a", "wrong").refusal()


def test_a_unix_socket(glide, make_server, tmp_path, said):
    path = tmp_path / "socket"
    server = make_server("--unixsocket", path)
    if "valkey-GLIDE: 2.6" not in said:
        assert "--socket needs valkey-GLIDE 2.6" in glide("-s", path, "-n", 10).refusal()
        return
    assert glide("-s", path, "-n", 1000).expect(0).report.completed == server.calls("set") == 1000


# ---- TLS

@pytest.fixture(scope="session")
def authority(tmp_path_factory, said):
    if "TLS: none" in said:
        pytest.skip("the program was built without TLS")
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("trust", ["cacert", "insecure", "certificate"])
def test_tls(glide, make_server, authority, trust):
    identity, client, port = authority.issue("server", LOCAL), authority.issue("client"), real_server.free_port()
    server = make_server("--tls-port", port, "--tls-cert-file", identity.cert, "--tls-key-file", identity.key,
                         "--tls-ca-cert-file", authority.cert,
                         "--tls-auth-clients", "yes" if trust == "certificate" else "no")
    options = {"cacert": ("--cacert", authority.cert), "insecure": ("--insecure",),
               "certificate": ("--cacert", authority.cert, "--cert", client.cert, "--key", client.key)}[trust]
    report = glide("-h", "localhost", "-p", port, "--tls", *options, "-n", 5000, "-c", 5).expect(0).report
    assert report.completed == server.calls("set") == 5000
    assert ran(report, "TLS") == ("not verified" if trust == "insecure" else "verified")


# ---- a cluster

def test_a_cluster(glide, shared_cluster):
    shared_cluster.flush()
    arguments = ("-p", shared_cluster.port, "--cluster", "-n", 20000, "--sequential", 20000, "--glide-clients", 4)
    report = glide(*arguments, "-t", "set", "--processes", 2).expect(0).report
    assert report.completed == 20000
    assert shared_cluster.size() == 20000
    report = glide(*arguments, "-t", "get", "-c", 10, "-P", 4).expect(0).report
    assert report.number("Accounting", "Hits") == 20000


def test_replicas_serve_reads(glide, shared_cluster):
    before = sum(node.calls("get") for node in shared_cluster.replicas)
    glide("-p", shared_cluster.port, "--cluster", "--read-from-replica", "-t", "get", "-n", 3000, "-r", 1000, "-c", 3).expect(0)
    assert sum(node.calls("get") for node in shared_cluster.replicas) > before


def test_a_node_of_a_cluster_dies(start_glide, cluster):
    running = start_glide("-p", cluster.port, "--cluster", "--qps", 500, "--test-duration", 8, "-c", 20, "--glide-clients",
                          4, "-r", 1000, "--request-timeout", 500, "--interval-metrics-interval-duration-sec", 1)
    csv_line(running, lambda line: line["request_finished"], "a line with requests")
    cluster.primaries[1].crash()
    report = running.wait().expect(0).csv_report
    assert abs(report.due - 4000) <= 1
    assert report.completed > 500
    assert report.errors > 0


# ---- custom commands

@pytest.fixture
def probe(glide, server):
    """probe("lua", "two", ...) runs one probe of a language."""
    server.client.call("SET", "probe:text", "a text")

    def go(ending, name, *arguments):
        return glide("-p", server.port, "-n", 200, "-c", 10, "--custom-command-file", FOLDER / "custom" / f"probe.{ending}",
                     "--custom-command-args", name, *arguments).expect(0)

    return go


@every_language
@pytest.mark.parametrize("name, commands", [("none", 0), ("two", 400), ("pipeline", 600), ("binary", 600),
                                            ("nested", 400), ("swallowed", 200)])
def test_custom_commands(probe, server, ending, name, commands):
    if (ending, name) == ("c", "nested"):
        pytest.skip("it tells a status other than OK from a string, which the library does not")
    report = probe(ending, name).report
    assert (report.completed, report.errors) == (200, 0), report.text
    assert report.count("Events", "commands answered") == commands
    if name in ("two", "pipeline"):
        assert server.client.call("GET", "probe:a") == server.client.call("GET", "probe:b") == "200"


@every_language
@pytest.mark.parametrize("options", [("-P", 8), ("--qps", 2000), ("-3",), ("--glide-clients", 2)])
def test_custom_commands_however_they_are_carried(probe, ending, options):
    report = probe(ending, "pipeline", *options).report
    assert (report.completed, report.number("Events", "commands answered")) == (200, 600)


@every_language
def test_failures_of_custom_commands(probe, ending):
    result = probe(ending, "failed", "--processes", 1)
    assert kinds(result.report) == {"other": 200}
    assert "WRONGTYPE Operation against a key holding the wrong kind of value" in result.err


@every_language
def test_a_custom_command_that_is_never_answered(probe, ending):
    """The library waits for blocking commands longer than it was told; the program does not."""
    result = probe(ending, "cut", "-n", 4, "-c", 4, "--request-timeout", 500)
    assert kinds(result.report) == {"timeout": 4}


# ---- what goes wrong

def csv_line(running, matches, what):
    """Waits for a line of the CSV from now on that matches."""
    seen = len(running.csv_lines().lines)
    processes.wait_until(lambda: any(map(matches, running.csv_lines().lines[seen:])), what, 40)


def test_server_killed_and_restarted_on_a_schedule(start_glide, server):
    running = start_glide("-p", server.port, "--qps", 1000, "--test-duration", 10, "-c", 50, "--processes", 2,
                          "--request-timeout", 400, "--interval-metrics-interval-duration-sec", 1)
    csv_line(running, lambda line: line["request_finished"], "a line with requests")
    server.signal(signal.SIGSTOP)  # so that requests are in flight when it dies
    csv_line(running, lambda line: not line["request_finished"], "a line of the outage")
    server.crash()
    csv_line(running, lambda line: not line["request_finished"], "another line of the outage")
    server.start()
    csv_line(running, lambda line: line["request_finished"], "a line with requests after the restart")
    result = running.wait().expect(0)
    report, csv = result.csv_report, result.csv
    assert csv.sum("request_finished") == report.completed
    assert csv.sum("requests_total_failed") == report.errors
    assert abs(report.due - 10000) <= 1
    assert report.due == report.completed + report.errors + report.unanswered + report.unsent
    assert set(kinds(report)) == {"timeout", "disconnect"}
    assert report.number("Events", "disconnects") >= 1
    assert report.number("Events", "timeouts while a connection was lost") >= 1
    assert 0 in csv.column("request_finished")


def test_connections_killed_under_load(start_glide, server):
    running = start_glide("-p", server.port, "--test-duration", 60, "-c", 20, "--glide-clients", 4, "--processes", 1,
                          "--request-timeout", 2000, "--interval-metrics-interval-duration-sec", 1)
    csv_line(running, lambda line: line["request_finished"], "a line with requests")

    def kill():
        server.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        return any(line["client_disconnects"] for line in running.csv_lines().lines)

    processes.wait_until(kill, "a request is lost with its connection", 40)
    running.interrupt()
    report = running.wait().expect(130).csv_report
    assert set(kinds(report)) <= {"disconnect", "timeout"}
    assert report.count("Events", "disconnects") >= 1
    assert report.issued == report.completed + report.errors + report.unanswered


def test_a_stalled_server(start_glide, server):
    running = start_glide("-p", server.port, "--qps", 200, "--test-duration", 4, "-c", 20, "--request-timeout", 300,
                          "--interval-metrics-interval-duration-sec", 0.5)
    csv_line(running, lambda line: line["request_finished"], "a line with requests")
    server.signal(signal.SIGSTOP)
    csv_line(running, lambda line: line["requests_total_failed"], "a line with timeouts")
    server.signal(signal.SIGCONT)
    report = running.wait().expect(0).csv_report
    assert kinds(report) == {"timeout": report.errors}
    assert abs(report.due - 800) <= 1


def test_the_end_of_a_run_that_waits(start_glide, server):
    """What close_client() swallows is unanswered, and each request is one thing."""
    running = start_glide("-p", server.port, "-c", 8, "-P", 4, "--test-duration", 60, "--request-timeout", 60000,
                          "--interval-metrics-interval-duration-sec", 1)
    csv_line(running, lambda line: line["request_finished"], "a line with requests")
    server.signal(signal.SIGSTOP)
    csv_line(running, lambda line: not line["request_finished"], "a line of the outage")
    running.interrupt()
    report = running.wait().expect(130).csv_report
    server.signal(signal.SIGCONT)
    assert report.unanswered == 32
    assert report.issued == report.completed + report.unanswered


def test_errors_have_the_kinds_that_they_have_natively(run, glide, make_server):
    server = make_server("--maxmemory", 1, "--maxmemory-policy", "noeviction")
    for execute in (run, glide):
        result = execute("-p", server.port, "-n", 200, "-c", 4).expect(0)
        assert kinds(result.report) == {"oom": 200}
        assert "OOM command not allowed when used memory > 'maxmemory'." in result.err


def test_a_client_that_cannot_be_made_is_tried_again(glide, make_server):
    server = make_server("--maxclients", 6)  # of which the test has one
    result = glide("-p", server.port, "-c", 10, "-n", 1000, "--processes", 1, "--connection-timeout", 500).expect(0)
    assert result.report.completed == 1000
    assert result.report.number("Events", "failed dials") >= 1
    assert "clients are connected" in result.err


# ---- what is refused

@pytest.mark.parametrize("options, words", [
    (("--io", "epoll"), "--io"),
    (("-k", 0), "-k 0"),
    (("--reconnect-interval", 5), "--reconnect-interval"),
    (("--request-timeout", 0), "--request-timeout"),
    (("--connection-timeout", 0), "--connection-timeout"),
    (("--tls", "--cacertdir", "/"), "--cacertdir"),
    (("--tls", "--sni", "name"), "--sni"),
    (("--tls", "--tls-ciphers", "x"), "--tls-ciphers"),
    (("--tls", "--tls-ciphersuites", "x"), "--tls-ciphersuites"),
    (("-c", 5, "--glide-clients", 6), "--glide-clients"),
    (("--glide-library", "/nowhere/libglide_ffi.so"), "scripts/fetch-glide"),
], ids=lambda value: str(value).split("'")[1] if isinstance(value, tuple) else "")
def test_what_it_cannot_do_is_refused_by_name(run, options, words):
    assert words in run(*GLIDE, *options).refusal()


@pytest.mark.parametrize("option", ["--glide-library", "--glide-clients", "--glide-log-level"])
def test_its_options_are_refused_without_it(run, option):
    assert run(option, {"--glide-log-level": "off"}.get(option, 1)).refusal() == f"{option} needs --driver glide."


def test_no_library(run, tmp_path):
    result = run(*GLIDE, env={"VALKEY_GLIDE_LIBRARY": "", "XDG_CACHE_HOME": str(tmp_path)})
    if "connect" not in result.err:  # the system may have one
        assert "scripts/fetch-glide" in result.refusal()
