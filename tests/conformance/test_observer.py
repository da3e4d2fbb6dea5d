"""The eyes of this suite: each rule of the reader and of the observer takes what is right and finds what is wrong.

Because of them every test here also covers the rules about single packets of a server; test_every_packet
makes the broker send each of them.
"""

import pytest

import wire
from client import Observer
from covers import covers
from strict import Violation, decode
from test_publish import ALL_PROPS
from wire import (
    AUTH, CONNACK, DISCONNECT, P, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, V5, V31, V311,
    prop, props_bytes, string)


def props(*pairs):
    return props_bytes(list(pairs))


ONE = b"\0\1"  # a packet identifier
BAD = {
    # clause: (first byte, body, version)
    "MQTT-2.1.3-1": (PUBACK << 4 | 1, ONE, V5),
    "MQTT-2.2.2-1": (SUBACK << 4 | 2, ONE + b"\0", V311),
    "MQTT-3.6.1-1": (PUBREL << 4, ONE, V5),
    "MQTT-3.14.1-1": (DISCONNECT << 4 | 1, b"", V5),
    "MQTT-3.15.1-1": (AUTH << 4 | 1, b"", V5),
    "v5#2.1.2/type-0": (0, b"", V5),
    "v311#2.2.1/type-0": (15 << 4, b"", V311),
    "v5#2.1.2/direction": (wire.SUBSCRIBE << 4, b"", V5),
    "v311#2.2.1/direction": (wire.PINGREQ << 4, b"", V311),
    "v311#3.14/server-disconnect": (DISCONNECT << 4, b"", V311),
    "v5#3.12/empty": (PINGRESP << 4, b"x", V5),
    "v311#3.12-3.14/rl-0": (PINGRESP << 4, b"x", V311),
    "v311#3.4-3.11/rl-2": (PUBACK << 4, ONE + b"\0", V311),
    "v5#2.1.4/rl-fit": (PUBACK << 4, ONE + b"\0\0x", V5),
    "MQTT-2.2.1-4": (PUBLISH << 4 | 2, string("t") + b"\0\0\0", V5),
    "MQTT-2.3.1-1": (PUBLISH << 4 | 2, string("t") + b"\0\0", V311),
    "MQTT-1.5.4-1": (PUBLISH << 4, string(b"\xed\xa0\x80") + b"\0", V5),
    "MQTT-1.5.3-1": (PUBLISH << 4, string(b"\xff"), V311),
    "MQTT-1.5.4-2": (PUBLISH << 4, string(b"a\0") + b"\0", V5),
    "MQTT-1.5.3-2": (PUBLISH << 4, string(b"a\0"), V31),
    "MQTT-3.3.1-2": (PUBLISH << 4 | 8, string("t") + b"\0", V5),
    "MQTT-3.3.1-4": (PUBLISH << 4 | 6, string("t") + ONE + b"\0", V5),
    "MQTT-3.3.2-2": (PUBLISH << 4, string("a/+") + b"\0", V5),
    "MQTT-4.7.3-1": (PUBLISH << 4, string(""), V311),
    "v5#3.3.2.1/empty-topic": (PUBLISH << 4, string("") + b"\0", V5),
    "MQTT-3.3.2-8": (PUBLISH << 4, string("t") + props((P.TOPIC_ALIAS, 0)), V5),
    "MQTT-3.3.2-14": (PUBLISH << 4, string("t") + props((P.RESPONSE_TOPIC, "#")), V5),
    "MQTT-2.2.2-1 ": (PUBLISH << 4, string("t"), V5),
    "MQTT-1.5.5-1": (PUBLISH << 4, string("t") + b"\x80\0", V5),
    "v5#1.5.5/rl-4-bytes": (PUBLISH << 4, string("t") + b"\x80\x80\x80\x80\1", V5),
    "v5#2.2.2.2/prop-unknown": (PUBLISH << 4, string("t") + b"\2\x7f\1", V5),
    "v5#2.2.2.2/prop-packet": (PUBLISH << 4, string("t") + props((P.RECEIVE_MAXIMUM, 1)), V5),
    "v5#2.2.2.2/prop-length": (PUBLISH << 4, string("t") + b"\3" + prop(P.MESSAGE_EXPIRY, 1), V5),
    "v5#3.3.2.3.2/pfi-value": (PUBLISH << 4, string("t") + props((P.PAYLOAD_FORMAT, 2)), V5),
    "v5#3.3.2.3.2-3/pfi-expiry-dup": (PUBLISH << 4, string("t") + props(*[(P.MESSAGE_EXPIRY, 2)] * 2), V5),
    "v5#3.3.2.3.4/alias-dup": (PUBLISH << 4, string("t") + props(*[(P.TOPIC_ALIAS, 2)] * 2), V5),
    "v5#3.3.2.3.5-9/dup": (PUBLISH << 4, string("t") + props(*[(P.CONTENT_TYPE, "")] * 2), V5),
    "v5#3.3.2.3.8/subid-zero": (PUBLISH << 4, string("t") + props((P.SUBSCRIPTION_ID, 0)), V5),
    "MQTT-3.4.2-1": (PUBACK << 4, ONE + b"\x92", V5),
    "MQTT-3.5.2-1": (PUBREC << 4, ONE + b"\x42", V5),
    "MQTT-3.6.2-1": (PUBREL << 4 | 2, ONE + b"\x80", V5),
    "MQTT-3.7.2-1": (PUBCOMP << 4, ONE + b"\x10", V5),
    "MQTT-3.9.3-2": (SUBACK << 4, ONE + b"\0\3", V5),
    "MQTT-3.9.3-2 ": (SUBACK << 4, ONE + b"\x87", V311),
    "MQTT-3.11.3-2": (UNSUBACK << 4, ONE + b"\0\1", V5),
    "MQTT-3.14.2-1": (DISCONNECT << 4, b"\4", V5),
    "MQTT-3.14.2-2": (DISCONNECT << 4, b"\x8b" + props((P.SESSION_EXPIRY, 1)), V5),
    "MQTT-3.15.2-1": (AUTH << 4, b"\x19" + props((P.AUTH_METHOD, "x")), V5),
    "v5#3.15.2.2.2/method": (AUTH << 4, b"\x18\0", V5),
    "MQTT-3.2.2-1": (CONNACK << 4, b"\2\0\0", V5),
    "v311#3.2.2.1/ack-flags": (CONNACK << 4, b"\x80\0", V311),
    "MQTT-3.2.2-6": (CONNACK << 4, b"\1\x80\0", V5),
    "MQTT-3.2.2-4": (CONNACK << 4, b"\1\5", V311),
    "MQTT-3.2.2-8": (CONNACK << 4, b"\0\1\0", V5),
    "MQTT-3.2.2-6 ": (CONNACK << 4, b"\0\6", V311),
    "v5#3.2.2.3.4/max-qos": (CONNACK << 4, b"\0\0" + props((P.MAXIMUM_QOS, 2)), V5),
    "v5#3.2.2.3.5/retain-avail": (CONNACK << 4, b"\0\0" + props(*[(P.RETAIN_AVAILABLE, 1)] * 2), V5),
    "v5#3.2.2.3.7/assigned-dup": (CONNACK << 4, b"\0\0" + props(*[(P.ASSIGNED_ID, "a")] * 2), V5),
    "v5#3.2.2.3.9/reason-dup": (CONNACK << 4, b"\0\0" + props(*[(P.REASON_STRING, "a")] * 2), V5),
    "v5#3.2.2.3.11-13/feature-bits": (CONNACK << 4, b"\0\0" + props((P.SHARED_AVAILABLE, 2)), V5),
    "v5#3.2.2.3.14/ska-dup": (CONNACK << 4, b"\0\0" + props(*[(P.SERVER_KEEP_ALIVE, 1)] * 2), V5),
    "v5#3.2.2.3.15/resp-info-dup": (CONNACK << 4, b"\0\0" + props(*[(P.RESPONSE_INFO, "")] * 2), V5),
    "v5#3.2.2.3.16/server-ref": (CONNACK << 4, b"\0\0" + props((P.SERVER_REFERENCE, "")), V5),
    "v5#3.1.2.11.2/sei-dup": (CONNACK << 4, b"\0\0" + props(*[(P.SESSION_EXPIRY, 1)] * 2), V5),
    "v5#3.1.2.11.3/rm": (CONNACK << 4, b"\0\0" + props((P.RECEIVE_MAXIMUM, 0)), V5),
    "v5#3.1.2.11.4/mps": (CONNACK << 4, b"\0\0" + props((P.MAXIMUM_PACKET_SIZE, 0)), V5),
    "v5#3.1.2.11.5/tam-dup": (CONNACK << 4, b"\0\0" + props(*[(P.TOPIC_ALIAS_MAXIMUM, 1)] * 2), V5),
    "v5#3.1.2.11.9/auth-method-dup": (CONNACK << 4, b"\0\0" + props(*[(P.AUTH_METHOD, "")] * 2), V5),
    "v5#3.1.2.11.10/auth-data": (CONNACK << 4, b"\0\0" + props((P.AUTH_DATA, b"")), V5),
}


@pytest.mark.parametrize("clause", BAD)
def test_the_reader_finds_what_is_wrong(clause):
    with pytest.raises(Violation) as found:
        decode(*BAD[clause])
    assert found.value.clause == clause.strip()


def server_says(version, *packets, connect=(), requests=None, sent=None):
    """Packets of a server as the observer sees them."""
    observer = Observer(version)
    observer.on_connect(connect)
    observer.requests, observer.sent = requests or {}, sent or {}
    for data in packets:
        packet = decode(data[0], data[2:] if data[1] < 0x80 else data[3:], version)
        packet.size = len(data)
        observer.on_packet(packet)


def connack(version, code=0, present=0, pairs=()):
    return wire.packet(CONNACK, bytes([present, code]) + (props(*pairs) if version == V5 else b""))


def to_client(version, qos=0, packet_id=0, dup=0, topic="t", pairs=()):
    return wire.publish(version, topic, b"", qos, packet_id, 0, dup, pairs)


OK5, OK311 = connack(V5), connack(V311)
CONVERSATIONS = {
    "MQTT-3.2.0-1": (V5, [to_client(V5)], {}),
    "MQTT-3.14.0-1": (V5, [wire.disconnect(V5, 0x8B)], {}),
    "MQTT-3.2.0-2": (V5, [OK5, OK5], {}),
    "v311#3.2.0/connack-repeat": (V311, [OK311, OK311], {}),
    "MQTT-3.1.4-6": (V5, [connack(V5, 0x87), wire.packet(PINGRESP)], {}),
    "MQTT-3.1.4-5": (V311, [connack(V311, 5), wire.packet(PINGRESP)], {}),
    "MQTT-3.14.4-1": (V5, [OK5, wire.disconnect(V5, 0x8B), to_client(V5)], {}),
    "MQTT-3.1.2-24": (V5, [OK5, to_client(V5, topic="t" * 90)], {"connect": {P.MAXIMUM_PACKET_SIZE: 50}}),
    "MQTT-3.1.2-29": (V5, [OK5, wire.packet(SUBACK, ONE + props((P.REASON_STRING, "x")) + b"\0")],
                      {"connect": {P.PROBLEM_INFO: 0}, "requests": {1: (SUBACK, 1)}}),
    "MQTT-2.2.1-4": (V5, [OK5, to_client(V5, 1, 5), to_client(V5, 1, 5)], {}),
    "MQTT-2.3.1-4": (V311, [OK311, to_client(V311, 1, 5), to_client(V311, 2, 5)], {}),
    "MQTT-4.4.0-1": (V5, [OK5, to_client(V5, 1, 5), to_client(V5, 1, 5, 1)], {}),
    "MQTT-3.3.1-3": (V5, [OK5, to_client(V5, 1, 5, 1)], {}),
    "MQTT-3.3.4-9": (V5, [OK5, to_client(V5, 1, 5), to_client(V5, 1, 6)], {"connect": {P.RECEIVE_MAXIMUM: 1}}),
    "MQTT-3.1.2-26": (V5, [OK5, to_client(V5, pairs={P.TOPIC_ALIAS: 3})], {"connect": {P.TOPIC_ALIAS_MAXIMUM: 2}}),
    "MQTT-3.1.2-27": (V5, [OK5, to_client(V5, pairs={P.TOPIC_ALIAS: 1})], {}),
    "MQTT-3.3.2-7": (V5, [OK5, to_client(V5, topic="", pairs={P.TOPIC_ALIAS: 1})],
                     {"connect": {P.TOPIC_ALIAS_MAXIMUM: 2}}),
    "MQTT-2.2.1-5": (V5, [OK5, wire.ack(V5, PUBACK, 1)], {"sent": {1: PUBREC}}),
    "MQTT-2.3.1-6": (V311, [OK311, wire.ack(V311, PUBREL, 1)], {}),
    "MQTT-2.2.1-6": (V5, [OK5, wire.packet(UNSUBACK, ONE + b"\0\0")], {"requests": {1: (SUBACK, 1)}}),
    "MQTT-2.3.1-7": (V311, [OK311, wire.packet(UNSUBACK, ONE)], {}),
    "MQTT-3.8.4-6": (V5, [OK5, wire.packet(SUBACK, ONE + b"\0\0\0")], {"requests": {1: (SUBACK, 1)}}),
    "MQTT-3.8.4-5": (V311, [OK311, wire.packet(SUBACK, ONE + b"\0")], {"requests": {1: (SUBACK, 2)}}),
    "MQTT-3.11.3-2": (V5, [OK5, wire.packet(UNSUBACK, ONE + b"\0\0")], {"requests": {1: (UNSUBACK, 2)}}),
    "v5#3.13/unsolicited": (V5, [OK5, wire.packet(PINGRESP)], {}),
    "MQTT-3.12.4-1": (V311, [OK311, wire.packet(PINGRESP)], {}),
    "MQTT-4.12.0-6": (V5, [OK5, wire.auth(0x18, {P.AUTH_METHOD: "x"})], {}),
    "MQTT-4.12.0-5": (V5, [OK5, wire.auth(0, {P.AUTH_METHOD: "y"})], {"connect": {P.AUTH_METHOD: "x"}}),
}


@pytest.mark.parametrize("clause", CONVERSATIONS)
def test_the_observer_finds_what_is_wrong(clause):
    version, packets, how = CONVERSATIONS[clause]
    server_says(version, *packets[:-1], **how)
    with pytest.raises(Violation) as found:
        server_says(version, *packets, **how)
    assert found.value.clause == clause


@covers("MQTT-1.5.4-1 MQTT-1.5.4-2 MQTT-1.5.5-1 MQTT-1.5.7-1 MQTT-2.1.3-1 MQTT-2.2.1-2 MQTT-2.2.1-4 MQTT-2.2.1-5 "
        "MQTT-2.2.1-6 MQTT-2.2.2-1 MQTT-3.2.2-1 MQTT-3.2.2-8 MQTT-3.3.1-2 MQTT-3.3.1-4 MQTT-3.3.2-1 MQTT-3.3.2-2 "
        "MQTT-3.3.2-13 MQTT-3.3.2-14 MQTT-3.3.2-19 MQTT-3.4.2-1 MQTT-3.5.2-1 MQTT-3.6.1-1 MQTT-3.6.2-1 MQTT-3.7.2-1 "
        "MQTT-3.9.3-2 MQTT-3.11.3-2 MQTT-4.3.1-1 MQTT-4.7.0-1 MQTT-4.7.3-1 MQTT-4.7.3-2 v5#2.1.2/type-0 "
        "v5#2.1.2/direction v5#1.5.5/rl-4-bytes v5#2.1.4/rl-fit v5#2.2.2.2/prop-unknown v5#2.2.2.2/prop-packet "
        "v5#2.2.2.2/prop-length v5#3.3.2.3.2/pfi-value v5#3.3.2.3.2-3/pfi-expiry-dup v5#3.3.2.3.5-9/dup "
        "v5#3.3.2.3.8/subid-zero v5#3.12/empty v5#3.2.2.3.16/server-ref",
        "MQTT-1.5.3-1 MQTT-1.5.3-2 MQTT-2.2.2-1 MQTT-2.3.1-1 MQTT-2.3.1-6 MQTT-2.3.1-7 MQTT-3.2.2-6 MQTT-3.3.1-2 "
        "MQTT-3.3.1-4 MQTT-3.3.2-1 MQTT-3.3.2-2 MQTT-3.6.1-1 MQTT-3.9.3-2 MQTT-4.3.1-1 MQTT-4.7.1-1 MQTT-4.7.3-1 "
        "MQTT-4.7.3-2 v311#2.2.1/type-0 v311#2.2.1/direction v311#2.2.3/rl-4-bytes v311#2.2.3/rl-minimal "
        "v311#3.2.2.1/ack-flags v311#3.4-3.11/rl-2 v311#3.12-3.14/rl-0 v311#3.2.0/connack-repeat "
        "v311#3.14/server-disconnect")
def test_every_packet_of_the_server_is_well_formed(connected, topic, version):
    """The reader finds what is wrong, see above; here it reads one of each kind."""
    client = connected(version, automatic=False)
    client.subscribe(topic, topic + "/\u20ac", qos=2)
    for qos in (0, 1, 2):
        how = {"props": ALL_PROPS} if version == V5 else {}
        client.publish(topic, b"\0\1\2", qos, **how)
        message = client.message()
        assert (message.topic, message.payload, message.qos) == (topic, b"\0\1\2", qos)
        if qos:
            client.ack(message)
        if qos == 2:
            client.pubcomp(client.expect(PUBREL))
    client.unsubscribe(topic, "none")
    assert client.drain() == []
    other = connected(version, client.client_id)
    client.end()
    assert other.drain() == []
