"""A catalogue of what no client may send, and a raw connection to send it with.

`ATTACKS` are those that one connection and a few bytes make: each says what a server has to answer. What
needs more (time, other listeners, several connections) is in e2e/test_bad_broker_input.py."""

import itertools
import os
import socket
import struct
from dataclasses import dataclass, field

from conformance import wire as w
from conformance.wire import P, V5, V311

from .mqtt_wire import CONNACK, DISCONNECT, PINGRESP, PUBACK, PUBLISH, SUBACK, Packet, packet, string, varint

MALFORMED, PROTOCOL_ERROR, TOPIC_INVALID, OVERRUN, ALIAS_INVALID, TOO_LARGE = 0x81, 0x82, 0x90, 0x93, 0x94, 0x95
BAD_CLIENT_ID, BAD_FILTER = 0x85, 0x8F
DEADLINE = float(os.environ.get("MQ_BAD_INPUT_SECONDS", "15"))  # for anything that has to happen
_serial = itertools.count(1)


class Raw:
    """One connection that sends whatever it is told."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        if not isinstance(address, str):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """The server may hang up in the middle: what it answered tells."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def connect(self, version=V5, client_id=None, **how):
        """CONNECT and its CONNACK, which has to be a success; gives the CONNACK."""
        self.send(w.connect(version, f"raw{next(_serial)}" if client_id is None else client_id, **how))
        connack = self.packet()
        assert connack and connack.kind == CONNACK and connack.body[1] == 0, connack
        return connack

    def packet(self):
        """The next packet, or None once the server has closed."""
        while (found := self._split()) is None:
            if not (data := self._receive()):
                assert not self._buffer, f"closed within a packet: {bytes(self._buffer)!r}"
                return None
            self._buffer += data
        return found

    def expect(self, kind):
        found = self.packet()
        assert found is not None and found.kind == kind, f"{found} instead of a packet of type {kind}"
        return found

    def rest(self):
        """All packets until the server closes."""
        return list(iter(self.packet, None))

    def bytes_until_close(self):
        while data := self._receive():
            self._buffer += data
        return bytes(self._buffer)

    def alive(self):
        """Whether a PINGREQ is still answered."""
        self.send(w.PING)
        while (found := self.packet()) is not None:
            if found.kind == PINGRESP:
                return True
        return False

    def _receive(self):
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def _split(self):
        for size in range(2, 6):
            if len(self._buffer) < size:
                return None
            if self._buffer[size - 1] < 0x80:
                break
        length = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(self._buffer[1:size]))
        if len(self._buffer) < size + length:
            return None
        found = Packet(self._buffer[0], bytes(self._buffer[size:size + length]))
        del self._buffer[:size + length]
        return found


@dataclass(frozen=True)
class Attack:
    """Bytes that end the connection. At MQTT 5 the server says one of `codes`: in DISCONNECT, or, for what
    takes the place of CONNECT (`first`), in CONNACK; before MQTT 5 it just closes. `silent`: also at MQTT 5,
    as nobody knows yet what is spoken."""

    name: str
    version: int
    data: bytes = field(repr=False)
    codes: tuple = (MALFORMED,)
    first: bool = False
    silent: bool = False

    def __str__(self):
        return f"v{'5' if self.version == V5 else '311'}-{self.name}".replace(" ", "-")

    def carry_out(self, address):
        with Raw(address) as raw:
            if not self.first:
                raw.connect(self.version)
            raw.send(self.data)
            self.judge(raw.rest())

    def judge(self, answers):
        if self.silent:
            assert answers == [], f"{self}: {answers}"
        elif self.first:
            self._judge_connack(answers)
        elif self.version != V5:
            assert [a for a in answers if a.kind == DISCONNECT] == [], f"{self}: {answers}"
        else:
            assert answers and answers[-1].kind == DISCONNECT, f"{self}: closed after {answers}, without DISCONNECT"
            self._judge_code(answers[-1].body[0] if answers[-1].body else 0)

    def _judge_connack(self, answers):
        """The specification lets a server close without CONNACK; a code that it does send has to be right."""
        if not answers:
            assert self.version != V5, f"{self}: no CONNACK"
            return
        assert len(answers) == 1 and answers[0].kind == CONNACK, f"{self}: {answers}"
        if self.version == V5:
            self._judge_code(answers[0].body[1])
        else:
            assert 1 <= answers[0].body[1] <= 5, f"{self}: {answers}"

    def _judge_code(self, code):
        assert code in self.codes, f"{self}: 0x{code:02X} instead of {[hex(c) for c in self.codes]}"


# --- one good packet of each kind that a client sends ----------------------------------------------

def samples(version):
    """{name: (packet, lengths of its body, cut short, that are good packets too)}. CONNECT is apart."""
    v5 = version == V5
    found = {
        "publish0": (w.publish(version, "t/a", b""), ()),
        "publish1": (w.publish(version, "t/a", b"", qos=1, packet_id=7), ()),
        "publish2": (w.publish(version, "t/a", b"", qos=2, packet_id=8), ()),
        "puback": (_long_ack(version, w.PUBACK), (2, 3) if v5 else ()),
        "pubrec": (_long_ack(version, w.PUBREC), (2, 3) if v5 else ()),
        "pubrel": (_long_ack(version, w.PUBREL), (2, 3) if v5 else ()),
        "pubcomp": (_long_ack(version, w.PUBCOMP), (2, 3) if v5 else ()),
        "subscribe": (w.subscribe(version, 9, [("t/b", 0), ("t/c", 1)]), (9 if v5 else 8,)),
        "unsubscribe": (w.unsubscribe(version, 10, ["t/b", "t/c"]), (8 if v5 else 7,)),
    }
    if v5:
        found["publish0-properties"] = (w.publish(V5, "t/a", b"", props={P.CONTENT_TYPE: "text", P.USER: ("k", "v")}), ())
        found["disconnect"] = (w.disconnect(V5, 0, {P.REASON_STRING: "bye", P.USER: ("k", "v")}), (0, 1))
        found["auth"] = (w.auth(0x19, {P.AUTH_METHOD: "m", P.AUTH_DATA: b"d"}), (0,))
    return found


def _long_ack(version, kind):
    props = {P.REASON_STRING: "why", P.USER: ("k", "v")} if version == V5 else ()
    return w.ack(version, kind, 7, 0x00, props)


def full_connect(version):
    will_props = {P.WILL_DELAY: 1, P.CONTENT_TYPE: "text"} if version == V5 else ()
    props = {P.SESSION_EXPIRY: 1, P.RECEIVE_MAXIMUM: 9, P.USER: ("k", "v")} if version == V5 else ()
    return w.connect(version, "complete", True, 60, props, w.Will("w/t", b"gone", 1, False, will_props), "joe", b"pw")


def body_of(data):
    at = next(i for i in range(1, 5) if data[i] < 0x80) + 1
    return data[at:]


def with_body(data, body):
    """The same first byte, another body."""
    return data[:1] + varint(len(body)) + body


# --- the catalogue -----------------------------------------------------------------------------------

_ANY_FAULT = (MALFORMED, PROTOCOL_ERROR)
BAD_UTF8 = {"overlong": b"\xc0\x80", "surrogate": b"\xed\xa0\x80", "cut": b"\xe2\x82", "above-10FFFF": b"\xf4\x90\x80\x80",
            "stray": b"a\x80b", "null": b"a\0b"}


def truncated(version):
    for name, (data, good) in samples(version).items():
        body = body_of(data)
        for length in range(len(body)):
            if length not in good:
                yield Attack(f"truncated {name} to {length}", version, with_body(data, body[:length]), _ANY_FAULT)
    connect = full_connect(version)
    for length in range(len(body_of(connect))):
        # Before the level has been read there is no version to answer in.
        yield Attack(f"truncated connect to {length}", version, with_body(connect, body_of(connect)[:length]),
                     _ANY_FAULT, first=True, silent=length < 7)


def too_long(version):
    for name, (data, _) in samples(version).items():
        if not name.startswith("publish"):  # there it would be payload
            yield Attack(f"trailing byte after {name}", version, with_body(data, body_of(data) + b"\0"), _ANY_FAULT)
    yield Attack("pingreq with a body", version, packet(w.PINGREQ, b"\0"))
    if version != V5:
        yield Attack("disconnect with a body", version, packet(w.DISCONNECT, b"\0"))
    connect = full_connect(version)
    yield Attack("trailing byte after connect", version, with_body(connect, body_of(connect) + b"\0"), _ANY_FAULT, first=True)


def reserved_flags(version):
    for name, (data, _) in samples(version).items():
        for flags in range(16):
            if flags != data[0] & 15 and not name.startswith("publish"):
                yield Attack(f"{name} with flags {flags:04b}", version, bytes([data[0] & 0xF0 | flags]) + data[1:])
    for flags in range(1, 16):
        yield Attack(f"pingreq with flags {flags:04b}", version, bytes([0xC0 | flags, 0]))
        if version != V5:
            yield Attack(f"disconnect with flags {flags:04b}", version, bytes([0xE0 | flags, 0]))
        connect = full_connect(version)
        yield Attack(f"connect with flags {flags:04b}", version, bytes([connect[0] | flags]) + connect[1:], first=True)
    for flags in (0b0110, 0b0111, 0b1110, 0b1111):
        yield Attack(f"publish QoS 3 {flags:04b}", version, packet(PUBLISH, string("t") + b"\0\1" + b"\0" * (version == V5), flags))
    for flags in (0b1000, 0b1001):
        yield Attack(f"publish QoS 0 with DUP {flags:04b}", version, packet(PUBLISH, string("t") + b"\0" * (version == V5), flags),
                     _ANY_FAULT)


def reserved_types(version):
    yield Attack("packet type 0", version, bytes([0x00, 0]), _ANY_FAULT)
    if version != V5:
        yield Attack("packet type 15", version, bytes([0xF0, 0]))


def connect_flags(version):
    def connect(name, flags, codes=(MALFORMED,), **how):
        return Attack(name, version, w.connect(version, "flags", flags=flags, **how), codes, first=True)
    yield connect("connect with the reserved flag", 0b0000_0011)
    yield connect("connect with will QoS 3", 0b0001_1110, will=w.Will("w"))
    yield connect("connect with will QoS but no will", 0b0000_1010, _ANY_FAULT)
    yield connect("connect with will retain but no will", 0b0010_0010, _ANY_FAULT)
    if version != V5:
        yield connect("connect with a password but no user name", 0b0100_0010, password=b"x")
    yield connect("connect that lacks its user name", 0b1000_0010, _ANY_FAULT)
    yield connect("connect that lacks its will", 0b0000_0110, _ANY_FAULT)


def subscription_options(version):
    bits = range(6, 8) if version == V5 else range(2, 8)
    for bit in bits:
        yield Attack(f"subscribe with option bit {bit}", version, w.subscribe(version, 1, [("t", 1 << bit)]), _ANY_FAULT)
    yield Attack("subscribe with QoS 3", version, w.subscribe(version, 1, [("t", 3)]), _ANY_FAULT)
    if version == V5:
        yield Attack("subscribe with retain handling 3", V5, w.subscribe(V5, 1, [("t", 0x30)]), _ANY_FAULT)
        yield Attack("shared subscription with no local", V5, w.subscribe(V5, 1, [("$share/g/t", 4)]), (PROTOCOL_ERROR,))
    yield Attack("subscribe without filters", version, w.subscribe(version, 1, []), _ANY_FAULT)
    yield Attack("unsubscribe without filters", version, w.unsubscribe(version, 1, []), _ANY_FAULT)


def packet_id_zero(version):
    for qos in (1, 2):
        yield Attack(f"publish QoS {qos} with packet identifier 0", version, w.publish(version, "t", b"", qos, 0), _ANY_FAULT)
    yield Attack("subscribe with packet identifier 0", version, w.subscribe(version, 0, [("t", 0)]), _ANY_FAULT)
    yield Attack("unsubscribe with packet identifier 0", version, w.unsubscribe(version, 0, ["t"]), _ANY_FAULT)
    for name in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
        yield Attack(f"{name.lower()} with packet identifier 0", version, w.ack(version, getattr(w, name), 0), _ANY_FAULT)


def wrong_state(version):
    for name, (data, _) in samples(version).items():
        yield Attack(f"{name} before connect", version, data, first=True, silent=True)
    for name, data in server_only(version).items():
        yield Attack(f"{name} before connect", version, data, first=True, silent=True)
        yield Attack(f"{name} from a client", version, data, (PROTOCOL_ERROR,))
    yield Attack("pingreq before connect", version, w.PING, first=True, silent=True)
    yield Attack("short disconnect before connect", version, bytes([0xE0, 0]), first=True, silent=True)
    yield Attack("connect twice", version, w.connect(version, "again"), (PROTOCOL_ERROR,))
    yield Attack("connect twice, as one write", version, w.connect(version, "twice") * 2, (PROTOCOL_ERROR,))
    if version == V5:
        yield Attack("auth without a method", V5, w.auth(0x18, {P.AUTH_METHOD: "none"}), (PROTOCOL_ERROR,))


def server_only(version):
    v5 = version == V5
    return {"connack": packet(CONNACK, b"\0\0" + b"\0" * v5), "suback": packet(SUBACK, b"\0\1" + b"\0" * v5 + b"\0"),
            "unsuback": packet(w.UNSUBACK, b"\0\1" + b"\0\0" * v5), "pingresp": packet(PINGRESP)}


def topics(version):
    names = _ANY_FAULT + (TOPIC_INVALID,)
    for bad in ("a/+", "#", "a/#/b", "+"):
        yield Attack(f"publish to {bad}", version, w.publish(version, bad), names)
        yield Attack(f"will at {bad}", version, w.connect(version, "w", will=w.Will(bad)), names, first=True)
    yield Attack("publish without topic (CVE-2021-34432)", version, w.publish(version, ""), names)
    yield Attack("will without topic", version, w.connect(version, "w", will=w.Will("")), names, first=True)
    filters = _ANY_FAULT + (BAD_FILTER,)
    for bad in ("", "a+", "a/b+/c", "#/a", "a#", "a/#b"):
        for name, data in (("subscribe", w.subscribe(version, 1, [(bad, 0)])), ("unsubscribe", w.unsubscribe(version, 1, [bad]))):
            yield Attack(f"{name} {bad!r}", version, data, filters)


def share_misuse():
    for bad in ("$share/", "$share/g", "$share//t", "$share/+/t", "$share/#/t", "$share/g+/t", "$share/g/"):
        yield bad


def strings(version):
    """Each string field that a client sends, as a function of its bytes: (name, packet, first)."""
    yield "topic", lambda s: w.publish(version, s), False
    yield "filter", lambda s: w.subscribe(version, 1, [(s, 0)]), False
    yield "second filter", lambda s: w.subscribe(version, 1, [("t", 0), (s, 0)]), False
    yield "filter of unsubscribe", lambda s: w.unsubscribe(version, 1, [s]), False
    yield "client id", lambda s: w.connect(version, s), True
    yield "will topic", lambda s: w.connect(version, "c", will=w.Will(s)), True
    yield "user name", lambda s: w.connect(version, "c", username=s), True
    if version != V5:
        return
    for name in (P.CONTENT_TYPE, P.RESPONSE_TOPIC):
        yield f"property {name} of publish", lambda s, n=name: w.publish(V5, "t", props={n: s}), False
        yield f"property {name} of the will", lambda s, n=name: w.connect(V5, "c", will=w.Will("w", props={n: s})), True
    for kind in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
        yield (f"reason string of {kind.lower()}",
               lambda s, k=kind: w.ack(V5, getattr(w, k), 1, 0, {P.REASON_STRING: s}), False)
    yield "reason string of disconnect", lambda s: w.disconnect(V5, 0, {P.REASON_STRING: s}), False
    yield "authentication method", lambda s: w.connect(V5, "c", props={P.AUTH_METHOD: s}), True
    for part, pair in (("name", lambda s: (s, "v")), ("value", lambda s: ("k", s))):
        yield f"user property {part} of publish", lambda s, p=pair: w.publish(V5, "t", props={P.USER: p(s)}), False
        yield f"user property {part} of connect", lambda s, p=pair: w.connect(V5, "c", props={P.USER: p(s)}), True
        yield f"user property {part} of subscribe", lambda s, p=pair: w.subscribe(V5, 1, [("t", 0)], {P.USER: p(s)}), False


def invalid_utf8(version):
    for name, make, first in strings(version):
        for kind, data in BAD_UTF8.items():
            codes = _ANY_FAULT + ((BAD_CLIENT_ID,) if name == "client id" else (TOPIC_INVALID,) if "topic" in name else
                                  (BAD_FILTER,) if "filter" in name else ())
            yield Attack(f"{kind} UTF-8 in {name}", version, make(data), codes, first)


def lengths(version):
    yield Attack("remaining length of five bytes", version, b"\xc0\x80\x80\x80\x80\x00")
    yield Attack("remaining length not minimal", version, b"\xc0\x80\x00")
    yield Attack("268,435,455 bytes announced", version, b"\x30\xff\xff\xff\x7f", (TOO_LARGE,))
    yield Attack("first packet of 268,435,455 bytes (CVE-2023-0809)", version, b"\x30\xff\xff\xff\x7f", first=True, silent=True)
    yield Attack("connect of 268,435,455 bytes (CVE-2017-7651)", version, b"\x10\xff\xff\xff\x7f", first=True, silent=True)
    yield Attack("topic longer than the packet", version, packet(PUBLISH, b"\xff\xff" + b"t"))


# --- properties --------------------------------------------------------------------------------------

_VALUES = {"B": 1, "H": 5, "I": 5, "V": 5, "S": "text", "D": b"data", "U": ("k", "v")}
_SENDERS = {  # packet: bytes with these properties
    w.CONNECT: lambda p: w.connect(V5, "p", props=p), w.WILL: lambda p: w.connect(V5, "p", will=w.Will("w", props=p)),
    PUBLISH: lambda p: w.publish(V5, "t", props=p), PUBACK: lambda p: w.ack(V5, PUBACK, 1, 0, p),
    w.PUBREC: lambda p: w.ack(V5, w.PUBREC, 1, 0, p), w.PUBREL: lambda p: w.ack(V5, w.PUBREL, 1, 0, p),
    w.PUBCOMP: lambda p: w.ack(V5, w.PUBCOMP, 1, 0, p), w.SUBSCRIBE: lambda p: w.subscribe(V5, 1, [("t", 0)], p),
    w.UNSUBSCRIBE: lambda p: w.unsubscribe(V5, 1, ["t"], p), DISCONNECT: lambda p: w.disconnect(V5, 0, p),
    w.AUTH: lambda p: w.auth(0x19, p)}
_NAMES = {w.CONNECT: "connect", w.WILL: "will", PUBLISH: "publish", PUBACK: "puback", w.PUBREC: "pubrec", w.PUBREL: "pubrel",
          w.PUBCOMP: "pubcomp", w.SUBSCRIBE: "subscribe", w.UNSUBSCRIBE: "unsubscribe", DISCONNECT: "disconnect", w.AUTH: "auth"}


def _with_properties(kind, name, props, codes):
    return Attack(f"{name} in {_NAMES[kind]}", V5, _SENDERS[kind](props), codes, first=kind in (w.CONNECT, w.WILL))


def properties(_):
    for name, (form, places) in w.PROPERTIES.items():
        value = _VALUES[form]
        for kind in _SENDERS:
            if kind not in places or name == P.SUBSCRIPTION_ID and kind == PUBLISH:
                yield _with_properties(kind, f"property {name:#x}", [(name, value)], _ANY_FAULT)
            elif name != P.USER:
                yield _with_properties(kind, f"property {name:#x} twice", [(name, value)] * 2, (PROTOCOL_ERROR,))
    for kind in _SENDERS:
        yield _with_properties(kind, "undefined property 0x7e", b"\x02\x7e\x00", (MALFORMED,))
        yield _with_properties(kind, "property id of five bytes (CVE-2026-21888)", b"\x05\xa6\x80\x80\x80\x80", (MALFORMED,))
        yield _with_properties(kind, "property length of five bytes", b"\x80\x80\x80\x80\x80\x00", (MALFORMED,))
        yield _with_properties(kind, "property length not minimal", b"\x80\x00", (MALFORMED,))
        yield _with_properties(kind, "property length beyond the packet", b"\x7f", (MALFORMED,))
        yield _with_properties(kind, "property cut short", b"\x03\x26\x00\x01", (MALFORMED,))


def property_values(_):
    def values(kind, name, value, *codes):
        return _with_properties(kind, f"property {name:#x} = {value!r}", [(name, value)], codes or (PROTOCOL_ERROR,))
    yield values(w.CONNECT, P.RECEIVE_MAXIMUM, 0)
    yield values(w.CONNECT, P.MAXIMUM_PACKET_SIZE, 0)
    yield values(w.CONNECT, P.PROBLEM_INFO, 2)
    yield values(w.CONNECT, P.RESPONSE_INFO_WANTED, 2)
    yield values(w.CONNECT, P.AUTH_DATA, b"without a method")
    for kind in (PUBLISH, w.WILL):
        yield values(kind, P.PAYLOAD_FORMAT, 2, MALFORMED, PROTOCOL_ERROR)
        yield values(kind, P.RESPONSE_TOPIC, "a/+", PROTOCOL_ERROR, MALFORMED, TOPIC_INVALID)
    yield values(w.SUBSCRIBE, P.SUBSCRIPTION_ID, 0)
    yield values(PUBLISH, P.TOPIC_ALIAS, 0, ALIAS_INVALID, PROTOCOL_ERROR)
    yield values(PUBLISH, P.TOPIC_ALIAS, 65535, ALIAS_INVALID)
    yield Attack("topic alias that was never set", V5, w.publish(V5, "", props={P.TOPIC_ALIAS: 1}), (PROTOCOL_ERROR,))
    yield Attack("session expiry raised in disconnect", V5, w.disconnect(V5, 0, {P.SESSION_EXPIRY: 5}), (PROTOCOL_ERROR,))
    yield Attack("reason code of a server in disconnect", V5, w.disconnect(V5, 0x8B, {}), _ANY_FAULT)
    for kind in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
        yield Attack(f"undefined reason code in {kind.lower()}", V5, w.ack(V5, getattr(w, kind), 1, 0x7F), _ANY_FAULT)


_BOTH = (truncated, too_long, reserved_flags, reserved_types, connect_flags, subscription_options, packet_id_zero,
         wrong_state, topics, invalid_utf8, lengths)
GROUPS = {(f"{make.__name__}-v{'5' if version == V5 else '311'}"): tuple(make(version))
          for make in _BOTH for version in (V311, V5)}
GROUPS |= {make.__name__: tuple(make(V5)) for make in (properties, property_values)}
ATTACKS = tuple(attack for group in GROUPS.values() for attack in group)
