"""Servers that misbehave on cue: a script per connection, raw bytes out, parsed packets in."""

import socket
import ssl
import threading

from . import lossy
from . import mqtt_wire as wire
from .ports import HOST

PATIENCE = 60.0  # seconds that a script waits for its client before it gives up


class Closed(Exception):
    """The client has closed the connection."""


class Connection:
    """The server's end of one connection, as a script sees it."""

    def __init__(self, sock):
        self._socket = sock
        self.version = 0
        self.received = []

    @property
    def tls(self):
        """The ssl.SSLSocket, of a server with TLS: what was agreed upon."""
        return self._socket

    def send(self, data):
        self._socket.sendall(data)

    def lose(self, share):
        """From here on this share of what the client sends is lost on the way, and sent again by TCP."""
        lossy.lose(self._socket, share)

    def read(self, count):
        data = b""
        while len(data) < count:
            chunk = self._socket.recv(min(count - len(data), 1 << 16))
            if not chunk:
                raise Closed
            data += chunk
        return data

    def read_until(self, end):
        """Bytes up to and including `end`."""
        data = b""
        while not data.endswith(end):
            data += self.read(1)
        return data

    def packet(self):
        """The client's next packet."""
        first = self.read(1)[0]
        length = shift = 0
        while True:
            byte = self.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        packet = wire.Packet(first, self.read(length))
        self.received.append(packet)
        self.version = packet.connect_version or self.version
        return packet

    def expect(self, kind):
        """The client's next packet of this kind; PINGREQ are answered meanwhile."""
        while True:
            packet = self.packet()
            if packet.kind == kind:
                return packet
            if packet.kind == wire.PINGREQ:
                self.send(wire.packet(wire.PINGRESP))
            else:
                raise AssertionError(f"expected packet type {kind}, got {packet}")

    def expect_silence(self, seconds):
        self._socket.settimeout(seconds)
        try:
            raise AssertionError(f"expected nothing, got {self.packet()}")
        except TimeoutError:
            self._socket.settimeout(PATIENCE)

    def accept(self, **props):
        """CONNECT in, successful CONNACK out; `props` by the names in mqtt_wire, lower case."""
        self.expect(wire.CONNECT)
        self.send(wire.connack(self.version, props={getattr(wire, k.upper()): v for k, v in props.items()}))

    def accept_subscription(self, code=None):
        """SUBSCRIBE in, SUBACK out: one filter, granted with `code` or as asked."""
        request = self.expect(wire.SUBSCRIBE)
        granted = request.body[-1] & 3 if code is None else code
        self.send(wire.suback(request.packet_id, self.version, [granted]))
        return request

    def drain(self):
        """Reads until the client closes, and answers PINGREQ; what came is in `received`."""
        try:
            while True:
                if self.packet().kind == wire.PINGREQ:
                    self.send(wire.packet(wire.PINGRESP))
        except (Closed, OSError):
            pass

    def finish(self):
        """Ends our direction and reads the rest: a plain close would destroy what is still on its way."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._socket.recv(1 << 16):
            pass


class FaultServer:
    """Listens on a port of its own and runs `script(connection)` for every connection.

    The connection is closed when its script returns. `connections` keeps them in order.
    `tls`: an ssl.SSLContext to wrap each connection in.
    """

    def __init__(self, script, tls=None):
        self._script, self._tls = script, tls
        self.connections = []
        self.errors = []
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"mqtt://{HOST}:{self.port}"
        self._threads = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)  # then whoever was accepted is in the list, and at work
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        if kind is None and self.errors:
            raise self.errors[0]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            thread = threading.Thread(target=self._run, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, sock):
        with sock:
            try:
                if self._tls:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                connection = Connection(sock)
                self.connections.append(connection)
                self._script(connection)
                sock.close()
            except (Closed, OSError):
                pass  # the client left first: what it did is judged by its exit code
            except AssertionError as error:
                self.errors.append(error)


def tls_context(certs, server="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(getattr(certs, server), getattr(certs, f"{server}_key"))
    return context


# Scripts. Each is a function of a Connection, or makes one.

def silent(connection):
    """Accepts and never says a word, not to PINGREQ either: the bytes of a TLS handshake can look like one."""
    while True:
        connection.packet()


def http(connection):
    """A web server: answers anything with an error page once it has seen a few bytes."""
    connection.read(4)
    body = b"<html>Bad Request</html>"
    connection.send(b"HTTP/1.1 400 Bad Request\r\nServer: test\r\nContent-Length: %d\r\n"
                    b"Connection: close\r\n\r\n%s" % (len(body), body))
    connection.finish()


def http_not_found(connection):
    """A web server that knows no WebSocket at this path."""
    connection.read_until(b"\r\n\r\n")
    connection.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.finish()


def answer_connect(data):
    """Answers the CONNECT with these bytes, or with data(version) if it is a function, then closes."""
    def script(connection):
        connection.expect(wire.CONNECT)
        connection.send(data(connection.version) if callable(data) else data)
        connection.drain()
    return script


def after_connack(*chunks, **props):
    """Accepts, then sends these bytes."""
    def script(connection):
        connection.accept(**props)
        for chunk in chunks:
            connection.send(chunk)
        connection.drain()
    return script


def subscribed_then(*chunks, close=False):
    """Accepts one subscription, then sends these bytes, then waits for the client or closes."""
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        for chunk in chunks:
            connection.send(chunk)
        if not close:
            connection.drain()
    return script


def suback_with(codes, **props):
    """Accepts and answers the SUBSCRIBE with these codes."""
    def script(connection):
        connection.accept()
        request = connection.expect(wire.SUBSCRIBE)
        values = {getattr(wire, k.upper()): v for k, v in props.items()}
        connection.send(wire.suback(request.packet_id, connection.version, codes, values))
        connection.drain()
    return script


def answer_publish(kind, code, **props):
    """Accepts and answers each PUBLISH with PUBACK or PUBREC (`kind`) and this code."""
    def script(connection):
        connection.accept()
        values = {getattr(wire, k.upper()): v for k, v in props.items()}
        while True:
            packet = connection.packet()
            if packet.kind == wire.PUBLISH:
                connection.send(wire.ack(kind, packet.packet_id, connection.version, code, values))
    return script


def close_after(kind):
    """Accepts, waits for a packet of this kind and closes."""
    def script(connection):
        connection.accept()
        connection.expect(kind)
    return script
