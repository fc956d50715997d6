# SPDX-License-Identifier: BSD-3-Clause
"""Which I/O engine a run gets, and what it says of that."""
import ctypes
import errno
import platform

import pytest

import processes
import program

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
BPF_LOAD_WORD, BPF_JUMP_IF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
IO_URING_SETUP = 425  # the same on all architectures
FALL_BACK = "Note: epoll is used instead of io_uring: "


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(Instruction))]


def forbid_rings():
    """What the seccomp profiles of containers do."""
    code = (Instruction * 4)(
        Instruction(BPF_LOAD_WORD, 0, 0, 0),
        Instruction(BPF_JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP),
        Instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM),
        Instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW))
    chosen = Filter(len(code), code)
    if (processes.LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            processes.LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(chosen), 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "could not install a seccomp filter")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the filter knows the calls of these")
@pytest.mark.parametrize("engine", ["auto", "uring"])
def test_a_run_falls_back_where_rings_are_forbidden(run, server, engine):
    result = run("--io", engine, "-p", server.port, "-n", 1000, before=forbid_rings).expect(0)
    assert result.report.completed == server.calls("set") == 1000
    assert result.report.text_of("How It Ran", "Engine") == "epoll"
    notes = [line for line in result.err.splitlines() if line.startswith(FALL_BACK)]
    assert len(notes) == 1 and "seccomp" in notes[0]


def test_epoll_needs_no_words(run, server):
    result = run("--io", "epoll", "-p", server.port, "-n", 1000).expect(0)
    assert result.report.text_of("How It Ran", "Engine") == "epoll"
    assert FALL_BACK not in result.err


def test_the_version_names_the_engines(run):
    engines = next(line for line in run("--version").expect(0).out.splitlines() if line.startswith("I/O engines: "))
    assert engines.startswith("I/O engines: epoll")


@pytest.mark.skipif(program.ENGINE != "uring", reason="runs with the engine of its choice alone")
def test_the_report_names_the_ring(run, server):
    report = run("-p", server.port, "-n", 1000).expect(0).report
    assert report.text_of("How It Ran", "Engine").startswith("io_uring (")
