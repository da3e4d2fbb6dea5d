"""A client of the conformance suite: does what a test says, and holds the server to the rules of a connection."""

import collections
import itertools
import os
import socket
import time

import subjects
import wire
from strict import Violation, decode
from wire import (
    AUTH, CONNACK, DISCONNECT, P, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, V5)

# Seconds for anything that has to happen; few for mosquitto, which is not there to be waited for.
DEADLINE = 10.0 if subjects.is_ours() else 3.0
_serial = itertools.count(1)


def unique(word="c"):
    """A client id or topic that no other test uses."""
    return f"{word}{os.getpid()}x{next(_serial)}"


class Ended(ConnectionError):
    """The server closed the connection."""


class Observer:
    """What the server may send next on this connection."""

    def __init__(self, version):
        self.version = version
        self.receive_maximum, self.alias_maximum, self.packet_maximum = 65535, 0, 1 << 28
        self.problem_info, self.auth_method = 1, None
        self.connack = self.disconnect = None
        self.resumed = False
        self.sent = {}  # our packet identifier -> the answer that is due
        self.requests = {}  # packet identifier -> (kind of answer, number of codes)
        self.pings = 0
        self.incoming = {}  # the server's packet identifiers -> QoS
        self.aliases = {}

    def fail(self, clause5, clause311, text):
        raise Violation(clause5 if self.version == V5 else clause311, text)

    def on_connect(self, props):
        props = dict(props)
        self.receive_maximum = props.get(P.RECEIVE_MAXIMUM, 65535)
        self.alias_maximum = props.get(P.TOPIC_ALIAS_MAXIMUM, 0)
        self.packet_maximum = props.get(P.MAXIMUM_PACKET_SIZE, 1 << 28)
        self.problem_info = props.get(P.PROBLEM_INFO, 1)
        self.auth_method = props.get(P.AUTH_METHOD)

    def on_packet(self, packet):
        if self.disconnect:
            self.fail("MQTT-3.14.4-1", "", f"{packet} after DISCONNECT")
        if packet.size > self.packet_maximum:
            self.fail("MQTT-3.1.2-24", "", f"{packet.size} bytes of {self.packet_maximum} allowed: {packet}")
        if not self.connack or self.connack.code:
            return self._before_session(packet)
        if packet.kind == CONNACK:
            self.fail("MQTT-3.2.0-2", "v311#3.2.0/connack-repeat", "a second CONNACK")
        explains = packet.prop(P.REASON_STRING) or packet.all(P.USER)
        if explains and not self.problem_info and packet.kind not in (PUBLISH, DISCONNECT):
            self.fail("MQTT-3.1.2-29", "", f"explained though problem information is 0: {packet}")
        {PUBLISH: self._publish, PUBACK: self._answer, PUBREC: self._answer, PUBCOMP: self._answer,
         PUBREL: self._pubrel, SUBACK: self._suback, UNSUBACK: self._suback, PINGRESP: self._pingresp,
         DISCONNECT: self._disconnect, AUTH: self._auth}[packet.kind](packet)

    def _before_session(self, packet):
        if packet.kind == AUTH:
            return self._auth(packet)
        if packet.kind == DISCONNECT:
            self.fail("MQTT-3.14.0-1", "", "DISCONNECT before a successful CONNACK")
        if self.connack:
            self.fail("MQTT-3.1.4-6", "MQTT-3.1.4-5", f"{packet} after a refusal")
        if packet.kind != CONNACK:
            self.fail("MQTT-3.2.0-1", "MQTT-3.2.0-1", f"{packet} before CONNACK")
        self.connack, self.resumed = packet, packet.session_present

    def _auth(self, packet):
        if self.auth_method is None or packet.prop(P.AUTH_METHOD) != self.auth_method:
            self.fail("MQTT-4.12.0-6" if self.auth_method is None else "MQTT-4.12.0-5", "", f"{packet}")

    def _disconnect(self, packet):
        self.disconnect = packet

    def _publish(self, packet):
        self._resolve_alias(packet)
        if not packet.qos:
            return
        known = packet.packet_id in self.incoming
        if known and not packet.dup:
            self.fail("MQTT-2.2.1-4", "MQTT-2.3.1-4", f"an id in flight: {packet}")
        if known and self.version == V5:
            self.fail("MQTT-4.4.0-1", "", f"sent again on the same connection: {packet}")
        if packet.dup and not self.resumed and not known:
            self.fail("MQTT-3.3.1-3", "MQTT-3.3.1-3", f"DUP at the first sending: {packet}")
        self.incoming[packet.packet_id] = packet.qos
        if len(self.incoming) > self.receive_maximum:
            self.fail("MQTT-3.3.4-9", "", f"{len(self.incoming)} in flight of {self.receive_maximum}")

    def _resolve_alias(self, packet):
        alias = packet.prop(P.TOPIC_ALIAS)
        if alias is None:
            return
        if alias > self.alias_maximum:
            self.fail("MQTT-3.1.2-26" if self.alias_maximum else "MQTT-3.1.2-27", "", f"{packet}")
        if packet.topic:
            self.aliases[alias] = packet.topic
        elif alias not in self.aliases:
            self.fail("MQTT-3.3.2-7", "", f"an alias that was not set: {packet}")
        packet.topic = self.aliases[alias]

    def _answer(self, packet):
        due = self.sent.get(packet.packet_id)
        if due != packet.kind:
            self.fail("MQTT-2.2.1-5", "MQTT-2.3.1-6", f"{packet} answers nothing (due: {due})")
        if packet.kind == PUBREC and packet.code < 0x80:
            self.sent[packet.packet_id] = PUBCOMP
        else:
            del self.sent[packet.packet_id]

    def _pubrel(self, packet):
        if self.incoming.get(packet.packet_id, 2) != 2 or packet.packet_id not in self.incoming and not self.resumed:
            self.fail("MQTT-2.2.1-5", "MQTT-2.3.1-6", f"{packet} of no QoS 2 message")

    def _suback(self, packet):
        kind, count = self.requests.pop(packet.packet_id, (None, 0))
        if kind != packet.kind:
            self.fail("MQTT-2.2.1-6", "MQTT-2.3.1-7", f"{packet} answers nothing")
        if len(packet.codes) != (count if packet.kind == SUBACK or self.version == V5 else 0):
            self.fail("MQTT-3.8.4-6" if kind == SUBACK else "MQTT-3.11.3-2",
                      "MQTT-3.8.4-5", f"{len(packet.codes)} codes for {count} filters")

    def _pingresp(self, packet):
        if not self.pings:
            self.fail("v5#3.13/unsolicited", "MQTT-3.12.4-1", "PINGRESP without PINGREQ")
        self.pings -= 1


class Client:
    """One connection. With `automatic` it answers each PUBLISH and PUBREL as soon as it is read."""

    def __init__(self, address, version=V5, automatic=True):
        self.version, self.automatic = version, automatic
        self.client_id = None
        self.socket = self._open(address)
        self.observer = Observer(version)
        self._buffer = bytearray()
        self._inbox = collections.deque()
        self._ids = itertools.count(1)

    # -- bytes

    @staticmethod
    def _open(address):
        opened = socket.create_connection(address, DEADLINE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def send(self, *packets):
        """Bytes as they are. A server may have hung up in the middle: the reading side tells."""
        try:
            self.socket.sendall(b"".join(packets))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing from the server")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Ended
        self._buffer += data

    def _split(self):
        """(first byte, body) of the next whole packet, or None."""
        size, shift = 0, 0
        for at, byte in enumerate(self._buffer[1:5], 2):
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            if len(self._buffer) >= 5:
                self.observer.fail("v5#1.5.5/rl-4-bytes", "v311#2.2.3/rl-4-bytes", f"{bytes(self._buffer[:8])!r}")
            return None
        if len(wire.varint(size)) != at - 1:
            self.observer.fail("MQTT-1.5.5-1", "v311#2.2.3/rl-minimal", f"{bytes(self._buffer[:8])!r}")
        if len(self._buffer) < at + size:
            return None
        first, body = self._buffer[0], bytes(self._buffer[at:at + size])
        del self._buffer[:at + size]
        return first, body, at + size

    def _read(self, deadline):
        while (parts := self._split()) is None:
            self._fill(deadline)
        packet = decode(parts[0], parts[1], self.version)
        packet.size = parts[2]
        self.observer.on_packet(packet)
        return packet

    # -- packets

    def next(self, seconds=DEADLINE):
        """The next packet that needs a test's attention; raises Ended or TimeoutError."""
        if self._inbox:
            return self._inbox.popleft()
        return self._next_read(time.monotonic() + seconds)

    def _next_read(self, deadline):
        while True:
            packet = self._read(deadline)
            if not self.automatic or not self._answer(packet):
                return packet

    def _answer(self, packet):
        """Whether the packet is no more than a step of a flow."""
        if packet.kind == PUBLISH and packet.qos:
            self.ack(packet)
        if packet.kind == PUBREL:
            self.pubcomp(packet)
        return packet.kind == PUBREL

    def ack(self, packet, code=0, props=()):
        """PUBACK or PUBREC for a PUBLISH."""
        if packet.qos == 1 or code >= 0x80:
            self.observer.incoming.pop(packet.packet_id)
        self.send(wire.ack(self.version, PUBACK if packet.qos == 1 else PUBREC, packet.packet_id, code, props))

    def pubcomp(self, packet, code=0):
        self.observer.incoming.pop(packet.packet_id, None)
        self.send(wire.ack(self.version, PUBCOMP, packet.packet_id, code))

    def expect(self, kind, seconds=DEADLINE):
        """The next packet, which has to be of this kind."""
        packet = self.next(seconds)
        assert packet.kind == kind, f"{packet} instead of a packet of type {kind}"
        return packet

    def wait(self, *kinds, seconds=DEADLINE):
        """The first packet of one of these kinds; what comes before stays for others to read."""
        for packet in self._inbox:
            if packet.kind in kinds:
                self._inbox.remove(packet)
                return packet
        deadline = time.monotonic() + seconds
        while (packet := self._next_read(deadline)).kind not in kinds:
            self._inbox.append(packet)
        return packet

    # -- conversations

    def connect(self, client_id=None, code=0, **how):
        """Sends CONNECT (see wire.connect), gives CONNACK, which has to have this code; None: any."""
        self.client_id = unique() if client_id is None else client_id
        self.observer.on_connect(how.get("props", ()))
        self.send(wire.connect(self.version, self.client_id, **how))
        connack = self.expect(CONNACK)
        assert code is None or connack.code == code, f"{connack}: code {connack.code:#x} instead of {code:#x}"
        return connack

    def request(self, kind, packet_id, count, data):
        """Sends a SUBSCRIBE or UNSUBSCRIBE that was made by the test, gives its answer."""
        self.observer.requests[packet_id] = (kind, count)
        self.send(data)
        return self.wait(kind)

    def subscribe(self, *filters, qos=0, props=()):
        """`filters`: texts, or (text, options byte). Gives the SUBACK."""
        pairs = [(f, qos) if isinstance(f, (str, bytes)) else f for f in filters]
        packet_id = next(self._ids)
        return self.request(SUBACK, packet_id, len(pairs), wire.subscribe(self.version, packet_id, pairs, props))

    def unsubscribe(self, *filters, props=()):
        packet_id = next(self._ids)
        return self.request(UNSUBACK, packet_id, len(filters),
                            wire.unsubscribe(self.version, packet_id, filters, props))

    def start(self, topic, payload=b"", qos=0, packet_id=None, **how):
        """Sends a PUBLISH and gives its packet identifier."""
        packet_id = (packet_id or next(self._ids)) if qos else 0
        if qos:
            self.observer.sent[packet_id] = PUBACK if qos == 1 else PUBREC
        self.send(wire.publish(self.version, topic, payload, qos, packet_id, **how))
        return packet_id

    def pubrel(self, packet_id):
        self.observer.sent[packet_id] = PUBCOMP
        self.send(wire.ack(self.version, PUBREL, packet_id))

    def publish(self, topic, payload=b"", qos=0, **how):
        """Publishes and waits until the server has it (QoS 0: a ping behind it). Gives the last answer."""
        packet_id = self.start(topic, payload, qos, **how)
        if not qos:
            return self._ping()
        answer = self.wait(PUBACK if qos == 1 else PUBREC)
        assert answer.packet_id == packet_id, answer
        if qos == 1 or answer.code >= 0x80:
            return answer
        self.pubrel(packet_id)
        return self.wait(PUBCOMP)

    def _ping(self):
        self.observer.pings += 1
        self.send(wire.PING)
        return self.wait(PINGRESP)

    def messages(self, count, seconds=DEADLINE):
        """The next `count` PUBLISH packets."""
        return [self.wait(PUBLISH, seconds=seconds) for _ in range(count)]

    def message(self, seconds=DEADLINE):
        return self.wait(PUBLISH, seconds=seconds)

    def drain(self):
        """All PUBLISH packets that the server had for us when it read our PINGREQ."""
        self._ping()
        taken = [p for p in self._inbox if p.kind == PUBLISH]
        self._inbox = collections.deque(p for p in self._inbox if p.kind != PUBLISH)
        return taken

    # -- ends

    def end(self, seconds=DEADLINE):
        """Waits until the server closes; gives the packets before that."""
        packets, deadline = [], time.monotonic() + seconds
        try:
            while True:
                packets.append(self.next(max(0.0, deadline - time.monotonic())))
        except Ended:
            return packets

    def raw_end(self, seconds=DEADLINE):
        """Waits until the server closes; gives its bytes, for where the version of an answer is open."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._fill(deadline)
        except Ended:
            return bytes(self._buffer)

    def refused(self, *codes, certainly=False, seconds=DEADLINE):
        """The server ends the connection, at MQTT 5 with one of these codes, before that without a word.

        The specification only recommends to say why, unless `certainly`; ours always does.
        """
        *before, last = [None, *(p for p in self.end(seconds) if p.kind != PUBLISH)]
        assert not any(before), before
        if self.version != V5:
            assert last is None, f"{last} before the end"
            return
        if not subjects.is_ours() and not certainly:
            assert last is None or last.kind == DISCONNECT and last.code >= 0x80, f"{last} before the end"
            return
        assert last is not None and last.kind == DISCONNECT, f"{last} instead of DISCONNECT, then closed"
        assert last.code in codes, f"{last}: {last.code:#x} instead of {[hex(c) for c in codes]}"

    def leave(self, code=0, props=()):
        """DISCONNECT; returns when the server has seen it and closed."""
        self.send(wire.disconnect(self.version, code, props))
        left = self.end()
        self.close()
        return left

    def drop(self):
        """Ends the connection without DISCONNECT."""
        self.close()

    def close(self):
        self.socket.close()
