"""What the server announces that it cannot or will not do, and what becomes of who does it all the same."""

import pytest

import wire
from client import Ended
from covers import covers
from wire import P, SUBACK, V5, V311, Will


def announced(client, name):
    return client.observer.connack.prop(name)


@covers("MQTT-3.2.2-9 v5#3.2.2.3.4/max-qos v5#3.2.2.3.5/retain-avail v5#3.2.2.3.11-13/feature-bits "
        "v5#3.2.2.3.14/ska-dup v5#3.2.2.3.15/resp-info-dup v5#3.1.2.11.3/rm v5#3.1.2.11.4/mps "
        "v5#3.1.2.11.5/tam-dup v5#3.2.2.3.9/reason-dup")
def test_the_broker_as_it_comes_limits_nothing_it_need_not(connected):
    client = connected(V5)  # the reader takes no bad or repeated property
    assert announced(client, P.MAXIMUM_QOS) is None
    for name in (P.RETAIN_AVAILABLE, P.WILDCARD_AVAILABLE, P.SUBID_AVAILABLE, P.SHARED_AVAILABLE):
        assert announced(client, name) in (None, 1)
    assert announced(client, P.SERVER_KEEP_ALIVE) is None
    assert announced(client, P.SESSION_EXPIRY) is None


@covers("MQTT-3.2.2-9 v5#3.2.2.3.4/max-qos")
@pytest.mark.parametrize("maximum", [0, 1])
def test_maximum_qos_is_announced(brokers, connected, maximum):
    assert announced(connected(V5, on=brokers(max_qos=maximum)), P.MAXIMUM_QOS) == maximum


@covers("MQTT-3.2.2-10", "MQTT-3.8.4-6")
@pytest.mark.parametrize("maximum", [0, 1])
def test_subscribing_at_any_qos_is_accepted_all_the_same(brokers, connected, topic, version, maximum):
    client = connected(version, on=brokers(max_qos=maximum))
    assert client.subscribe((topic, 0), (topic + "/1", 1), (topic + "/2", 2)).codes in (
        [0, min(maximum, 1), maximum], [0, 1, 2])
    client.publish(topic + "/2", b"x", maximum)
    assert client.message().qos == maximum


@covers("MQTT-3.2.2-11 MQTT-4.13.1-1")
@pytest.mark.parametrize("maximum", [0, 1])
def test_a_publish_above_maximum_qos_is_told(brokers, connected, topic, maximum):
    client = connected(V5, on=brokers(max_qos=maximum))
    client.send(wire.publish(V5, topic, b"", maximum + 1, 1))
    client.refused(0x9B)


@covers("", "MQTT-3.3.4-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_before_5_0_nobody_is_told_so_it_is_answered_or_ends_the_connection(brokers, connected, topic, qos):
    client = connected(V311, on=brokers(max_qos=0))
    try:
        assert client.publish(topic, b"", qos).code == 0
    except Ended:
        pass


@covers("MQTT-3.2.2-12 MQTT-3.2.2-7")
def test_a_will_above_maximum_qos_is_refused(brokers, opened, topic):
    client = opened(V5, on=brokers(max_qos=1))
    client.connect(code=0x9B, will=Will(topic, qos=2))
    assert client.end() == []
    opened(V5, on=brokers(max_qos=1)).connect(will=Will(topic, qos=1))


@covers("v5#3.2.2.3.5/retain-avail MQTT-3.2.2-14 MQTT-4.13.1-1")
def test_retain_where_it_is_not_available(brokers, connected, topic):
    client = connected(V5, on=brokers(no_retain=True))
    assert announced(client, P.RETAIN_AVAILABLE) == 0
    client.send(wire.publish(V5, topic, b"x", retain=1))
    client.refused(0x9A)


def test_before_5_0_retained_messages_are_then_not_kept(brokers, connected, topic):
    """Nobody can be told; so they are forwarded and forgotten, or end the connection."""
    on = brokers(no_retain=True)
    client = connected(V311, on=on)
    client.subscribe(topic)
    try:
        client.publish(topic, b"x", 1, retain=1)
        assert [m.retain for m in client.drain()] == [0]
    except Ended:
        pass
    late = connected(V311, on=on)
    late.subscribe(topic)
    assert late.drain() == []


@covers("MQTT-3.2.2-13 MQTT-3.2.2-7")
def test_a_retained_will_where_it_is_not_available(brokers, opened, topic):
    client = opened(V5, on=brokers(no_retain=True))
    client.connect(code=0x9A, will=Will(topic, retain=True))
    assert client.end() == []


@covers("v5#3.2.2.3.11/wildcard-use v5#3.2.2.3.11-13/feature-bits", "MQTT-3.8.3-2 MQTT-3.9.3-2")
@pytest.mark.parametrize("end", ["/#", "/+"])
def test_wildcards_where_they_are_not_available(brokers, connected, topic, version, end):
    client = connected(version, on=brokers(no_wildcard=True))
    assert version != V5 or announced(client, P.WILDCARD_AVAILABLE) == 0
    assert client.subscribe(topic).codes == [0]
    if version == V5:
        assert_refused(client, topic + end, 0xA2)
    else:
        assert client.subscribe(topic + end, topic).codes == [0x80, 0]


@covers("v5#3.2.2.3.13/shared-use v5#3.2.2.3.11-13/feature-bits")
def test_shared_subscriptions_where_they_are_not_available(brokers, connected, topic):
    client = connected(V5, on=brokers(no_shared=True))
    assert announced(client, P.SHARED_AVAILABLE) == 0
    assert_refused(client, "$share/g/" + topic, 0x9E)


def assert_refused(client, topic_filter, code):
    """Refused in SUBACK or with DISCONNECT: the text has both."""
    client.observer.requests[500] = (SUBACK, 1)
    client.send(wire.subscribe(V5, 500, [(topic_filter, 0)]))
    answer = client.next()
    if answer.kind == SUBACK:
        assert answer.codes == [code]
    else:
        assert (answer.kind, answer.code) == (wire.DISCONNECT, code)
        assert client.end() == []


@covers("MQTT-3.2.2-15 v5#3.1.2.11.4/mps", "MQTT-4.8.0-1")
def test_maximum_packet_size(brokers, connected, topic, version):
    on = brokers(max_packet_size=500)
    client = connected(version, on=on)
    assert version != V5 or announced(client, P.MAXIMUM_PACKET_SIZE) == 500
    whole = wire.publish(version, topic, bytes(400))
    just = wire.publish(version, topic, bytes(900 - len(whole)))
    assert len(just) == 500
    client.subscribe(topic)
    client.send(just)
    assert client.message().payload == bytes(900 - len(whole))
    client.send(wire.publish(version, topic, bytes(901 - len(whole))))
    client.refused(0x95)


@covers("MQTT-3.3.4-7 v5#3.1.2.11.3/rm", "MQTT-4.3.2-2")
def test_before_5_0_a_client_cannot_know_receive_maximum(brokers, connected, topic):
    """So nothing is lost of what it sends at once."""
    on = brokers(receive_maximum=5)
    client, subscriber = connected(V311, on=on), connected(V311, on=on)
    subscriber.subscribe(topic, qos=1)
    ids = [client.start(topic, b"%d" % n, 1) for n in range(30)]
    assert [client.wait(wire.PUBACK).packet_id for _ in ids] == ids
    assert [m.payload for m in subscriber.messages(30)] == [b"%d" % n for n in range(30)]
