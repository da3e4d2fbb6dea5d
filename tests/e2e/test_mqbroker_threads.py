"""mqbroker --threads: messages of QoS 0 that threads route among themselves, past the broker's own."""

import re
import signal
import socket
import time
import urllib.request

import pytest

from conformance import wire as w
from conformance.wire import V5, V311
from support.malformed import DEADLINE, Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import DISCONNECT, PINGRESP, PUBACK, PUBLISH, SUBACK
from support.ports import HOST, wait_until
from support.tools import assert_ok, mqpub, start

MANY = 2000  # far more in a row than it takes until a thread routes them itself


class Threaded(MqBroker):
    """With connections that two threads carry."""

    def __init__(self, *options, **how):
        super().__init__(options=["--threads", "3", "-v", "--metrics", f"{HOST}:0", *options], **how)
        self.wait_log("status page at http://")
        self.page = re.search(r"status page at (http://[0-9.:]+)/", self.proc.err.decode())[1]

    def metric(self, name):
        text = urllib.request.urlopen(f"{self.page}/metrics", timeout=DEADLINE).read().decode()
        return int(float(re.search(rf"(?m)^mqbroker_{name} (\S+)$", text)[1]))

    def wait_metric(self, name, least):
        """It counts what threads have routed up to 250 ms later."""
        wait_until(lambda: self.metric(name) >= least, DEADLINE, f"{name} of {least}")
        return self.metric(name)

    def client(self, version=V5, client_id=None, **how):
        client = Client(self["tcp"].address)
        client.version = version
        client.connect(version, client_id, **how)
        return client


class Client(Raw):
    version = V5

    def subscribe(self, *filters):
        self.send(w.subscribe(self.version, 1, [(each, 0) for each in filters]))
        self.expect(SUBACK)
        return self

    def burst(self, topic, numbers, **how):
        self.send(b"".join(w.publish(self.version, topic, b"%d" % number, **how) for number in numbers))
        return self

    def numbers(self, count):
        """Of so many messages that come next."""
        found = []
        while len(found) < count:
            body = self.expect(PUBLISH).body
            rest = body[2 + int.from_bytes(body[:2], "big"):]
            found.append(int(rest[1:] if self.version == V5 else rest))
        return found

    def hears_nothing(self):
        """What was on its way comes before the answer to a PINGREQ."""
        self.send(b"\xc0\x00")
        self.expect(PINGRESP)


@pytest.fixture
def broker():
    with Threaded() as broker:
        yield broker


@pytest.mark.parametrize("to", [V5, V311])
@pytest.mark.parametrize("of", [V5, V311])
def test_what_threads_route_comes_whole_and_in_order(broker, of, to):
    readers = [broker.client(to).subscribe("a/+", "a/b") for _ in range(4)]  # in either thread
    with broker.client(of) as publisher:
        publisher.burst("a/b", range(MANY))
        for reader in readers:
            assert reader.numbers(MANY) == list(range(MANY))
            reader.hears_nothing()
        assert broker.wait_metric("messages_routed_total", MANY * 9 // 10) < MANY
        assert broker.wait_metric("messages_received_total", MANY) == MANY
        assert broker.wait_metric("messages_sent_total", 4 * MANY) == 4 * MANY


def test_what_needs_more_keeps_its_place_among_them(broker):
    reader, publisher = broker.client().subscribe("t", "will"), broker.client(will=w.Will("will", b"999999"))
    sent = 0
    for qos in (0, 1, 0, 1, 0):
        count = 1 if qos else MANY
        publisher.burst("t", range(sent, sent + count), qos=qos, packet_id=7 if qos else 0)
        sent += count
    publisher.socket.shutdown(socket.SHUT_WR)
    assert reader.numbers(sent + 1) == [*range(sent), 999999]
    assert publisher.expect(PUBACK)
    assert broker.metric("messages_routed_total") > MANY


def test_who_subscribes_meanwhile_gets_all_that_follow(broker):
    reader, publisher, late = broker.client().subscribe("t"), broker.client(), broker.client()
    for begin in range(0, 10 * MANY, MANY):
        publisher.burst("t", range(begin, begin + MANY // 2))
        assert reader.numbers(MANY // 2)[-1] == begin + MANY // 2 - 1
        late.subscribe("t/#" if begin % 4000 else "t")
        publisher.burst("t", range(begin + MANY // 2, begin + MANY))
        assert late.numbers(MANY // 2) == reader.numbers(MANY // 2) == list(range(begin + MANY // 2, begin + MANY))
        late.send(w.unsubscribe(V5, 2, ["t", "t/#"]))
        late.packet()
    late.hears_nothing()
    assert broker.wait_metric("messages_routed_total", 8 * MANY)


def test_its_own_subscription_holds_at_once(broker):
    other, publisher = broker.client().subscribe("t"), broker.client()
    publisher.burst("t", range(MANY))
    other.numbers(MANY)
    publisher.send(w.subscribe(V5, 3, [("t", 0)]) + b"".join(w.publish(V5, "t", b"%d" % n) for n in range(MANY)))
    publisher.expect(SUBACK)
    assert publisher.numbers(MANY) == other.numbers(MANY) == list(range(MANY))


def test_who_does_not_read_holds_up_nobody(broker):
    slow, reader, publisher = broker.client().subscribe("t"), broker.client().subscribe("t"), broker.client()
    payload, count = b"x" * 1000, 25_000  # more than sockets and the queue of one that does not read hold
    for _ in range(count // 500):
        publisher.send(w.publish(V5, "t", payload) * 500)
        for _ in range(500):
            assert reader.expect(PUBLISH).body.endswith(payload)
    reader.hears_nothing()
    assert broker.wait_metric("messages_received_total", count) == count
    dropped = broker.dropped()
    assert dropped > 0
    for _ in range(count - dropped):
        assert slow.expect(PUBLISH).body.endswith(payload)
    slow.hears_nothing()


@pytest.mark.parametrize("transport", ["tls", "ws", "wss", "unix"])
def test_any_transport_will_do(transport, certs):
    lines = "".join(f"{n}\n" for n in range(MANY))
    with Threaded(certs=certs, transports=["tcp", transport]) as broker:
        at = broker[transport].mq_args()
        reader = start("mqsub", *at, "-t", "t", "-C", MANY)
        broker.wait_subscribed("t")
        assert_ok(mqpub(*at, "-t", "t", "-l", stdin=lines.encode()))
        assert assert_ok(reader.wait()).out.decode() == lines
        assert broker.wait_metric("messages_routed_total", MANY // 2)


@pytest.mark.parametrize("options", [["--trace", "t"], ["--slow-consumer", "stall"]])
def test_what_the_broker_has_to_see_it_routes_itself(options):
    with Threaded(*options) as broker, broker.client() as reader, broker.client() as publisher:
        reader.subscribe("t")
        publisher.burst("t", range(MANY))
        assert reader.numbers(MANY) == list(range(MANY))
        assert broker.metric("messages_routed_total") == 0 and broker.metric("messages_received_total") == MANY


def test_new_rules_hold_for_them_too(tmp_path):
    (tmp_path / "rules").write_text("topic t\n")
    with Threaded("--acl-file", tmp_path / "rules") as broker, broker.client() as reader, broker.client() as publisher:
        reader.subscribe("t")
        publisher.burst("t", range(MANY))
        assert reader.numbers(MANY) == list(range(MANY))
        assert broker.wait_metric("messages_routed_total", 1)
        (tmp_path / "rules").write_text("topic read t\n")
        broker.proc.kill(signal.SIGHUP)
        broker.wait_log("SIGHUP: users, access rules")
        publisher.burst("t", range(MANY))
        publisher.send(b"\xc0\x00")
        publisher.expect(PINGRESP)
        reader.hears_nothing()


def test_who_only_publishes_is_alive_until_it_stops(broker):
    reader, publisher = broker.client().subscribe("t"), broker.client(keep_alive=1)
    publisher.burst("t", range(MANY))
    reader.numbers(MANY)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        publisher.burst("t", [1])
        reader.numbers(1)
        time.sleep(0.05)  # as a sensor does
    last = time.monotonic()
    assert publisher.expect(DISCONNECT).body[0] == 0x8D  # Keep Alive timeout
    assert 1.3 < time.monotonic() - last
    assert broker.metric("messages_routed_total") > MANY // 2
