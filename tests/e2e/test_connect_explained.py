"""Failures say what is likely wrong: the peer is not what was meant, or refuses for a reason that has a cure."""

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Aedes
from support.fault_server import FaultServer, tls_context
from support.mqbroker import MqBroker
from support.ports import HOST, wait_until
from support.proc import run
from support.tools import assert_fails, assert_ok, mqpub, mqreq, mqsub, program, start, unique

TOOLS = {"mqpub": ("-t", "t", "-m", "x", "-q", "1"), "mqsub": ("-t", "t"), "mqreq": ("-t", "t", "-m", "x", "-e", "r")}
QUICK_RETRY = ("--reconnect", "--retry-delay", "10ms..20ms")


def ends(tool, *args, seconds=10, **how):
    return run([program(tool), *map(str, args), *TOOLS[tool]], seconds=seconds, **how)


@pytest.fixture(params=TOOLS)
def tool(request):
    return request.param


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws", "wss"), ["-v"]) as broker:
        yield broker


# --- the peer is not what was meant ---------------------------------------------------------------

def test_tls_client_on_a_plain_port(tool, broker, certs):
    result = ends(tool, "-L", f"mqtts://localhost:{broker['tcp'].port}", "--cafile", certs.ca)
    assert_fails(result, 5, "TLS", "plain TCP port?")


def test_plain_client_on_a_tls_port(tool, broker):
    for port in (broker["tls"].port, broker["wss"].port):
        result = ends(tool, "-h", HOST, "-p", port)
        assert result.code in (8, 12), result
        assert_fails(result, result.code, "hint: ", "TLS", "mqtts://")


def test_mqtt_on_a_websocket_port(tool, broker):
    result = ends(tool, "-h", HOST, "-p", broker["ws"].port)
    assert result.code in (8, 12), result
    assert_fails(result, result.code, "ws://")


def test_mqtt_on_an_http_port(tool):
    with FaultServer(faults.http) as server:
        assert_fails(ends(tool, "-L", server.url), 12, "HTTP", "hint: ", "ws://")


def test_websocket_on_a_web_server_without_it(tool):
    with FaultServer(faults.http_not_found) as server:
        assert_fails(ends(tool, "-L", f"ws://{HOST}:{server.port}/x"), 4, "404", "hint: ", "--ws-path")


def test_websocket_on_an_mqtt_port(tool, broker):
    assert_fails(ends(tool, "-L", f"ws://{HOST}:{broker['tcp'].port}", "--connect-timeout", "3s"), 4, "WebSocket")


def test_wss_on_a_ws_port(tool, broker, certs):
    assert_fails(ends(tool, "-L", f"wss://localhost:{broker['ws'].port}/", "--cafile", certs.ca), 5, "TLS")


# --- certificates ---------------------------------------------------------------------------------

CERTIFICATES = {"expired": ("expired", "2020-02-01"), "not_yet_valid": ("not valid before", "2040-01-01"),
                "wrong_name": ("other.example", "not for localhost", "--sni"), "self_signed": ("self-signed", "--cafile")}


@pytest.mark.parametrize("which", CERTIFICATES)
def test_certificate_reasons(tool, certs, which):
    with FaultServer(faults.silent, tls=tls_context(certs, which)) as server:
        result = ends(tool, "-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca, *QUICK_RETRY)
        assert_fails(result, 5, *CERTIFICATES[which])
    assert not server.connections, "no handshake, and no second attempt"


def test_unknown_authority(tool, certs):
    with FaultServer(faults.silent, tls=tls_context(certs)) as server:
        assert_fails(ends(tool, "-L", f"mqtts://localhost:{server.port}", "--cafile", certs.other_ca), 5,
                     "unknown CA", "hint: ", "--cafile")


def test_client_certificate_required(tool, certs):
    with MqBroker(certs, ("tls",), ["--client-certs", "required", "--cafile", certs.ca]) as broker:
        assert_fails(ends(tool, *broker.args("tls")), 5, "certificate required", "hint: ", "--cert")


# --- CONNACK --------------------------------------------------------------------------------------

REFUSALS = {0x84: ("version", "-V"), 0x85: ("identifier", "-i"), 0x86: ("password", "-u"), 0x87: ("not authorized", "-u"),
            0x8A: ("banned", "operator"), 0x8C: ("authentication method",), 0x95: ("too large", "hint: "),
            0x97: ("quota", "hint: "), 0x9A: ("retain", "--will-retain"), 0x9B: ("QoS", "--will-qos"),
            0x9C: ("another server", "hint: "), 0x9D: ("moved", "hint: ")}


@pytest.mark.parametrize("code", REFUSALS, ids=hex)
def test_a_refusal_that_time_does_not_cure_is_explained_and_not_retried(tool, code):
    cured = code == 0x97
    with FaultServer(faults.answer_connect(wire.connack(5, code))) as server:
        result = ends(tool, "-L", server.url, "-V", 5)
        assert_fails(result, 6 if code in (0x86, 0x87, 0x8C) else 7, *REFUSALS[code])
        again = ends(tool, "-L", server.url, "-V", 5, "--retry-max", 1, "--retry-delay", "10ms..20ms")
        assert again.code == result.code, again
        assert len(server.connections) == (3 if cured else 2)


@pytest.mark.parametrize("code, word", ((1, "version"), (2, "identifier"), (4, "password"), (5, "not authorized")))
def test_the_same_before_mqtt_5(tool, code, word):
    with FaultServer(faults.answer_connect(wire.connack(4, code))) as server:
        assert_fails(ends(tool, "-L", server.url, "-V", "311", *QUICK_RETRY), 6 if code in (4, 5) else 7, word, "hint: ")
        assert len(server.connections) == 1


@pytest.mark.parametrize("code", (0x80, 0x83, 0x88, 0x89, 0x97, 0x9F), ids=hex)
def test_a_refusal_that_time_may_cure_is_retried(tool, code):
    with FaultServer(faults.answer_connect(wire.connack(5, code))) as server:
        result = ends(tool, "-L", server.url, "-V", 5, "--retry-max", 2, "--retry-delay", "10ms..20ms")
        assert result.code == 7 and result.err_text.count("next attempt") == 2, result
        assert len(server.connections) == 3


def test_refused_version_of_a_real_broker(tool, certs):
    with Aedes(certs, ("tcp",)) as aedes:
        assert_fails(ends(tool, *aedes.args(), "-V", 5), 7, "version", "hint: ", "-V")


# --- DISCONNECT -----------------------------------------------------------------------------------

DISCONNECTS = {0x8D: ("keep alive timeout", "hint: "), 0x8E: ("taken over", "-i"), 0x93: ("receive maximum", "-M"),
               0x95: ("too large", "hint: "), 0x97: ("quota", "hint: "), 0x9A: ("retain", "-r"), 0x9B: ("QoS", "-q"),
               0x9D: ("moved", "hint: "), 0x9E: ("shared", "$share"), 0xA1: ("identifier", "hint: "),
               0xA2: ("wildcard", "hint: ")}


@pytest.mark.parametrize("code", DISCONNECTS, ids=hex)
def test_the_server_says_why_it_hangs_up(tool, code):
    def script(connection):
        connection.accept()
        connection.packet()  # SUBSCRIBE or PUBLISH
        connection.send(wire.disconnect(code))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(ends(tool, "-L", server.url), 8, *DISCONNECTS[code])


def test_session_taken_over_by_a_real_broker(broker):
    name, topic = unique("id"), unique()
    with start("mqsub", *broker.args(), "-i", name, "-t", topic, *QUICK_RETRY) as first:
        broker.wait_subscribed(topic)
        with start("mqsub", *broker.args(), "-i", name, "-t", topic):
            assert_fails(first.wait(), 8, "taken over", name, "-i")


def test_packet_too_large_for_a_real_broker():
    with MqBroker(options=["--max-packet-size", "2000"]) as small:
        for size in (3000, 3_000_000):
            assert_fails(mqpub(*small.args(), "-t", "t", "-q", 1, "-s", stdin=bytes(size)), 10, "2,000")


def test_a_server_that_falls_silent_is_noticed(tool):
    def script(connection):
        connection.accept()
        if tool != "mqpub":
            connection.accept_subscription()
        while True:
            connection.packet()  # neither PUBLISH nor PINGREQ gets an answer
    with FaultServer(script) as server:
        result = ends(tool, "-L", server.url, "-k", 1, *(("-W", 0) if tool == "mqreq" else ()), seconds=30)
    assert_fails(result, 8, "PINGREQ", "silent")
    assert result.seconds > 1


# --- what the server does not support -------------------------------------------------------------

ANNOUNCED = {"wildcard": ("a/#", {"wildcard_subscription_available": 0}, "wildcard"),
             "shared": ("$share/g/a", {"shared_subscription_available": 0}, "shared")}


@pytest.mark.parametrize("name", ANNOUNCED)
def test_subscriptions_that_the_server_has_ruled_out_are_not_sent(name):
    topic, announced, word = ANNOUNCED[name]
    with FaultServer(faults.after_connack(**announced)) as server:
        assert_fails(mqsub("-L", server.url, "-V", 5, "-t", topic), 11, topic, "server", word)
        assert wire.SUBSCRIBE not in [p.kind for p in server.connections[0].received]


def test_identifiers_that_the_server_has_ruled_out_are_not_sent():
    with FaultServer(faults.after_connack(subscription_identifiers_available=0)) as server:
        assert_fails(mqsub("-L", server.url, "-V", 5, "-t", "t", "-D", "subscribe", "subscription-identifier", 3), 11,
                     "identifier")
        assert wire.SUBSCRIBE not in [p.kind for p in server.connections[0].received]


@pytest.mark.parametrize("run, code", ((mqpub, 10), (mqsub, 11), (mqreq, 10)))
def test_packets_above_the_servers_maximum_are_not_sent(run, code):
    topic = "t" * 150
    args = ("-t", topic) + (() if run is mqsub else ("-m", "x")) + (("-e", "r") if run is mqreq else ())

    def script(connection):
        connection.accept(maximum_packet_size=100)
        if run is mqreq:
            connection.accept_subscription()
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(run("-L", server.url, "-V", 5, *args), code, topic, "100")
        asked = wire.SUBSCRIBE if run is mqsub else wire.PUBLISH
        assert asked not in [p.kind for p in server.connections[0].received]


def test_a_very_long_topic_is_shortened_in_sentences():
    topic = "t" * 60_000
    with FaultServer(faults.answer_publish(wire.PUBACK, 0x90)) as server:
        result = assert_fails(mqpub("-L", server.url, "-V", 5, "-q", 1, "-t", topic, "-m", "x"), 10, "60000 bytes")
        assert len(result.err) < 1000
        assert len(assert_fails(mqsub("-L", server.url, "-t", topic + "/a#"), 2).err) < 1000


SUBACKS = {0x87: ("not authorized", "access rules"), 0x8F: ("filter invalid", "hint: "), 0x97: ("quota", "hint: "),
           0x9E: ("shared", "$share"), 0xA1: ("identifier", "hint: "), 0xA2: ("wildcard", "hint: ")}


@pytest.mark.parametrize("code", SUBACKS, ids=hex)
def test_refused_subscriptions_are_explained(code):
    with FaultServer(faults.suback_with([code])) as server:
        assert_fails(mqsub("-L", server.url, "-V", 5, "-t", "some/filter"), 11, "some/filter", *SUBACKS[code])


@pytest.mark.parametrize("asked, announced, word", ((("-q", 2), {"maximum_qos": 1}, "Maximum QoS of 1"),
                                                    (("-q", 1), {"maximum_qos": 0}, "Maximum QoS of 0"),
                                                    (("-r",), {"retain_available": 0}, "retained")))
def test_messages_that_the_server_has_ruled_out_are_not_sent(asked, announced, word):
    with FaultServer(faults.after_connack(**announced)) as server:
        assert_fails(mqpub("-L", server.url, "-V", 5, "-t", "some/topic", "-m", "x", *asked), 10, "some/topic", word)
        assert wire.PUBLISH not in [p.kind for p in server.connections[0].received]


PUBACKS = {0x87: ("not authorized", "access rules"), 0x90: ("topic name invalid", "hint: "), 0x97: ("quota", "hint: "),
           0x99: ("payload format", "UTF-8")}


@pytest.mark.parametrize("code", PUBACKS, ids=hex)
def test_rejected_messages_are_explained(code):
    with FaultServer(faults.answer_publish(wire.PUBACK, code)) as server:
        assert_fails(mqpub("-L", server.url, "-V", 5, "-t", "some/topic", "-m", "x", "-q", 1), 10, "some/topic",
                     *PUBACKS[code])


@pytest.mark.parametrize("topic", ("a/#", "+/a", "#", "a+"))
def test_publishing_to_a_wildcard_is_refused_before_connecting(topic):
    with FaultServer(faults.silent) as server:
        assert_fails(mqpub("-L", server.url, "-t", topic, "-m", "x"), 2, "wildcard")
        assert not server.connections


# --- other servers --------------------------------------------------------------------------------

def refers_to(code, reference, in_disconnect=False):
    properties = {wire.SERVER_REFERENCE: reference}

    def script(connection):
        if not in_disconnect:
            connection.expect(wire.CONNECT)
            connection.send(wire.connack(5, code, props=properties))
        else:
            connection.accept()
            connection.packet()
            connection.send(wire.disconnect(code, properties))
        connection.drain()
    return script


@pytest.mark.parametrize("in_disconnect", (False, True), ids=("CONNACK", "DISCONNECT"))
@pytest.mark.parametrize("code", (0x9C, 0x9D), ids=hex)
def test_another_server_is_followed_when_allowed(broker, code, in_disconnect):
    there = f"{HOST}:{broker['tcp'].port}"
    with FaultServer(refers_to(code, f"nonsense:x {there}", in_disconnect)) as server:
        result = mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", 1, *QUICK_RETRY)
        assert result.code == 0 and there in result.err_text, result
        assert len(server.connections) == 1


@pytest.mark.parametrize("reference", (f"{HOST}:1", "", "mqtt://elsewhere", "other:0"))
def test_another_server_is_named_and_not_followed_unasked(tool, reference):
    with FaultServer(refers_to(0x9C, reference)) as server:
        assert_fails(ends(tool, "-L", server.url), 7, "another server", reference, "--reconnect")
        assert len(server.connections) == 1


def test_what_is_no_server_is_not_followed(tool):
    with FaultServer(refers_to(0x9D, "mqtt://elsewhere")) as server:
        assert_fails(ends(tool, "-L", server.url, *QUICK_RETRY), 7, "moved", "mqtt://elsewhere")
        assert len(server.connections) == 1


def test_use_another_server_is_for_once_and_server_moved_for_good():
    for code, comes_back in ((0x9C, True), (0x9D, False)):
        with FaultServer(faults.close_after(wire.PUBLISH)) as there:
            with FaultServer(refers_to(code, f"{HOST}:{there.port}")) as here:
                result = mqpub("-L", here.url, "-t", "t", "-m", "x", "-q", 1, "--retry-max", 3, "--retry-delay", "10ms..20ms")
                assert result.code == 8 or (comes_back and result.code == 7), result
                assert (len(here.connections) > 1) == comes_back, result
                wait_until(lambda: len(there.connections) >= 2, 5, "connections over there")


def test_two_servers_that_send_us_to_and_fro_end_at_the_retry_limit():
    ports = []

    def script(connection):
        refers_to(0x9D, f"{HOST}:{ports[1]}")(connection)
    with FaultServer(script) as one, FaultServer(lambda c: refers_to(0x9D, f"{HOST}:{ports[0]}")(c)) as two:
        ports += [one.port, two.port]
        result = mqpub("-L", one.url, "-t", "t", "-m", "x", "--retry-max", 5, "--retry-delay", "10ms..20ms")
        assert result.code == 7, result
        assert len(one.connections) + len(two.connections) == 6
