"""Just enough MQTT bytes to script servers for the tests. Independent of libmqtt on purpose."""

import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15

REASON_STRING, SERVER_REFERENCE, MAXIMUM_PACKET_SIZE, RECEIVE_MAXIMUM = 0x1F, 0x1C, 0x27, 0x21
TOPIC_ALIAS_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE, ASSIGNED_CLIENT_ID = 0x22, 0x24, 0x25, 0x12
SERVER_KEEP_ALIVE, SESSION_EXPIRY_INTERVAL = 0x13, 0x11
WILDCARD_SUBSCRIPTION_AVAILABLE, SUBSCRIPTION_IDENTIFIERS_AVAILABLE, SHARED_SUBSCRIPTION_AVAILABLE = 0x28, 0x29, 0x2A
AUTHENTICATION_METHOD, AUTHENTICATION_DATA = 0x15, 0x16
RESPONSE_TOPIC, CORRELATION_DATA, RESPONSE_INFORMATION = 0x08, 0x09, 0x1A

_FOUR = {MAXIMUM_PACKET_SIZE, SESSION_EXPIRY_INTERVAL}
_TWO = {RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM, SERVER_KEEP_ALIVE}
_ONE = {MAXIMUM_QOS, RETAIN_AVAILABLE, WILDCARD_SUBSCRIPTION_AVAILABLE, SUBSCRIPTION_IDENTIFIERS_AVAILABLE,
        SHARED_SUBSCRIPTION_AVAILABLE}


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def properties(values):
    """`values`: {identifier: number or text}."""
    body = b""
    for name, value in values.items():
        form = ">I" if name in _FOUR else ">H" if name in _TWO else ">B" if name in _ONE else None
        body += bytes([name]) + (struct.pack(form, value) if form else string(value))
    return varint(len(body)) + body


def packet(kind, body=b"", flags=0):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect_v311(client_id, clean):
    return packet(CONNECT, string("MQTT") + bytes([4, 2 if clean else 0, 0, 0]) + string(client_id))


def connack(version, code=0, session_present=0, props=None):
    """`code` is sent as given: v5 and v3 number their refusals differently."""
    return packet(CONNACK, bytes([session_present, code]) + (properties(props or {}) if version == 5 else b""))


def ack(kind, packet_id, version, code=0, props=None):
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    body = struct.pack(">H", packet_id)
    if version == 5 and (code or props):
        body += bytes([code]) + properties(props or {})
    return packet(kind, body, flags=2 if kind == PUBREL else 0)


def suback(packet_id, version, codes, props=None):
    return packet(SUBACK, struct.pack(">H", packet_id) + (properties(props or {}) if version == 5 else b"")
                  + bytes(codes))


def publish(topic, payload=b"", qos=0, packet_id=0, version=5, retain=0, dup=0, props=None):
    body = string(topic) + (struct.pack(">H", packet_id) if qos else b"")
    body += properties(props or {}) if version == 5 else b""
    return packet(PUBLISH, body + payload, dup << 3 | qos << 1 | retain)


def disconnect(code, props=None):
    return packet(DISCONNECT, bytes([code]) + properties(props or {}))


def auth(code, method, data=None):
    """AUTH; 0x00 ends an authentication, 0x18 goes on, 0x19 begins another."""
    return packet(AUTH, bytes([code]) + properties(authentication(method, data)))


def authentication(method, data=None):
    """The properties of a step; `data`: bytes, or None."""
    return {AUTHENTICATION_METHOD: method} | ({} if data is None else {AUTHENTICATION_DATA: data})


def _read_properties(body):
    """{identifier: bytes or number} and what follows; each identifier once."""
    length = shift = offset = 0
    while True:
        byte = body[offset]
        length |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if not byte & 0x80:
            break
    values, rest = {}, body[offset:offset + length]
    while rest:
        name, rest = rest[0], rest[1:]
        if name in _FOUR | _TWO | _ONE:
            size = 4 if name in _FOUR else 2 if name in _TWO else 1
            values[name], rest = int.from_bytes(rest[:size], "big"), rest[size:]
        else:
            values[name], rest = _read_string(rest)
    return values, body[offset + length:]


def _read_string(body):
    size = int.from_bytes(body[:2], "big")
    return body[2:2 + size], body[2 + size:]


class Packet:
    """A received packet: `kind`, `flags`, `body`, and what the tests ask of it."""

    def __init__(self, first, body):
        self.kind, self.flags, self.body = first >> 4, first & 0x0F, body

    def __repr__(self):
        return f"Packet({self.kind}, {self.flags}, {self.body!r})"

    @property
    def connect_version(self):
        """The protocol level of a CONNECT, 0 for anything else (it may not be MQTT at all)."""
        for name in (string("MQTT"), string("MQIsdp")):
            if self.kind == CONNECT and self.body.startswith(name):
                return self.body[len(name)]
        return 0

    @property
    def authentication(self):
        """Of a CONNECT of 5.0 or an AUTH: method and data, bytes or None."""
        values = _read_properties(self.body[10:] if self.kind == CONNECT else self.body[1:])[0]
        return values.get(AUTHENTICATION_METHOD), values.get(AUTHENTICATION_DATA)

    @property
    def credentials(self):
        """Of a CONNECT without will: user name and password, bytes or None."""
        rest = self.body[10:]
        if self.connect_version == 5:
            rest = _read_properties(rest)[1]
        rest = _read_string(rest)[1]
        user = password = None
        if self.body[7] & 0x80:
            user, rest = _read_string(rest)
        if self.body[7] & 0x40:
            password = _read_string(rest)[0]
        return user, password

    @property
    def packet_id(self):
        offset = 0
        if self.kind == PUBLISH:
            offset = 2 + struct.unpack_from(">H", self.body)[0]
        return struct.unpack_from(">H", self.body, offset)[0]

    @property
    def qos(self):
        return self.flags >> 1 & 3
