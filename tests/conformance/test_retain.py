"""Retained messages: what is kept, who gets it, and the RETAIN flag."""

import pytest

from client import unique
from covers import both, covers
from wire import P, V5, options


def retained(client, topic_filter, qos=0):
    """What a new subscription finds."""
    client.subscribe(topic_filter, qos=qos)
    return client.drain()


@covers("MQTT-3.3.1-5 MQTT-3.3.1-9", "MQTT-3.3.1-5 MQTT-3.3.1-6 MQTT-3.3.1-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_last_one_is_kept(connected, topic, any_version, qos):
    publisher = connected(any_version)
    for payload in (b"old", b"new"):
        publisher.publish(topic, payload, qos, retain=1)
    found = retained(connected(any_version), topic, 2)
    assert [(m.payload, m.qos, m.retain, m.dup) for m in found] == [(b"new", qos, 1, 0)]


@covers("MQTT-3.3.1-5", "MQTT-3.3.1-7 MQTT-3.3.1-5")
def test_qos_0_replaces_qos_1(connected, topic, version):
    publisher = connected(version)
    publisher.publish(topic, b"old", 1, retain=1)
    publisher.publish(topic, b"new", 0, retain=1)
    assert [m.payload for m in retained(connected(version), topic, 1)] in ([b"new"], [])


@covers("MQTT-3.3.1-9", "MQTT-3.3.1-6")
def test_each_topic_once(connected, version):
    root = unique("r")
    publisher = connected(version)
    names = [root, root + "/a", root + "/a/b", root + "/", root + "/\u00e9"]
    for name in names:
        publisher.publish(name, name.encode(), 1, retain=1)
    found = retained(connected(version), root + "/#")
    assert sorted(m.topic for m in found) == sorted(names)
    assert all(m.payload == m.topic.encode() and m.retain for m in found)
    assert sorted(m.topic for m in retained(connected(version), root + "/+")) == sorted(
        [root + "/a", root + "/", root + "/\u00e9"])


@covers("MQTT-4.7.2-1", "MQTT-4.7.2-1")
def test_wildcards_do_not_find_retained_topics_with_a_dollar(connected, version):
    name = unique("$r")
    connected(version).publish(name, b"x", 1, retain=1)
    client = connected(version)
    client.subscribe("#", "+")
    assert not [m for m in client.drain() if m.topic.startswith("$")]


@covers("MQTT-3.3.1-6 MQTT-3.3.1-7", "MQTT-3.3.1-10 MQTT-3.3.1-11")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_an_empty_one_clears(connected, topic, version, qos):
    publisher, live = connected(version), connected(version)
    publisher.publish(topic, b"x", 1, retain=1)
    live.subscribe(topic, qos=2)
    assert live.message().retain == 1
    publisher.publish(topic, b"", qos, retain=1)
    message = live.message()  # it is an ordinary message to who is there
    assert (message.payload, message.qos, message.retain) == (b"", qos, 0)
    assert retained(connected(version), topic) == []
    publisher.publish(topic, b"y", 1, retain=1)
    assert [m.payload for m in retained(connected(version), topic)] == [b"y"]


@covers("MQTT-3.3.1-8", "MQTT-3.3.1-12")
@pytest.mark.parametrize("payload", [b"", b"other"])
def test_a_message_without_the_flag_changes_nothing(connected, topic, version, payload):
    publisher = connected(version)
    publisher.publish(topic, b"kept", 1, retain=1)
    publisher.publish(topic, payload, 1)
    assert [m.payload for m in retained(connected(version), topic)] == [b"kept"]


@covers("MQTT-3.3.1-12", "MQTT-3.3.1-9")
def test_live_messages_come_without_the_flag(connected, topic, any_version):
    subscriber = connected(any_version)
    subscriber.subscribe(topic, qos=1)
    connected(any_version).publish(topic, b"x", 1, retain=1)
    assert [m.retain for m in subscriber.drain()] == [0]


@covers("MQTT-3.3.1-12 MQTT-3.3.1-13")
@pytest.mark.parametrize("as_published", [False, True])
@pytest.mark.parametrize("retain", [0, 1])
def test_retain_as_published(connected, topic, as_published, retain):
    subscriber = connected(V5)
    subscriber.subscribe((topic, options(1, as_published=as_published)))
    connected(V5).publish(topic, b"x", 1, retain=retain)
    assert [m.retain for m in subscriber.drain()] == [retain if as_published else 0]


@covers("MQTT-3.3.1-9")
@pytest.mark.parametrize("as_published", [False, True])
def test_stored_messages_come_with_the_flag(connected, topic, as_published):
    connected(V5).publish(topic, b"x", 1, retain=1)
    subscriber = connected(V5)
    subscriber.subscribe((topic, options(1, as_published=as_published)))
    assert [m.retain for m in subscriber.drain()] == [1]


@covers("MQTT-3.3.1-9 MQTT-3.3.1-10 MQTT-3.3.1-11 MQTT-3.8.4-4")
def test_retain_handling(connected, topic):
    connected(V5).publish(topic, b"x", 1, retain=1)

    def found(client, handling):
        client.subscribe((topic, options(0, handling=handling)))
        return len(client.drain())

    assert found(connected(V5), 2) == 0
    client = connected(V5)
    assert [found(client, handling) for handling in (1, 1, 0, 0, 1, 2)] == [1, 0, 1, 1, 0, 0]
    client.unsubscribe(topic)
    assert found(client, 1) == 1


@covers("MQTT-3.3.1-10")
def test_retain_handling_1_knows_the_subscription_of_a_resumed_session(connected, topic):
    connected(V5).publish(topic, b"x", 1, retain=1)
    client = connected(V5, props={P.SESSION_EXPIRY: 60})
    client.subscribe((topic, options(0, handling=2)))
    client.leave()
    again = connected(V5, client.client_id, clean=False)
    again.subscribe((topic, options(0, handling=1)))
    assert again.drain() == []


@covers("MQTT-3.8.4-4 MQTT-3.8.4-3", "MQTT-3.8.4-3")
def test_subscribing_again_sends_it_again(connected, topic, version):
    connected(version).publish(topic, b"x", 1, retain=1)
    client = connected(version)
    for _ in range(3):
        assert [m.payload for m in retained(client, topic)] == [b"x"]


@covers("MQTT-3.8.4-8", "MQTT-3.8.4-6")
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_stored_messages_keep_to_the_granted_qos(connected, topic, version, granted):
    connected(version).publish(topic, b"x", 1, retain=1)
    assert [m.qos for m in retained(connected(version), topic, granted)] == [min(granted, 1)]


@covers(v311="MQTT-3.1.2-7")
@both("MQTT-4.1.0-1")
def test_retained_messages_outlive_their_publisher(connected, topic, version):
    publisher = connected(version)
    publisher.publish(topic, b"x", 1, retain=1)
    publisher.leave()
    connected(version, publisher.client_id).leave()
    assert [m.payload for m in retained(connected(version), topic)] == [b"x"]


@covers("v5#3.8.4/shared-retained")
def test_a_shared_subscription_gets_no_stored_messages(connected, topic):
    connected(V5).publish(topic, b"x", 1, retain=1)
    client = connected(V5)
    client.subscribe("$share/g/" + topic)
    assert client.drain() == []


@covers("MQTT-3.3.4-3")
def test_stored_messages_carry_the_subscription_identifier(connected, topic):
    connected(V5).publish(topic, b"x", 1, retain=1)
    client = connected(V5)
    client.subscribe(topic, topic + "/#", props={P.SUBSCRIPTION_ID: 268435455})
    assert [m.all(P.SUBSCRIPTION_ID) for m in client.drain()] == [[268435455]] * 2
