"""Reads what a server sends, and takes nothing that the specification does not allow it to send."""

import struct

from wire import (
    AUTH, CONNACK, DISCONNECT, P, PINGRESP, PROPERTIES, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK,
    UNSUBACK, V5, V31)

_FROM_SERVER = {CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP}
_CONNACK_CODES = {0, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}
_RECEIVED_CODES = {0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
_CODES = {
    PUBACK: ("MQTT-3.4.2-1", _RECEIVED_CODES), PUBREC: ("MQTT-3.5.2-1", _RECEIVED_CODES),
    PUBREL: ("MQTT-3.6.2-1", {0, 0x92}), PUBCOMP: ("MQTT-3.7.2-1", {0, 0x92}),
    SUBACK: ("MQTT-3.9.3-2", {0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}),
    UNSUBACK: ("MQTT-3.11.3-2", {0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}),
    DISCONNECT: ("MQTT-3.14.2-1", {0, *range(0x80, 0x84), 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90,
                                   *range(0x93, 0xA3)}),
    AUTH: ("MQTT-3.15.2-1", {0, 0x18}),
}
_REPEATABLE = {P.USER}
_BITS = {P.MAXIMUM_QOS: "v5#3.2.2.3.4/max-qos", P.RETAIN_AVAILABLE: "v5#3.2.2.3.5/retain-avail",
         P.WILDCARD_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits", P.SUBID_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits",
         P.SHARED_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits", P.PAYLOAD_FORMAT: "v5#3.3.2.3.2/pfi-value"}
_NOT_ZERO = {P.RECEIVE_MAXIMUM: "v5#3.1.2.11.3/rm", P.MAXIMUM_PACKET_SIZE: "v5#3.1.2.11.4/mps",
             P.TOPIC_ALIAS: "MQTT-3.3.2-8", P.SUBSCRIPTION_ID: "v5#3.3.2.3.8/subid-zero"}
_ONCE = {P.MAXIMUM_QOS: "v5#3.2.2.3.4/max-qos", P.RETAIN_AVAILABLE: "v5#3.2.2.3.5/retain-avail",
         P.ASSIGNED_ID: "v5#3.2.2.3.7/assigned-dup", P.REASON_STRING: "v5#3.2.2.3.9/reason-dup",
         P.WILDCARD_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits", P.SUBID_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits",
         P.SHARED_AVAILABLE: "v5#3.2.2.3.11-13/feature-bits", P.SERVER_KEEP_ALIVE: "v5#3.2.2.3.14/ska-dup",
         P.RESPONSE_INFO: "v5#3.2.2.3.15/resp-info-dup", P.SERVER_REFERENCE: "v5#3.2.2.3.16/server-ref",
         P.RECEIVE_MAXIMUM: "v5#3.1.2.11.3/rm", P.MAXIMUM_PACKET_SIZE: "v5#3.1.2.11.4/mps",
         P.TOPIC_ALIAS_MAXIMUM: "v5#3.1.2.11.5/tam-dup", P.AUTH_METHOD: "v5#3.1.2.11.9/auth-method-dup",
         P.AUTH_DATA: "v5#3.1.2.11.10/auth-data", P.TOPIC_ALIAS: "v5#3.3.2.3.4/alias-dup",
         P.PAYLOAD_FORMAT: "v5#3.3.2.3.2-3/pfi-expiry-dup", P.MESSAGE_EXPIRY: "v5#3.3.2.3.2-3/pfi-expiry-dup",
         P.SESSION_EXPIRY: "v5#3.1.2.11.2/sei-dup"}


class Violation(AssertionError):
    """The server broke a rule: the clause, and what it did."""

    def __init__(self, clause, text):
        super().__init__(f"[{clause}] {text}")
        self.clause = clause


class Packet:
    """A packet from the server. `props`: [(identifier, value)] in order."""

    def __init__(self, kind, flags, version, size):
        self.kind, self.flags, self.version, self.size = kind, flags, version, size
        self.packet_id = self.code = 0
        self.session_present = False
        self.codes, self.props = [], []
        self.topic, self.payload = "", b""

    qos = property(lambda self: self.flags >> 1 & 3)
    retain = property(lambda self: self.flags & 1)
    dup = property(lambda self: self.flags >> 3 & 1)

    def prop(self, name, default=None):
        return next((value for key, value in self.props if key == name), default)

    def all(self, name):
        return [value for key, value in self.props if key == name]

    def __repr__(self):
        shown = {k: v for k, v in vars(self).items() if v and k not in ("kind", "version", "size")}
        return f"Packet({self.kind}, {shown})"


class _Reader:
    def __init__(self, data, version):
        self.data, self.at, self.version = data, 0, version

    def fail(self, clause5, clause311, text):
        raise Violation(clause5 if self.version == V5 else clause311, f"{text}: {self.data!r}")

    def take(self, count):
        if self.at + count > len(self.data):
            self.fail("v5#2.1.4/rl-fit", "v311#3.4-3.11/rl-2", "it ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def varint(self):
        value, start = 0, self.at
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << 7 * (self.at - start - 1)
            if byte < 0x80:
                break
            if self.at - start == 4:
                self.fail("v5#1.5.5/rl-4-bytes", "v311#2.2.3/rl-4-bytes", "a length of more than four bytes")
        if byte == 0 and self.at - start > 1:
            self.fail("MQTT-1.5.5-1", "v311#2.2.3/rl-minimal", "a length that is not the shortest")
        return value

    def string(self):
        try:
            text = self.take(self.number("H")).decode("utf-8")
        except UnicodeDecodeError:
            self.fail("MQTT-1.5.4-1", "MQTT-1.5.3-1", "ill-formed UTF-8")
        if "\0" in text:
            self.fail("MQTT-1.5.4-2", "MQTT-1.5.3-2", "U+0000")
        return text

    def left(self):
        return len(self.data) - self.at


def _value(reader, kind):
    if kind in "BHI":
        return reader.number(kind)
    if kind == "V":
        return reader.varint()
    if kind == "U":
        return reader.string(), reader.string()
    return reader.take(reader.number("H")) if kind == "D" else reader.string()


def _read_props(reader, packet):
    if reader.version != V5:
        return
    if not reader.left():
        raise Violation("MQTT-2.2.2-1", f"no property length in {packet}")
    end = reader.varint() + reader.at
    while reader.at < end:
        name = reader.varint()
        if name not in PROPERTIES:
            raise Violation("v5#2.2.2.2/prop-unknown", f"property {name:#x} in {packet}")
        kind, places = PROPERTIES[name]
        if packet.kind not in places:
            raise Violation("v5#2.2.2.2/prop-packet", f"property {name:#x} in {packet}")
        packet.props.append((name, _value(reader, kind)))
    if reader.at != end:
        raise Violation("v5#2.2.2.2/prop-length", f"properties overrun their length in {packet}")
    _check_props(packet)


def _check_props(packet):
    seen = set()
    for name, value in packet.props:
        may_repeat = name in _REPEATABLE or (name, packet.kind) == (P.SUBSCRIPTION_ID, PUBLISH)
        if name in seen and not may_repeat:
            raise Violation(_ONCE.get(name, "v5#3.3.2.3.5-9/dup"), f"property {name:#x} twice in {packet}")
        seen.add(name)
        if name in _BITS and value > 1:
            raise Violation(_BITS[name], f"property {name:#x} = {value} in {packet}")
        if name in _NOT_ZERO and value == 0:
            raise Violation(_NOT_ZERO[name], f"property {name:#x} = 0 in {packet}")
    if packet.kind == DISCONNECT and P.SESSION_EXPIRY in seen:
        raise Violation("MQTT-3.14.2-2", f"a server's DISCONNECT with a session expiry: {packet}")
    if P.SERVER_REFERENCE in seen and packet.code not in (0x9C, 0x9D):
        raise Violation("v5#3.2.2.3.16/server-ref", f"a server reference in {packet}")
    if P.AUTH_DATA in seen and P.AUTH_METHOD not in seen:
        raise Violation("v5#3.1.2.11.10/auth-data", f"authentication data without method in {packet}")


def _read_connack(reader, packet):
    flags, packet.code = reader.number("B"), reader.number("B")
    if flags > 1 or (flags and packet.version == V31):
        reader.fail("MQTT-3.2.2-1", "v311#3.2.2.1/ack-flags", f"flags {flags:#x}")
    packet.session_present = bool(flags)
    if packet.code not in (_CONNACK_CODES if packet.version == V5 else range(6)):
        reader.fail("MQTT-3.2.2-8", "MQTT-3.2.2-6", f"code {packet.code:#x}")
    if packet.code and flags:
        reader.fail("MQTT-3.2.2-6", "MQTT-3.2.2-4", f"session present with code {packet.code:#x}")
    _read_props(reader, packet)


def _check_topic(text, clause5, clause311, version):
    if "+" in text or "#" in text:
        raise Violation(clause5 if version == V5 else clause311, f"a wildcard in {text!r}")


def _read_publish(reader, packet):
    if packet.qos == 3:
        reader.fail("MQTT-3.3.1-4", "MQTT-3.3.1-4", "QoS 3")
    if packet.dup and not packet.qos:
        reader.fail("MQTT-3.3.1-2", "MQTT-3.3.1-2", "DUP with QoS 0")
    packet.topic = reader.string()
    _check_topic(packet.topic, "MQTT-3.3.2-2", "MQTT-3.3.2-2", packet.version)
    if packet.qos:
        packet.packet_id = _packet_id(reader)
    _read_props(reader, packet)
    _check_topic(packet.prop(P.RESPONSE_TOPIC, ""), "MQTT-3.3.2-14", "", packet.version)
    if not packet.topic and packet.prop(P.TOPIC_ALIAS) is None:
        reader.fail("v5#3.3.2.1/empty-topic", "MQTT-4.7.3-1", "neither topic nor alias")
    packet.payload = reader.take(reader.left())


def _packet_id(reader):
    value = reader.number("H")
    if not value:
        reader.fail("MQTT-2.2.1-4", "MQTT-2.3.1-1", "packet identifier 0")
    return value


def _read_ack(reader, packet):
    packet.packet_id = _packet_id(reader)
    if packet.version == V5 and reader.left():
        packet.code = reader.number("B")
        if reader.left():
            _read_props(reader, packet)


def _read_suback(reader, packet):
    packet.packet_id = _packet_id(reader)
    _read_props(reader, packet)
    if packet.kind == SUBACK or packet.version == V5:
        packet.codes = list(reader.take(reader.left()))


def _read_disconnect(reader, packet):
    if reader.left():
        packet.code = reader.number("B")
        if reader.left():
            _read_props(reader, packet)
    if packet.kind == AUTH and packet.prop(P.AUTH_METHOD) is None:
        reader.fail("v5#3.15.2.2.2/method", "", "AUTH without a method")


_READERS = {CONNACK: _read_connack, PUBLISH: _read_publish, SUBACK: _read_suback, UNSUBACK: _read_suback,
            PINGRESP: lambda reader, packet: None, DISCONNECT: _read_disconnect, AUTH: _read_disconnect}


def _check_codes(packet):
    if packet.kind not in _CODES:
        return
    clause, allowed = _CODES[packet.kind]
    if packet.version != V5:
        allowed = {0, 1, 2} if packet.version == V31 else {0, 1, 2, 0x80}
    for code in packet.codes or [packet.code]:
        if code not in allowed:
            raise Violation(clause, f"code {code:#x} in {packet}")


def decode(first, body, version):
    """The packet of a server with the first byte `first`, or Violation."""
    kind, flags = first >> 4, first & 0x0F
    packet = Packet(kind, flags, version, len(body) + 2)
    reader = _Reader(body, version)
    if kind == 0 or kind == 15 and version != V5:
        reader.fail("v5#2.1.2/type-0", "v311#2.2.1/type-0", f"packet type {kind}")
    if kind == DISCONNECT and version != V5:
        raise Violation("v311#3.14/server-disconnect", "DISCONNECT from a server")
    if kind not in _FROM_SERVER and kind not in (DISCONNECT, AUTH):
        reader.fail("v5#2.1.2/direction", "v311#2.2.1/direction", f"packet type {kind} from a server")
    if kind != PUBLISH and flags != (2 if kind == PUBREL else 0):
        clause = {PUBREL: "MQTT-3.6.1-1", DISCONNECT: "MQTT-3.14.1-1", AUTH: "MQTT-3.15.1-1"}.get(kind, "MQTT-2.1.3-1")
        reader.fail(clause, "MQTT-3.6.1-1" if kind == PUBREL else "MQTT-2.2.2-1", f"flags {flags:#x} of type {kind}")
    _READERS.get(kind, _read_ack)(reader, packet)
    if reader.left():
        clause = "v5#3.12/empty" if kind == PINGRESP else "v5#2.1.4/rl-fit"
        reader.fail(clause, "v311#3.12-3.14/rl-0" if kind == PINGRESP else "v311#3.4-3.11/rl-2", "bytes left over")
    _check_codes(packet)
    return packet
