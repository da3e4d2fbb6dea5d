"""A name server on port 53 of 127.0.0.1, for a process that has a network of its own (own_network.py)."""

import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def data_bytes(kind, value):
    if kind == A:
        return socket.inet_aton(value)
    priority, weight, port, target = value
    return struct.pack(">HHH", priority, weight, port) + name_bytes(target)


class NameServer:
    """`zone`: {(name, A or SRV): [value]}; a value is an address, or (priority, weight, port, target).
    `asked` keeps the questions."""

    def __init__(self, zone):
        self.zone, self.asked = zone, []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query):
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1: at + 1 + length].decode())
            at += 1 + length
        question, (kind,) = query[12: at + 5], struct.unpack(">H", query[at + 1: at + 3])
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        values = self.zone.get((name, kind), [])
        known = any(each == name for each, _ in self.zone)
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if known else 3), 1, len(values), 0, 0)
        answers = b""
        for value in values:
            data = data_bytes(kind, value)
            answers += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        return header + question + answers
