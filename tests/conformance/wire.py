"""Writes MQTT packets as the tests ask for them, right or wrong. Independent of libmqtt on purpose."""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.mqtt_wire import packet, string, varint  # noqa: E402
from support.mqtt_wire import (  # noqa: E402,F401  (for our users)
    AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK,
    SUBSCRIBE, UNSUBACK, UNSUBSCRIBE)

V31, V311, V5 = 3, 4, 5
PROTOCOL_NAME = {V31: "MQIsdp", V311: "MQTT", V5: "MQTT"}
WILL = 16  # not a packet, but it has properties of its own


class P:
    """Property identifiers."""

    PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION = 0x01, 0x02, 0x03, 0x08, 0x09
    SUBSCRIPTION_ID, SESSION_EXPIRY, ASSIGNED_ID, SERVER_KEEP_ALIVE = 0x0B, 0x11, 0x12, 0x13
    AUTH_METHOD, AUTH_DATA, PROBLEM_INFO, WILL_DELAY, RESPONSE_INFO_WANTED = 0x15, 0x16, 0x17, 0x18, 0x19
    RESPONSE_INFO, SERVER_REFERENCE, REASON_STRING, RECEIVE_MAXIMUM = 0x1A, 0x1C, 0x1F, 0x21
    TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS, MAXIMUM_QOS, RETAIN_AVAILABLE, USER = 0x22, 0x23, 0x24, 0x25, 0x26
    MAXIMUM_PACKET_SIZE, WILDCARD_AVAILABLE, SUBID_AVAILABLE, SHARED_AVAILABLE = 0x27, 0x28, 0x29, 0x2A


# identifier -> (type, packets that may carry it). Types: B byte, H two bytes, I four, V variable byte
# integer, S string, D binary, U pair of strings.
_ANSWERS = {PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK}
PROPERTIES = {
    P.PAYLOAD_FORMAT: ("B", {PUBLISH, WILL}), P.MESSAGE_EXPIRY: ("I", {PUBLISH, WILL}),
    P.CONTENT_TYPE: ("S", {PUBLISH, WILL}), P.RESPONSE_TOPIC: ("S", {PUBLISH, WILL}),
    P.CORRELATION: ("D", {PUBLISH, WILL}), P.SUBSCRIPTION_ID: ("V", {PUBLISH, SUBSCRIBE}),
    P.SESSION_EXPIRY: ("I", {CONNECT, CONNACK, DISCONNECT}), P.ASSIGNED_ID: ("S", {CONNACK}),
    P.SERVER_KEEP_ALIVE: ("H", {CONNACK}), P.AUTH_METHOD: ("S", {CONNECT, CONNACK, AUTH}),
    P.AUTH_DATA: ("D", {CONNECT, CONNACK, AUTH}), P.PROBLEM_INFO: ("B", {CONNECT}),
    P.WILL_DELAY: ("I", {WILL}), P.RESPONSE_INFO_WANTED: ("B", {CONNECT}), P.RESPONSE_INFO: ("S", {CONNACK}),
    P.SERVER_REFERENCE: ("S", {CONNACK, DISCONNECT}),
    P.REASON_STRING: ("S", _ANSWERS | {CONNACK, DISCONNECT, AUTH}),
    P.RECEIVE_MAXIMUM: ("H", {CONNECT, CONNACK}), P.TOPIC_ALIAS_MAXIMUM: ("H", {CONNECT, CONNACK}),
    P.TOPIC_ALIAS: ("H", {PUBLISH}), P.MAXIMUM_QOS: ("B", {CONNACK}), P.RETAIN_AVAILABLE: ("B", {CONNACK}),
    P.USER: ("U", _ANSWERS | {CONNECT, CONNACK, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH, WILL}),
    P.MAXIMUM_PACKET_SIZE: ("I", {CONNECT, CONNACK}), P.WILDCARD_AVAILABLE: ("B", {CONNACK}),
    P.SUBID_AVAILABLE: ("B", {CONNACK}), P.SHARED_AVAILABLE: ("B", {CONNACK}),
}


def prop(name, value):
    """One property's bytes."""
    kind = PROPERTIES[name][0]
    if kind in "BHI":
        return bytes([name]) + struct.pack(">" + kind, value)
    if kind == "V":
        return bytes([name]) + varint(value)
    if kind == "U":
        return bytes([name]) + string(value[0]) + string(value[1])
    return bytes([name]) + string(value)


def props_bytes(values):
    """`values`: {identifier: value}, or pairs where order or repetition matters, or bytes as they are."""
    if isinstance(values, bytes):
        return values
    pairs = values.items() if isinstance(values, dict) else values
    body = b"".join(prop(name, value) for name, value in pairs)
    return varint(len(body)) + body


def _props(version, values):
    return props_bytes(values) if version == V5 else b""


@dataclass
class Will:
    """The Will of a CONNECT."""

    topic: str
    payload: bytes = b"will"
    qos: int = 0
    retain: bool = False
    props: object = ()


def connect(version, client_id="", clean=True, keep_alive=0, props=(), will=None, username=None, password=None,
            flags=None, level=None, name=None):
    """`flags`, `level` and `name` replace what follows from the rest."""
    bits = (0x02 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    if will:
        bits |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
    body = string(PROTOCOL_NAME[version] if name is None else name)
    body += bytes([version if level is None else level, bits if flags is None else flags])
    body += struct.pack(">H", keep_alive) + _props(version, props) + string(client_id)
    if will:
        body += _props(version, will.props) + string(will.topic) + string(will.payload)
    body += string(username) if username is not None else b""
    body += string(password) if password is not None else b""
    return packet(CONNECT, body)


def publish(version, topic, payload=b"", qos=0, packet_id=0, retain=0, dup=0, props=()):
    """QoS 3 has a packet identifier too."""
    body = string(topic) + (struct.pack(">H", packet_id) if qos else b"") + _props(version, props)
    return packet(PUBLISH, body + payload, dup << 3 | qos << 1 | retain)


def ack(version, kind, packet_id, code=0, props=(), flags=None):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; the short form where it says the same."""
    body = struct.pack(">H", packet_id)
    if version == V5 and (code or props):
        body += bytes([code]) + (props_bytes(props) if props else b"")
    return packet(kind, body, flags=(2 if kind == PUBREL else 0) if flags is None else flags)


def subscribe(version, packet_id, filters, props=(), flags=2):
    """`filters`: [(filter, options byte)]."""
    body = struct.pack(">H", packet_id) + _props(version, props)
    return packet(SUBSCRIBE, body + b"".join(string(f) + bytes([options]) for f, options in filters), flags)


def options(qos=0, no_local=False, as_published=False, handling=0):
    """A subscription's options byte."""
    return qos | no_local << 2 | as_published << 3 | handling << 4


def unsubscribe(version, packet_id, filters, props=(), flags=2):
    body = struct.pack(">H", packet_id) + _props(version, props)
    return packet(UNSUBSCRIBE, body + b"".join(string(f) for f in filters), flags)


def disconnect(version, code=0, props=(), flags=0):
    body = b""
    if version == V5 and (code or props):
        body = bytes([code]) + (props_bytes(props) if props else b"")
    return packet(DISCONNECT, body, flags)


def auth(code, props=(), flags=0):
    return packet(AUTH, bytes([code]) + props_bytes(props), flags)


PING = packet(PINGREQ)
