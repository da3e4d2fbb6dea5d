"""Packets after CONNACK that break a rule: DISCONNECT with a reason at MQTT 5, then the end of the connection.

Where the text leaves malformed (0x81) and protocol error (0x82) open, the case says what ours answers.
"""

import pytest

import subjects
import wire
from covers import covers
from wire import (
    CONNACK, P, PINGREQ, PINGRESP, PUBACK, PUBLISH, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, V5, V311,
    options, packet, prop, string)

MALFORMED, PROTOCOL_ERROR, TOPIC_INVALID, FILTER_INVALID = 0x81, 0x82, 0x90, 0x8F
SURROGATE, OVERLONG, NUL = b"a\xed\xa0\x80", b"\xc0\xaf", b"a\0b"
ONE = b"\0\1"  # a packet identifier


def case(name, data, v5="", v311="", code=MALFORMED):
    """`data(version)`: the packet. Without clauses for a version the case is not for it."""
    v5, v311 = v5 and v5 + " MQTT-4.13.1-1", v311 and v311 + " MQTT-4.8.0-1"
    return [pytest.param(version, data, code, id=f"{'v5' if version == V5 else 'v311'}-{name}",
                         marks=covers(v5=v5 if version == V5 else "", v311=v311 if version != V5 else ""))
            for version, clauses in ((V311, v311), (V5, v5)) if clauses]


def publish(topic="t", **how):
    return lambda version: wire.publish(version, topic, b"x", **how)


def publish_props(props):
    return publish(props=props)


def subscribe(*filters, props=(), flags=2, packet_id=1):
    return lambda version: wire.subscribe(version, packet_id, filters, props, flags)


def unsubscribe(*filters, props=(), flags=2, packet_id=1):
    return lambda version: wire.unsubscribe(version, packet_id, filters, props, flags)


def raw(kind, body=b"", flags=0):
    return lambda version: packet(kind, body, flags)


def answer(kind, code=0, props=(), packet_id=1, flags=None):
    return lambda version: wire.ack(version, kind, packet_id, code, props, flags)


def disconnect(code=0, props=(), flags=0):
    return lambda version: wire.disconnect(version, code, props, flags)


def twice(name, value):
    return publish_props([(name, value), (name, value)])


FLAGS_5, FLAGS_311 = "MQTT-2.1.3-1", "MQTT-2.2.2-1 MQTT-2.2.2-2"

FIXED_HEADER = [
    *case("type-0", raw(0), "v5#2.1.2/type-0", "v311#2.2.1/type-0"),
    *case("type-15", raw(15), "", "v311#2.2.1/type-0"),
    *case("subscribe-flags-0", subscribe(("t", 0), flags=0), FLAGS_5 + " MQTT-3.8.1-1", FLAGS_311 + " MQTT-3.8.1-1"),
    *case("subscribe-flags-3", subscribe(("t", 0), flags=3), FLAGS_5 + " MQTT-3.8.1-1", FLAGS_311 + " MQTT-3.8.1-1"),
    *case("subscribe-flags-10", subscribe(("t", 0), flags=10), FLAGS_5 + " MQTT-3.8.1-1",
          FLAGS_311 + " MQTT-3.8.1-1"),
    *case("unsubscribe-flags-0", unsubscribe("t", flags=0), FLAGS_5 + " MQTT-3.10.1-1",
          FLAGS_311 + " MQTT-3.10.1-1"),
    *case("pubrel-flags-0", answer(PUBREL, flags=0), FLAGS_5 + " MQTT-3.6.1-1", FLAGS_311 + " MQTT-3.6.1-1"),
    *case("puback-flags-1", answer(PUBACK, flags=1), FLAGS_5, FLAGS_311),
    *case("pubrec-flags-2", answer(wire.PUBREC, flags=2), FLAGS_5, FLAGS_311),
    *case("pubcomp-flags-8", answer(wire.PUBCOMP, flags=8), FLAGS_5, FLAGS_311),
    *case("pingreq-flags-1", raw(PINGREQ, flags=1), FLAGS_5, FLAGS_311),
    *case("disconnect-flags-1", disconnect(flags=1), FLAGS_5 + " MQTT-3.14.1-1", FLAGS_311 + " MQTT-3.14.1-1"),
    *case("auth-flags-1", lambda v: wire.auth(0x18, {P.AUTH_METHOD: "x"}, 1), FLAGS_5 + " MQTT-3.15.1-1"),
    *case("length-of-five-bytes", lambda v: b"\x30\x80\x80\x80\x80\x01", "v5#1.5.5/rl-4-bytes",
          "v311#2.2.3/rl-4-bytes"),
    *case("length-not-shortest", lambda v: b"\xc0\x80\x00", "MQTT-1.5.5-1"),
    *case("pingreq-with-body", raw(PINGREQ, b"x"), "v5#3.12/empty", "v311#3.12-3.14/rl-0"),
    *case("disconnect-with-body", raw(wire.DISCONNECT, b"\0"), "", "v311#3.12-3.14/rl-0"),
    *case("puback-too-long", raw(PUBACK, b"\0\1\0"), "", "v311#3.4-3.11/rl-2"),
    *case("puback-too-short", raw(PUBACK, b"\1"), "v5#2.1.4/rl-fit", "v311#3.4-3.11/rl-2"),
    *case("pubrel-empty", raw(PUBREL, flags=2), "v5#2.1.4/rl-fit", "v311#3.4-3.11/rl-2"),
    *case("connack-from-client", raw(CONNACK, b"\0\0"), "v5#2.1.2/direction", "v311#2.2.1/direction",
          PROTOCOL_ERROR),
    *case("suback-from-client", raw(SUBACK, ONE + b"\0"), "v5#2.1.2/direction", "v311#2.2.1/direction",
          PROTOCOL_ERROR),
    *case("unsuback-from-client", raw(UNSUBACK, ONE), "v5#2.1.2/direction", "v311#2.2.1/direction", PROTOCOL_ERROR),
    *case("pingresp-from-client", raw(PINGRESP), "v5#2.1.2/direction", "v311#2.2.1/direction", PROTOCOL_ERROR),
]

PUBLISH_CASES = [
    *case("qos-3", publish(qos=3, packet_id=1), "MQTT-3.3.1-4", "MQTT-3.3.1-4"),
    *case("dup-with-qos-0", publish(dup=1), "MQTT-3.3.1-2 MQTT-4.3.1-1", "MQTT-3.3.1-2 MQTT-4.3.1-1",
          PROTOCOL_ERROR),
    *case("id-0", publish(qos=1, packet_id=0), "MQTT-2.2.1-3", "MQTT-2.3.1-1", PROTOCOL_ERROR),
    *case("id-0-qos-2", publish(qos=2, packet_id=0), "MQTT-2.2.1-3", "MQTT-2.3.1-1", PROTOCOL_ERROR),
    *case("no-topic", raw(PUBLISH, b""), "MQTT-3.3.2-1", "MQTT-3.3.2-1"),
    *case("topic-cut", raw(PUBLISH, b"\0\5abc"), "MQTT-3.3.2-1 v5#2.1.4/rl-fit", "MQTT-3.3.2-1"),
    *case("no-id", raw(PUBLISH, string("t"), flags=2), "v5#2.1.4/rl-fit", "MQTT-2.3.1-1"),
    *case("no-property-length", raw(PUBLISH, string("t")), "MQTT-2.2.2-1 MQTT-2.2.1-2"),
    *case("empty-topic", publish(""), "v5#3.3.2.1/empty-topic MQTT-4.7.3-1", "MQTT-4.7.3-1", PROTOCOL_ERROR),
    *case("wildcard-hash", publish("a/#"), "MQTT-3.3.2-2 MQTT-4.7.0-1", "MQTT-3.3.2-2 MQTT-4.7.1-1", TOPIC_INVALID),
    *case("wildcard-plus", publish("a/+/b"), "MQTT-3.3.2-2 MQTT-4.7.0-1", "MQTT-3.3.2-2 MQTT-4.7.1-1",
          TOPIC_INVALID),
    *case("topic-surrogate", publish(SURROGATE), "MQTT-3.3.2-1 MQTT-1.5.4-1", "MQTT-3.3.2-1 MQTT-1.5.3-1"),
    *case("topic-overlong", publish(OVERLONG), "MQTT-3.3.2-1 MQTT-1.5.4-1", "MQTT-3.3.2-1 MQTT-1.5.3-1"),
    *case("topic-nul", publish(NUL), "MQTT-1.5.4-2 MQTT-4.7.3-2", "MQTT-1.5.3-2 MQTT-4.7.3-2"),
    *case("response-topic-wildcard", publish_props({P.RESPONSE_TOPIC: "a/#"}), "MQTT-3.3.2-14 MQTT-4.7.0-1",
          code=PROTOCOL_ERROR),
    *case("response-topic-utf8", publish_props({P.RESPONSE_TOPIC: SURROGATE}), "MQTT-3.3.2-13 MQTT-1.5.4-1"),
    *case("content-type-utf8", publish_props({P.CONTENT_TYPE: OVERLONG}), "MQTT-3.3.2-19 MQTT-1.5.4-1"),
    *case("user-property-utf8", publish_props([(P.USER, ("a", SURROGATE))]), "MQTT-1.5.7-1 MQTT-1.5.4-1"),
    *case("user-property-nul", publish_props([(P.USER, (NUL, "a"))]), "MQTT-1.5.7-1 MQTT-1.5.4-2"),
    *case("subscription-id", publish_props({P.SUBSCRIPTION_ID: 1}), "MQTT-3.3.4-6", code=PROTOCOL_ERROR),
    *case("format-twice", twice(P.PAYLOAD_FORMAT, 0), "v5#3.3.2.3.2-3/pfi-expiry-dup", code=PROTOCOL_ERROR),
    *case("expiry-twice", twice(P.MESSAGE_EXPIRY, 9), "v5#3.3.2.3.2-3/pfi-expiry-dup", code=PROTOCOL_ERROR),
    *case("alias-twice", twice(P.TOPIC_ALIAS, 1), "v5#3.3.2.3.4/alias-dup", code=PROTOCOL_ERROR),
    *case("response-topic-twice", twice(P.RESPONSE_TOPIC, "a"), "v5#3.3.2.3.5-9/dup", code=PROTOCOL_ERROR),
    *case("correlation-twice", twice(P.CORRELATION, b"a"), "v5#3.3.2.3.5-9/dup", code=PROTOCOL_ERROR),
    *case("content-type-twice", twice(P.CONTENT_TYPE, "a"), "v5#3.3.2.3.5-9/dup", code=PROTOCOL_ERROR),
    *case("property-unknown", publish_props(b"\2\x7f\1"), "v5#2.2.2.2/prop-unknown"),
    *case("property-of-connect", publish_props({P.RECEIVE_MAXIMUM: 1}), "v5#2.2.2.2/prop-packet"),
    *case("properties-too-long", publish_props(b"\x7f" + prop(P.MESSAGE_EXPIRY, 1)), "v5#2.2.2.2/prop-length"),
    *case("property-cut", publish_props(b"\4" + prop(P.MESSAGE_EXPIRY, 1)), "v5#2.2.2.2/prop-length"),
    *case("property-length-not-shortest", publish_props(b"\x80\0"), "MQTT-1.5.5-1"),
    *case("property-length-five-bytes", publish_props(b"\x80\x80\x80\x80\1"), "v5#1.5.5/rl-4-bytes"),
]

REQUESTS = [
    *case("subscribe-id-0", subscribe(("t", 0), packet_id=0), "MQTT-2.2.1-3", "MQTT-2.3.1-1", PROTOCOL_ERROR),
    *case("unsubscribe-id-0", unsubscribe("t", packet_id=0), "MQTT-2.2.1-3", "MQTT-2.3.1-1", PROTOCOL_ERROR),
    *case("subscribe-to-nothing", subscribe(), "MQTT-3.8.3-2", "MQTT-3.8.3-3", PROTOCOL_ERROR),
    *case("unsubscribe-from-nothing", unsubscribe(), "MQTT-3.10.3-2", "MQTT-3.10.3-2", PROTOCOL_ERROR),
    *case("qos-3", subscribe(("t", 3)), "v5#3.8.3.1/qos-3", "MQTT-3.8.3-4", PROTOCOL_ERROR),
    *case("option-bit-6", subscribe(("t", 0x40)), "MQTT-3.8.3-5", "MQTT-3.8.3-4"),
    *case("option-bit-7", subscribe(("t", 0x80)), "MQTT-3.8.3-5", "MQTT-3.8.3-4"),
    *case("option-bits-of-5-0", subscribe(("t", 0x04)), "", "MQTT-3.8.3-4"),
    *case("retain-handling-3", subscribe(("t", 0x30)), "v5#3.8.3.1/rh-3", code=PROTOCOL_ERROR),
    *case("subscribe-without-options", lambda v: packet(SUBSCRIBE, ONE + b"\0" * (v == V5) + string("t"), 2),
          "v5#2.1.4/rl-fit", "MQTT-3.8.3-3"),
    *case("second-filter-cut",
          lambda v: packet(SUBSCRIBE, ONE + b"\0" * (v == V5) + string("t") + b"\0\0\5t", 2),
          "v5#2.1.4/rl-fit", "MQTT-3.8.3-4"),
    *case("unsubscribe-cut", lambda v: packet(UNSUBSCRIBE, ONE + b"\0" * (v == V5) + b"\0\5t", 2),
          "v5#2.1.4/rl-fit", "MQTT-3.10.3-1"),
    *case("filter-utf8", subscribe((SURROGATE, 0)), "MQTT-3.8.3-1 MQTT-1.5.4-1", "MQTT-3.8.3-1 MQTT-1.5.3-1"),
    *case("filter-nul", subscribe((NUL, 0)), "MQTT-4.7.3-2 MQTT-1.5.4-2", "MQTT-4.7.3-2 MQTT-1.5.3-2"),
    *case("unsubscribe-utf8", unsubscribe(OVERLONG), "MQTT-3.10.3-1 MQTT-1.5.4-1", "MQTT-3.10.3-1 MQTT-1.5.3-1"),
    *case("empty-filter", subscribe(("", 0)), "MQTT-4.7.3-1", "MQTT-4.7.3-1", FILTER_INVALID),
    *case("hash-not-last", subscribe(("a/#/b", 0)), "MQTT-4.7.1-1", "MQTT-4.7.1-2", FILTER_INVALID),
    *case("hash-not-alone", subscribe(("a#", 0)), "MQTT-4.7.1-1", "MQTT-4.7.1-2", FILTER_INVALID),
    *case("plus-not-alone", subscribe(("a/b+/c", 0)), "MQTT-4.7.1-2", "MQTT-4.7.1-3", FILTER_INVALID),
    *case("subscription-id-0", subscribe(("t", 0), props={P.SUBSCRIPTION_ID: 0}), "v5#3.3.2.3.8/subid-zero",
          code=PROTOCOL_ERROR),
    *case("subscription-id-twice", subscribe(("t", 0), props=[(P.SUBSCRIPTION_ID, 1)] * 2), "v5#3.8.2.1.2/subid-dup",
          code=PROTOCOL_ERROR),
    *case("no-local-shared", subscribe(("$share/g/t", options(no_local=True))), "MQTT-3.8.3-4", code=PROTOCOL_ERROR),
    *case("share-without-filter", subscribe(("$share/g", 0)), "MQTT-4.8.2-2", code=FILTER_INVALID),
    *case("share-with-empty-filter", subscribe(("$share/g/", 0)), "MQTT-4.8.2-2 MQTT-4.7.3-1", code=FILTER_INVALID),
    *case("share-without-name", subscribe(("$share//t", 0)), "MQTT-4.8.2-1", code=FILTER_INVALID),
    *case("share-name-plus", subscribe(("$share/g+/t", 0)), "MQTT-4.8.2-2", code=FILTER_INVALID),
    *case("share-name-hash", subscribe(("$share/#/t", 0)), "MQTT-4.8.2-2", code=FILTER_INVALID),
    *case("property-of-publish", subscribe(("t", 0), props={P.TOPIC_ALIAS: 1}), "v5#2.2.2.2/prop-packet"),
    *case("unsubscribe-with-subscription-id", unsubscribe("t", props={P.SUBSCRIPTION_ID: 1}),
          "v5#2.2.2.2/prop-packet"),
    *case("user-property-utf8", subscribe(("t", 0), props=[(P.USER, (SURROGATE, ""))]), "MQTT-1.5.7-1"),
]

ANSWERS = [
    *case("puback-reason", answer(PUBACK, 0x42), "MQTT-3.4.2-1", code=PROTOCOL_ERROR),
    *case("pubrec-reason", answer(wire.PUBREC, 0x92), "MQTT-3.5.2-1", code=PROTOCOL_ERROR),
    *case("pubrel-reason", answer(PUBREL, 0x10), "MQTT-3.6.2-1", code=PROTOCOL_ERROR),
    *case("pubcomp-reason", answer(wire.PUBCOMP, 0x80), "MQTT-3.7.2-1", code=PROTOCOL_ERROR),
    *case("puback-id-0", answer(PUBACK, packet_id=0), "MQTT-2.2.1-5", "MQTT-2.3.1-6", PROTOCOL_ERROR),
    *case("reason-string-twice", answer(PUBACK, 0x80, [(P.REASON_STRING, "a")] * 2), "v5#3.2.2.3.9/reason-dup",
          code=PROTOCOL_ERROR),
    *case("reason-string-utf8", answer(PUBACK, 0x80, {P.REASON_STRING: SURROGATE}), "MQTT-1.5.4-1"),
    *case("property-of-publish", answer(PUBACK, 0x80, {P.TOPIC_ALIAS: 1}), "v5#2.2.2.2/prop-packet"),
    *case("disconnect-reason", disconnect(0x42), "MQTT-3.14.2-1", code=PROTOCOL_ERROR),
    *case("disconnect-reason-of-servers", disconnect(0x8E), "MQTT-3.14.2-1", code=PROTOCOL_ERROR),
    *case("disconnect-server-reference", disconnect(0x80, {P.SERVER_REFERENCE: "a"}), "v5#3.14.2.2.5/ref-dup",
          code=PROTOCOL_ERROR),
    *case("disconnect-expiry-twice", disconnect(0, [(P.SESSION_EXPIRY, 0)] * 2), "v5#3.1.2.11.2/sei-dup",
          code=PROTOCOL_ERROR),
    *case("disconnect-properties-cut", lambda v: packet(wire.DISCONNECT, b"\0\5\x11"), "v5#2.2.2.2/prop-length"),
    *case("auth-reason", lambda v: wire.auth(0x42, {P.AUTH_METHOD: "x"}), "MQTT-3.15.2-1", code=PROTOCOL_ERROR),
    *case("auth-success-of-servers", lambda v: wire.auth(0, {P.AUTH_METHOD: "x"}), "MQTT-3.15.2-1",
          code=PROTOCOL_ERROR),
    *case("auth-without-method", lambda v: wire.auth(0x19), "v5#3.15.2.2.2/method", code=PROTOCOL_ERROR),
    *case("auth-method-twice", lambda v: wire.auth(0x19, [(P.AUTH_METHOD, "x")] * 2),
          "v5#3.15.2.2.2/method v5#3.1.2.11.9/auth-method-dup", code=PROTOCOL_ERROR),
    *case("auth-data-twice", lambda v: wire.auth(0x19, [(P.AUTH_METHOD, "x"), *[(P.AUTH_DATA, b"x")] * 2]),
          "v5#3.15.2.2.3/data-dup v5#3.1.2.11.10/auth-data", code=PROTOCOL_ERROR),
]

def assert_ends(client, data, code):
    client.send(data, wire.PING)  # nothing behind the fault is answered
    client.refused(code)


@pytest.mark.parametrize("level,data,code", FIXED_HEADER)
def test_fixed_header(connected, level, data, code):
    assert_ends(connected(level), data(level), code)


@pytest.mark.parametrize("level,data,code", PUBLISH_CASES)
def test_publish(connected, level, data, code):
    assert_ends(connected(level), data(level), code)


@pytest.mark.parametrize("level,data,code", REQUESTS)
def test_requests(connected, level, data, code):
    client = connected(level)
    if code != FILTER_INVALID or level != V5:
        return assert_ends(client, data(level), code)
    # At 5.0 a filter that is well-formed but not allowed may be refused in SUBACK instead.
    client.observer.requests[1], client.observer.pings = (SUBACK, 1), 1
    client.send(data(level), wire.PING)
    answer = client.next()
    if answer.kind == SUBACK:
        assert answer.codes == [FILTER_INVALID], answer
        assert client.next().kind == PINGRESP
    else:
        assert answer.kind == wire.DISCONNECT and (answer.code == code or not subjects.is_ours()), answer
        assert client.end() == []


@pytest.mark.parametrize("level,data,code", ANSWERS)
def test_answers(connected, level, data, code):
    assert_ends(connected(level), data(level), code)


@covers("MQTT-4.13.1-1", "MQTT-4.8.0-1")
def test_nobody_else_suffers(connected, topic, version):
    watcher, other = connected(version), connected(version)
    watcher.subscribe(topic + "/#", qos=2)
    for cases in (FIXED_HEADER, PUBLISH_CASES, REQUESTS, ANSWERS):
        for level, data, _ in (c.values for c in cases if c.values[0] == version):
            bad = connected(level)
            bad.send(data(level))
            bad.close()
    other.publish(topic, b"fine", 2)
    assert [m.payload for m in watcher.drain()] == [b"fine"]


@covers("MQTT-4.13.1-1 MQTT-3.14.4-1", "MQTT-4.8.0-1")
def test_what_came_before_the_fault_counts_and_what_comes_after_does_not(connected, topic, version):
    watcher = connected(version)
    watcher.subscribe(topic)
    bad = connected(version)
    bad.send(wire.publish(version, topic, b"1"), wire.publish(version, "a/#", b""), wire.publish(version, topic, b"2"))
    bad.end()
    assert [m.payload for m in watcher.drain()] == [b"1"]


@covers("v5#2.1.4/rl-fit", "MQTT-3.8.3-4")
def test_every_beginning_of_a_subscribe_is_refused(connected, version):
    filters = [("a/b", 1), ("c", 2)]
    body = wire.subscribe(version, 1, filters, {P.SUBSCRIPTION_ID: 5} if version == V5 else ())[2:]
    whole_after = len(body) - 4  # after the first pair it is a good packet
    for size in range(len(body)):
        client = connected(version)
        client.observer.requests[1] = (SUBACK, 1)
        client.send(packet(SUBSCRIBE, body[:size], 2), b"\0\0")
        packets = client.end()
        assert size == whole_after or not [p for p in packets if p.kind == SUBACK], size


@covers("v5#2.1.4/rl-fit MQTT-2.2.2-1", "MQTT-2.3.1-1")
def test_every_beginning_of_a_publish_is_refused(connected, topic, version):
    """Up to its payload; whoever listens hears nothing of it."""
    watcher = connected(version)
    watcher.subscribe(topic)
    props = {P.CONTENT_TYPE: "abc", P.USER: ("k", "v")} if version == V5 else ()
    body = wire.publish(version, topic, b"", 1, 7, props=props)[2:]
    for size in range(len(body)):
        client = connected(version)
        client.send(packet(PUBLISH, body[:size], 2))
        assert not [p for p in client.end() if p.kind == PUBACK], size
    assert watcher.drain() == []


@covers("MQTT-3.14.4-1 MQTT-3.14.4-2", "MQTT-3.14.4-2 MQTT-3.14.4-1")
def test_nothing_after_disconnect_is_handled(connected, topic, any_version):
    watcher = connected(any_version)
    watcher.subscribe(topic)
    client = connected(any_version)
    client.send(wire.disconnect(any_version), wire.publish(any_version, topic, b"late"), wire.PING)
    assert client.end() == []
    assert watcher.drain() == []


@covers("MQTT-2.2.1-3", "MQTT-2.3.1-2")
def test_a_request_id_that_is_in_use_by_a_publish(connected, topic, version):
    """An open QoS 2 flow has the id; the server may be strict or not, but nothing is mixed up."""
    client = connected(version)
    client.start(topic, b"x", 2, packet_id=3)
    assert client.wait(wire.PUBREC).packet_id == 3
    client.observer.requests[3] = (SUBACK, 1)
    client.send(wire.subscribe(version, 3, [(topic, 0)]))
    packet_ = client.next()
    if packet_.kind == SUBACK:
        assert packet_.codes in ([0], [0x91])
        client.pubrel(3)
        assert client.wait(wire.PUBCOMP).packet_id == 3


@covers("MQTT-3.14.2-3 MQTT-3.14.2-4 MQTT-3.1.2-24")
@pytest.mark.parametrize("size", [30, 40])
def test_disconnect_leaves_out_what_is_too_long(connected, size):
    """The observer takes no packet above the size."""
    client = connected(V5, "a", props={P.MAXIMUM_PACKET_SIZE: size})
    client.send(wire.publish(V5, "a/#/" + "b" * 300, b""))
    client.refused(TOPIC_INVALID)
