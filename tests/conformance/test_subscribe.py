"""SUBSCRIBE and UNSUBSCRIBE: their answers, replacement, overlap and identifiers."""

import pytest

import wire
from client import unique
from covers import both, covers
from wire import P, SUBACK, UNSUBACK, V5, V31, V311, options


@covers("MQTT-3.8.4-1 MQTT-3.8.4-2 MQTT-2.2.1-6", "MQTT-3.8.4-1 MQTT-3.8.4-2 MQTT-2.3.1-7")
@pytest.mark.parametrize("packet_id", [1, 255, 256, 65535])
def test_suback_has_the_id_of_its_subscribe(connected, topic, any_version, packet_id):
    client = connected(any_version)
    answer = client.request(SUBACK, packet_id, 1, wire.subscribe(any_version, packet_id, [(topic, 0)]))
    assert (answer.packet_id, answer.codes) == (packet_id, [0])


@covers("MQTT-3.8.4-5 MQTT-3.8.4-6 MQTT-3.8.4-7 MQTT-3.9.3-1 MQTT-3.9.3-2",
        "MQTT-3.8.4-4 MQTT-3.8.4-5 MQTT-3.9.3-1 MQTT-3.9.3-2")
def test_one_suback_with_a_code_for_each_filter_in_order(connected, topic, any_version):
    client = connected(any_version)
    wanted = [2, 0, 1, 1, 0, 2, 2, 1, 0]
    answer = client.subscribe(*((f"{topic}/{n}", qos) for n, qos in enumerate(wanted)))
    assert answer.codes == wanted
    assert client.drain() == []
    for n, qos in enumerate(wanted):
        client.publish(f"{topic}/{n}", b"x", 2)
        assert client.message().qos == qos


@covers("MQTT-3.8.4-3", "MQTT-3.8.4-3")
def test_the_same_filter_replaces(connected, topic, any_version):
    client = connected(any_version)
    for qos in (0, 2, 1):
        assert client.subscribe(topic, qos=qos).codes == [qos]
    client.publish(topic, b"x", 2)
    assert [m.qos for m in client.drain()] == [1]
    client.unsubscribe(topic)
    client.publish(topic, b"y", 1)
    assert client.drain() == []


@covers("MQTT-3.8.4-3")
def test_replacing_replaces_options_and_identifier(connected, topic):
    client = connected(V5)
    client.subscribe((topic, options(1, no_local=True)), props={P.SUBSCRIPTION_ID: 1})
    client.subscribe((topic, options(1, as_published=True)), props={P.SUBSCRIPTION_ID: 2})
    client.publish(topic, b"x", 1, retain=1)
    assert [(m.retain, m.all(P.SUBSCRIPTION_ID)) for m in client.drain() if m.payload == b"x"][-1] == (1, [2])
    client.subscribe((topic, options(1, handling=2)))
    client.publish(topic, b"y", 1, retain=1)
    assert [(m.retain, m.all(P.SUBSCRIPTION_ID)) for m in client.drain()] == [(0, [])]


@covers("MQTT-3.8.4-3", "MQTT-3.8.4-3")
def test_one_subscribe_with_the_same_filter_twice(connected, topic, version):
    client = connected(version)
    assert client.subscribe((topic, 0), (topic, 2)).codes == [0, 2]
    client.publish(topic, b"x", 2)
    assert [m.qos for m in client.drain()] == [2]


@covers("MQTT-3.3.4-2", "MQTT-3.3.5-1")
def test_overlapping_filters_give_the_highest_qos(connected, topic, any_version):
    """The specification allows one copy or one for each; ours sends one."""
    client = connected(any_version)
    client.subscribe((topic, 0), (topic + "/#", 2), (topic.replace("t/", "+/"), 1))
    client.publish(topic, b"x", 2)
    taken = client.drain()
    assert [m.qos for m in taken] == [2]


@covers("MQTT-3.3.4-3 MQTT-3.3.4-4 MQTT-3.3.4-5 v5#3.3.4/foreign-subid")
def test_identifiers_of_all_that_match(connected, topic):
    client = connected(V5)
    client.subscribe((topic, 0), props={P.SUBSCRIPTION_ID: 1})
    client.subscribe((topic + "/#", 1), props={P.SUBSCRIPTION_ID: 268435455})
    client.subscribe((topic.replace("t/", "+/"), 2))
    client.subscribe((topic + "/other", 2), props={P.SUBSCRIPTION_ID: 300})
    client.publish(topic, b"x", 2)
    [message] = client.drain()
    assert sorted(message.all(P.SUBSCRIPTION_ID)) == [1, 268435455]
    assert message.qos == 2


@covers("MQTT-3.3.4-3 v5#3.3.4/foreign-subid")
def test_identifiers_are_each_client_s_own(connected, topic):
    clients = [connected(V5) for _ in range(3)]
    for number, client in enumerate(clients[:2], 1):
        client.subscribe(topic, props={P.SUBSCRIPTION_ID: number})
    clients[2].subscribe(topic)
    connected(V5).publish(topic, b"x", 1)
    assert [c.message().all(P.SUBSCRIPTION_ID) for c in clients] == [[1], [2], []]


@covers("MQTT-3.3.4-3")
def test_one_identifier_for_several_filters_is_sent_for_each_or_once(connected, topic):
    client = connected(V5)
    client.subscribe(topic, topic + "/#", props={P.SUBSCRIPTION_ID: 7})
    client.publish(topic, b"x", 1)
    [message] = client.drain()
    assert set(message.all(P.SUBSCRIPTION_ID)) == {7}


@covers("MQTT-3.10.4-4 MQTT-3.10.4-5 MQTT-2.2.1-6 MQTT-3.11.3-2",
        "MQTT-3.10.4-4 MQTT-3.10.4-5 MQTT-2.3.1-7 v311#3.4-3.11/rl-2")
@pytest.mark.parametrize("packet_id", [1, 65535])
def test_unsuback_has_the_id_even_if_nothing_was_subscribed(connected, topic, any_version, packet_id):
    client = connected(any_version)
    data = wire.unsubscribe(any_version, packet_id, [topic])
    answer = client.request(UNSUBACK, packet_id, 1, data)
    assert answer.packet_id == packet_id
    assert answer.codes == ([0x11] if any_version == V5 else [])


@covers("MQTT-3.10.4-6 MQTT-3.11.3-1 MQTT-3.11.3-2", "MQTT-3.10.4-6")
def test_one_unsuback_for_several_filters_in_order(connected, topic, version):
    client = connected(version)
    client.subscribe(topic + "/1", topic + "/3")
    answer = client.unsubscribe(*(f"{topic}/{n}" for n in range(5)))
    assert answer.codes == ([0x11, 0, 0x11, 0, 0x11] if version == V5 else [])
    assert client.drain() == []


@covers("MQTT-3.10.4-1 MQTT-3.10.4-2", "MQTT-3.10.4-1 MQTT-3.10.4-2")
def test_only_the_same_filter_stops(connected, topic, any_version):
    client = connected(any_version)
    client.subscribe((topic, 0), (topic + "/#", 1), (topic + "/+", 2))
    client.unsubscribe(topic + "/", topic.upper(), "#", topic + "/x")
    client.unsubscribe(topic + "/#")
    client.publish(topic, b"1", 2)
    client.publish(topic + "/x", b"2", 2)
    client.publish(topic + "/x/y", b"3", 2)
    assert [(m.payload, m.qos) for m in client.drain()] == [(b"1", 0), (b"2", 2)]
    client.unsubscribe(topic, topic + "/+")
    client.publish(topic + "/x", b"4", 2)
    assert client.drain() == []


@covers("MQTT-3.10.4-3", "MQTT-3.10.4-3")
def test_started_flows_are_completed_after_unsubscribe(connected, topic, any_version):
    client, publisher = connected(any_version, automatic=False), connected(any_version)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, b"1", 1)
    publisher.publish(topic, b"2", 2)
    first, second = client.messages(2)
    client.unsubscribe(topic)
    client.ack(first)
    client.ack(second)
    pubrel = client.expect(wire.PUBREL)
    assert pubrel.packet_id == second.packet_id
    client.pubcomp(pubrel)
    assert client.drain() == []


@covers("", "MQTT-3.8.3-2")
def test_wildcards_are_supported_so_they_are_granted(connected, topic, any_version):
    client = connected(any_version)
    codes = client.subscribe("#", "+", "+/+", topic + "/#", "/", "//", "$SYS/#", qos=1).codes
    assert all(code == 1 for code in codes[:6]), codes


@covers("MQTT-2.2.1-3", "MQTT-2.3.1-1")
def test_an_id_is_free_again_after_suback_and_unsuback(connected, topic, version):
    client = connected(version)
    for _ in range(3):
        client.request(SUBACK, 5, 1, wire.subscribe(version, 5, [(topic, 1)]))
        client.request(UNSUBACK, 5, 1, wire.unsubscribe(version, 5, [topic]))
    client.publish(topic, b"x", 1, packet_id=5)
    assert client.drain() == []


@both("MQTT-4.7.3-4")
def test_filters_are_not_normalised(connected, topic, version):
    client = connected(version)
    client.subscribe(topic + "/", topic + "//+", topic + "/A")
    for end in ("", "/", "//", "//x", "/a", "/A", "///"):
        client.publish(topic + end, end.encode())
    assert [m.payload for m in client.drain()] == [b"/", b"//", b"//x", b"/A"]


@both("MQTT-4.5.0-1")
def test_many_levels_and_a_long_filter(connected, version):
    root = unique("l")
    deep = root + "/a" * 30
    wide = root + "/" + "b" * (65000 - len(root))
    client = connected(version)
    assert client.subscribe(deep, wide, root + "/+" * 30, qos=1).codes == [1, 1, 1]
    client.publish(deep, b"deep", 1)
    client.publish(wide, b"wide", 1)
    assert {m.payload for m in client.drain()} == {b"deep", b"wide"}


@both("MQTT-3.12.4-1")
@covers("v5#3.13/unsolicited v5#3.12/empty", "v311#3.12-3.14/rl-0")
def test_each_pingreq_has_its_pingresp(connected, any_version):
    client = connected(any_version)
    client.observer.pings = 5
    client.send(wire.PING * 5)
    assert [client.next().kind for _ in range(5)] == [wire.PINGRESP] * 5
    assert client.leave() == []


@covers("MQTT-3.9.2-1 MQTT-3.9.2-2 MQTT-3.11.2-1 MQTT-3.11.2-2 MQTT-3.4.2-2 MQTT-3.4.2-3 MQTT-3.5.2-2 "
        "MQTT-3.5.2-3 MQTT-3.6.2-2 MQTT-3.6.2-3 MQTT-3.7.2-2 MQTT-3.7.2-3 MQTT-3.2.2-19 MQTT-3.2.2-20")
@pytest.mark.parametrize("size", [24, 40])
def test_answers_leave_out_what_is_too_long(connected, opened, size):
    """The observer takes no packet above the size; with room for the bare answers they all come."""
    limit = {P.MAXIMUM_PACKET_SIZE: size}
    answer = opened(V5).connect("a", code=0, props=limit)
    assert answer.size <= size
    refused = opened(V5)
    refused.connect("a", code=0x8C, props={**limit, P.AUTH_METHOD: "x" * 200})
    client = connected(V5, props=limit)
    assert client.subscribe("a/b", "$share/g/a", "b", qos=2).codes == [2, 2, 2]
    assert client.unsubscribe("none" * 20, "a/b", "b").codes == [0x11, 0, 0]
    assert client.publish(unique("nobody/"), b"x" * 500, 1).code in (0, 0x10)
    assert client.publish(unique("nobody/"), b"x" * 500, 2).code == 0
    client.pubrel(999)
    assert client.expect(wire.PUBCOMP).packet_id == 999


@covers("MQTT-4.1.0-1", "MQTT-4.1.0-1 MQTT-4.1.0-2")
def test_subscriptions_last_as_long_as_the_connection(connected, topic, any_version):
    client, publisher = connected(any_version), connected(V5)
    client.subscribe(topic, qos=1)
    for number in range(50):
        publisher.publish(topic, b"%d" % number, 1)
        connected(V31 if number % 2 else V311).leave()
    assert [m.payload for m in client.messages(50)] == [b"%d" % n for n in range(50)]
