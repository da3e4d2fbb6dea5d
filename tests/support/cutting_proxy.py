"""A TCP proxy that cuts its first connection after an exact number of bytes, then lets all pass."""

import select
import socket
import struct
import threading

from .ports import HOST

UP, DOWN = "client to server", "server to client"
CHUNK = 1 << 16


class CuttingProxy:
    """Forwards to `port` on loopback.

    Once `cut_after` bytes of `direction` have been forwarded on the first connection, both sides are
    closed: with a RST if `reset`, else with a FIN. None never cuts. `counts` are the bytes of the first
    connection by direction; `cut` tells whether the cut has happened, `over` whether that connection has
    ended; `connections` counts them all.
    """

    def __init__(self, port, direction=UP, cut_after=None, reset=False):
        self._server_port, self._direction, self._cut_after, self._reset = port, direction, cut_after, reset
        self.counts = {UP: 0, DOWN: 0}
        self.cut = self.over = False
        self.connections = 0
        self._closing, self._wake = socket.socketpair()
        self._threads = []
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"mqtt://{HOST}:{self.port}"
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._wake.close()  # every thread waits for this too
        for thread in self._threads:  # the acceptor is the first: nothing is added once it has ended
            thread.join(10)
        self._closing.close()
        self._listener.close()

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _ready(self, *sockets):
        """Those with something to read; none when the proxy is closing."""
        readable, _, _ = select.select([*sockets, self._closing], [], [])
        return [] if self._closing in readable else readable

    def _accept(self):
        while self._ready(self._listener):
            client, _ = self._listener.accept()
            self.connections += 1
            self._start(self._connection, client, self.connections == 1)

    def _connection(self, client, first):
        with client, socket.create_connection((HOST, self._server_port)) as server:
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._forward(client, server, first)
            except OSError:
                pass  # one side is gone: the other follows
            if first and self.cut and self._reset:
                for sock in (client, server):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.over = self.over or first

    def _forward(self, client, server, first):
        """Until the cut, or until either side closes and all that it sent has been forwarded."""
        ways = {client: (server, UP), server: (client, DOWN)}
        if first and self._cut_after == 0:
            self.cut = True
            return
        while ready := self._ready(client, server):
            for source in ready:
                target, direction = ways[source]
                data = source.recv(CHUNK)
                if not data:
                    return
                if first:
                    data = self._up_to_the_cut(data, direction)
                target.sendall(data)
                if first and self.cut:
                    return

    def _up_to_the_cut(self, data, direction):
        if self._cut_after is not None and direction == self._direction:
            left = self._cut_after - self.counts[direction]
            self.cut = len(data) >= left
            data = data[:left]
        self.counts[direction] += len(data)
        return data
