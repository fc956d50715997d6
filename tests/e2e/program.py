# SPDX-License-Identifier: BSD-3-Clause
"""The program under test: run to its end, or started and watched, always within a bounded time."""
import os
import pathlib
import resource
import signal
import subprocess

import interval_csv
import processes
import report

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PATH = os.environ.get("VALKEY_POLYGLOT", str(REPOSITORY / "build" / "release" / "valkey-polyglot"))
ENGINE = os.environ.get("VALKEY_POLYGLOT_IO", "")
ENGINE_NAMES = {"": "epoll", "epoll": "epoll", "uring": "io_uring"}
TIMEOUT = 90.0
SANITIZER_MARKS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


def has_engine():
    """Whether the engine that the tests are to run with can be used here and now."""
    said = subprocess.run([PATH, "--version"], stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT).stdout
    engines = next(line for line in said.splitlines() if line.startswith("I/O engines: "))
    return ENGINE_NAMES[ENGINE] in engines


def is_sanitized():
    """Whether the program was built with a sanitizer, which costs it a multiple of its speed."""
    program = pathlib.Path(PATH).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


class Result:
    """What a run left: exit code (negative: the signal), stdout and stderr."""

    def __init__(self, arguments, code, out, err):
        self.arguments = arguments
        self.code = code
        self.out = out
        self.err = err

    def __str__(self):
        return (f"valkey-polyglot {' '.join(self.arguments)}\nexit code {self.code}\n"
                f"--- stdout\n{self.out}\n--- stderr\n{self.err}")

    @property
    def report(self):
        """The report of a run without CSV: stdout holds progress and report, nothing else."""
        return report.parse_output(self.out).report

    @property
    def progress(self):
        return report.parse_output(self.out).progress

    @property
    def csv(self):
        return interval_csv.parse(self.out)

    @property
    def csv_report(self):
        """The report of a run with CSV, which goes to stderr, among logs."""
        return report.parse_log(self.err)

    def expect(self, code):
        assert self.code == code, f"expected exit code {code} of {self}"
        return self

    def refusal(self):
        """The one sentence on stderr of a run that was refused."""
        self.expect(1)
        assert self.out == "", f"stdout is not empty: {self}"
        lines = self.err.splitlines()
        assert len(lines) == 1, f"not one line on stderr: {self}"
        assert lines[0].endswith("."), f"not a sentence: {self}"
        return lines[0]


class Program:
    """A program that was started. Its output goes to files, so that it never waits for the test."""

    def __init__(self, arguments, folder, limits=(), env=None, stdout=None, ignore=(), before=None):
        engine = ["--io", ENGINE] if ENGINE else []
        self.arguments = engine + [str(argument) for argument in arguments]
        self.out_path = folder / "stdout"
        self.err_path = folder / "stderr"
        self.finished = None

        def prepare():
            processes.die_with_parent()
            for number in ignore:
                signal.signal(number, signal.SIG_IGN)
            for kind, soft_hard in limits:
                resource.setrlimit(kind, soft_hard)
            if before:
                before()

        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                [PATH] + self.arguments, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=err,
                env=dict(os.environ, **(env or {})), start_new_session=True, preexec_fn=prepare)
        self.pid = self.process.pid

    def out(self):
        return self.out_path.read_text(encoding="utf-8", errors="replace")

    def err(self):
        return self.err_path.read_text(encoding="utf-8", errors="replace")

    def csv_lines(self):
        """The lines of the CSV that are complete so far."""
        return interval_csv.parse(self.out().rpartition("\n")[0] + "\n", partial=True)

    def running(self):
        return self.process.poll() is None

    def interrupt(self, number=signal.SIGINT):
        """What a terminal does at Ctrl-C: the signal goes to the whole process group."""
        os.killpg(self.pid, number)

    def kill(self):
        """Ends the program and what it left in its session."""
        for pid in processes.members_of_session(self.pid):
            processes.kill(pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def wait(self, timeout=TIMEOUT):
        """Waits for the end; no process of its session may stay behind."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hung: killed after {timeout} s: {self.result(None)}") from None
        processes.wait_until(lambda: not processes.members_of_session(self.pid),
                             f"the last process of session {self.pid} ends", 10)
        self.finished = self.result(code)
        for mark in SANITIZER_MARKS:
            assert mark not in self.finished.err, str(self.finished)
        return self.finished

    def result(self, code):
        return Result(self.arguments, code, self.out(), self.err())
