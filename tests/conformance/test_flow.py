"""Flow control both ways, packet sizes, and topic aliases both ways."""

import pytest

import wire
from client import unique
from covers import covers
from wire import P, PUBACK, PUBREC, PUBREL, SUBACK, V5


def open_flows(client, topic, count, qos):
    """Starts `count` flows at once; gives their packet identifiers."""
    return [client.start(topic, b"%d" % n, qos) for n in range(count)]


@covers("MQTT-3.3.4-9 MQTT-4.9.0-1 MQTT-4.9.0-2 MQTT-4.9.0-3 MQTT-3.3.4-10")
@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("qos", [1, 2])
def test_the_server_keeps_to_the_client_s_receive_maximum(connected, topic, window, qos):
    client = connected(V5, automatic=False, props={P.RECEIVE_MAXIMUM: window})
    publisher = connected(V5)
    client.subscribe(topic, qos=2)
    for number in range(window + 3):
        publisher.publish(topic, b"%d" % number, qos)
    publisher.publish(topic, b"free", 0)
    first = client.drain()  # pings are answered though the quota is used up
    assert [m.payload for m in first if m.qos] == [b"%d" % n for n in range(window)]
    assert client.publish(unique("x/"), b"", 1).code in (0, 0x10), "so are publishes"
    assert client.subscribe(unique("x/")).codes == [0]
    held = [m for m in first if m.qos]
    for number in range(window, window + 3):
        client.ack(held.pop(0))
        if qos == 2:
            assert not [m for m in client.drain() if m.qos], "PUBREC alone frees nothing"
            client.pubcomp(client.wait(PUBREL))
        held.append(client.message())
        assert held[-1].payload == b"%d" % number


@covers("MQTT-3.3.4-9 MQTT-4.3.3-9")
def test_a_pubrec_with_an_error_frees_the_quota(connected, topic):
    client = connected(V5, automatic=False, props={P.RECEIVE_MAXIMUM: 1})
    publisher = connected(V5)
    client.subscribe(topic, qos=2)
    for number in range(3):
        publisher.publish(topic, b"%d" % number, 2)
    for number in range(3):
        message = client.message()
        assert message.payload == b"%d" % number
        client.ack(message, 0x80)
    assert client.drain() == []


@covers("MQTT-4.9.0-1 MQTT-3.3.4-9")
def test_what_is_sent_again_keeps_to_it_too(connected, topic):
    kept = {P.SESSION_EXPIRY: 60}
    client = connected(V5, automatic=False, props=kept)
    client.subscribe(topic, qos=1)
    publisher = connected(V5)
    for number in range(6):
        publisher.publish(topic, b"%d" % number, 1)
    client.messages(6)
    client.drop()
    again = connected(V5, client.client_id, automatic=False, clean=False, props={**kept, P.RECEIVE_MAXIMUM: 2})
    for number in range(6):
        message = again.message()
        assert message.payload == b"%d" % number
        if number >= 1:
            again.ack(held)
        held = message
    again.ack(held)
    assert again.drain() == []


@covers("MQTT-3.3.4-7 MQTT-4.13.1-1")
@pytest.mark.parametrize("window", [1, 5])
def test_a_client_above_the_server_s_receive_maximum_is_told(brokers, connected, topic, window):
    on = brokers(receive_maximum=window)
    client = connected(V5, on=on)
    assert client.observer.connack.prop(P.RECEIVE_MAXIMUM) == window
    for packet_id in open_flows(client, topic, window, 2):
        assert client.wait(PUBREC).packet_id == packet_id
    client.send(wire.publish(V5, topic, b"one more", 2, 999))
    client.refused(0x93)


def test_a_tolerant_server_takes_what_is_above_its_receive_maximum(brokers, connected, topic):
    """Devices in the field misbehave: nothing is lost of it."""
    on = brokers(receive_maximum=3, receive_maximum_policy="tolerant")
    client, subscriber = connected(V5, on=on), connected(V5, on=on)
    subscriber.subscribe(topic, qos=2)
    ids = open_flows(client, topic, 20, 2)
    for packet_id in ids:
        assert client.wait(PUBREC).packet_id == packet_id
    for packet_id in ids:
        client.pubrel(packet_id)
        assert client.wait(wire.PUBCOMP).packet_id == packet_id
    assert [m.payload for m in subscriber.messages(20)] == [b"%d" % n for n in range(20)]


@covers("MQTT-3.3.4-7 MQTT-4.9.0-2")
def test_a_client_within_it_goes_on(brokers, connected, topic):
    client = connected(V5, on=brokers(receive_maximum=5))
    ids = open_flows(client, topic, 5, 2)
    for packet_id in ids:
        assert client.wait(PUBREC).packet_id == packet_id
    for packet_id in ids:
        client.pubrel(packet_id)
        assert client.wait(wire.PUBCOMP).packet_id == packet_id
        more = client.start(topic, b"", 2)
        assert client.wait(PUBREC).packet_id == more
    assert client.drain() == []


@covers("MQTT-3.1.2-24 MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_too_large_for_a_client_are_dropped_for_it_alone(connected, topic, qos):
    small, large, publisher = connected(V5, props={P.MAXIMUM_PACKET_SIZE: 100}), connected(V5), connected(V5)
    for client in (small, large):
        client.subscribe(topic, qos=2)
    for payload in (b"a", b"b" * 200, b"c"):
        publisher.publish(topic, payload, qos)
    assert [len(m.payload) for m in large.messages(3)] == [1, 200, 1]
    assert [m.payload for m in small.messages(2)] == [b"a", b"c"]
    assert small.drain() == []


@covers("MQTT-3.1.2-24 MQTT-3.1.2-25")
def test_a_packet_of_just_the_size_is_sent(connected, topic):
    client, publisher = connected(V5), connected(V5)
    client.subscribe(topic)
    publisher.publish(topic, bytes(100))
    size = client.message().size
    for limit, expected in ((size, 1), (size - 1, 0)):
        limited = connected(V5, props={P.MAXIMUM_PACKET_SIZE: limit})
        limited.subscribe(topic)
        publisher.publish(topic, bytes(100), 1)
        assert len(limited.drain()) == expected


@covers("MQTT-3.1.2-25 MQTT-3.3.4-9")
def test_a_dropped_message_takes_no_quota(connected, topic):
    client = connected(V5, props={P.MAXIMUM_PACKET_SIZE: 100, P.RECEIVE_MAXIMUM: 1})
    client.subscribe(topic, qos=2)
    publisher = connected(V5)
    for _ in range(3):
        publisher.publish(topic, bytes(200), 1)
    publisher.publish(topic, b"x", 1)
    assert client.message().payload == b"x"


@covers("MQTT-3.1.2-24 MQTT-3.1.2-25")
def test_a_retained_message_too_large_is_dropped(connected, topic):
    connected(V5).publish(topic + "/1", bytes(300), 1, retain=1)
    connected(V5).publish(topic + "/2", b"x", 1, retain=1)
    client = connected(V5, props={P.MAXIMUM_PACKET_SIZE: 100})
    client.subscribe(topic + "/#", qos=1)
    assert [m.payload for m in client.drain()] == [b"x"]


@covers("MQTT-3.2.2-15 MQTT-4.13.1-1")
def test_a_client_above_the_server_s_packet_size_is_told(brokers, connected, topic):
    client = connected(V5, on=brokers(max_packet_size=2000))
    assert client.observer.connack.prop(P.MAXIMUM_PACKET_SIZE) == 2000
    client.publish(topic, bytes(1500), 1)
    client.send(wire.publish(V5, topic, bytes(2000), 0))
    client.refused(0x95)


@covers("MQTT-3.2.2-15 MQTT-4.13.1-1")
def test_the_length_alone_is_enough(brokers, connected):
    client = connected(V5, on=brokers(max_packet_size=2000))
    client.send(b"\x30\xff\xff\xff\x7f")
    client.refused(0x95)


@covers("MQTT-3.3.2-7 MQTT-3.3.2-12")
def test_a_client_s_aliases_are_resolved(connected, topic):
    subscriber, client = connected(V5), connected(V5)
    subscriber.subscribe(topic + "/#")
    maximum = client.observer.connack.prop(P.TOPIC_ALIAS_MAXIMUM, 0)
    assert maximum >= 2
    for alias in (1, maximum):
        client.start(f"{topic}/{alias}", b"set", props={P.TOPIC_ALIAS: alias})
    for alias in (1, maximum):
        client.start("", b"use", 1, props={P.TOPIC_ALIAS: alias})
        client.wait(PUBACK)
    client.start(topic + "/new", b"set again", props={P.TOPIC_ALIAS: 1})
    client.publish("", b"use again", 2, props={P.TOPIC_ALIAS: 1})
    taken = subscriber.messages(6)
    assert [(m.topic, m.payload) for m in taken] == [
        (topic + "/1", b"set"), (f"{topic}/{maximum}", b"set"), (topic + "/1", b"use"), (f"{topic}/{maximum}", b"use"),
        (topic + "/new", b"set again"), (topic + "/new", b"use again")]
    assert all(m.prop(P.TOPIC_ALIAS) is None for m in taken), "an alias is of one connection"


@covers("MQTT-3.3.2-8 MQTT-3.3.2-9 MQTT-4.13.1-1")
@pytest.mark.parametrize("above", [None, 1], ids=["zero", "above"])
def test_an_alias_out_of_range_is_told(connected, topic, above):
    client = connected(V5)
    maximum = client.observer.connack.prop(P.TOPIC_ALIAS_MAXIMUM, 0)
    client.send(wire.publish(V5, topic, b"", props={P.TOPIC_ALIAS: maximum + 1 if above else 0}))
    client.refused(0x94)


@covers("v5#3.3.4/alias-unset MQTT-3.3.2-7 MQTT-4.13.1-1")
def test_an_alias_that_was_not_set_is_told(connected):
    client = connected(V5)
    client.send(wire.publish(V5, "", b"", props={P.TOPIC_ALIAS: 1}))
    client.refused(0x82)


@covers("v5#3.3.4/alias-unset MQTT-3.3.2-7")
def test_aliases_end_with_the_connection(connected, topic):
    kept = {P.SESSION_EXPIRY: 60}
    client = connected(V5, props=kept)
    client.publish(topic, b"", 1, props={P.TOPIC_ALIAS: 1})
    client.leave()
    again = connected(V5, client.client_id, clean=False, props=kept)
    again.send(wire.publish(V5, "", b"", props={P.TOPIC_ALIAS: 1}))
    again.refused(0x82)


@covers("MQTT-3.2.2-18 MQTT-3.2.2-17 MQTT-3.3.2-9 MQTT-4.13.1-1")
def test_a_server_without_aliases_takes_none(brokers, connected, topic):
    client = connected(V5, on=brokers(topic_alias_maximum=0))
    assert not client.observer.connack.prop(P.TOPIC_ALIAS_MAXIMUM)
    client.send(wire.publish(V5, topic, b"", props={P.TOPIC_ALIAS: 1}))
    client.refused(0x94)


@covers("MQTT-3.1.2-26 MQTT-3.1.2-27 MQTT-3.3.2-11 MQTT-3.3.2-7 v5#3.3.2.1/empty-topic MQTT-3.3.2-8")
@pytest.mark.parametrize("maximum", [None, 0, 1, 3])
def test_the_server_s_aliases_keep_to_the_client_s_maximum(connected, topic, maximum):
    """The observer resolves them and takes none above the maximum."""
    client = connected(V5, props={} if maximum is None else {P.TOPIC_ALIAS_MAXIMUM: maximum})
    client.subscribe(topic + "/#", qos=1)
    publisher = connected(V5)
    wanted = [f"{topic}/{n % 5}/{'long' * 10}" for n in range(40)]
    for number, name in enumerate(wanted):
        publisher.publish(name, b"x", number % 2)
    assert [m.topic for m in client.messages(40)] == wanted


@covers("MQTT-3.1.2-26 MQTT-3.3.2-7")
def test_the_server_s_aliases_end_with_the_connection(connected, topic):
    props = {P.SESSION_EXPIRY: 60, P.TOPIC_ALIAS_MAXIMUM: 5}
    client = connected(V5, props=props, automatic=False)
    client.subscribe(topic, qos=1)
    publisher = connected(V5)
    for _ in range(4):
        publisher.publish(topic, b"x", 1)
    assert [m.topic for m in client.messages(4)] == [topic] * 4
    client.drop()
    again = connected(V5, client.client_id, clean=False, props=props)
    assert [m.topic for m in again.messages(4)] == [topic] * 4


@covers("MQTT-4.9.0-3", "")
def test_requests_are_answered_while_answers_are_owed(connected, topic):
    client = connected(V5, automatic=False, props={P.RECEIVE_MAXIMUM: 1})
    client.subscribe(topic, qos=1)
    connected(V5).publish(topic, b"x", 1)
    held = client.message()
    assert client.request(SUBACK, 900, 1, wire.subscribe(V5, 900, [(topic + "/x", 0)])).codes == [0]
    assert client.unsubscribe(topic + "/x").codes == [0]
    client.ack(held)
    assert client.drain() == []
