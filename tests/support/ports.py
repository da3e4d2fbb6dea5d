"""Loopback ports, and waiting for somebody to listen on them."""

import errno
import os
import random
import socket
import time

HOST = "127.0.0.1"
# Below the kernel's ephemeral range (32768 and up), so that no outgoing connection of another
# test can take a port between our look and the server's bind.
FIRST, LAST = 15000, 32000
_random = random.Random(os.getpid() ^ time.monotonic_ns())


def free_port():
    """A port that nobody listened on a moment ago. Servers that can should bind port 0 instead."""
    for _ in range(1000):
        port = _random.randrange(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
    raise RuntimeError("no free port on loopback")


def can_connect(address):
    """Whether a listener accepts at `address`: (host, port), or the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
            return True
        except OSError:
            return False


def wait_until(condition, seconds, what):
    """Polls `condition` until it is true; raises TimeoutError naming `what` at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.002)
