"""MQTT over WebSocket."""

import pytest

import wire
from client import DEADLINE, unique
from covers import both
from websocket import BINARY, CONTINUATION, PING, TEXT, WebSocket, WebSocketClient
from wire import CONNACK, PINGRESP


@pytest.fixture(scope="module")
def listener(brokers):
    """Where the broker listens for WebSocket."""
    return brokers(transports=("tcp", "ws")).addresses["ws"]


@pytest.fixture
def client(listener, version):
    client = WebSocketClient(listener, version)
    yield client
    client.close()


@both("MQTT-6.0.0-4 MQTT-6.0.0-3")
def test_the_server_selects_mqtt(client):
    assert client.socket.status == 101
    assert client.socket.headers["sec-websocket-protocol"] == "mqtt"
    client.connect()
    assert client.drain() == []


@both("MQTT-6.0.0-4")
def test_the_server_selects_mqtt_among_others(listener):
    opened = WebSocket(listener, DEADLINE, "chat, mqtt, mqttv3.1")
    assert (opened.status, opened.headers["sec-websocket-protocol"]) == (101, "mqtt")
    opened.close()


@both("MQTT-6.0.0-3 MQTT-6.0.0-4")
@pytest.mark.parametrize("offered", [None, "chat"])
def test_without_mqtt_offered_it_is_not_selected(listener, offered):
    opened = WebSocket(listener, DEADLINE, offered)
    assert opened.status != 101 or "sec-websocket-protocol" not in opened.headers
    opened.close()


@both("MQTT-6.0.0-1")
def test_the_server_sends_binary_frames(client):
    client.connect()
    topic = unique("ws/")
    client.subscribe(topic, qos=2)
    for qos, payload in ((0, b"x"), (1, b"\0" * 200), (2, b"y" * 100000)):
        client.publish(topic, payload, qos)
    assert [len(m.payload) for m in client.messages(3)] == [1, 200, 100000]


@both("MQTT-6.0.0-1")
@pytest.mark.parametrize("when", ["first", "later"])
def test_a_text_frame_ends_the_connection(client, version, when):
    if when == "later":
        client.connect()
    client.socket.send_frame(wire.PING if when == "later" else wire.connect(version, unique()), TEXT)
    assert not [p for p in client.end() if p.kind in (CONNACK, PINGRESP)]


@both("MQTT-6.0.0-2")
@pytest.mark.parametrize("size", [1, 3, 7])
def test_packets_need_not_be_aligned_with_frames(client, version, size):
    topic = unique("ws/")
    data = (wire.connect(version, unique()) + wire.subscribe(version, 1, [(topic, 0)])
            + wire.publish(version, topic, b"x" * 50) + wire.PING)
    client.observer.requests[1], client.observer.pings = (wire.SUBACK, 1), 1
    for at in range(0, len(data), size):
        client.socket.send_frame(data[at:at + size])
    kinds = [client.next().kind for _ in range(4)]
    assert kinds == [CONNACK, wire.SUBACK, wire.PUBLISH, PINGRESP]


@both("MQTT-6.0.0-2")
def test_several_packets_in_one_frame_and_one_in_several_fragments(client, version):
    connect = wire.connect(version, unique())
    client.socket.send_frame(connect[:4], BINARY, final=False)
    client.socket.send_frame(b"hello", PING)
    client.socket.send_frame(connect[4:9], CONTINUATION, final=False)
    client.socket.send_frame(connect[9:] + wire.PING * 3, CONTINUATION)
    client.observer.pings = 3
    assert [client.next().kind for _ in range(4)] == [CONNACK, PINGRESP, PINGRESP, PINGRESP]
