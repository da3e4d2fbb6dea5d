"""Which messages mqsub shows: filters, retained ones, changes, rates, samples; and removing retained ones."""

import time

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST
from support.subscribed import Subscribed, retain
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, unique


@pytest.fixture(scope="module")
def mqbroker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


@pytest.fixture(scope="module")
def mosquitto():
    with Mosquitto() as broker:
        yield broker


@pytest.fixture(params=("mqbroker", "mosquitto"))
def broker(request):
    return request.getfixturevalue(request.param)


def publish(broker, topic, *payloads):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-l", stdin=b"".join(p.encode() + b"\n" for p in payloads)))


# --- -T -------------------------------------------------------------------------------------------------

def test_filter_out_with_wildcards(mqbroker):
    base = unique()
    with Subscribed(mqbroker, "-T", f"{base}/radio/+", "-T", f"{base}/x/#", "-v", "-C", 2, topic=f"{base}/#") as sub:
        for topic in ("radio/3", "x", "x/y/z", "radio", "tv/1"):
            publish(mqbroker, f"{base}/{topic}", "x")
        assert sub.output().decode() == f"{base}/radio x\n{base}/tv/1 x\n"


def test_what_is_left_out_is_acknowledged():
    messages = [wire.publish(topic, b"x", 1, number) for number, topic in enumerate(("out", "in", "out"), 1)]
    with FaultServer(faults.subscribed_then(*messages)) as server:
        result = mqsub("-L", server.url, "-q", 1, "-t", "+", "-T", "out", "-W", "1s")
    assert assert_ok(result).out == b"x\n"
    assert [p.packet_id for p in server.connections[0].received if p.kind == wire.PUBACK] == [1, 2, 3]


# --- retained messages ----------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("5", "311"))
def test_trap_24_fresh_is_without_retained_messages(broker, version):
    topic = unique()
    retain(broker, {topic: "yesterday's"})
    with Subscribed(broker, "-V", version, "--fresh", "-C", 1, topic=topic) as sub:
        publish(broker, topic, "today's")
        assert sub.output() == b"today's\n"


def test_fresh_with_retain_as_published_keeps_live_messages(broker):
    topic = unique()
    retain(broker, {topic: "old"})
    with Subscribed(broker, "--fresh", "--retain-as-published", "-C", 1, topic=topic) as sub:
        retain(broker, {topic: "new"})
        assert sub.output() == b"new\n"


@pytest.mark.parametrize("version", ("5", "311"))
@pytest.mark.parametrize("qos", (0, 1, 2))
@pytest.mark.parametrize("count", (0, 1, 250))
def test_trap_25_a_snapshot_ends_by_itself_and_is_whole(broker, version, qos, count):
    """250 at QoS 1 and 2 are many windows of 20: they come as acknowledgements make room."""
    base = unique()
    publish_retained(broker, base, count)
    result = assert_ok(mqsub(*broker.args(), "-V", version, "-q", qos, "-t", f"{base}/#", "--retained"))
    assert sorted(result.out.split()) == sorted(b"%d" % n for n in range(count))
    assert result.seconds < 15, result


def publish_retained(broker, base, count):
    """`count` retained messages at QoS 2, by one connection."""
    client = Paho.client(broker["tcp"])
    try:
        for info in [client.publish(f"{base}/{n}", b"%d" % n, 2, True) for n in range(count)]:
            info.wait_for_publish(20)
    finally:
        Paho.leave(client)


def test_a_snapshot_is_without_live_messages():
    messages = [wire.publish("t", b"kept", retain=1), wire.publish("t", b"live"), wire.publish("t", b"kept too", retain=1)]
    with FaultServer(faults.subscribed_then(*messages)) as server:
        assert assert_ok(mqsub("-L", server.url, "-t", "t", "--retained")).out == b"kept\nkept too\n"


def test_a_snapshot_waits_for_what_comes_after_a_ping():
    """A server that sends bit by bit: each PINGRESP comes before the next message."""
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        for number in range(5):
            packet = connection.packet()
            assert packet.kind == wire.PINGREQ, packet
            connection.send(wire.packet(wire.PINGRESP))
            time.sleep(0.02)
            connection.send(wire.publish("t", b"%d" % number, retain=1))
        connection.drain()
    with FaultServer(script) as server:
        assert assert_ok(mqsub("-L", server.url, "-t", "t", "--retained")).out == b"0\n1\n2\n3\n4\n"


def test_a_snapshot_that_is_cut_by_the_deadline_is_9():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.packet()  # PINGREQ, which nobody answers
        connection.send(wire.publish("t", b"kept", retain=1))
        connection.drain()
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-t", "t", "--retained", "-W", "1s")
    assert result.code == 9 and result.out == b"kept\n" and len(result.err_lines) == 1, result


def test_retained_only_ends_at_the_first_live_message_and_leaves_it(broker):
    topic, session = unique(), ["-i", unique("id"), "-c", "-q", 1]
    retain(broker, {topic: "kept"})
    with Subscribed(broker, "--retained-only", *session, topic=topic) as sub:
        sub.proc.wait_out(b"kept\n")
        publish(broker, topic, "live")
        assert sub.output() == b"kept\n"
    assert b"live\n" in assert_ok(mqsub(*broker.args(), *session, "-t", topic, "-R", "-C", 1)).out


# --- removing -------------------------------------------------------------------------------------------

def snapshot(broker, base):
    lines = json_lines(assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "--retained", "--json")).out)
    return {line["topic"].removeprefix(base + "/"): line["payload"] for line in lines}


def test_remove_retained_with_an_exception(broker):
    base = unique()
    retain(broker, {f"{base}/a": "1", f"{base}/b": "2", f"{base}/c": "3"})
    out = assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "-T", f"{base}/b", "--retained", "--remove-retained")).out
    assert sorted(out.split()) == [b"1", b"3"]
    assert snapshot(broker, base) == {"b": "2"}


def test_remove_retained_of_more_than_the_window(broker):
    base = unique()
    publish_retained(broker, base, 120)
    assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "--retained", "--remove-retained"))
    assert snapshot(broker, base) == {}


def test_remove_retained_works_on_what_is_hidden(broker):
    base = unique()
    retain(broker, {f"{base}/a": "1"})
    result = assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "-R", "--remove-retained", "--idle-timeout", "1s"))
    assert result.out == b"" and snapshot(broker, base) == {}


def test_dry_run_only_says(broker):
    base = unique()
    retain(broker, {f"{base}/a": "1", f"{base}/b": "2"})
    result = mqsub(*broker.args(), "-t", f"{base}/#", "--retained", "--remove-retained", "--dry-run", "-v")
    assert result.code == 0 and "2 retained messages would be removed" in result.err_text, result
    result = mqsub(*broker.args(), "-t", f"{base}/a", "--retained", "--remove-retained", "--dry-run")
    assert result.code == 0 and "1 retained message would be removed" in result.err_text, result
    assert snapshot(broker, base) == {"a": "1", "b": "2"}


def test_an_empty_message_with_the_flag_is_not_removed_again():
    """With Retain As Published our own clearing comes back, flag and all."""
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(wire.publish("t", b"", retain=1))
        connection.drain()
    with FaultServer(script) as server:
        mqsub("-L", server.url, "-t", "t", "--retain-as-published", "--remove-retained", "-W", "1s")
    assert not [p for p in server.connections[0].received if p.kind == wire.PUBLISH]


def test_a_refused_removal_is_10():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(wire.publish("t", b"kept", retain=1))
        while True:
            packet = connection.packet()
            if packet.kind == wire.PUBLISH:
                connection.send(wire.ack(wire.PUBACK, packet.packet_id, 5, 0x87))
            elif packet.kind == wire.PINGREQ:
                connection.send(wire.packet(wire.PINGRESP))
            elif packet.kind == wire.DISCONNECT:
                return
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-t", "t", "--retained", "--remove-retained")
    assert result.code == 10 and result.out == b"kept\n" and "'t'" in result.err_text, result


# --- throttling -----------------------------------------------------------------------------------------

def test_changes_are_judged_by_topic(mqbroker):
    base = unique()
    with Subscribed(mqbroker, "--changes", "-v", topic=f"{base}/#") as sub:
        for topic, payload in (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("b", "1"), ("a", "1"), ("end", "")):
            publish(mqbroker, f"{base}/{topic}", payload)
        sub.proc.wait_out(b"end")
        shown = sub.proc.out.decode().replace(f"{base}/", "")
    assert shown == "a 1\nb 1\na 2\na 1\nend \n"


def test_every_shows_one_of_a_topic_in_the_time():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        for turn in range(3):
            connection.send(b"".join(wire.publish(topic, b"%d%d" % (turn, n)) for n in range(5) for topic in "ab"))
            time.sleep(1.5)
        connection.drain()
    with FaultServer(script) as server:
        out = assert_ok(mqsub("-L", server.url, "-t", "+", "-v", "--every", "500ms", "-C", 6)).out
    assert out == b"a 00\nb 00\na 10\nb 10\na 20\nb 20\n"


def stream(count):
    return faults.subscribed_then(b"".join(wire.publish("t", b"%d" % n) for n in range(count)))


@pytest.mark.parametrize("args, share", [(("--sample", "0.5"), .5), (("--sample", "20%"), .2), (("--sample", "1"), 1),
                                         (("--random-filter", "100"), 1), (("--random-filter", "50.0"), .5),
                                         (("--random-filter", "10"), .1)])
def test_trap_21_a_sample_is_as_large_as_asked(args, share):
    count = 20_000
    with FaultServer(stream(count)) as server:
        shown = assert_ok(mqsub("-L", server.url, "-t", "t", *args, "--idle-timeout", "1s")).out.count(b"\n")
    deviation = (count * share * (1 - share)) ** 0.5
    assert abs(shown - count * share) <= 6 * deviation, shown


WRONG = [(("-T", "a#"), "a#"), (("--every", "soon"), "soon"), (("--sample", "0"), "0"), (("--sample", "101%"), "101%"),
         (("--sample", "2"), "2"), (("--sample", "x"), "x"), (("--random-filter", "0"), "0.1"),
         (("--random-filter", "100.1"), "100"), (("--random-filter", "1", "--sample", "1"), "--sample"),
         (("--retained", "-R"), "-R"), (("--retained", "--fresh"), "--fresh"), (("--dry-run",), "--remove-retained"),
         (("--fresh", "--retain-handling", "new"), "--fresh"), (("--retained-only", "-R"), "-R"),
         (("--retained=1",), "no value")]


@pytest.mark.parametrize("args, word", WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(mqbroker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", mqbroker["tcp"].port, "-t", "t", *args, seconds=5), 2, word)
