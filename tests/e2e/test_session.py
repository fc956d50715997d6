# SPDX-License-Identifier: BSD-3-Clause
"""Logging in, choosing a database and a protocol: how it is said, what comes of it, and what nobody gets to see."""
import pathlib
import socket

import pytest

import fake_server
import processes

SECRET = "s3cr3t-w0rd"
NO_AUTH = {"VALKEYCLI_AUTH": "", "REDISCLI_AUTH": ""}


@pytest.fixture
def locked(make_server):
    """A server that wants a password, with a user bob who may do all and a user eve who may not SET."""
    server = make_server(password=SECRET)
    server.client.call("ACL", "SETUSER", "bob", "on", ">bob:p@ss/w%rd", "~*", "+@all")
    server.client.call("ACL", "SETUSER", "eve", "on", ">eve", "~*", "+@all", "-set")
    return server


def uri(server, login, rest=""):
    return f"valkey://{login}@127.0.0.1:{server.port}{rest}"


def ways(port):
    """(arguments, environment) of logging in as somebody who may SET."""
    bob = "bob:bob%3Ap%40ss%2Fw%25rd"
    return {
        "-a": (["-p", port, "-a", SECRET], {}),
        "--pass": (["-p", port, f"--pass={SECRET}"], {}),
        "--user": (["-p", port, "--user", "bob", "-a", "bob:p@ss/w%rd"], {}),
        "VALKEYCLI_AUTH": (["-p", port], {"VALKEYCLI_AUTH": SECRET}),
        "REDISCLI_AUTH": (["-p", port], {"REDISCLI_AUTH": SECRET}),
        "VALKEYCLI_AUTH first": (["-p", port], {"VALKEYCLI_AUTH": SECRET, "REDISCLI_AUTH": "x"}),
        "--pass before variables": (["-p", port, "-a", SECRET], {"VALKEYCLI_AUTH": "x"}),
        "-3": (["-3", "-p", port, "-a", SECRET], {}),
        "-3 --user": (["-3", "-p", port, "--user", "bob", "-a", "bob:p@ss/w%rd"], {}),
        "uri password": (["-u", f"redis://{SECRET}@127.0.0.1:{port}"], {}),
        "uri :password": (["-u", f"redis://:{SECRET}@127.0.0.1:{port}/"], {}),
        "uri user": (["--uri", f"valkey://{bob}@localhost:{port}"], {}),
        "uri and variable": (["--uri", f"valkey://127.0.0.1:{port}"], {"REDISCLI_AUTH": SECRET}),
        "uri -3": (["-3", "--uri", f"valkey://{bob}@localhost:{port}/0"], {}),
    }


@pytest.mark.parametrize("way", ways(0).keys())
def test_ways_to_log_in(run, locked, way):
    arguments, environment = ways(locked.port)[way]
    result = run(*arguments, "-n", 500, "-c", 5, "--processes", 2, env=dict(NO_AUTH, **environment)).expect(0)
    assert result.report.completed == locked.calls("set") == 500
    assert result.report.errors == 0
    assert SECRET not in result.out + result.err and "p@ss" not in result.out + result.err


@pytest.mark.parametrize("arguments, words", [
    ([], ["wants a password", "--pass", "NOAUTH"]),
    (["--dbnum", 2], ["wants a password", "NOAUTH"]),
    (["-3"], ["wants a password", "NOAUTH"]),
    (["-a", "wr0ng"], ["--pass", "WRONGPASS"]),
    (["-3", "-a", "wr0ng"], ["--pass", "WRONGPASS"]),
    (["--user", "bob", "-a", "wr0ng"], ["bob", "--pass", "WRONGPASS"]),
    (["-a", SECRET, "--dbnum", 99], ["database 99", "out of range"]),
])
def test_a_start_that_the_server_refuses(run, locked, arguments, words):
    sentence = run("-p", locked.port, *arguments, env=NO_AUTH).refusal()
    for word in words:
        assert word in sentence
    assert "wr0ng" not in sentence and SECRET not in sentence
    assert locked.calls("set") == 0


def test_the_variable_is_named_when_its_password_is_wrong(run, locked):
    sentence = run("-p", locked.port, env=dict(NO_AUTH, REDISCLI_AUTH="wr0ng")).refusal()
    assert "REDISCLI_AUTH" in sentence and "WRONGPASS" in sentence and "wr0ng" not in sentence


def test_a_password_that_is_not_wanted(run, server):
    sentence = run("-p", server.port, "-a", SECRET).refusal()
    assert "without any password" in sentence and SECRET not in sentence


def test_an_uri_that_is_wrong_is_not_quoted(run):
    for wrong in (f"redis://u:{SECRET}", f"redis://u:{SECRET}@h:x", f"{SECRET}", f"redis://u:a/{SECRET}@h"):
        sentence = run("-u", wrong).refusal()
        assert "--uri" in sentence and SECRET not in sentence
    assert SECRET not in run(f"redis://u:{SECRET}@h").refusal()


@pytest.mark.parametrize("option", ["-h", "-s"])
def test_an_uri_in_the_wrong_place_is_not_quoted(run, option):
    sentence = run(option, f"valkey://u:{SECRET}@127.0.0.1:6379").refusal()
    assert SECRET not in sentence and "--uri" in sentence


def test_a_user_without_the_right(run, locked):
    result = run("-p", locked.port, "--user", "eve", "-a", "eve", "-n", 100, "-c", 4).expect(0)
    report = result.report
    assert report.completed == 0 and report.errors == report.issued == 100
    assert report.number("Errors by Kind", "auth") == 100
    assert "NOPERM" in result.err
    assert report.text_of("How It Ran", "User") == "eve"


def test_ps_shows_no_secret(start, locked):
    for arguments in (["-p", locked.port, "-a", SECRET], ["-p", locked.port, f"--pass={SECRET}"],
                      ["-u", uri(locked, SECRET)], [f"-qu{uri(locked, SECRET)}"]):
        before = locked.calls("set")
        program = start(*arguments, "--test-duration", 60, "--processes", 2, env=NO_AUTH)
        processes.wait_until(lambda: locked.calls("set") > before, "requests")
        members = processes.members_of_session(program.pid)
        assert len(members) >= 3
        for pid in members:
            assert SECRET not in " ".join(processes.arguments_of(pid))
            assert SECRET not in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        program.interrupt()
        result = program.wait().expect(130)
        assert SECRET not in result.out + result.err


def test_nothing_that_is_shown_holds_a_secret(run, locked):
    out = run("-u", uri(locked, f"bob:{SECRET}", "/3"), "-3", "--show-config", env=NO_AUTH).expect(0).out
    for line in ("User: bob", "Password: that of --uri", "Database: 3", "Protocol: RESP3"):
        assert line in out.splitlines()
    assert SECRET not in out
    out = run("--show-config", env=dict(NO_AUTH, VALKEYCLI_AUTH=SECRET)).expect(0).out
    assert "Password: that of VALKEYCLI_AUTH" in out and SECRET not in out
    result = run("-p", locked.port, "-a", SECRET, "-n", 100, "--debug").expect(0)
    assert SECRET not in result.out + result.err


@pytest.mark.parametrize("way", ["-a", "--user", "VALKEYCLI_AUTH", "uri password", "uri user"])
def test_csv_and_log_hold_no_secret(start, locked, way):
    """Nor does the command line of any of its processes, nor what is said of a login that is refused in the run."""
    arguments, environment = ways(locked.port)[way]
    secrets = (SECRET, "bob:p@ss/w%rd", "bob%3Ap%40ss%2Fw%25rd")
    program = start(*arguments, "--test-duration", 60, "-c", 4, "--processes", 2, "--debug",
                    "--interval-metrics-interval-duration-sec", 1, env=dict(NO_AUTH, **environment))
    processes.wait_until(lambda: program.csv_lines().lines, "a line of the CSV")
    for pid in processes.members_of_session(program.pid):
        line = " ".join(processes.arguments_of(pid))
        assert not any(secret in line for secret in secrets)
    locked.client.call("CONFIG", "SET", "requirepass", "an0ther")
    locked.client.call("ACL", "SETUSER", "bob", "resetpass", ">an0ther")
    locked.client.call("CLIENT", "KILL", "SKIPME", "yes")
    processes.wait_until(lambda: "WRONGPASS" in program.err(), "the server's words")
    program.interrupt()
    result = program.wait().expect(130)
    assert result.csv_report.count("Events", "refused logins (auth)") >= 1
    assert not any(secret in result.out + result.err for secret in secrets)


def test_old_servers_repeat_what_they_do_not_know(run, fake):
    """With the password, which must not come out again."""
    def behave(_connection, request):
        words = " ".join(f"`{word.decode()}`" for word in request[1:])
        return f"-ERR unknown command `{request[0].decode()}`, with args beginning with: {words}\r\n".encode()

    old = fake(behave)
    sentence = run("-3", "-p", old.port, "-a", SECRET).refusal()
    assert "-3" in sentence and "unknown command `HELLO`" in sentence and SECRET not in sentence
    sentence = run("-p", old.port, "-a", SECRET).refusal()
    assert "unknown command `AUTH`" in sentence and SECRET not in sentence


def test_password_changed_in_the_run(start, locked):
    """Lost connections cannot log in any more, which is told in the server's words, until they can again."""
    program = start("-p", locked.port, "-a", SECRET, "--test-duration", 60, "-c", 4)
    processes.wait_until(lambda: locked.calls("set") > 100, "requests")
    locked.client.call("CONFIG", "SET", "requirepass", "an0ther")
    locked.client.call("CLIENT", "KILL", "SKIPME", "yes")
    processes.wait_until(lambda: "WRONGPASS" in program.err(), "the server's words")
    locked.client.call("CONFIG", "SET", "requirepass", SECRET)
    processes.wait_until(lambda: locked.client.info("clients")["connected_clients"] == "5", "all clients again")
    before = locked.calls("set")
    processes.wait_until(lambda: locked.calls("set") > before + 100, "requests again")
    program.interrupt()
    result = program.wait().expect(130)
    refused = result.report.count("Events", "refused logins (auth)")
    assert 4 <= refused == result.report.count("Events", "failed dials")
    assert result.report.number("Events", "reconnects") == 4
    assert result.report.number("Events", "disconnects") == 4
    assert SECRET not in result.err and "an0ther" not in result.err


def test_password_wanted_in_the_run(start, server):
    """Who has none gets connections, and errors of kind auth on them."""
    program = start("-p", server.port, "--qps", 500, "--test-duration", 60, "-c", 4, env=NO_AUTH)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    server.client.call("CONFIG", "SET", "requirepass", SECRET)
    server.client.call("CLIENT", "KILL", "SKIPME", "yes")
    processes.wait_until(lambda: "NOAUTH" in program.err(), "the server's words")
    program.interrupt()
    report = program.wait().expect(130).report
    assert report.number("Errors by Kind", "auth") >= 1
    assert report.completed == server.calls("set")


@pytest.mark.parametrize("how", ["--dbnum", "path", "query"])
def test_keys_land_in_the_database(run, server, how):
    address = f"valkey://127.0.0.1:{server.port}"
    arguments = {"--dbnum": ["-p", server.port, "--dbnum", 5], "path": ["-u", address + "/5"],
                 "query": ["-u", address + "?db=5"]}[how]
    report = run(*arguments, "-n", 300, "--sequential", 300, "-c", 7).expect(0).report
    assert report.completed == 300
    assert report.number("How It Ran", "Database") == 5
    assert list(server.client.info("keyspace")) == ["db5"]
    server.client.call("SELECT", 5)
    assert server.size() == 300


def test_unix_socket(run, make_server, tmp_path):
    path = tmp_path / "valkey.sock"
    server = make_server("--unixsocket", path, password=SECRET)
    for arguments in (["-s", path, "-a", SECRET], ["-u", f"unix://:{SECRET}@{path}?db=2"]):
        before = server.calls("set")
        result = run(*arguments, "-n", 1000, "-c", 300, "--processes", 2).expect(0)
        assert result.report.completed == server.calls("set") - before == 1000
        assert result.report.text_of("How It Ran", "Server") == str(path)
    assert f"Server: {path}" in run("-s", path, "--show-config").expect(0).out


def test_unix_socket_that_goes_away(start, make_server, tmp_path):
    path = tmp_path / "valkey.sock"
    server = make_server("--unixsocket", path)
    program = start("-s", path, "--test-duration", 80, "-c", 5, "--give-up", 1)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    server.crash()
    report = program.wait().expect(2).report
    assert report.completed > 100
    assert report.count("Events", "failed dials") >= 1


def test_ipv6_in_an_uri(run, make_server):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 here")
    server = make_server(bind="::1")
    report = run("-u", f"valkey://[::1]:{server.port}", "-n", 100).expect(0).report
    assert report.completed == 100
    assert report.text_of("How It Ran", "Server") == f"[::1]:{server.port}"


def test_resp3_tells_hits_from_misses(run, server):
    run("-3", "-p", server.port, "-n", 50, "--sequential", 50).expect(0)
    report = run("-3", "-p", server.port, "-t", "get", "-n", 200, "--sequential", 100).expect(0).report
    assert report.completed == 200 and report.errors == 0
    assert report.number("Accounting", "Hits") == report.number("Accounting", "Misses") == 100
    assert report.text_of("How It Ran", "Protocol") == "RESP3"


def test_connections_speak_resp3(start, server):
    program = start("-3", "-p", server.port, "--dbnum", 1, "--test-duration", 60, "-c", 3)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    clients = [line for line in server.client.call("CLIENT", "LIST").splitlines() if " db=1 " in line]
    program.interrupt()
    program.wait().expect(130)
    assert len(clients) == 3 and all(" resp=3" in line for line in clients)


def test_the_opening_is_sent_in_one_piece_on_each_connection(run, fake):
    """The program sends no request before all of it was answered."""
    steps = []

    def behave(connection, request):
        steps.append((connection.number, request[0]))
        if request[0] == b"SET":
            return [b"+OK\r\n"] + ([fake_server.CLOSE] if connection.requests == 13 else [])
        return None if request[0] == b"AUTH" else fake_server.Slow(b"+OK\r\n+OK\r\n")

    server = fake(behave)
    report = run("-p", server.port, "-a", SECRET, "--dbnum", 3, "-n", 50, "-c", 2).expect(0).report
    assert report.completed + report.errors == 50 and report.completed >= 40
    for number in {number for number, _ in steps}:
        mine = [name for at, name in steps if at == number]
        assert mine[:2] == [b"AUTH", b"SELECT"] and set(mine[2:]) <= {b"SET"}
    assert len({number for number, _ in steps}) >= 5


def test_silence_after_the_opening_is_bounded(run, fake):
    silent = fake(lambda connection, request: None)
    sentence = run("-p", silent.port, "-a", SECRET, "--connection-timeout", 300).refusal()
    assert f"127.0.0.1:{silent.port}" in sentence and "timed out" in sentence


def test_what_is_no_server(run, fake):
    web = fake(lambda connection, request: b"HTTP/1.1 400 Bad Request\r\n\r\n", answer_ping=False)
    assert "not RESP" in run("-p", web.port).refusal()


def test_local_server_takes_no_password_from_the_environment(run):
    arguments = ("--local-server", "--dbnum", 2, "-3", "-n", 100)
    report = run(*arguments, env={"VALKEYCLI_AUTH": SECRET}).expect(0).report
    assert report.completed == 100


def test_a_server_that_is_loading_is_no_reason_to_refuse(run, fake):
    def behave(connection, request):
        if request[0] == b"PING":
            return b"-LOADING Valkey is loading the dataset in memory\r\n"
        return b"+OK\r\n"

    loading = fake(behave, answer_ping=False)
    assert run("-p", loading.port, "-n", 10, env=NO_AUTH).expect(0).report.completed == 10
