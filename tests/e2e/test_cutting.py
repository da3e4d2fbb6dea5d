"""A proxy cuts the connection after byte 1, 2, 3 … of a conversation, in either direction.

After the reconnect nothing that was acknowledged is lost, and QoS 2 arrives exactly once. Even
positions are cut with a FIN and odd ones with a RST in one protocol version, the reverse in the other.
"""

import collections
import concurrent.futures
import re
import signal
import socket

import pytest

from support import mqtt_wire as wire
from support.cutting_proxy import DOWN, UP, CuttingProxy
from support.fault_server import Connection
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST, wait_until
from support.tools import start, unique

AT_ONCE = 8
RETRY = ("--reconnect", "--retry-delay", "10ms..50ms")
LINES = [b"one", b"two", b"three"]
END = b"end"  # the last message: when it is there, so is (or never will be) everything before it
SECONDS = 15  # for a whole case; a quiet machine needs a tenth of a second
WAYS = (UP, DOWN)
CASES = [(version, qos, direction) for version in ("5", "311") for qos in (1, 2) for direction in WAYS]
IDS = [f"v{v}-qos{q}-{d.replace(' ', '-')}" for v, q, d in CASES]
OWN_CASES = [(version, 2, direction) for version in ("311", "31") for direction in WAYS]
OWN_IDS = [f"v{v}-{d.replace(' ', '-')}" for v, _, d in OWN_CASES]


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-d"]) as broker:
        yield broker


@pytest.fixture(scope="module")
def collector(broker):
    """What the broker passed on, by topic: everything below cut/, once per message accepted."""
    received = collections.defaultdict(list)
    client = Paho.client(broker["tcp"])
    client.on_message = lambda c, user, m: received[m.topic].append(m.payload)
    client.subscribe("cut/#", 2)
    broker.wait_subscribed("cut/#")
    yield received
    Paho.leave(client)


@pytest.fixture(scope="module")
def publisher(broker):
    client = Paho.client(broker["tcp"])
    yield client
    Paho.leave(client)


def reset_at(position, version):
    return position is not None and (position + (version == "5")) % 2 == 1


def named_session(version, client_id):
    """A session of the user's."""
    return ["-V", version, "-c", "-i", client_id] + (["-x", "600"] if version == "5" else [])


def own_session(version, client_id):
    """The session that the programs keep for themselves, as long as they run, to reconnect with."""
    return ["-V", version, "-I", client_id]


def pub_session(version, client_id):
    return (own_session if version == "5" else named_session)(version, client_id)


def run_every_position(conversation, direction):
    """Measures the conversation uncut, then cuts it after 0, 1, 2 … bytes; returns how many cuts."""
    counts = conversation(None)
    positions = range(counts[direction] + 1)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failures = []
        for position, future in [(p, pool.submit(conversation, p)) for p in positions]:
            try:
                future.result()
            except (AssertionError, TimeoutError, RuntimeError) as error:
                failures.append(f"cut after byte {position} ({direction}): {error}")
    assert not failures, f"{len(failures)} of {len(positions)} cuts\n" + "\n".join(failures[:5])
    return len(positions)


def without_repeats(payloads):
    return list(dict.fromkeys(payloads))


def assert_delivered(received, expected, qos):
    assert without_repeats(received) == expected, f"lost or out of order: {received}"
    if qos == 2:
        assert received == expected, f"not exactly once: {received}"


def publish_through_a_cut(broker, collector, publisher, session, version, qos, direction, position):
    topic = f"cut/{unique('p')}"
    with CuttingProxy(broker["tcp"].port, direction, position, reset_at(position, version)) as proxy:
        pub = start("mqpub", "-L", proxy.url, *session(version, unique("pub")), *RETRY,
                    "-t", topic, "-q", qos, "-l", stdin=b"\n".join(LINES) + b"\n")
        with pub:
            result = pub.wait(SECONDS)
        wait_until(lambda: proxy.over, SECONDS, "the end of the first connection")
    assert result.code == 0, result
    # Passed on in order, so the collector has all that mqpub sent once it has this.
    assert publisher.publish(topic, END, 2).rc == 0
    wait_until(lambda: END in collector[topic], SECONDS, f"{END} on {topic}")
    assert_delivered(collector[topic][:-1], LINES, qos)
    assert position is None or proxy.cut, "the conversation was shorter than it was uncut"
    return proxy.counts


@pytest.mark.parametrize("version, qos, direction", CASES, ids=IDS)
def test_mqpub_survives_a_cut_after_every_byte(broker, collector, publisher, version, qos, direction):
    cuts = run_every_position(
        lambda position: publish_through_a_cut(broker, collector, publisher, pub_session, version, qos, direction,
                                               position),
        direction)
    assert cuts > (60 if direction == UP else 15)


@pytest.mark.parametrize("version, qos, direction", OWN_CASES, ids=OWN_IDS)
def test_mqpub_without_a_client_id_publishes_once(broker, collector, publisher, version, qos, direction):
    run_every_position(
        lambda position: publish_through_a_cut(broker, collector, publisher, own_session, version, qos, direction,
                                               position),
        direction)
    assert_no_session_is_left(broker, version, "pub")


def subscribe_through_a_cut(broker, publisher, session, version, qos, direction, position):
    topic, client_id = f"sub/{unique('s')}", unique("sub")
    with CuttingProxy(broker["tcp"].port, direction, position, reset_at(position, version)) as proxy:
        with start("mqsub", "-L", proxy.url, *session(version, client_id), *RETRY, "-t", topic, "-q", qos) as sub:
            broker.wait_subscribed(topic)
            for payload in LINES + [END]:
                assert publisher.publish(topic, payload, qos).rc == 0
            sub.wait_out(END + b"\n", SECONDS)
            if position is None:
                last_ack = "PUBCOMP" if qos == 2 else "PUBACK"
                broker.wait_log(f"'{client_id}[^']*' < {last_ack} ", len(LINES) + 1)
                counts = dict(proxy.counts)  # without the DISCONNECT
            else:
                wait_until(lambda: proxy.cut, SECONDS, f"the cut after {position} bytes")
                counts = None
            sub.kill(signal.SIGTERM)
            result = sub.wait(SECONDS)
    assert result.code == 143, result
    assert_delivered(result.out.splitlines(), LINES + [END], qos)
    return counts


@pytest.mark.parametrize("version, qos, direction", CASES, ids=IDS)
def test_mqsub_survives_a_cut_after_every_byte(broker, publisher, version, qos, direction):
    cuts = run_every_position(
        lambda position: subscribe_through_a_cut(broker, publisher, named_session, version, qos, direction, position),
        direction)
    assert cuts > 60


@pytest.mark.parametrize("version, qos, direction", OWN_CASES, ids=OWN_IDS)
def test_mqsub_without_a_client_id_receives_once(broker, publisher, version, qos, direction):
    run_every_position(
        lambda position: subscribe_through_a_cut(broker, publisher, own_session, version, qos, direction, position),
        direction)
    assert_no_session_is_left(broker, version, "sub")


def client_ids(broker, prefix, version):
    """Those of all clients that connected with this protocol version and an id of mq's making."""
    name = {"31": "3.1", "311": "3.1.1"}[version]
    found = re.findall(rf"client '({prefix}\d+x\d+[0-9a-f]{{12}})' \(\S+\) connected: MQTT {re.escape(name)}(?:,|\n)",
                       broker.proc.err.decode("utf-8", "replace"))
    return sorted(set(found))


def session_present(broker, client_id):
    """Asks the broker by a 3.1.1 CONNECT with Clean Session 0, and ends what that began. (3.1 clients are
    asked after in 3.1.1, too: only there the answer tells.)"""
    answers = []
    for clean in (False, True):
        with socket.create_connection((HOST, broker["tcp"].port), SECONDS) as sock:
            connection = Connection(sock)
            connection.send(wire.connect_v311(client_id, clean))
            answers.append(connection.expect(wire.CONNACK).body[0] & 1)
            connection.send(wire.packet(wire.DISCONNECT))
            connection.drain()
    return answers[0]


def assert_no_session_is_left(broker, version, prefix):
    ids = client_ids(broker, prefix, version)
    assert len(ids) > 15, ids
    assert [i for i in ids if session_present(broker, i)] == []


def test_a_killed_program_leaves_its_session(broker):
    """So that the question above is known to have another answer."""
    topic, prefix = f"sub/{unique('s')}", unique("kill")
    with start("mqsub", *broker.args(), *own_session("311", prefix), *RETRY, "-t", topic, "-q", 2) as sub:
        broker.wait_subscribed(topic)
        sub.kill(signal.SIGKILL)
        sub.wait(SECONDS)
    [client_id] = client_ids(broker, "kill", "311")
    assert session_present(broker, client_id) == 1
