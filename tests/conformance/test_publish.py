"""PUBLISH as it is forwarded: what may not change on the way, to whom it goes, and in which order."""

import pytest

import wire
from client import Ended, unique
from covers import both, covers
from wire import P, PUBLISH, V5, V31, V311, options

ALL_PROPS = [
    (P.USER, ("b", "1")), (P.PAYLOAD_FORMAT, 1), (P.CONTENT_TYPE, "text/plain; \u00e4"), (P.USER, ("a", "2")),
    (P.RESPONSE_TOPIC, "answers/\u20ac here"), (P.CORRELATION, bytes(range(256))), (P.USER, ("b", "1")),
    (P.USER, ("", "")), (P.USER, ("b", "0"))]


@covers("MQTT-3.3.2-4 MQTT-3.3.2-15 MQTT-3.3.2-16 MQTT-3.3.2-17 MQTT-3.3.2-18 MQTT-3.3.2-20")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_properties_are_forwarded_unaltered_and_in_order(connected, topic, qos):
    subscriber, publisher = connected(V5), connected(V5)
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, "gr\u00fc\u00df".encode(), qos, props=ALL_PROPS)
    message = subscriber.message()
    assert message.all(P.USER) == [value for name, value in ALL_PROPS if name == P.USER]
    for name, value in ALL_PROPS:
        assert name == P.USER or message.prop(name) == value
    assert {name for name, _ in message.props} <= {name for name, _ in ALL_PROPS}


@covers("MQTT-3.3.2-4 MQTT-3.3.2-17")
def test_a_retained_message_keeps_its_properties(connected, topic):
    connected(V5).publish(topic, b"x", 1, retain=1, props=ALL_PROPS)
    late = connected(V5)
    late.subscribe(topic)
    message = late.message()
    assert sorted(map(repr, message.props)) == sorted(map(repr, ALL_PROPS))
    assert message.all(P.USER) == [value for name, value in ALL_PROPS if name == P.USER]


@covers("MQTT-2.2.1-2", "MQTT-2.3.1-5")
@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\1", b"\0\0\0", bytes(range(256)), b"\xff" * 70000],
                         ids=["empty", "nul", "like-an-id", "nuls", "all", "large"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_payload_arrives_as_it_was(connected, topic, any_version, payload, qos):
    subscriber = connected(any_version)
    subscriber.subscribe(topic, qos=2)
    subscriber.publish(topic, payload, qos)
    message = subscriber.message()
    assert (message.payload, message.qos, message.dup) == (payload, qos, 0)


@covers("MQTT-1.5.4-3 MQTT-4.7.3-4", "MQTT-1.5.3-3 MQTT-4.7.3-4")
def test_a_byte_order_mark_is_part_of_the_topic(connected, topic, version):
    marked = "\ufeff" + topic
    client = connected(version)
    client.subscribe(marked, topic)
    client.publish(marked, b"1")
    assert [m.topic for m in client.drain()] == [marked]


@covers("MQTT-1.5.4-3")
def test_a_byte_order_mark_in_a_property_is_kept(connected, topic):
    client = connected(V5)
    client.subscribe(topic)
    client.publish(topic, props=[(P.USER, ("\ufeffk", "v\ufeff")), (P.CONTENT_TYPE, "\ufeff")])
    message = client.message()
    assert message.props == [(P.CONTENT_TYPE, "\ufeff"), (P.USER, ("\ufeffk", "v\ufeff"))] \
        or message.props == [(P.USER, ("\ufeffk", "v\ufeff")), (P.CONTENT_TYPE, "\ufeff")]


@covers("MQTT-4.7.3-4", "MQTT-4.7.3-4")
def test_topics_are_matched_byte_for_byte(connected, topic, version):
    client = connected(version)
    names = [topic + end for end in ("", "/", "//", " ", "/a", "/A", "/\u00e9", "/e\u0301", "/ a")]
    client.subscribe(*names)
    for name in names:
        client.publish(name, name.encode())
    taken = client.drain()
    assert [m.topic for m in taken] == names
    assert [m.payload for m in taken] == [n.encode() for n in names]


@covers("MQTT-3.3.2-3 MQTT-4.7.1-1 MQTT-4.7.1-2", "MQTT-3.3.2-3 MQTT-4.7.1-2 MQTT-4.7.1-3")
@pytest.mark.parametrize("topic_filter,matching,others", [
    ("a/+/c", ["a/b/c", "a//c", "a/ /c"], ["a/c", "a/b/c/d", "/a/b/c", "a/b/c/"]),
    ("a/#", ["a", "a/", "a/b", "a/b/c", "a//"], ["ab", "b/a", "/a"]),
    ("+", ["a", "b"], ["/a", "a/", "a/b"]),
    ("/+", ["/a", "/"], ["a", "/a/b"]),
    ("+/+", ["/a", "a/", "/", "a/b"], ["a", "a/b/c"]),
    ("+/a/#", ["b/a", "/a", "b/a/c/d"], ["a", "b/b/a"]),
    ("a/b", ["a/b"], ["a/B", "a/b/", "a", "a/b/c"]),
])
def test_filters_match(connected, version, topic_filter, matching, others):
    """Below a level of the test's own, so that other tests do not meet."""
    root = unique("m")
    client = connected(version)
    client.subscribe(f"{root}/{topic_filter}")
    for name in matching + others:
        client.publish(f"{root}/{name}", b"x")
    assert [m.topic for m in client.drain()] == [f"{root}/{name}" for name in matching]


@covers("MQTT-4.7.2-1", "MQTT-4.7.2-1")
def test_topics_with_a_dollar_are_shielded_from_leading_wildcards(connected, version):
    name = unique("$x") + "/a"
    client = connected(version)
    client.subscribe("#", "+/a", "+/#")
    client.publish(name, b"shielded", 1)
    assert name not in [m.topic for m in client.drain()]
    client.subscribe(name, name.partition("/")[0] + "/#")
    client.publish(name, b"asked for")
    assert {m.topic for m in client.drain() if m.topic.startswith("$x")} in ({name}, set()), "may be forbidden"


@covers("MQTT-3.3.4-1 MQTT-4.3.2-4 MQTT-4.3.3-8 MQTT-4.3.3-11 MQTT-2.2.1-5 MQTT-4.3.1-1",
        "MQTT-3.3.4-1 MQTT-4.3.1-1 MQTT-4.3.2-2 MQTT-4.3.3-2 MQTT-2.3.1-6 v311#3.4-3.11/rl-2")
def test_each_qos_has_its_answer(connected, topic, any_version):
    client = connected(any_version)
    client.start(topic, b"0")
    assert client.drain() == []
    client.start(topic, b"1", 1, packet_id=0xFFFF)
    assert client.expect(wire.PUBACK).packet_id == 0xFFFF
    client.start(topic, b"2", 2, packet_id=0x0100)
    assert client.expect(wire.PUBREC).packet_id == 0x0100
    client.pubrel(0x0100)
    assert client.expect(wire.PUBCOMP).packet_id == 0x0100


@covers("MQTT-4.3.2-5 MQTT-4.3.3-12", "MQTT-4.3.2-2 MQTT-4.3.3-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_an_id_is_free_again_after_its_answer(connected, topic, any_version, qos):
    client = connected(any_version)
    client.subscribe(topic)
    for payload in (b"a", b"b", b"c"):
        client.publish(topic, payload, qos, packet_id=7)
    assert [m.payload for m in client.messages(3)] == [b"a", b"b", b"c"]
    assert client.drain() == []


@covers("MQTT-4.3.3-10", "MQTT-4.3.3-2")
def test_a_repeated_qos_2_message_is_forwarded_once(connected, topic, any_version):
    client = connected(any_version)
    client.subscribe(topic)
    for dup in (0, 1):
        client.start(topic, b"x", 2, packet_id=9, dup=dup)
        assert client.wait(wire.PUBREC).packet_id == 9
    client.pubrel(9)
    assert client.wait(wire.PUBCOMP).packet_id == 9
    assert len(client.drain()) == 1


@covers("MQTT-4.3.3-12 MQTT-4.3.3-11", "MQTT-4.3.3-2")
def test_a_repeated_pubrel_is_answered_again(connected, topic, any_version):
    client = connected(any_version)
    client.publish(topic, b"x", 2, packet_id=9)
    client.pubrel(9)
    assert client.wait(wire.PUBCOMP).packet_id == 9


@covers("v5#3.7.2/not-found MQTT-3.7.2-1")
def test_a_pubrel_of_no_message_is_told_so(connected):
    client = connected(V5)
    client.pubrel(77)
    assert client.expect(wire.PUBCOMP).code == 0x92


@covers("v5#3.7.2/not-found MQTT-3.6.2-1 MQTT-2.2.1-5", "MQTT-2.3.1-6")
def test_answers_to_no_message_harm_nothing(connected, version):
    client = connected(version)
    for kind in (wire.PUBACK, wire.PUBCOMP):
        client.send(wire.ack(version, kind, 4711))
    client.send(wire.ack(version, wire.PUBREC, 4711))
    client.automatic = False
    client.observer.incoming[4711] = 2
    client.observer.pings = 1
    client.send(wire.PING)
    packets = [client.next()]
    while packets[-1].kind not in (wire.PINGRESP, wire.DISCONNECT):
        packets.append(client.next())
    # At most the PUBREC is answered, at 5.0 with "not found"; it may be a protocol error too.
    assert all(p.kind == wire.PUBREL and (version != V5 or p.code == 0x92) for p in packets[:-1]), packets
    assert packets[-1].kind == wire.PINGRESP or packets[-1].code == 0x82, packets


@covers("MQTT-4.5.0-1 MQTT-4.1.0-1", "MQTT-4.5.0-1 MQTT-4.1.0-2")
def test_every_matching_subscriber_gets_it(connected, topic):
    subscribers = [connected(v) for v in (V31, V311, V5, V5)]
    for number, subscriber in enumerate(subscribers):
        subscriber.subscribe([topic, "+/" + topic.partition("/")[2], "#", topic + "/#"][number], qos=number % 3)
    publisher = connected(V5)
    for payload in (b"1", b"2"):
        publisher.publish(topic, payload, 2)
    for number, subscriber in enumerate(subscribers):
        taken = [m for m in subscriber.drain() if m.topic == topic]
        assert [m.payload for m in taken] == [b"1", b"2"]
        assert {m.qos for m in taken} == {number % 3}


@covers("MQTT-3.8.4-8", "MQTT-3.8.4-6")
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_delivered_at_the_lower_of_published_and_granted(connected, topic, any_version, granted):
    subscriber, publisher = connected(any_version), connected(V311)
    assert subscriber.subscribe(topic, qos=granted).codes == [granted]
    for qos in (0, 1, 2):
        publisher.publish(topic, b"x", qos)
    assert [m.qos for m in subscriber.messages(3)] == [min(q, granted) for q in (0, 1, 2)]
    assert subscriber.drain() == []


@covers("MQTT-4.6.0-5 MQTT-4.6.0-6", "MQTT-4.6.0-5 MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_order_of_a_publisher_is_kept(connected, topic, version, qos):
    subscribers = [connected(version) for _ in range(2)]
    for subscriber in subscribers:
        subscriber.subscribe(topic, qos=2)
    publisher = connected(version)
    for start in range(0, 200, 20):  # mosquitto's Receive Maximum
        ids = [publisher.start(topic, b"%d" % n, qos) for n in range(start, start + 20)]
        for packet_id in ids if qos else ():
            assert publisher.wait(wire.PUBACK if qos == 1 else wire.PUBREC).packet_id == packet_id
        for packet_id in ids if qos == 2 else ():
            publisher.pubrel(packet_id)
            assert publisher.wait(wire.PUBCOMP).packet_id == packet_id
    for subscriber in subscribers:
        assert [m.payload for m in subscriber.messages(200)] == [b"%d" % n for n in range(200)]


@covers("MQTT-4.6.0-2 MQTT-4.6.0-3 MQTT-4.6.0-4", "MQTT-4.6.0-2 MQTT-4.6.0-3 MQTT-4.6.0-4")
def test_the_server_answers_in_the_order_of_arrival(connected, topic, version):
    client = connected(version)
    first = [client.start(topic, b"x", 1) for _ in range(10)]
    assert [client.wait(wire.PUBACK).packet_id for _ in first] == first
    second = [client.start(topic, b"x", 2) for _ in range(10)]
    assert [client.wait(wire.PUBREC).packet_id for _ in second] == second
    for packet_id in reversed(second):
        client.pubrel(packet_id)
    assert [client.wait(wire.PUBCOMP).packet_id for _ in second] == second[::-1]


@covers("MQTT-3.4.2-1 MQTT-3.5.2-1")
def test_nobody_to_deliver_to_may_be_told_and_is_no_fault(connected):
    client = connected(V5)
    assert client.publish(unique("nobody/"), b"x", 1).code in (0, 0x10)
    assert client.publish(unique("nobody/"), b"x", 2).code == 0
    assert client.drain() == []


@both("MQTT-3.3.1-3 MQTT-4.3.1-1")
def test_dup_is_not_forwarded(connected, topic, version):
    subscriber, publisher = connected(version), connected(version)
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, b"1", 1, dup=1)
    publisher.publish(topic, b"2", 2, dup=1)
    assert [(m.payload, m.dup) for m in subscriber.messages(2)] == [(b"1", 0), (b"2", 0)]


@covers("MQTT-3.3.2-1 MQTT-4.7.3-1", "MQTT-3.3.2-1 MQTT-4.7.3-1")
@pytest.mark.parametrize("name", ["/", " ", "a", "\u65e5\u672c", "//", "a" * 65535, "\U0001f600"],
                         ids=["slash", "space", "one", "cjk", "slashes", "65535", "emoji"])
def test_unusual_topic_names_work(connected, version, name):
    client = connected(version)
    assert client.subscribe(name).codes == [0]
    client.publish(name, b"x")
    assert name in [m.topic for m in client.drain()]
    client.unsubscribe(name)


@covers("MQTT-3.8.3-3")
@pytest.mark.parametrize("no_local", [False, True])
def test_no_local(connected, topic, no_local):
    client, other = connected(V5), connected(V5)
    client.subscribe((topic, options(1, no_local=no_local)))
    client.publish(topic, b"own", 1)
    other.publish(topic, b"other's", 1)
    assert [m.payload for m in client.drain()] == ([] if no_local else [b"own"]) + [b"other's"]


@covers("MQTT-3.8.3-3")
def test_no_local_is_of_each_subscription(connected, topic):
    client = connected(V5)
    client.subscribe((topic, options(1, no_local=True)))
    client.subscribe((topic + "/#", options(0)), props={P.SUBSCRIPTION_ID: 5})
    client.publish(topic, b"own", 1)
    taken = client.drain()
    assert [(m.payload, m.all(P.SUBSCRIPTION_ID)) for m in taken] == [(b"own", [5])]
    assert all(m.kind == PUBLISH for m in taken)


@covers("v5#3.3.2.3.2/pfi-utf8")
def test_text_that_is_none_is_forwarded_or_refused(connected, topic):
    """A server may look at the payload, and need not."""
    client = connected(V5)
    client.subscribe(topic)
    answer = client.publish(topic, b"\xff\xfe", 1, props={P.PAYLOAD_FORMAT: 1})
    taken = [(m.payload, m.prop(P.PAYLOAD_FORMAT)) for m in client.drain()]
    assert (answer.code, taken) in ((0, [(b"\xff\xfe", 1)]), (0x99, []))


@covers("v5#1.5.4/disallowed")
@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0010ffff"])
def test_characters_that_should_not_be_are_forwarded_or_refused(connected, topic, version, character):
    """Both are allowed; another character in its place is not."""
    client = connected(version)
    name = topic + character
    client.send(wire.subscribe(version, 900, [(name, 0)]), wire.publish(version, name, b"x"), wire.PING)
    client.observer.requests[900], client.observer.pings = (wire.SUBACK, 1), 1
    try:
        assert client.wait(wire.SUBACK, wire.DISCONNECT).kind == wire.DISCONNECT or client.message().topic == name
    except Ended:
        pass


@covers("", "MQTT-3.3.5-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_publish_that_is_refused_is_answered_as_ever_or_the_connection_ends(connected, version, qos):
    """The server's own topics are nobody else's."""
    client = connected(version)
    packet_id = client.start("$SYS/broker/version", b"mine", qos)
    try:
        answer = client.wait(wire.PUBACK, wire.PUBREC, wire.DISCONNECT)
        assert answer.kind == wire.DISCONNECT or (answer.kind, answer.packet_id) == (
            wire.PUBACK if qos == 1 else wire.PUBREC, packet_id)
    except Ended:
        pass
    reader = connected(version)
    reader.subscribe("$SYS/broker/version")
    assert b"mine" not in [m.payload for m in reader.drain()]
