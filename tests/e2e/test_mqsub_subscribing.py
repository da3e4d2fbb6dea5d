"""What mqsub asks the broker for: filters with options of their own, unsubscribing, wills of mosquitto_sub."""

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import HOST
from support.subscribed import Subscribed, retain
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


def subscribes(server):
    return [p.body[2:] for p in server.connections[0].received if p.kind == wire.SUBSCRIBE]


def grants_everything(connection):
    """SUBACK and UNSUBACK for whatever is asked, until the client leaves."""
    connection.accept()
    try:
        while True:
            packet = connection.packet()
            if packet.kind == wire.SUBSCRIBE:
                count = packet.body[2:].count(b"\0\1")
                connection.send(wire.suback(packet.packet_id, connection.version, [2] * count))
            elif packet.kind == wire.UNSUBSCRIBE:
                connection.send(wire.ack(wire.UNSUBACK, packet.packet_id, connection.version)
                                if connection.version < 5 else wire.packet(wire.UNSUBACK, packet.body[:2] + b"\0\0"))
    except faults.Closed:
        pass


# --- per-filter options ---------------------------------------------------------------------------------

def test_sub_has_its_own_options_and_the_filter_is_verbatim():
    with FaultServer(grants_everything) as server:
        assert_ok(mqsub("-L", server.url, "--sub", "qos=1,no-local,rap,rh=2:a", "-q", 2, "--sub", ":b", "-E"))
    assert subscribes(server) == [b"\0" + b"\0\1a" + bytes([0b101101]) + b"\0\1b" + bytes([2])]


def test_an_identifier_is_a_packets_own():
    with FaultServer(grants_everything) as server:
        assert_ok(mqsub("-L", server.url, "--sub", "id=4:a", "-t", "b", "--sub", "id=4,qos=1:c", "--sub", "id=300:d",
                        "-E"))
    assert subscribes(server) == [b"\0\0\1b\0", b"\2\x0b\4\0\1a\0\0\1c\1", b"\3\x0b\xac\2\0\1d\0"]


def test_an_identifier_comes_with_the_messages(broker):
    topic = unique()
    with Subscribed(broker, "--sub", f"id=7:{topic}/+", "--json", "-C", 1, waits=f"{topic}/+") as sub:
        assert_ok(mqpub(*broker.args(), "-t", f"{topic}/x", "-m", "x"))
        assert json_lines(sub.output())[0]["properties"] == {"subscription_identifiers": [7]}


def test_a_colon_in_the_filter_is_part_of_it(broker):
    topic = unique() + ":x,y=1"
    with Subscribed(broker, "--sub", f"qos=1:{topic}", "-C", 1, waits=topic) as sub:
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "x"))
        assert sub.output() == b"x\n"


def test_retain_as_published_and_retain_handling_are_of_all_topics():
    with FaultServer(grants_everything) as server:
        assert_ok(mqsub("-L", server.url, "-t", "a", "--retain-as-published", "--retain-handling", "new", "-E"))
    assert subscribes(server) == [b"\0\0\1a" + bytes([0b011000])]


@pytest.mark.parametrize("handling, shown", [("always", b"kept\nlive\n"), ("never", b"live\n")])
def test_retain_handling(broker, handling, shown):
    topic = unique()
    retain(broker, {topic: "kept"})
    with Subscribed(broker, "--retain-handling", handling, "-C", shown.count(b"\n"), topic=topic) as sub:
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "live"))
        assert sub.output() == shown


def test_retain_as_published_shows_the_flag_of_live_messages(broker):
    with Subscribed(broker, "--retain-as-published", "--json", "-C", 1) as sub:
        assert_ok(mqpub(*broker.args(), "-t", sub.topic, "-m", "live", "-r"))
        assert json_lines(sub.output())[0]["retain"] is True


WRONG = [
    (("--sub", "a/#"), "colon"), (("--sub", "qos=3:a"), "'3'"), (("--sub", "rh=3:a"), "'3'"),
    (("--sub", "id=0:a"), "'0'"), (("--sub", "id=268435456:a"), "268435455"), (("--sub", "speed=1:a"), "speed"),
    (("--sub", "qos=1:a#"), "a#"), (("--sub", "no-local:$share/g/a"), "MQTT-3.8.3-4"),
    (("--sub", "id=1:a", "-D", "subscribe", "subscription-identifier", "2"), "-D"),
    (("--sub", "rap:a", "-V", "311"), "-V"), (("-t", "a", "--retain-as-published", "-V", "311"), "MQTT 5"),
    (("-t", "a", "--retain-handling", "sometimes"), "sometimes"), (("-U", "a#"), "a#"),
    (("-t", "a", "-E", "--expect", "payload=x"), "--expect"),
]


@pytest.mark.parametrize("args, word", WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(broker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", broker["tcp"].port, *args, seconds=5), 2, word)


# --- -E, -U ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("5", "311"))
def test_e_ends_once_all_is_granted_and_leaves_the_messages(broker, version):
    client, topic = unique("id"), unique()
    session = ["-V", version, "-i", client, "-c", "-q", 1]
    assert assert_ok(mqsub(*broker.args(), *session, "-t", topic, "-E")).out == b""
    assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-m", "kept for later"))
    assert assert_ok(mqsub(*broker.args(), *session, "-t", topic, "-E")).out == b"", "no message is taken"
    assert assert_ok(mqsub(*broker.args(), *session, "-t", topic, "-C", 1)).out == b"kept for later\n"


@pytest.mark.parametrize("version", ("5", "311"))
def test_unsubscribe_ends_a_subscription_of_a_kept_session(broker, version):
    client, topic, other = unique("id"), unique(), unique()
    session = ["-V", version, "-i", client, "-c", "-q", 1]
    assert_ok(mqsub(*broker.args(), *session, "-t", topic, "-t", other, "-E"))
    assert_ok(mqsub(*broker.args(), *session, "-U", topic, "-E"))
    for where in (topic, other):
        assert_ok(mqpub(*broker.args(), "-t", where, "-q", 1, "-m", where))
    assert assert_ok(mqsub(*broker.args(), *session, "-t", other, "-C", 1)).out.decode() == f"{other}\n"


def test_unsubscribing_from_nothing_is_said():
    with MqBroker() as broker:
        result = mqsub(*broker.args(), "-V", 5, "-U", "nothing/here", "-E")
    assert result.code == 0 and "no subscription to 'nothing/here'" in result.err_text, result


def test_unsubscribe_properties_reach_the_wire():
    with FaultServer(grants_everything) as server:
        assert_ok(mqsub("-L", server.url, "-U", "a", "-D", "unsubscribe", "user-property", "k", "v", "-E"))
    request = next(p for p in server.connections[0].received if p.kind == wire.UNSUBSCRIBE)
    assert request.body[2:] == b"\7\x26\0\1k\0\1v" + b"\0\1a"


def test_a_refused_unsubscribe_is_11():
    def script(connection):
        connection.accept()
        packet = connection.expect(wire.UNSUBSCRIBE)
        connection.send(wire.packet(wire.UNSUBACK, packet.body[:2] + b"\0\x87"))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(mqsub("-L", server.url, "-V", 5, "-U", "a", "-E"), 11, "Not authorized", "'a'")


# --- trap 5 ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("partial, code", [((), 11), (("--allow-partial",), 0)], ids=("", "allow-partial"))
def test_trap_05_one_refused_filter_is_named(partial, code):
    def script(connection):
        connection.accept()
        request = connection.expect(wire.SUBSCRIBE)
        connection.send(wire.suback(request.packet_id, connection.version, [0, 0x87]))
        connection.drain()
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-V", 5, "-t", "fine", "-t", "not/fine", *partial, "-W", "1s")
    assert result.code == code and "'not/fine'" in result.err_text and "0x87" in result.err_text, result
    assert "'fine'" not in result.err_text


def test_trap_05_a_lower_qos_is_said():
    with FaultServer(faults.suback_with([0])) as server:
        result = mqsub("-L", server.url, "-t", "t", "-q", 2, "-E")
    assert result.code == 0 and "granted QoS 0 instead of 2" in result.err_text, result
