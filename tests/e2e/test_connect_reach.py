"""Which way to the broker: several hosts, names given by hand, interfaces, local addresses, SRV records."""

import pytest

from support import fault_server as faults
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.own_network import assert_cases_pass
from support.ports import HOST, free_port, wait_until
from support.tools import assert_fails, assert_ok, mqpub, start, unique

QUICK_DNS = {"RES_OPTIONS": "timeout:1 attempts:1"}


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp", "tls"), ["-v"]) as broker:
        yield broker


def publish(broker, *args, host=HOST, **how):
    return mqpub("-h", host, "-p", broker["tcp"].port, "-t", unique(), "-m", "x", "-q", 1, *args, **how)


# --- several hosts --------------------------------------------------------------------------------

def test_hosts_are_tried_in_their_order(broker):
    assert_ok(publish(broker, host=f"127.0.0.9,{HOST}"))
    assert_ok(publish(broker, host=f"no-such-host.invalid,{HOST}", env=QUICK_DNS))
    with FaultServer(faults.answer_connect(b"")) as other:  # it would not do
        assert_ok(mqpub("-h", f"{HOST},127.0.0.9", "-p", broker["tcp"].port, "-t", "t", "-m", "x", "-q", 1))
        assert not other.connections


def test_when_no_host_answers_all_are_named():
    port = free_port()
    assert_fails(mqpub("-h", "127.0.0.8,127.0.0.9", "-p", port, "-t", "t", "-m", "x"), 4,
                 f"127.0.0.8:{port}", f"127.0.0.9:{port}", "refused")


def test_a_silent_host_leaves_time_for_the_next(broker):
    """192.0.2.0/24 is nobody's (RFC 5737): silence, or no route, by the machine."""
    result = publish(broker, "--connect-timeout", "4s", host=f"192.0.2.1,{HOST}")
    assert result.code == 0 and result.seconds < 3.9, result


# --- names ----------------------------------------------------------------------------------------

def test_resolve(broker):
    port = broker["tcp"].port
    assert_ok(publish(broker, "--resolve", f"broker.test:{port}:{HOST}", host="broker.test"))
    assert_ok(publish(broker, "--resolve", f"*:{port}:127.0.0.9,{HOST}", host="broker.test"))
    assert_ok(publish(broker, "--resolve", f"a.test:{port}:127.0.0.9", "--resolve", f"b.test:{port}:[::1],{HOST}",
                      host="b.test"))
    assert_fails(publish(broker, "--resolve", f"broker.invalid:{port + 1}:{HOST}", host="broker.invalid",
                         env=QUICK_DNS), 3, "broker.invalid")
    assert_fails(publish(broker, "--resolve", f"broker.test:{port}:{HOST}", "-6", host="broker.test"), 3)


def test_resolve_leaves_the_name_for_the_certificate(broker, certs):
    port = broker["tls"].port
    assert_ok(mqpub("-L", f"mqtts://localhost:{port}", "--resolve", f"localhost:{port}:{HOST}", "--cafile", certs.ca,
                    "-t", "t", "-m", "x", "-q", 1))
    assert_fails(mqpub("-L", f"mqtts://broker.test:{port}", "--resolve", f"broker.test:{port}:{HOST}",
                       "--cafile", certs.ca, "-t", "t", "-m", "x"), 5, "not for broker.test")


@pytest.mark.parametrize("value", ("", "host", "host:1883", "host:0:127.0.0.1", "host:x:127.0.0.1", ":1:127.0.0.1",
                                   "host:1883:name", "host:1883:", "host:1883:127.0.0.1,", "host:65536:::1"))
def test_wrong_resolve_is_2(broker, value):
    assert_fails(publish(broker, "--resolve", value), 2, "--resolve")


# --- interfaces and addresses ---------------------------------------------------------------------

def test_interface(broker):
    assert_ok(publish(broker, "--interface", "lo"))
    for name in ("nosuchif0", "", "x" * 40):
        assert_fails(publish(broker, "--interface", name), 2, "--interface")


def test_local_address(broker):
    topic = unique()
    assert_ok(mqpub(*broker.args(), "-A", "127.0.0.77", "-t", topic, "-m", "x", "-q", 1))
    broker.wait_log(r"127\.0\.0\.77:")
    for name in ("127.0.0", "localhost", ""):
        assert_fails(publish(broker, "-A", name), 2, "-A")
    assert_fails(publish(broker, "-A", "192.0.2.1"), 4)
    assert_fails(publish(broker, "-A", "::1"), 4, "family")


def test_one_family_only(broker):
    assert_ok(publish(broker, "-4", host="localhost"))
    assert_fails(publish(broker, "-6"), 3)
    assert_fails(publish(broker, "-4", "-6"), 2)


# --- other doors -----------------------------------------------------------------------------------

def test_unix_sockets(certs):
    with MqBroker(transports=("unix",)) as broker:
        path = broker["unix"].path
        with start("mqsub", "--unix", path, "-t", "t", "-C", 1) as sub:
            wait_until(lambda: mqpub("-L", f"unix://{path}", "-t", "t", "-q", 1, "-m", "x").code == 0 and not sub.running,
                       10, "the message")
            assert assert_ok(sub.wait()).out == b"x\n"
        assert_fails(mqpub("--unix", path, "-p", 1, "-t", "t", "-m", "x"), 2, "--unix")


@pytest.mark.parametrize("args, line, header", [
    (("-L", "ws://{}/a?b=c%20d"), "/a?b=c%20d", ""), (("-L", "ws://{}"), "/", ""), (("--ws-path", "/x/y"), "/x/y", ""),
    (("--ws-header", "Authorization: Bearer a:b "), "/mqtt", "Authorization: Bearer a:b"),
    (("--ws-path", "/p", "--ws-header", "X-One:1", "--ws-header", "X-Two:"), "/p", "X-One: 1\r\nX-Two: ")])
def test_the_websocket_upgrade_says_what_was_asked_for(args, line, header):
    asked = []

    def script(connection):
        asked.append(connection.read_until(b"\r\n\r\n").decode())
    with FaultServer(script) as server:
        where = () if "-L" in args else ("-h", HOST, "-p", server.port)
        assert mqpub(*(word.format(f"{HOST}:{server.port}") for word in args), *where, "-t", "t", "-m", "x").code == 4
    assert asked[0].startswith(f"GET {line} HTTP/1.1\r\n") and f"\r\n{header}" in asked[0], asked
    assert f"\r\nHost: {HOST}:{server.port}\r\n" in asked[0] and "\r\nSec-WebSocket-Protocol: mqtt\r\n" in asked[0]


# --- SRV records ----------------------------------------------------------------------------------

def test_srv_without_records_is_3_and_names_the_service():
    for args, service in (((), "_mqtt._tcp.domain.invalid"), (("--tls-use-os-certs",), "_secure-mqtt._tcp.domain.invalid")):
        assert_fails(mqpub("-S", "-h", "domain.invalid", "-p", 1, *args, "-t", "t", "-m", "x", env=QUICK_DNS,
                           seconds=30), 3, service)


def test_srv_records_of_a_name_server():
    """-S, in a network of its own, where we are the name server."""
    assert_cases_pass("private_network_cases.py")


@pytest.mark.parametrize("args", (("-h", "a,b"), ("-h", "a", "--ws-path", "/x"), ("-L", "mqtt://h"),
                                  ("--unix", "/x")), ids=" ".join)
def test_srv_with_what_it_cannot_be_is_2(args):
    assert_fails(mqpub("-S", *args, "-t", "t", "-m", "x"), 2, "-S")
