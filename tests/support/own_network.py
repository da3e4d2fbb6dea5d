"""A network of one's own: default ports, capturing and a name server, on a machine where others do the same."""

import fcntl
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

import pytest

from .proc import run

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# Not as root, who can become nobody else there, but with root's capabilities. What was started ends with it; its own /proc is what
# sanitizers look at.
UNSHARE = ("unshare", "--map-user=1000", "--map-group=1000", "--keep-caps", "--net", "--mount-proc", "--pid",
           "--kill-child")


def require_own_network():
    """Skips a test where that is not allowed."""
    if run([*UNSHARE, "true"]).code != 0:
        pytest.skip("this machine allows no namespaces")


def assert_cases_pass(file):
    """Those of a file of tests/e2e that only such a network can have; it is still down then."""
    require_own_network()
    cases = pathlib.Path(__file__).parents[1] / "e2e" / file
    result = run([*UNSHARE, sys.executable, "-B", "-m", "pytest", "-q", cases], seconds=300)
    assert result.code == 0, result.out.decode()


def enter_private_network():
    """Brings loopback up, and makes 127.0.0.1 the system's only name server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as own:
        own.write("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        own.flush()
        subprocess.run(["mount", "--bind", own.name, "/etc/resolv.conf"], check=True)
