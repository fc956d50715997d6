# SPDX-License-Identifier: BSD-3-Clause
"""The command line: what is refused, with one sentence that names the option, and what is shown."""
import re

import pytest

RAMP = "--start-qps 10 --end-qps 100 --qps-change-interval 1"
CLIENTS = "--clients-ramp-start 2 --clients-ramp-end 10 --client-ramp-interval 1"

# The arguments, and what the sentence has to hold.
REFUSED = [
    ("--nonsense", ["--nonsense"]),
    ("--uri x", ["--uri", "valkey://", "unix://"]),
    ("-u redis://h/x", ["--uri", "database"]),
    ("-u valkey://h -p 1", ["--uri", "--port"]),
    ("-u valkey://h -h h", ["--uri", "--host"]),
    ("-u valkey://h -s /tmp/a", ["--uri", "--socket"]),
    ("-u valkey://h --user u", ["--uri", "--user"]),
    ("-u valkey://h -a p", ["--uri", "--pass"]),
    ("-u valkey://h --dbnum 1", ["--uri", "--dbnum"]),
    ("-u valkeys://h -p 1", ["--uri", "--port"]),
    ("-u rediss://h -h h", ["--uri", "--host"]),
    ("-s /tmp/a -h h", ["--socket", "--host"]),
    ("-s /tmp/a -p 1", ["--socket", "--port"]),
    ("-s /" + 120 * "x", ["--socket", "107"]),
    ("-s /nowhere/valkey.sock", ["/nowhere/valkey.sock", "No such file"]),
    ("--user u", ["--user", "--pass"]),
    ("--dbnum -1", ["--dbnum"]),
    ("--dbnum x", ["--dbnum"]),
    ("--local-server -a p", ["--local-server", "--pass"]),
    ("--local-server -u valkey://h", ["--local-server", "--uri"]),
    ("--local-server -s /tmp/a", ["--local-server", "--socket"]),
    ("--local-server --tls --cacert a", ["--local-server", "--cacert"]),
    ("--local-server --tls --cacertdir a", ["--local-server", "--cacertdir"]),
    ("-S /tmp/a", ["-S", "--socket"]),
    ("--unix-socket=/tmp/a", ["--unix-socket", "--socket"]),
    ("--authenticate u:p", ["--authenticate", "--pass"]),
    ("--select-db 1", ["--select-db", "--dbnum"]),
    ("--nonsense=3", ["--nonsense"]),
    ("-Z", ["-Z"]),
    ("stray", ["stray"]),
    ("-h", ["-h is the host; use --help."]),
    ("-p", ["-p", "--port"]),
    ("-p 0", ["--port"]),
    ("-p 65536", ["--port", "65535"]),
    ("-p 6379x", ["--port", "6379x"]),
    ("-p -1", ["--port"]),
    ("-p 99999999999999999999999", ["--port"]),
    ("-c 0", ["--clients"]),
    ("-c many", ["--clients", "many"]),
    ("-c 1.5", ["--clients"]),
    ("-n 0", ["--requests"]),
    ("-n -5", ["--requests"]),
    ("-n 10kk", ["--requests"]),
    ("-n ", ["--requests"]),
    ("-d -1", ["--datasize"]),
    ("-d 3x", ["--datasize"]),
    ("-t ping2", ["--type", "ping2"]),
    ("-t custom", ["--custom-command-file"]),
    ("--threads 0", ["--threads"]),
    ("--threads x", ["--threads"]),
    ("--processes 0", ["--processes"]),
    ("--processes some", ["--processes", "auto"]),
    ("--processes -2", ["--processes"]),
    ("--test-duration 0", ["--test-duration"]),
    ("--test-duration 3x", ["--test-duration"]),
    ("--test-duration -1", ["--test-duration"]),
    ("-P 0", ["--pipeline"]),
    ("--sequential 0", ["--sequential"]),
    ("-r 0", ["--random"]),
    ("-r 10 --sequential 10", ["--random", "--sequential"]),
    ("--processes 4 --single-process", ["--processes", "--single-process"]),
    ("--keyspace-offset 5", ["--keyspace-offset", "--sequential"]),
    ("--sequential-random-start", ["--sequential-random-start", "--sequential"]),
    ("-r 10 --sequential-random-start", ["--sequential-random-start"]),
    ("--qps 0", ["--qps"]),
    ("--qps -1", ["--qps"]),
    ("--qps fast", ["--qps", "fast"]),
    ("--start-qps 10", ["--end-qps", "--qps-change-interval"]),
    ("--end-qps 10", ["--start-qps", "--qps-change-interval"]),
    ("--start-qps 10 --end-qps 100", ["--qps-change-interval"]),
    ("--qps-change 5", ["--start-qps", "--end-qps"]),
    (RAMP, ["--qps-change"]),
    (RAMP + " --qps-ramp-mode linear", ["--qps-change"]),
    (RAMP + " --qps-ramp-mode exponential", ["--qps-ramp-factor"]),
    (RAMP + " --qps-ramp-mode exponential --qps-ramp-factor 1", ["--qps-ramp-factor"]),
    (RAMP + " --qps-ramp-mode exponential --qps-ramp-factor 0.5", ["--qps-ramp-factor"]),
    (RAMP + " --qps-ramp-mode cubic", ["--qps-ramp-mode", "linear", "exponential"]),
    (CLIENTS + " --clients-per-ramp 2 -c 5", ["--clients", "--clients-ramp-start"]),
    (CLIENTS + " --clients-per-ramp 9", ["--clients-per-ramp"]),
    (CLIENTS, ["--clients-per-ramp"]),
    (CLIENTS + " --client-ramp-mode exponential", ["--client-ramp-factor"]),
    (CLIENTS + " --client-ramp-mode exponential --client-ramp-factor 1", ["--client-ramp-factor"]),
    ("--clients-ramp-start 2", ["--clients-ramp-end", "--client-ramp-interval"]),
    ("--clients-ramp-start 9 --clients-ramp-end 2 --client-ramp-interval 1 --clients-per-ramp 1",
     ["--clients-ramp-end"]),
    ("--pace fast", ["--pace", "sleep", "hybrid", "spin", "fast"]),
    ("--pace ", ["--pace", "sleep"]),
    ("--cpus ", ["--cpus", "0-3,8"]),
    ("--cpus all", ["--cpus", "all"]),
    ("--cpus 0-", ["--cpus"]),
    ("--cpus 3-0", ["--cpus", "backwards", "3-0"]),
    ("--cpus 0,0", ["--cpus", "CPU 0", "twice"]),
    ("--cpus 0,1024", ["--cpus", "1024"]),
    ("--cpus 99999999999999999999999", ["--cpus"]),
    ("--cpus 0-1023", ["--cpus", "may not use"]),
    ("--request-timeout x", ["--request-timeout"]),
    ("--connection-timeout -1", ["--connection-timeout"]),
    ("--give-up x", ["--give-up"]),
    ("--interval-metrics-interval-duration-sec 0", ["--interval-metrics-interval-duration-sec"]),
    ("--log-level LOUD", ["--log-level", "DEBUG"]),
    ("--seed x", ["--seed"]),
    ("--io iocp", ["--io", "auto", "epoll", "uring"]),
    ("--debug=1", ["--debug"]),
    ("--local-server=/nowhere/valkey-server", ["--local-server", "/nowhere/valkey-server"]),
    ("--rfr", ["--rfr", "--read-from-replica"]),
    ("--rps 100", ["--rps", "--qps"]),
    ("--rate-limiting 100", ["--rate-limiting", "--qps"]),
    ("--duration 10", ["--duration", "--test-duration"]),
    ("--test-time 10", ["--test-time", "--test-duration"]),
    ("-l", ["-l"]),
    ("-I", ["-I"]),
    ("-x 3", ["-x"]),
    ("--key-pattern R:R", ["--key-pattern"]),
    ("--cores 2", ["--cores", "--cpus"]),
]

OPTIONS = """--host --port --clients --requests --datasize --type --threads --test-duration --sequential --random
    --keyspace-offset --sequential-random-start --qps --start-qps --end-qps --qps-change-interval --qps-change
    --qps-ramp-mode --qps-ramp-factor --pace --cpus --processes --single-process --clients-ramp-start --clients-ramp-end
    --client-ramp-interval --client-ramp-mode --clients-per-ramp --client-ramp-factor --request-timeout
    --connection-timeout --give-up --interval-metrics-interval-duration-sec --log-level --debug --seed --pipeline
    --tls --cacert --cacertdir --cert --key --sni --insecure --tls-ciphers --tls-ciphersuites
    --uri --user --pass --dbnum --resp3 --socket --keepalive --reconnect-interval --cluster --read-from-replica
    --local-server --io --driver --glide-library --glide-clients --glide-log-level
    --custom-command-file --custom-command-args --script-timeout --show-config --quiet --help
    --version""".split()
LETTERS = "-H -h -p -c -n -d -t -r -P -q -u -a -3 -s -k".split()
GROUPS = ["basic options", "advanced options", "tls options", "rate limiting options", "client ramp options",
          "multi-process options", "timeout options", "output options"]


@pytest.mark.parametrize("arguments, words", REFUSED, ids=[arguments for arguments, _ in REFUSED])
def test_refused_with_one_sentence(run, arguments, words):
    sentence = run(*arguments.split(" ")).refusal()
    for word in words:
        assert word in sentence


def test_a_type_may_be_written_in_any_case(run, server):
    assert run("-p", server.port, "-n", 10, "-t", "GeT").expect(0).report.completed == 10
    assert server.calls("get") == 10


@pytest.mark.parametrize("count, requests", [("2k", 2000), ("2K", 2000), ("0002", 2)])
def test_counts_may_have_suffixes(run, server, count, requests):
    assert run("-p", server.port, "-n", count).expect(0).report.completed == server.calls("set") == requests


def test_the_last_mention_of_an_option_wins(run, server):
    assert run("-n", 5, "-p", 1, "-n", 70, "-p", server.port).expect(0).report.completed == 70


def test_help_lists_every_option_in_groups(run):
    result = run("--help").expect(0)
    assert result.err == ""
    for word in OPTIONS + LETTERS:
        assert re.search(rf"(?<![\w-]){word}(?![\w-])", result.out), f"{word} is not in --help"
    places = [result.out.lower().find(group) for group in GROUPS]
    assert -1 not in places and places == sorted(places)


def test_help_lists_nothing_that_does_not_work(run):
    out = run("--help").expect(0).out
    for word in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", out):
        assert word in OPTIONS + ["--usage"], f"{word} is in --help"


def test_version(run):
    result = run("--version").expect(0)
    assert re.match(r"valkey-polyglot \d+\.\d+\.\d+\b", result.out)
    assert result.err == ""


def test_show_config_shows_the_split_and_needs_no_server(run):
    result = run("-p", 1, "-c", 10, "--processes", 2, "--threads", 2, "--qps", 7, "-n", 1000, "--show-config").expect(0)
    out = result.out
    for number in ("2", "4", "7", "10", "1000"):
        assert re.search(rf"\b{number}\b", out.replace(",", "")), f"no {number} in:\n{out}"


def test_surplus_threads_are_not_started_and_said(run, server):
    result = run("-p", server.port, "-n", 100, "-c", 2, "--processes", 2, "--threads", 4).expect(0)
    assert result.report.completed == 100
    assert result.report.number("How It Ran", "Workers in all") == 2
    assert len(result.err.splitlines()) == 1


def test_automatic_processes_are_at_most_the_clients(run, server):
    report = run("-p", server.port, "-n", 100, "-c", 1).expect(0).report
    assert report.number("How It Ran", "Workers in all") == 1


@pytest.mark.parametrize("arguments", [("--debug",), ("--log-level", "debug"), ("--log-level", "INFO")])
def test_logs_go_to_stderr(run, server, arguments):
    result = run("-p", server.port, "-n", 1000, *arguments).expect(0)
    assert result.report.completed == 1000
    assert result.err


def test_a_run_that_went_well_says_nothing_on_stderr(run, server):
    assert run("-p", server.port, "-n", 1000).expect(0).err == ""
