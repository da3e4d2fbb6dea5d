"""Wills: when they are published, how often, and as what. (Will delays are in test_time.py.)"""

import pytest

import wire
from client import unique
from covers import covers
from test_publish import ALL_PROPS
from wire import P, V5, Will


@pytest.fixture
def watcher(connected, topic, version):
    """Subscribed to this test's topic and all below."""
    client = connected(version)
    client.subscribe(topic + "/#", qos=2)
    return client


@covers("MQTT-3.1.2-7 MQTT-3.1.2-8 MQTT-3.1.2-10", "MQTT-3.1.2-8 MQTT-3.1.2-10")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_published_once_when_the_connection_just_ends(connected, watcher, topic, version, qos):
    connected(version, will=Will(topic, b"gone \0", qos)).drop()
    message = watcher.message()
    assert (message.topic, message.payload, message.qos, message.retain) == (topic, b"gone \0", qos, 0)
    assert watcher.drain() == []


@covers("MQTT-3.14.4-3 MQTT-3.1.2-10", "MQTT-3.14.4-3 MQTT-3.1.2-10")
def test_not_published_after_disconnect(connected, watcher, topic, version):
    client = connected(version, will=Will(topic))
    client.leave()
    assert watcher.drain() == []
    connected(version, client.client_id).drop()
    connected(version, will=Will(topic + "/fence")).drop()
    assert watcher.message().topic == topic + "/fence"


@covers("MQTT-3.1.2-8")
def test_published_after_disconnect_with_will(connected, topic):
    watcher = connected(V5)
    watcher.subscribe(topic)
    connected(V5, will=Will(topic, b"wanted")).leave(0x04)
    assert watcher.message().payload == b"wanted"


@covers("MQTT-3.1.2-8")
@pytest.mark.parametrize("code", [0x80, 0x81, 0x83, 0x93, 0x97])
def test_published_after_disconnect_with_an_error(connected, topic, code):
    watcher = connected(V5)
    watcher.subscribe(topic)
    connected(V5, will=Will(topic)).leave(code)
    assert watcher.message().topic == topic


@covers("MQTT-3.1.2-8", "MQTT-3.1.2-8")
def test_published_when_the_server_ends_the_connection(connected, watcher, topic, version):
    client = connected(version, will=Will(topic, b"x"))
    client.send(wire.publish(version, "a/#", b""))
    assert watcher.message().payload == b"x"


@covers("MQTT-3.1.2-8 MQTT-3.1.4-3", "MQTT-3.1.2-8 MQTT-3.1.4-2")
def test_published_when_another_takes_over(connected, watcher, topic, version):
    """At 5.0 unless the session goes on and the Will Delay is above 0."""
    client = connected(version, will=Will(topic, b"x"))
    connected(version, client.client_id)
    assert watcher.message().payload == b"x"


@covers("", "MQTT-3.1.2-12")
@covers("MQTT-3.1.2-10", "")
def test_no_will_no_message(connected, watcher, topic, version):
    connected(version).drop()
    client = connected(version, will=Will(topic))
    connected(version, client.client_id).drop()  # the second connection has none
    assert [m.topic for m in watcher.messages(1)] == [topic]
    connected(version, will=Will(topic + "/fence")).drop()
    assert watcher.message().topic == topic + "/fence"


@covers("MQTT-3.1.2-14 MQTT-3.1.2-15", "MQTT-3.1.2-16 MQTT-3.1.2-17")
@pytest.mark.parametrize("retain", [False, True])
def test_kept_only_with_the_retain_flag(connected, watcher, topic, version, retain):
    connected(version, will=Will(topic, b"x", 1, retain)).drop()
    assert watcher.message().retain == 0
    late = connected(version)
    late.subscribe(topic, qos=1)
    assert [(m.payload, m.retain, m.qos) for m in late.drain()] == ([(b"x", 1, 1)] if retain else [])


@covers("MQTT-3.1.2-15", "MQTT-3.1.2-17")
def test_an_empty_retained_will_clears(connected, watcher, topic, version):
    connected(version).publish(topic, b"old", 1, retain=1)
    connected(version, will=Will(topic, b"", 1, True)).drop()
    assert [m.payload for m in watcher.messages(2)] == [b"old", b""]
    late = connected(version)
    late.subscribe(topic)
    assert late.drain() == []


@covers("MQTT-3.1.3-10")
def test_it_keeps_its_properties(connected, topic):
    watcher = connected(V5)
    watcher.subscribe(topic)
    connected(V5, will=Will(topic, b"x", props=ALL_PROPS)).drop()
    message = watcher.message()
    assert message.all(P.USER) == [value for name, value in ALL_PROPS if name == P.USER]
    assert sorted(map(repr, message.props)) == sorted(map(repr, ALL_PROPS)), "and no Will Delay"


@covers("MQTT-3.1.2-7")
def test_an_empty_will_is_a_message(connected, topic):
    watcher = connected(V5)
    watcher.subscribe(topic)
    connected(V5, will=Will(topic, b"")).drop()
    assert watcher.message().payload == b""


@covers("MQTT-3.1.2-7", "MQTT-3.1.2-8")
def test_each_connection_has_its_own(connected, watcher, topic, version):
    client_id = unique()
    props = {P.SESSION_EXPIRY: 60} if version == V5 else ()
    for number in (b"1", b"2"):
        connected(version, client_id, clean=False, props=props, will=Will(topic, number)).drop()
        assert watcher.message().payload == number
    assert watcher.drain() == []


@covers("MQTT-3.1.4-6", "MQTT-3.1.4-1 MQTT-3.1.4-5")
def test_a_refused_connect_has_none(connected, opened, watcher, topic, version):
    client = opened(version)
    client.send(wire.connect(version, unique(), will=Will(topic), flags=0x07))
    client.raw_end()
    connected(version, will=Will(topic + "/fence")).drop()
    assert [m.topic for m in watcher.messages(1)] == [topic + "/fence"]


@covers("MQTT-3.1.2-8", "MQTT-3.1.2-8")
def test_it_reaches_kept_sessions(connected, topic, version):
    props = {P.SESSION_EXPIRY: 60} if version == V5 else ()
    absent = connected(version, clean=False, props=props)
    absent.subscribe(topic, qos=1)
    absent.leave()
    watcher = connected(version)
    watcher.subscribe(topic)
    connected(version, will=Will(topic, b"x", 1)).drop()
    watcher.message()
    again = connected(version, absent.client_id, clean=False)
    assert [m.payload for m in again.messages(1)] == [b"x"]


@covers("MQTT-3.1.2-8", "MQTT-3.1.2-8")
def test_a_kept_session_gets_its_own_will(connected, topic, version):
    props = {P.SESSION_EXPIRY: 60} if version == V5 else ()
    watcher = connected(version)
    watcher.subscribe(topic)
    client = connected(version, clean=False, props=props, will=Will(topic, b"x", 1))
    client.subscribe(topic, qos=1)
    client.drop()
    watcher.message()
    again = connected(version, client.client_id, clean=False)
    assert again.message().payload == b"x"
