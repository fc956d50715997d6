# SPDX-License-Identifier: BSD-3-Clause
"""Processes as /proc shows them, and waiting for conditions in a bounded time."""
import ctypes
import os
import signal
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """A preexec_fn: whatever happens to pytest, what it started ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def wait_until(condition, what, timeout=30.0):
    """Polls until condition() is true and returns what it returned; fails naming `what` after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.01)


def stat_of(pid):
    """(state, parent, session) of a process, or None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[3])


def is_alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] not in "ZX"


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def members_of_session(session):
    found = []
    for pid in all_pids():
        stat = stat_of(pid)
        if stat and stat[2] == session and stat[0] not in "ZX":
            found.append(pid)
    return found


def children_of(parent):
    found = []
    for pid in all_pids():
        stat = stat_of(pid)
        if stat and stat[1] == parent and stat[0] not in "ZX":
            found.append(pid)
    return found


def descendants_of(ancestor):
    found = []
    fringe = [ancestor]
    while fringe:
        children = children_of(fringe.pop())
        found += children
        fringe += children
    return found


def arguments_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except OSError:
        return []


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
