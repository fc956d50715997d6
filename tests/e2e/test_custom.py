# SPDX-License-Identifier: BSD-3-Clause
"""
Custom commands in each language, against a real server. custom/probe.* are the same probes in each.

A language that this build has not is skipped, as --version says.
"""
import pathlib
import re
import signal
import subprocess

import pytest

import processes
import program
import resp

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = program.REPOSITORY / "examples"
LANGUAGES = {"c": "C", "lua": "Lua", "py": "Python"}
OPERATIONS = {"set": "set", "mset": "mset", "hset": "hset", "lpush": "lpush", "lpush_keyspace": "lpush"}
LARGE = 100 * 1024 * 1024


def built_in():
    said = subprocess.run([program.PATH, "--version"], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=program.TIMEOUT).stdout
    return {name: "lacks" not in line for name, line in re.findall(r"^custom commands in (\w+): (.*)$", said, re.M)}


BUILT_IN = built_in()


def only(ending):
    there = BUILT_IN.get(LANGUAGES[ending], False)
    return pytest.param(ending, marks=pytest.mark.skipif(not there, reason=f"built without {LANGUAGES[ending]}"))


every_language = pytest.mark.parametrize("ending", [only(ending) for ending in LANGUAGES])


@pytest.fixture
def probe(run, server):
    """probe("lua", "two", ...) runs one probe of a language."""
    server.client.call("SET", "probe:text", "a text")

    def go(ending, name, *arguments, **settings):
        return run("-p", server.port, "-n", 200, "-c", 10, "--custom-command-file", FOLDER / "custom" / f"probe.{ending}",
                   "--custom-command-args", name, *arguments, **settings)

    return go


def check_all_ok(result, requests, commands):
    report = result.expect(0).report
    assert (report.completed, report.errors) == (requests, 0), str(result)
    if commands:
        assert report.number("Events", "commands answered") == commands


@every_language
@pytest.mark.parametrize("name,commands", [("none", 0), ("two", 400), ("pipeline", 600), ("binary", 600),
                                           ("nested", 400), ("swallowed", 200)])
def test_executions_are_requests(probe, server, ending, name, commands):
    check_all_ok(probe(ending, name), 200, commands)
    if name in ("two", "pipeline"):
        assert server.client.call("GET", "probe:a") == server.client.call("GET", "probe:b") == "200"
    if name in ("binary", "nested"):
        assert server.client.call("GET", "probe:done") == "1"


@every_language
@pytest.mark.parametrize("name,kind,text", [
    ("failed", "other", "WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("refused", "script", "failed"),
    ("thrown", "script", "thrown on purpose"),
])
def test_failures_are_counted_and_told_once(probe, ending, name, kind, text):
    result = probe(ending, name, "--processes", 1)
    report = result.expect(0).report
    assert (report.completed, report.errors) == (0, 200), str(result)
    assert report.number("Errors by Kind", kind) == 200
    assert text in result.err
    assert result.err.count("Error (") == 1, str(result)


@every_language
def test_timed_from_first_command_to_last_reply(probe, ending):
    """Two commands that block for a tenth of a second each."""
    report = probe(ending, "slow", "-n", 10, "-c", 5).expect(0).report
    assert report.completed == 10 and report.min >= 200


@every_language
def test_failing_init_ends_the_program(probe, ending):
    sentence = probe(ending, "bad_init").expect(1).err
    assert "init failed on purpose" in sentence
    assert f"probe.{ending}" in sentence


@every_language
def test_endless_init(probe, ending):
    result = probe(ending, "endless_init", "--script-timeout", 1).expect(1)
    assert f"probe.{ending}" in result.err


@every_language
def test_endless_execution(start, server, ending):
    arguments = ("-p", server.port, "-c", 4, "--processes", 1, "--test-duration", 30, "--script-timeout", 1,
                 "--custom-command-file", FOLDER / "custom" / f"probe.{ending}", "--custom-command-args", "endless")
    if ending == "py":  # interrupted by an exception, again and again
        one = start(*arguments)
        processes.wait_until(lambda: "did not yield" in one.err(), "the execution is interrupted", 30)
        one.interrupt(signal.SIGINT)
        report = one.wait().report
        assert report.errors >= 1
        return
    result = start(*arguments).wait().expect(2)
    assert re.search(rf"Warning: \S*probe\.{ending} has kept worker 0 \(process \d+\) for 1 s without a command",
                     "\n".join(result.report.closing)), str(result)


@every_language
def test_a_large_reply(probe, server, ending):
    server.client.call("EVAL", f"redis.call('SET', KEYS[1], string.rep('x', {LARGE}))", "1", "probe:large")
    check_all_ok(probe(ending, "large", "-n", 4, "-c", 2, "--processes", 1, "--request-timeout", 60000), 4, 4)


@every_language
def test_a_thousand_clients(probe, ending):
    check_all_ok(probe(ending, "two", "-c", 1000, "-n", 20000), 20000, 40000)


@every_language
@pytest.mark.parametrize("options", [("-P", 8), ("--qps", 2000), ("-3",), ("-k", 0)])
def test_the_engine_is_the_same(probe, server, ending, options):
    check_all_ok(probe(ending, "two", *options), 200, 400)
    if options == ("-k", 0):  # an execution keeps its connection
        assert 200 <= int(server.client.info("stats")["total_connections_received"]) <= 260


@every_language
def test_connection_lost_in_the_middle(start, server, ending):
    one = start("-p", server.port, "-c", 5, "-n", 5, "--processes", 1, "--request-timeout", 0,
                "--custom-command-file", FOLDER / "custom" / f"probe.{ending}", "--custom-command-args", "cut")
    processes.wait_until(lambda: int(server.client.info("clients")["blocked_clients"]) == 5, "all executions wait", 20)
    server.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    result = one.wait().expect(0)
    assert result.report.errors == 5, str(result)
    assert result.report.number("Errors by Kind", "disconnect") == 5
    assert server.client.call("GET", "probe:begun") == "5"


@every_language
def test_stopped_in_the_middle(start, server, ending):
    one = start("-p", server.port, "-c", 5, "-n", 100, "--processes", 1, "--request-timeout", 0,
                "--custom-command-file", FOLDER / "custom" / f"probe.{ending}", "--custom-command-args", "cut")
    processes.wait_until(lambda: int(server.client.info("clients")["blocked_clients"]) == 5, "all executions wait", 20)
    one.interrupt(signal.SIGINT)
    report = one.wait().expect(130).report
    assert report.number("Accounting", "Unanswered") == 5


@every_language
@pytest.mark.parametrize("operation,command", OPERATIONS.items())
def test_examples(run, server, ending, operation, command):
    result = run("-p", server.port, "-n", 500, "-c", 10, "-r", 100, "--custom-command-file",
                 EXAMPLES / f"custom_command.{ending}", "--custom-command-args", operation)
    check_all_ok(result, 500, 500)
    assert server.calls(command) == 500


@every_language
def test_cluster(run, shared_cluster, ending):
    shared_cluster.flush()
    result = run("-p", shared_cluster.nodes[0].port, "--cluster", "-n", 500, "-c", 10, "--sequential", 500,
                 "--processes", 1, "--custom-command-file", EXAMPLES / f"custom_command.{ending}", "--custom-command-args", "set")
    check_all_ok(result, 500, 500)
    assert shared_cluster.size() == 500


@every_language
def test_two_workers_have_their_own(run, server, ending):
    result = run("-p", server.port, "-n", 1000, "-c", 8, "--processes", 2, "--sequential", 1000,
                 "--custom-command-file", EXAMPLES / f"custom_command.{ending}")
    check_all_ok(result, 1000, 1000)
    if ending == "py":  # each worker counts for itself
        assert 500 <= server.size() <= 1000
    else:
        assert server.size() == 1000


@every_language
def test_csv_keeps_stdout(run, server, ending):
    result = run("-p", server.port, "-n", 100, "--interval-metrics-interval-duration-sec", 1, "--custom-command-file",
                 EXAMPLES / f"custom_command.{ending}")
    assert result.expect(0).csv.sum("request_finished") == 100


@pytest.mark.parametrize("arguments,words", [
    (("-t", "custom"), "--custom-command-file"),
    (("-t", "get", "--custom-command-file", "x.lua"), "-t custom"),
    (("--custom-command-args", "x"), "-t custom"),
    (("--custom-command-file", "x.rb"), ".py, .lua, .c or .so"),
    (("--custom-command-file", "missing.c"), "missing.c"),
    (("--custom-command-file", "missing.lua"), "missing.lua"),
    (("--custom-command-file", "missing.py"), "missing.py"),
])
def test_refusals(run, arguments, words):
    assert words in run("-n", 1, *arguments).refusal()


@every_language
def test_syntax_error_names_file_and_line(run, server, tmp_path, ending):
    broken = tmp_path / f"broken.{ending}"
    broken.write_text({"c": "int x;\nint y = ;\n", "lua": "x = 1\ny = = 2\n", "py": "x = 1\ny = = 2\n"}[ending])
    result = run("-p", server.port, "-n", 1, "--custom-command-file", broken).expect(1)
    assert re.search(rf"broken\.{ending}\D+2\b", result.err), str(result)
