"""Just enough of RFC 6455 to carry MQTT, and to break its rules."""

import base64
import hashlib
import os
import socket
import struct

from client import Client
from strict import Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket:
    """A socket's face: sendall() makes one binary frame, recv() gives the bytes of the server's frames."""

    def __init__(self, address, timeout, subprotocols="mqtt", path="/mqtt"):
        self._socket = socket.create_connection(address, timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self.status, self.headers = self._upgrade(address, subprotocols, path)

    def _upgrade(self, address, subprotocols, path):
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Protocol: {subprotocols}"] if subprotocols else []
        self._socket.sendall("\r\n".join(lines + ["", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            data = self._socket.recv(4096)
            if not data:
                return 0, {}
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        status = int(first.split()[1])
        if status == 101:
            expected = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
            assert headers["sec-websocket-accept"] == expected
        return status, headers

    def send_frame(self, data, opcode=BINARY, final=True):
        mask = os.urandom(4)
        size = (bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
                if len(data) < 65536 else b"\xff" + struct.pack(">Q", len(data)))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._socket.sendall(bytes([final << 7 | opcode]) + size + mask + masked)

    def sendall(self, data):
        self.send_frame(data)

    def _exactly(self, count):
        while len(self._buffer) < count:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def recv(self, _=0):
        while True:
            first, second = self._exactly(2)
            size = second & 0x7F
            if second & 0x80:
                raise Violation("RFC 6455 5.1", "a masked frame from a server")
            size = struct.unpack(">H" if size == 126 else ">Q", self._exactly(2 if size == 126 else 8))[0] \
                if size > 125 else size
            data, opcode = self._exactly(size), first & 0x0F
            if opcode == CLOSE:
                return b""
            if opcode not in (BINARY, CONTINUATION, PING, PONG):
                raise Violation("MQTT-6.0.0-1", f"a frame of type {opcode}: {data!r}")
            if opcode in (BINARY, CONTINUATION) and data:
                return data

    def settimeout(self, seconds):
        self._socket.settimeout(seconds)

    def close(self):
        self._socket.close()


class WebSocketClient(Client):
    """A Client over WebSocket."""

    @staticmethod
    def _open(address):
        return WebSocket(address, 10)
