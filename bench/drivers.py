# SPDX-License-Identifier: BSD-3-Clause
"""What the driver of valkey-GLIDE's library costs: beside a bare loop on it, and beside its Python client."""
import collections
import os
import statistics
import subprocess
import sys

import host
import programs

PACKAGE = "valkey-glide==2.6.0"
PYTHON = "Python, 50 clients"
TASKS = 50
VALUE_BYTES = 3
REQUESTS = 200000
QUICK_DIVISOR = 10
INSTALL_TIMEOUT_S = 600

# `floor` is the name of the bare loop that it is compared with. `share`: of the requests, for who is slow.
Row = collections.namedtuple("Row", "name floor share command")


def ours(build, name, floor, *options):
    def command(port, requests):
        return [os.path.join(build, programs.OURS), "-q", "-p", str(port), "-t", "set", "-c", str(TASKS), "-n",
                str(requests), "-d", str(VALUE_BYTES), "-r", "1", "--keyspace-offset", str(programs.FIRST_KEY),
                "--processes", "1", *options]
    return Row(name, floor, 1, command)


def bare(build, library, clients):
    def command(port, requests):
        return [os.path.join(build, "floor_glide"), library, str(port), str(requests), str(clients), str(TASKS),
                str(VALUE_BYTES)]
    return Row(f"floor_glide, {clients} clients", None, 1, command)


def python(interpreter):
    def command(port, requests):
        return [interpreter, os.path.join(programs.ROOT, "bench", "glide_asyncio.py"), str(port), str(requests), "50",
                str(TASKS), f"key:{programs.FIRST_KEY}", str(VALUE_BYTES)]
    return Row(PYTHON, None, 0.5, command)


def install(build):
    """An interpreter that has the Python client: a virtual environment in the build directory."""
    folder = os.path.join(build, "glide-venv")
    interpreter = os.path.join(folder, "bin", "python")
    if not os.path.exists(interpreter):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=INSTALL_TIMEOUT_S)
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE], check=True,
                   timeout=INSTALL_TIMEOUT_S)
    return interpreter


def rows_of(build):
    library = programs.output_of([os.path.join(programs.ROOT, "scripts", "fetch-glide")])
    glide = ("--driver", "glide", "--glide-library", library)
    one, many = bare(build, library, 1), bare(build, library, 50)
    return [ours(build, "glide, 1 client", one.name, *glide, "--glide-clients", "1"), one,
            ours(build, "glide, 50 clients", many.name, *glide), many, ours(build, "native", None),
            python(install(build))]


def ratio(results, name, other, field):
    """The median of the rounds' ratios; empty where there is nothing to compare with."""
    if not other or name == other:
        return ""
    pairs = zip(results[name], results[other])
    return f"{statistics.median(getattr(one, field) / getattr(two, field) for one, two in pairs):.2f}"


def print_table(rows, results):
    for row in rows:
        figures = results[row.name]
        cells = [row.name, f"{statistics.median(figure.cpu_us for figure in figures):.2f}",
                 ratio(results, row.name, row.floor, "cpu_us"), ratio(results, row.name, PYTHON, "cpu_us"),
                 f"{statistics.median(figure.rate for figure in figures):,.0f}",
                 ratio(results, row.name, row.floor, "rate"), ratio(results, row.name, PYTHON, "rate"),
                 f"{statistics.median(figure.peak_mib for figure in figures):.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def measure(arguments, server, core, run):
    """All rounds of all rows, interleaved, then the table. `run`: one run of one command."""
    programs.make(arguments.build, programs.OURS, "floor_glide")
    rows = rows_of(arguments.build)
    results = collections.defaultdict(list)
    for i in range(arguments.rounds):
        for row in rows if i % 2 == 0 else reversed(rows):
            requests = int(REQUESTS * row.share) // (QUICK_DIVISOR if arguments.quick else 1)
            results[row.name].append(run(row.command(server.port, requests), core, server, requests))
    print(f"{PACKAGE}; server: {server.version()}. SET of {VALUE_BYTES} bytes, {TASKS} in flight.")
    print(f"{host.facts()} Medians of {arguments.rounds} interleaved rounds; ratios are the program's to the other's.\n")
    print(f"| program | CPU us a request | to its floor | to {PYTHON} | requests a second | to its floor | to {PYTHON} "
          "| peak MiB |")
    print("|---|" + "--:|" * 7, flush=True)
    print_table(rows, results)
