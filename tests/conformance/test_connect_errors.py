"""CONNECT packets that break a rule: refused, then closed. At MQTT 5 ours says why, which is optional."""

import struct

import pytest

import subjects
import wire
from covers import covers
from wire import CONNACK, CONNECT, P, V5, V311, Will, packet, prop, props_bytes, string

MALFORMED, PROTOCOL_ERROR = 0x81, 0x82
SURROGATE, OVERLONG, NUL = b"a\xed\xa0\x80", b"\xc0\xaf", b"a\0b"


def connect(version, **how):
    return wire.connect(version, how.pop("client_id", "bad"), **how)


def case(name, data, v5="", v311="", code=MALFORMED):
    """`data(version)`: the CONNECT. Without clauses for a version the case is not for it."""
    return [pytest.param(version, data, code, id=f"{'v5' if version == V5 else 'v311'}-{name}",
                         marks=covers(v5=v5 if version == V5 else "", v311=v311 if version != V5 else ""))
            for version, clauses in ((V311, v311), (V5, v5)) if clauses]


def shortened(by):
    """A CONNECT whose last field is missing though its flag is there."""
    def data(version):
        whole = connect(version, username="u", password="p")
        return packet(CONNECT, whole[2:-by])
    return data


def with_flags(flags, **how):
    return lambda version: connect(version, flags=flags, **how)


def with_props(props, **how):
    return lambda version: connect(version, props=props, **how)


def with_will(will):
    return lambda version: connect(version, will=will)


def twice(name, value):
    return with_props([(name, value), (name, value)])


FORM = "MQTT-3.1.4-1 MQTT-4.13.1-1"
FORM_311 = "MQTT-3.1.4-1 MQTT-4.8.0-1"

CASES = [
    *case("reserved-flag", with_flags(0x03), FORM + " MQTT-3.1.2-3", FORM_311 + " MQTT-3.1.2-3"),
    *case("header-flags", lambda v: b"\x12" + connect(v)[1:], "MQTT-2.1.3-1", "MQTT-2.2.2-1 MQTT-2.2.2-2"),
    *case("will-qos-without-will", with_flags(0x0A), "MQTT-3.1.2-11", "MQTT-3.1.2-11 MQTT-3.1.2-13"),
    *case("will-retain-without-will", with_flags(0x22), "MQTT-3.1.2-13", "MQTT-3.1.2-11 MQTT-3.1.2-15"),
    *case("will-qos-3", with_will(Will("t", qos=3)), "MQTT-3.1.2-12", "MQTT-3.1.2-14"),
    *case("will-without-fields", with_flags(0x06), "MQTT-3.1.2-9", "MQTT-3.1.2-9"),
    *case("fields-without-will", with_flags(0x02, will=Will("t")), "MQTT-3.1.3-1", "MQTT-3.1.2-11 MQTT-3.1.3-1"),
    *case("user-without-flag", with_flags(0x02, username="u"), "MQTT-3.1.2-16", "MQTT-3.1.2-18"),
    *case("flag-without-user", with_flags(0x82), "MQTT-3.1.2-17", "MQTT-3.1.2-19"),
    *case("password-without-flag", with_flags(0x82, username="u", password="p"), "MQTT-3.1.2-18", "MQTT-3.1.2-20"),
    *case("flag-without-password", shortened(3), "MQTT-3.1.2-19", "MQTT-3.1.2-21"),
    *case("cut-password", shortened(1), "MQTT-3.1.2-19", "MQTT-3.1.2-21"),
    *case("password-without-user", lambda v: connect(v, password="p"), "", "MQTT-3.1.2-22"),
    *case("no-client-id", lambda v: packet(CONNECT, string("MQTT") + bytes([v, 2, 0, 0]) + b"\0" * (v == V5)),
          "MQTT-3.1.3-3", "MQTT-3.1.3-3"),
    *case("bytes-left-over", lambda v: packet(CONNECT, connect(v)[2:] + b"x"),
          "v5#2.1.4/rl-fit MQTT-3.1.3-1", "MQTT-3.1.3-1"),
    *case("id-surrogate", lambda v: connect(v, client_id=SURROGATE), "MQTT-3.1.3-4 MQTT-1.5.4-1",
          "MQTT-3.1.3-4 MQTT-1.5.3-1"),
    *case("id-nul", lambda v: connect(v, client_id=NUL), "MQTT-1.5.4-2", "MQTT-1.5.3-2"),
    *case("will-topic-utf8", with_will(Will(OVERLONG)), "MQTT-3.1.3-11 MQTT-1.5.4-1", "MQTT-3.1.3-10 MQTT-1.5.3-1"),
    *case("will-topic-nul", with_will(Will(NUL)), "MQTT-4.7.3-2 MQTT-1.5.4-2", "MQTT-4.7.3-2 MQTT-1.5.3-2"),
    *case("will-topic-wildcard", with_will(Will("a/#")), "MQTT-4.7.0-1", "MQTT-4.7.1-1", 0x90),
    *case("will-topic-empty", with_will(Will("")), "MQTT-4.7.3-1", "MQTT-4.7.3-1", 0x90),
    *case("user-utf8", lambda v: connect(v, username=b"\xff"), "MQTT-3.1.3-12 MQTT-1.5.4-1",
          "MQTT-3.1.3-11 MQTT-1.5.3-1"),
    *case("user-nul", lambda v: connect(v, username=NUL), "MQTT-1.5.4-2", "MQTT-1.5.3-2"),
    *case("expiry-twice", twice(P.SESSION_EXPIRY, 1), "v5#3.1.2.11.2/sei-dup", code=PROTOCOL_ERROR),
    *case("receive-maximum-twice", twice(P.RECEIVE_MAXIMUM, 1), "v5#3.1.2.11.3/rm", code=PROTOCOL_ERROR),
    *case("receive-maximum-0", with_props({P.RECEIVE_MAXIMUM: 0}), "v5#3.1.2.11.3/rm", code=PROTOCOL_ERROR),
    *case("packet-size-twice", twice(P.MAXIMUM_PACKET_SIZE, 99), "v5#3.1.2.11.4/mps", code=PROTOCOL_ERROR),
    *case("packet-size-0", with_props({P.MAXIMUM_PACKET_SIZE: 0}), "v5#3.1.2.11.4/mps", code=PROTOCOL_ERROR),
    *case("alias-maximum-twice", twice(P.TOPIC_ALIAS_MAXIMUM, 1), "v5#3.1.2.11.5/tam-dup", code=PROTOCOL_ERROR),
    *case("response-wanted-twice", twice(P.RESPONSE_INFO_WANTED, 1), "v5#3.1.2.11.6/rri", code=PROTOCOL_ERROR),
    *case("response-wanted-2", with_props({P.RESPONSE_INFO_WANTED: 2}), "v5#3.1.2.11.6/rri", code=PROTOCOL_ERROR),
    *case("problem-info-twice", twice(P.PROBLEM_INFO, 1), "v5#3.1.2.11.7/rpi", code=PROTOCOL_ERROR),
    *case("problem-info-2", with_props({P.PROBLEM_INFO: 2}), "v5#3.1.2.11.7/rpi", code=PROTOCOL_ERROR),
    *case("method-twice", twice(P.AUTH_METHOD, "a"), "v5#3.1.2.11.9/auth-method-dup", code=PROTOCOL_ERROR),
    *case("data-without-method", with_props({P.AUTH_DATA: b"a"}), "v5#3.1.2.11.10/auth-data", code=PROTOCOL_ERROR),
    *case("data-twice", with_props([(P.AUTH_METHOD, "a"), (P.AUTH_DATA, b"a"), (P.AUTH_DATA, b"a")]),
          "v5#3.1.2.11.10/auth-data", code=PROTOCOL_ERROR),
    *case("property-unknown", with_props(b"\x02\x7f\x01"), "v5#2.2.2.2/prop-unknown"),
    *case("property-of-publish", with_props({P.TOPIC_ALIAS: 1}), "v5#2.2.2.2/prop-packet"),
    *case("property-of-connack", with_props({P.SERVER_KEEP_ALIVE: 1}), "v5#2.2.2.2/prop-packet"),
    *case("property-cut", with_props(b"\x04" + prop(P.SESSION_EXPIRY, 1)), "v5#2.2.2.2/prop-length"),
    *case("properties-too-long", with_props(b"\x7f" + prop(P.SESSION_EXPIRY, 1)), "v5#2.2.2.2/prop-length"),
    *case("property-length-overlong", with_props(b"\x85\x00" + prop(P.SESSION_EXPIRY, 1)), "MQTT-1.5.5-1"),
    *case("property-length-five", with_props(b"\x85\x80\x80\x80\x00" + prop(P.SESSION_EXPIRY, 1)),
          "v5#1.5.5/rl-4-bytes"),
    *case("user-property-utf8", with_props([(P.USER, ("a", OVERLONG))]), "MQTT-1.5.7-1 MQTT-1.5.4-1"),
    *case("user-property-key-utf8", with_props([(P.USER, (SURROGATE, ""))]), "MQTT-1.5.7-1 MQTT-1.5.4-1"),
    *case("user-property-nul", with_props([(P.USER, (NUL, ""))]), "MQTT-1.5.7-1 MQTT-1.5.4-2"),
    *case("will-delay-twice", with_will(Will("t", props=[(P.WILL_DELAY, 1)] * 2)),
          "v5#3.1.3.2.2/will-prop-dup", code=PROTOCOL_ERROR),
    *case("will-expiry-twice", with_will(Will("t", props=[(P.MESSAGE_EXPIRY, 1)] * 2)),
          "v5#3.1.3.2.2/will-prop-dup", code=PROTOCOL_ERROR),
    *case("will-response-topic-wildcard", with_will(Will("t", props={P.RESPONSE_TOPIC: "a/+"})),
          "MQTT-3.3.2-14 MQTT-4.7.0-1", code=PROTOCOL_ERROR),
    *case("will-property-of-connect", with_will(Will("t", props={P.SESSION_EXPIRY: 1})), "v5#2.2.2.2/prop-packet"),
]

@covers("MQTT-3.14.0-1")
@pytest.mark.parametrize("level,data,code", CASES)
def test_refused(opened, level, data, code):
    client = opened(level)
    client.send(data(level))
    answers = client.end()
    if level != V5 or not subjects.is_ours() and not answers:
        assert answers == []
        return
    assert len(answers) == 1 and answers[0].kind == CONNACK, answers
    assert answers[0].code == code or not subjects.is_ours(), answers


@covers("v5#1.5.5/rl-4-bytes MQTT-3.1.4-1", "v311#2.2.3/rl-4-bytes MQTT-3.1.4-1")
def test_a_length_of_five_bytes_is_refused(opened, version):
    client = opened(version)
    client.send(b"\x10\x80\x80\x80\x80\x01")
    assert client.end() == []  # the version of the client is not known yet


@covers("MQTT-1.5.5-1", "v311#2.2.3/rl-minimal")
def test_an_overlong_length(opened, version):
    """5.0 forbids it; 3.1.1 has no rule, so either answer is right there as long as there is one."""
    client = opened(version)
    whole = connect(version)
    client.send(whole[:1] + bytes([whole[1] | 0x80, 0]) + whole[2:], wire.disconnect(version))
    assert [p.code for p in client.end()] in ([], [0], [MALFORMED]) if version == V311 else ([], [MALFORMED])


@covers("MQTT-3.1.4-1", "MQTT-3.1.4-1")
def test_a_connect_cut_anywhere_is_never_accepted(opened, version):
    """Each beginning of a CONNECT, with a length that claims to be all."""
    props = {P.SESSION_EXPIRY: 0} if version == V5 else ()
    body = wire.connect(version, "cut", props=props, will=Will("t"), username="u", password="p")[2:]
    clients = [opened(version) for _ in range(len(body))]
    for size, client in enumerate(clients):
        client.send(packet(CONNECT, body[:size]))
    for size, client in enumerate(clients):
        answer = client.raw_end()
        assert answer == b"" or answer[0] == CONNACK << 4 and answer[3] >= 0x80, (size, answer)


@covers("v5#2.1.4/rl-fit", "MQTT-3.1.3-1")
def test_a_connect_that_says_to_be_longer_waits(opened, version):
    client = opened(version)
    whole = connect(version)
    client.send(whole[:1], bytes([whole[1] + 1]), whole[2:])
    client.send(b"x")
    assert all(p.kind == CONNACK and p.code == MALFORMED for p in client.end())


@covers("MQTT-3.1.4-1", "MQTT-3.1.4-1")
@pytest.mark.parametrize("length", [b"\xff\xff\xff\x7f", b"\x80\x80\x80\x01"], ids=["268435455", "2097152"])
def test_a_huge_connect_is_not_waited_for(opened, version, length):
    client = opened(version)
    client.send(b"\x10", length, wire.connect(version, "x")[2:])
    client.raw_end()


@covers("MQTT-3.1.4-1", "MQTT-3.1.4-1")
def test_a_refused_connect_takes_nobody_over(opened, connected, version):
    first = connected(version)
    second = opened(version)
    second.send(connect(version, client_id=first.client_id, flags=0x03))
    second.end()
    assert first.drain() == []


def test_the_cases_say_what_they_mean():
    """Good packets made by the same functions are accepted (see test_connect), so each case has one fault."""
    assert with_flags(0x02)(V311) == connect(V311)
    assert props_bytes({P.SESSION_EXPIRY: 1}) == b"\x05" + prop(P.SESSION_EXPIRY, 1)
    assert connect(V311)[10:12] == struct.pack(">H", 0)
