"""What mqbroker says under $SYS, beside what mosquitto says there."""

import contextlib
import re

import pytest

from support.brokers import Mosquitto
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import wait_until
from support.proc import DEADLINE

PREFIX = "$SYS/broker/"
ROUNDS = 3  # of which one is whole, wherever a subscription has come into the first
FORMS = {"version": r"\S+ version \d+\.\d+\.\d+.*", "uptime": r"\d+ seconds", "load": r"\d+\.\d\d"}  # all others: a number

BROKERS = {"mosquitto": lambda: Mosquitto(options=["sys_interval 1"]),
           "mqbroker": lambda: MqBroker(options=["--sys-interval", "200ms"])}


class Watched:
    """A broker, a client of it, and what it has said by topic, the latest last."""

    def __init__(self, broker):
        self.broker, self.said = broker, {}
        self.client = Paho.client(broker["tcp"])
        self.client.on_message = lambda c, user, m: self.said.setdefault(m.topic.removeprefix(PREFIX), []).append(m.payload.decode())
        self.client.subscribe("$SYS/#", 1)
        wait_until(lambda: len(self.said.get("uptime", ())) >= ROUNDS, DEADLINE, f"{ROUNDS} times $SYS")


@pytest.fixture(scope="module")
def both():
    with contextlib.ExitStack() as stack:
        found = {}
        for name, begin in BROKERS.items():
            found[name] = Watched(stack.enter_context(begin()))
            stack.callback(Paho.leave, found[name].client)
        yield found


@pytest.fixture(params=BROKERS)
def watched(request, both):
    return both[request.param].broker, both[request.param].client, both[request.param].said


def number(said, name):
    return float(said[name][-1].split()[0])


def test_every_value_has_its_form(watched):
    _, _, said = watched
    for name, values in dict(said).items():
        assert re.fullmatch(FORMS.get(name.split("/")[0], r"\d+"), values[-1]), (name, values)


def test_all_of_mosquittos_topics_are_there(both):
    topics = {name: set(one.said) for name, one in both.items()}
    assert topics["mosquitto"] - topics["mqbroker"] == set()
    assert len(topics["mosquitto"]) > 40, "it is mosquitto's whole tree"


EXPECTED = {
    "clients/connected": 2, "clients/active": 2, "clients/maximum": 2, "clients/total": 2, "clients/disconnected": 0,
    "subscriptions/count": 2, "shared_subscriptions/count": 1, "publish/messages/received": 10, "publish/bytes/received": 50}
AT_LEAST = {"messages/received": 14, "messages/sent": 14, "publish/messages/sent": 20, "publish/bytes/sent": 50, "bytes/received": 150,
            "bytes/sent": 150, "load/publish/received/1min": 0.01, "load/bytes/received/15min": 0.01, "load/sockets/1min": 0.01,
            "heap/current": 10_000, "heap/maximum": 10_000}


def test_the_numbers_are_those_of_what_happened(watched):
    broker, client, said = watched
    other = Paho.client(broker["tcp"])
    try:
        other.subscribe("t/#", 1)
        other.subscribe("$share/g/s", 1)
        for n in range(10):
            client.publish("t/x", f"five{n}", 1).wait_for_publish(DEADLINE)

        def off():
            wrong = {name: number(said, name) for name, count in EXPECTED.items() if name in said and number(said, name) != count}
            low = {name: number(said, name) for name, count in AT_LEAST.items() if name in said and number(said, name) < count}
            missing = (set(EXPECTED) | set(AT_LEAST)) - set(said)
            return wrong or low or missing
        try:
            wait_until(lambda: not off(), DEADLINE, "the numbers")
        except TimeoutError:
            assert not off(), off()
    finally:
        Paho.leave(other)


def test_nobody_gets_it_who_did_not_ask_and_nobody_can_write_it(both):
    """mosquitto ends the connection of who tries."""
    broker, said = both["mqbroker"].broker, both["mqbroker"].said
    came = []
    other = Paho.client(broker["tcp"], "311")
    try:
        other.on_message = lambda c, user, m: came.append(m.topic)
        other.subscribe([("#", 0), ("+/broker/uptime", 0)])
        other.publish(PREFIX + "uptime", b"forged", 1, retain=True).wait_for_publish(DEADLINE)
        rounds = len(said["uptime"])
        wait_until(lambda: len(said["uptime"]) >= rounds + 2, DEADLINE, "$SYS once more")
        other.publish("end", b"", 0)
        wait_until(lambda: "end" in came, DEADLINE, "a message of one's own")
        assert [topic for topic in came if topic.startswith("$")] == []
        assert "forged" not in said["uptime"]
    finally:
        Paho.leave(other)
