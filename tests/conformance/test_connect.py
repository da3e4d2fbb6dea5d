"""CONNECT and CONNACK: what is accepted, and what the answer says."""

import socket

import pytest

import wire
from client import unique
from covers import both, covers
from wire import CONNACK, P, PUBLISH, V5, V31, V311


@covers("MQTT-3.1.4-5 MQTT-3.2.0-1 MQTT-3.2.2-8 MQTT-3.2.2-1",
        "MQTT-3.1.4-4 MQTT-3.2.0-1 MQTT-3.2.2-6 v311#3.2.2.1/ack-flags")
def test_an_acceptable_connect_is_answered_by_connack_0_before_all_else(opened, any_version):
    client = opened(any_version)
    client.connect()
    assert client.drain() == []


@covers("MQTT-3.2.0-2", "v311#3.2.0/connack-repeat")
def test_connack_comes_once(connected, topic, version):
    client = connected(version)
    client.subscribe(topic, qos=2)
    client.publish(topic, b"x", 2)
    assert client.message().payload == b"x"  # the observer takes no second CONNACK
    assert client.leave() == []


@both("MQTT-3.1.3-5")
@pytest.mark.parametrize("client_id", ["a", "0123456789abcdefghijklm", "ABCDEFGHIJKLMNOPQRSTUVW", "zZ9"])
def test_plain_client_ids_are_accepted(connected, any_version, client_id):
    connected(any_version, client_id).leave()


@covers("MQTT-3.1.3-8")
@pytest.mark.parametrize("client_id", ["x" * 60_000, "x" * 24, " ", "a b", "/+#", "$SYS/x", "\u00fc\U0001f600", "'; --"],
                         ids=["long", "24", "space", "with-space", "wildcards", "dollar", "not-ascii", "quote"])
def test_an_uncommon_client_id_is_accepted_or_refused_for_good(opened, client_id):
    """A server may refuse it, but then with 0x85, and goes."""
    client = opened(V5)
    client.send(wire.connect(V5, client_id))
    connack = client.expect(CONNACK)
    assert connack.code in (0, 0x85)
    if connack.code == 0:
        assert client.drain() == [] and client.leave() == []
    else:
        assert client.end() == []


@covers(v311="MQTT-3.1.3-6")
def test_empty_ids_are_told_apart(connected, topic):
    first, second = connected(V311, ""), connected(V311, "")
    for client in (first, second):
        client.subscribe(topic)
        client.publish(topic, b"x")
    assert len(first.drain()) == 2
    assert len(second.drain()) == 1


@covers(v5="MQTT-3.1.3-6 MQTT-3.1.3-7 MQTT-3.2.2-16 v5#3.2.2.3.7/assigned-dup")
def test_assigned_ids_are_unique_and_told(opened):
    clients = [opened(V5) for _ in range(5)]
    names = [client.connect("").prop(P.ASSIGNED_ID) for client in clients]
    assert all(names) and len(set(names)) == len(names), names
    assert all(client.drain() == [] for client in clients), "none took another's place"


@covers(v5="v5#3.2.2.3.7/assigned-dup")
def test_a_client_with_an_id_is_assigned_none(opened):
    assert opened(V5).connect(unique()).prop(P.ASSIGNED_ID) is None


@covers(v5="MQTT-3.2.2-16 MQTT-3.1.2-23")
def test_an_assigned_id_names_its_session(opened, connected, topic):
    first = opened(V5)
    name = first.connect("", props={P.SESSION_EXPIRY: 60}).prop(P.ASSIGNED_ID)
    first.subscribe(topic, qos=1)
    first.leave()
    again = opened(V5)
    assert again.connect(name, clean=False).session_present


@covers(v311="MQTT-3.1.3-8 MQTT-3.1.3-9 MQTT-3.2.2-4 MQTT-3.2.2-5 MQTT-3.1.3-7")
def test_an_empty_id_cannot_keep_a_session(opened):
    client = opened(V311)
    assert client.connect("", clean=False, code=2).session_present is False
    assert client.end() == []


@covers(v5="MQTT-3.1.3-7")
def test_in_5_0_an_empty_id_can_keep_a_session(opened):
    assert opened(V5).connect("", clean=False).prop(P.ASSIGNED_ID)


def test_3_1_knows_no_empty_id(opened):
    client = opened(V31)
    client.connect("", code=2)
    assert client.end() == []


@covers("MQTT-3.1.2-2 MQTT-3.2.2-7 MQTT-3.1.4-6 MQTT-4.13.2-1 MQTT-3.2.2-6", "")
@pytest.mark.parametrize("level", [6, 7, 0x7F])
def test_a_later_level_is_refused_with_0x84(opened, level):
    client = opened(V5)
    # What follows is neither looked at nor answered.
    client.send(wire.connect(V5, unique(), level=level), wire.PING)
    assert client.expect(CONNACK).code == 0x84
    assert client.end() == []


@covers("", "MQTT-3.1.2-2 MQTT-3.2.2-5 MQTT-3.1.4-5 MQTT-3.2.2-4")
@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_earlier_level_is_refused_with_1(opened, level):
    client = opened(V311)
    client.send(wire.connect(V311, unique(), level=level), wire.PING)
    assert client.expect(CONNACK).code == 1
    assert client.end() == []


@both("MQTT-3.1.2-1")
@pytest.mark.parametrize("name", ["mqtt", "MQT", "MQTTX", "", "HTTP", "MQIsdp"])
def test_another_protocol_name_is_refused(opened, version, name):
    client = opened(version)
    client.send(wire.connect(version, unique(), name=name))
    answer = client.raw_end()  # it may be told why, in the form of some version
    assert answer == b"" or answer[0] == CONNACK << 4 and answer[3] != 0, answer


@covers("MQTT-3.1.0-2 MQTT-4.13.1-1", "MQTT-3.1.0-2 MQTT-4.8.0-1")
def test_a_second_connect_ends_the_connection(connected, version):
    client = connected(version)
    client.send(wire.connect(version, client.client_id))
    client.refused(0x82)


@both("MQTT-3.1.0-1")
@pytest.mark.parametrize("first", [
    wire.PING, wire.disconnect(V311), wire.publish(V311, "t", b"x"), wire.subscribe(V311, 1, [("t", 0)]),
    wire.auth(0x18, {P.AUTH_METHOD: "x"}), wire.ack(V311, wire.PUBACK, 1)],
    ids=["ping", "disconnect", "publish", "subscribe", "auth", "puback"])
def test_nothing_but_connect_comes_first(opened, version, first):
    client = opened(version)
    client.send(first)
    assert client.end() == []


@both("MQTT-3.1.0-1")
@pytest.mark.parametrize("rubbish", [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
    b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff" * 64, b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"],
    ids=["http", "tls", "ssh", "ones", "proxy"])
def test_other_protocols_get_no_answer(opened, rubbish):
    client = opened(V311)
    client.send(rubbish)
    client.socket.shutdown(socket.SHUT_WR)  # or the server may wait for more of what looks like a packet
    assert client.end() == []


@covers("MQTT-3.1.4-3 MQTT-3.14.2-1 MQTT-3.14.2-2 MQTT-4.13.2-1", "MQTT-3.1.4-2 v311#3.14/server-disconnect")
def test_take_over(connected, version):
    first = connected(version)
    second = connected(version, first.client_id)
    first.refused(0x8E, certainly=True)
    assert second.drain() == []


@covers("MQTT-3.1.4-3", "MQTT-3.1.4-2")
@pytest.mark.parametrize("versions", [(V311, V5), (V5, V311), (V31, V5)], ids=["311-5", "5-311", "31-5"])
def test_take_over_by_another_version(connected, topic, versions):
    first = connected(versions[0])
    second = connected(versions[1], first.client_id)
    first.refused(0x8E, certainly=True)
    second.subscribe(topic)
    second.publish(topic, b"x")
    assert len(second.drain()) == 1


@covers("MQTT-3.1.4-3 MQTT-3.1.2-5", "MQTT-3.1.4-2 MQTT-3.1.2-4")
def test_take_over_keeps_the_session(connected, topic, version):
    props = {P.SESSION_EXPIRY: 60} if version == V5 else {}
    first = connected(version, clean=False, props=props)
    first.subscribe(topic, qos=1)
    second = connected(version, first.client_id, clean=False, props=props)
    assert second.observer.connack.session_present
    first.refused(0x8E, certainly=True)
    connected(version).publish(topic, b"x", 1)
    assert second.message().payload == b"x"


@covers(v5="MQTT-3.1.2-28")
def test_response_information_only_if_wanted(opened):
    assert opened(V5).connect().prop(P.RESPONSE_INFO) is None
    assert opened(V5).connect(props={P.RESPONSE_INFO_WANTED: 0}).prop(P.RESPONSE_INFO) is None
    opened(V5).connect(props={P.RESPONSE_INFO_WANTED: 1})  # may be given then


@covers(v5="MQTT-3.1.2-29")
def test_without_problem_information_answers_explain_nothing(connected, opened, topic):
    client = connected(V5, props={P.PROBLEM_INFO: 0})  # the observer holds every packet to that
    client.subscribe(topic, ("$share/g/" + topic, 1), qos=1)
    client.unsubscribe(topic, "none")
    for qos in (1, 2):
        client.publish(topic, b"", qos, props=[(P.USER, ("a", "b"))])
        client.publish(unique("nobody/"), b"", qos)
    taken = client.drain()
    assert taken and all(m.kind == PUBLISH for m in taken)
    # PUBLISH may and has to carry them.
    assert taken[0].all(P.USER) == [("a", "b")]


@covers(v5="MQTT-4.12.0-1 MQTT-4.12.0-4 MQTT-3.1.4-2")
def test_an_unknown_authentication_method_is_refused(opened):
    client = opened(V5)
    client.connect(code=0x8C, props={P.AUTH_METHOD: "of-nobody", P.AUTH_DATA: b"x"})
    assert client.end() == []


@covers(v5="MQTT-4.12.0-6")
def test_without_a_method_there_is_none_in_the_answer(opened):
    answer = opened(V5).connect(username="u", password="p")
    assert answer.prop(P.AUTH_METHOD) is None and answer.prop(P.AUTH_DATA) is None


@covers(v5="MQTT-4.12.0-7 MQTT-4.13.1-1")
@pytest.mark.parametrize("code", [0x18, 0x19])
def test_auth_without_a_method_in_connect_ends_the_connection(connected, code):
    client = connected(V5)
    client.send(wire.auth(code, {P.AUTH_METHOD: "x"}))
    client.refused(0x82)


@both("MQTT-3.1.4-5")
def test_what_comes_behind_connect_in_one_piece_is_handled(opened, topic, any_version):
    client = opened(any_version)
    client.observer.requests[1] = (wire.SUBACK, 1)
    client.observer.pings = 1
    client.send(wire.connect(any_version, unique()), wire.subscribe(any_version, 1, [(topic, 0)]),
                wire.publish(any_version, topic, b"x"), wire.PING)
    assert [client.next().kind for _ in range(4)] == [CONNACK, wire.SUBACK, PUBLISH, wire.PINGRESP]


@both("MQTT-3.1.4-5")
def test_connect_in_single_bytes(opened, any_version):
    client = opened(any_version)
    for byte in wire.connect(any_version, unique(), username="u", password=b"\0\xff"):
        client.send(bytes([byte]))
    assert client.expect(CONNACK).code == 0
