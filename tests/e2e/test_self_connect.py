# SPDX-License-Identifier: BSD-3-Clause
"""
A dial to a closed port of this machine may meet itself: when the kernel gives it that very port to
dial from, TCP connects both ends of one socket, and what is sent comes back as if it were a reply.
"""
import subprocess
import sys

import pytest

import program

PORT = 20000
# In a network of its own, in which the port to dial is the only one to dial from.
SCRIPT = f"""
import fcntl, os, socket, struct, sys
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
    file.write("{PORT} {PORT}")
os.execv(sys.argv[1], sys.argv[1:])
"""


def in_a_network_of_its_own(*command):
    return subprocess.run(["unshare", "--map-root-user", "--net", "--kill-child", sys.executable, "-c", SCRIPT, *command],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def test_a_connection_to_itself_is_no_server():
    if in_a_network_of_its_own("/bin/true").returncode:
        pytest.skip("no network namespaces here")
    result = in_a_network_of_its_own(program.PATH, "-p", str(PORT), "-n", "100", "-c", "1")
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"127.0.0.1:{PORT}: Connection refused" in result.stderr
