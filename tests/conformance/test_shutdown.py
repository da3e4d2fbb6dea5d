"""What clients hear when the server itself ends."""

import signal

import pytest

import subjects
from client import Client, unique
from covers import covers
from wire import V5, V31, V311, Will


@pytest.fixture
def mortal():
    """A broker of this test alone."""
    broker = subjects.start()
    yield broker
    broker.stop()


@covers("MQTT-3.14.2-1 MQTT-4.13.2-1 MQTT-3.14.4-1 MQTT-3.14.4-2", "v311#3.14/server-disconnect")
def test_clients_are_told_and_their_connections_closed(mortal):
    clients = [Client(mortal.address, version) for version in (V31, V311, V5, V5)]
    topic = unique("end/")
    for client in clients:
        client.connect(will=Will(topic))
        client.subscribe(topic, qos=2)
    waiting = Client(mortal.address, V5)  # has not said CONNECT: is not told either
    mortal.signal(signal.SIGTERM)
    for client in clients:
        client.refused(0x8B)
    assert waiting.end() == []
    for client in (*clients, waiting):
        client.close()
    assert mortal.exit_code() in (0, 128 + signal.SIGTERM)
