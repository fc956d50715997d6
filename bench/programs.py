# SPDX-License-Identifier: BSD-3-Clause
"""What can be measured: this program with each of its loops, the bare loops, and other load generators."""
import collections
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "release")
OURS = "valkey-polyglot"
PEER = "valkey-benchmark"
RESP_PEER = "resp-benchmark"
FLOORS = "floors"  # the target that builds all of them
ENGINES = {"epoll": "epoll", "uring": "io_uring"}  # as --io takes them, and as reports begin to name them
PROBE_TIMEOUT_S = 20

# valkey-benchmark's keys have 12 characters after "key:", so all keys here have. Its one key is a literal.
FIRST_KEY = 100000000000
PEER_KEY = "key:__rand_int__"

# The one ciphersuite that is offered, so that all programs encrypt alike.
CIPHERSUITE = "TLS_AES_128_GCM_SHA256"

# Where a program is to connect. `tls`: options, which are the same in all programs that speak TLS; empty: without.
Target = collections.namedtuple("Target", "port tls")

# `ours` are options that only this program has.
Case = collections.namedtuple("Case", "command load clients pipeline value_bytes keys requests ours")

# `engine` is that of a loop of ours or of a bare loop, else None.
Program = collections.namedtuple("Program", "name engine ours command")


def case(command, load, requests, ours=""):
    """A case from its load, in the options that all programs have."""
    options = dict(zip(load.split()[::2], load.split()[1::2]))
    number = {name: int(options.get(name, default)) for name, default in
              (("-c", 50), ("-P", 1), ("-d", 3), ("-r", 1))}
    return Case(command, load, number["-c"], number["-P"], number["-d"], number["-r"], requests, ours)


def name_of(a_case):
    return " ".join(filter(None, (a_case.command.upper(), a_case.load, a_case.ours)))


def target_of(server):
    if not server.tls:
        return Target(server.port, [])
    return Target(server.tls_port, ["--tls", "--cacert", server.certificate, "--tls-ciphersuites", CIPHERSUITE])


def output_of(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make(build, *targets):
    made = subprocess.run(["cmake", "--build", build, "--target", *targets], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        sys.exit(f"{made.stdout}\nNothing to measure in {build}; `cmake --preset release` sets it up.")


def engine_options(ours, port):
    """
    What chooses each loop that works here, by its short name. It is tried, not asked for: a loop that the kernel
    refuses is replaced by the other, and then two rows would show one loop.
    """
    if "--io" not in output_of([ours, "--help"]):
        return {"epoll": []}
    found = {}
    for engine, title in ENGINES.items():
        options = ["--io", engine]
        probe = subprocess.run([ours, "-q", "-p", str(port), "-c", "1", "-n", "1", *options], capture_output=True,
                               text=True, check=False, timeout=PROBE_TIMEOUT_S)
        if re.search(rf"^Engine: {title}\b", probe.stdout, re.MULTILINE):
            found[engine] = options
    return found


def common_options(target, a_case):
    return ["-q", "-p", str(target.port), *target.tls, "-t", a_case.command, "-c", str(a_case.clients),
            "-P", str(a_case.pipeline), "-n", str(a_case.requests), "-d", str(a_case.value_bytes)]


def our_program(path, engine, options):
    can_pace = "--pace" in output_of([path, "--help"])

    def command(target, a_case):
        if a_case.ours.startswith("--pace") and not can_pace:
            return None
        return [path, *common_options(target, a_case), "-r", str(a_case.keys), "--keyspace-offset", str(FIRST_KEY),
                "--processes", "1", *options, *a_case.ours.split()]
    return Program(f"{OURS}, {ENGINES[engine]}", engine, True, command)


def floor_program(path, engine):
    """A bare loop knows only SET of one key, and no TLS."""
    def command(target, a_case):
        if target.tls or a_case.command != "set" or a_case.keys > 1:
            return None
        return [path] + [str(number) for number in
                         (target.port, a_case.requests, a_case.clients, a_case.pipeline, a_case.value_bytes)]
    return Program(os.path.basename(path), engine, False, command)


def peer_program(path):
    """valkey-benchmark or redis-benchmark; without -r the key is a literal."""
    def command(target, a_case):
        return [path, *common_options(target, a_case), *(["-r", str(a_case.keys)] if a_case.keys > 1 else [])]
    return Program(os.path.basename(path), None, False, command)


def resp_program(path):
    """Its random keys are of another length, so it has one key here. It counts cores among those it may use."""
    def command(target, a_case):
        if target.tls or a_case.keys > 1:
            return None
        value = [f"{{value {a_case.value_bytes}}}"] if a_case.command == "set" else []
        return [path, "-p", str(target.port), "--cores", "0", "-c", str(a_case.clients), "-P", str(a_case.pipeline),
                "-n", str(a_case.requests), " ".join([a_case.command.upper(), f"key:{FIRST_KEY}", *value])]
    return Program(RESP_PEER, None, False, command)


def find_programs(build, port):
    """All that are here: ours, their bare loops, then the others."""
    ours = os.path.join(build, OURS)
    options = engine_options(ours, port)
    found = [our_program(ours, engine, options[engine]) for engine in options]
    for engine in options:
        path = os.path.join(build, f"floor_{engine}")
        if os.path.exists(path):
            found.append(floor_program(path, engine))
    for name, make_program in ((PEER, peer_program), ("redis-benchmark", peer_program), (RESP_PEER, resp_program)):
        # valkey's packages may bring redis-benchmark as another name of valkey-benchmark
        path = shutil.which(name)
        if path and (name == PEER or os.path.basename(os.path.realpath(path)) != PEER):
            found.append(make_program(path))
    return found


def versions(build, programs):
    """One line: what each program says it is."""
    lines = [output_of([os.path.join(build, OURS), "--version"]).splitlines()[0]]
    for program in programs:
        if program.engine is None:
            version = output_of([shutil.which(program.name), "--version"]).splitlines()[0]
            lines.append(version if program.name in version else f"{program.name} {version}")
    return "; ".join(lines)


def throughput_of(output):
    """Requests a second, as any of them prints it at last."""
    rates = re.findall(r"Requests per second: ([\d.]+)|([\d.]+) requests per second|qps: ([\d.]+), conn", output)
    if not rates:
        sys.exit(f"No throughput in this output:\n{output}")
    return float(max(rates[-1]))
