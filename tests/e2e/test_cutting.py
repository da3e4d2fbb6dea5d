"""A proxy cuts the connection after byte 1, 2, 3 … of a conversation, in either direction.

After the reconnect nothing that was acknowledged is lost, and QoS 2 arrives exactly once. Even
positions are cut with a FIN and odd ones with a RST in one protocol version, the reverse in the other.
"""

import collections
import concurrent.futures
import signal

import pytest

from support.brokers import Mosquitto
from support.cutting_proxy import DOWN, UP, CuttingProxy
from support.peers import Paho
from support.ports import wait_until
from support.tools import start, unique

AT_ONCE = 8
RETRY = ("--reconnect", "--retry-delay", "10ms..50ms")
LINES = [b"one", b"two", b"three"]
END = b"end"  # the last message: when it is there, so is (or never will be) everything before it
SECONDS = 15  # for a whole case; a quiet machine needs a tenth of a second
CASES = [(version, qos, direction) for version in ("5", "311") for qos in (1, 2) for direction in (UP, DOWN)]
IDS = [f"v{v}-qos{q}-{d.replace(' ', '-')}" for v, q, d in CASES]


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as broker:
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


def session_args(version, client_id):
    """MQTT 5 keeps what --reconnect needs by itself; 3.1.1 needs a named, persistent session."""
    return ["-V", version] + (["-c", "-i", client_id] if version == "311" else [])


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


def publish_through_a_cut(broker, collector, publisher, version, qos, direction, position):
    topic = f"cut/{unique('p')}"
    with CuttingProxy(broker["tcp"].port, direction, position, reset_at(position, version)) as proxy:
        pub = start("mqpub", "-L", proxy.url, *session_args(version, unique("pub")), *RETRY,
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
        lambda position: publish_through_a_cut(broker, collector, publisher, version, qos, direction, position),
        direction)
    assert cuts > (60 if direction == UP else 15)


def subscribe_through_a_cut(broker, publisher, version, qos, direction, position):
    topic, client_id = f"sub/{unique('s')}", unique("sub")
    persistent = ["-V", version, "-c", "-i", client_id] + (["-x", "600"] if version == "5" else [])
    with CuttingProxy(broker["tcp"].port, direction, position, reset_at(position, version)) as proxy:
        with start("mqsub", "-L", proxy.url, *persistent, *RETRY, "-t", topic, "-q", qos) as sub:
            broker.wait_subscribed(topic)
            for payload in LINES + [END]:
                assert publisher.publish(topic, payload, qos).rc == 0
            sub.wait_out(END + b"\n", SECONDS)
            if position is None:
                last_ack = "PUBCOMP" if qos == 2 else "PUBACK"
                broker.wait_log(f"Received {last_ack} from {client_id} ", len(LINES) + 1)
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
        lambda position: subscribe_through_a_cut(broker, publisher, version, qos, direction, position),
        direction)
    assert cuts > 60
