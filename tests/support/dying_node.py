"""A broker's node that dies in the middle of what clients do, and may come back."""

import socket
import threading

from .proxies import Proxy, relay


class DyingNode(Proxy):
    """Passes on to `port` of loopback. After `size` bytes of all clients together it dies: every connection breaks, and
    so do the next `refusals` (None: all). `refused` counts these."""

    def __init__(self, port, size, refusals=None):
        self._port, self._left, self._refusals = port, size, refusals
        self.refused, self.dead = 0, False
        self._lock = threading.Lock()
        self._passing = set()
        super().__init__(DyingNode._pass_on)

    @property
    def mqtt_url(self):
        return self.url("mqtt")

    def _pass_on(self, client):
        with self._lock:
            if self.dead and (self._refusals is None or self.refused < self._refusals):
                self.refused += 1
                return
            server = _Counting(self.connect("127.0.0.1", self._port), self._count)
            self._passing |= {client, server}
        try:
            relay(client, server)
        finally:
            with self._lock:
                self._passing -= {client, server}

    def _count(self, size):
        with self._lock:
            self._left -= size
            if self.dead or self._left > 0:
                return
            self.dead = True
            for each in self._passing:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has left already


class _Counting:
    """A socket that tells how much it is given."""

    def __init__(self, sock, tell):
        self._socket, self._tell = sock, tell

    def sendall(self, data):
        self._socket.sendall(data)
        self._tell(len(data))

    def __getattr__(self, name):
        return getattr(self._socket, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
