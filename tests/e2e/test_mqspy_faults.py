"""mqspy proxy --fault: each disturbance on a real conversation, as its client and its broker feel it."""

import base64
import socket
import time

import pytest

from support import mqtt_wire
from support.mqbroker import MqBroker
from support.mqspy_proxy import SpyProxy, of_kind
from support.ports import HOST
from support.proc import DEADLINE
from support.tools import assert_fails, assert_ok, mqpub, start, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker() as broker:
        yield broker


def data_of(value):
    return base64.b64decode(value["data"] if isinstance(value, dict) else value)


def publish(proxy, *options, **how):
    return mqpub(*proxy.args(), "-t", how.pop("topic", "t"), "-m", "x", *options, **how)


def test_qos_2_with_the_third_pubrec_dropped_and_a_close_between_pubrel_and_pubcomp(broker):
    topic = unique()
    with start("mqsub", *broker.args(), "-t", topic, "-q", 2, "-C", 5, "-d") as sub:
        sub.wait_err(b"SUBACK")
        with SpyProxy(broker["tcp"], "--fault", "type==PUBREC [nth=3] do drop",
                      "--fault", "type==PUBCOMP [nth=2] do close") as proxy:
            lines = b"".join(b"%d\n" % n for n in range(5))
            assert mqpub(*proxy.args(), "-t", topic, "-q", 2, "-l", "--reconnect", "-k", 2, stdin=lines).code == 0
            found = proxy.end()
        assert sorted(sub.wait().out.split()) == [b"0", b"1", b"2", b"3", b"4"]
    assert sorted(each["action"] for each in of_kind(found, "fault")) == ["close", "drop"]


def test_a_firing_keeps_what_was_and_what_was_sent(broker):
    with SpyProxy(broker["tcp"], "--fault", "type==PUBLISH do set retain=1") as proxy:
        assert_ok(publish(proxy, "-q", "1"))
        [fault] = of_kind(proxy.end(), "fault")
    original, sent = data_of(fault["original"]), data_of(fault["sent"])
    assert original[0] == 0x32 and sent[0] == 0x33 and original[1:] == sent[1:]


@pytest.mark.parametrize("action", ["dup", "corrupt 0:30", "corrupt 1:05", "truncate 22", "set keep_alive=7"])
def test_a_firing_keeps_no_secret(broker, action):
    """Whatever has become of the packet: "sent" may not be a CONNECT any more."""
    user_and_password = mqtt_wire.string("u") + mqtt_wire.string("seeecret")
    connect = mqtt_wire.packet(mqtt_wire.CONNECT, mqtt_wire.string("MQTT") + b"\5\xc2\0\0\0" + mqtt_wire.string("c") + user_and_password)
    with SpyProxy(broker["tcp"], "--fault", f"type==CONNECT do {action}") as proxy:
        with socket.create_connection((HOST, proxy.port), DEADLINE) as client:
            client.sendall(connect)
            proxy.wait_record(b'"k":"fault"')
        [fault] = of_kind(proxy.end(), "fault")
    assert not any(part in data_of(fault[which]) for which in ("original", "sent") for part in (b"see", b"ret"))


def test_reply_refuses_in_the_brokers_name(broker):
    with SpyProxy(broker["tcp"], "--fault", "type==PUBLISH do reply rc=0x87") as proxy:
        assert_fails(publish(proxy, "-q", "1"), 10, "Not authorized")
    with SpyProxy(broker["tcp"], "--fault", "type==CONNECT do reply rc=0x88") as proxy:
        assert_fails(publish(proxy), 7, "Server unavailable")


def test_disconnect_says_why(broker):
    with SpyProxy(broker["tcp"], "--fault", "type==PUBLISH do disconnect 0x8b") as proxy:
        assert_fails(publish(proxy, "-q", "1"), 8, "shutting down")


@pytest.mark.parametrize("how,error", [("fin", None), ("rst", ConnectionResetError)])
def test_close_as_asked_for(broker, how, error):
    with SpyProxy(broker["tcp"], "--fault", f"type==PINGREQ do close {how}") as proxy:
        with socket.create_connection((HOST, proxy.port)) as client:
            client.settimeout(DEADLINE)
            client.sendall(mqtt_wire.connect_v311("c", True))
            assert client.recv(4) == b"\x20\x02\0\0"
            client.sendall(b"\xc0\0")
            if error:
                with pytest.raises(error):
                    client.recv(1)
            else:
                assert client.recv(1) == b""


def test_delay_and_throttle_take_their_time(broker):
    with SpyProxy(broker["tcp"], "--fault", "type==PUBACK do delay 500ms") as proxy:
        began = time.monotonic()
        assert_ok(publish(proxy, "-q", "1"))
        assert time.monotonic() - began >= 0.5
        [fault] = of_kind(proxy.end(), "fault")
        assert fault["original"] == fault["sent"]
    with SpyProxy(broker["tcp"], "--fault", "type==PUBLISH do throttle 10KB/s") as proxy:
        began = time.monotonic()
        assert_ok(mqpub(*proxy.args(), "-t", "t", "-q", 1, "-s", stdin=bytes(8_000)))
        assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("action", ["split 1", "hold 100ms", "reorder 1", "delay 20ms~20"])
def test_what_only_takes_time_changes_nothing(broker, action):
    topic = unique()
    with SpyProxy(broker["tcp"], "--fault", f"n>0 [every=3] do {action}") as proxy:
        with start("mqsub", *broker.args(), "-t", topic, "-C", 20, "-d") as sub:
            sub.wait_err(b"SUBACK")
            lines = b"".join(b"%d\n" % n for n in range(20))
            assert_ok(mqpub(*proxy.args(), "-t", topic, "-q", 1, "-l", stdin=lines))
            assert sorted(sub.wait().out.split(), key=int) == lines.split()


def test_the_same_seed_makes_the_same_faults(broker):
    def fired(seed):
        with SpyProxy(broker["tcp"], "--fault", "type==PUBLISH [p=0.5] do corrupt 4:58", "--seed", seed) as proxy:
            lines = b"".join(b"%d\n" % n for n in range(40))
            assert_ok(mqpub(*proxy.args(), "-t", "a", "-q", 1, "-l", stdin=lines))
            return [data_of(each["original"]) for each in of_kind(proxy.end(), "fault")]
    first = fired(7)
    assert 5 < len(first) < 35
    assert fired(7) == first
    assert fired(8) != first
