"""Every way to fail has its documented exit code and one clear line, and prints nothing on stdout.

The codes are those of the contract: 3 name, 4 connect, 5 TLS, 6 credentials, 7 refused or no answer,
8 connection lost, 10 publish rejected, 11 subscription refused, 12 peer's fault, 14 local write.
"""

import os
import re
import signal

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Aedes, Mosquitto
from support.fault_server import FaultServer, tls_context
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST, free_port, wait_until
from support.proc import Proc, run
from support.tools import (assert_fails, assert_ok, assert_one_line, mqpub, mqsub, program, start, unique)

TOOLS = {"mqpub": ("-t", "t", "-m", "x"), "mqsub": ("-t", "t"), "mqreq": ("-t", "t", "-m", "x", "-e", "r")}
QUICK_DNS = {"RES_OPTIONS": "timeout:1 attempts:1"}


def ends(tool, *args, seconds=10, **how):
    """Runs any tool with its plainest work to do."""
    return run([program(tool), *map(str, args), *TOOLS[tool]], seconds=seconds, **how)


@pytest.fixture(params=TOOLS)
def tool(request):
    return request.param


@pytest.fixture(scope="module")
def broker(certs):
    acl = "topic readwrite open/#\ntopic read forbidden/#\ntopic readwrite t\n"
    with Mosquitto(certs, ("tcp", "tls"), acl=acl) as broker:
        yield broker


@pytest.fixture(scope="module")
def locked_broker():
    with Mosquitto(users={"joe": "right horse"}) as broker:
        yield broker


# --- before MQTT begins ---------------------------------------------------------------------------

@pytest.mark.parametrize("name", ("no-such-host.invalid", "a" * 64 + ".example"))
def test_unknown_host_is_3(tool, name):
    assert_fails(ends(tool, "-h", name, env=QUICK_DNS), 3, name)


def test_trap_04_trap_29_refused_port_is_4_and_says_where(tool):
    port = free_port()
    assert_fails(ends(tool, "-h", HOST, "-p", port), 4, HOST, str(port), "refused")


def test_missing_unix_socket_is_4(tool, scratch):
    path = scratch / "nobody"
    assert_fails(ends(tool, "-L", f"unix://{path}"), 4, str(path))


def test_trap_09_silent_server_is_7_at_the_connect_timeout(tool):
    with FaultServer(faults.silent) as server:
        result = ends(tool, "-L", server.url, "--connect-timeout", "500ms")
    assert_fails(result, 7, str(server.port))
    assert 0.4 < result.seconds < 3, result


def test_silent_server_is_7_over_tls(tool, certs):
    with FaultServer(faults.silent) as server:  # does not even answer the handshake
        assert_fails(ends(tool, "-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca,
                          "--connect-timeout", "500ms"), 7)


def test_plain_client_on_a_tls_port_hints_at_tls(tool, broker):
    result = ends(tool, "-h", HOST, "-p", broker["tls"].port)
    assert result.code in (7, 8, 12), result  # depends on whether an alert or just a close comes back
    assert_fails(result, result.code, "hint: ", "TLS")


def test_tls_alert_instead_of_mqtt_hints_at_tls(tool):
    alert = bytes.fromhex("15030100020246")  # fatal, protocol_version: what OpenSSL servers answer
    with FaultServer(faults.answer_connect(alert)) as server:
        assert_fails(ends(tool, "-L", server.url), 12, "hint: ", "TLS")


def test_tls_client_on_a_plain_port_is_5(tool, broker, certs):
    assert_fails(ends(tool, "-L", f"mqtts://localhost:{broker['tcp'].port}", "--cafile", certs.ca), 5)


def test_tls_client_on_an_http_port_is_5(tool, certs):
    with FaultServer(faults.http) as server:
        assert_fails(ends(tool, "-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca), 5)


CERTIFICATES = [("expired", ("expired",)), ("wrong_name", ("localhost",)), ("self_signed", ("self",))]


@pytest.mark.parametrize("which, words", CERTIFICATES)
def test_bad_certificate_is_5_and_names_the_cause(tool, certs, which, words):
    with FaultServer(faults.silent, tls=tls_context(certs, which)) as server:
        assert_fails(ends(tool, "-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca), 5,
                     "certificate" if which != "wrong_name" else "name", *words)


def test_certificate_of_an_unknown_authority_is_5(tool, certs):
    with FaultServer(faults.silent, tls=tls_context(certs)) as server:
        for trust in (["--cafile", certs.other_ca], ["--tls-use-os-certs"]):
            assert_fails(ends(tool, "-L", f"mqtts://localhost:{server.port}", *trust), 5, "certificate")


@pytest.mark.parametrize("which", ("expired", "wrong_name", "self_signed"))
def test_insecure_accepts_any_certificate(certs, which):
    with FaultServer(faults.after_connack(), tls=tls_context(certs, which)) as server:
        assert_ok(mqpub("-L", f"mqtts://localhost:{server.port}", "--insecure", "-t", "t", "-m", "x"))


def test_client_certificate_is_demanded_and_given(tool, certs):
    identity = ["--cert", certs.client, "--key", certs.client_key]
    with MqBroker(certs, ("tls",), ["--client-certs", "required", "--cafile", certs.ca]) as broker:
        assert_fails(ends(tool, *broker.args("tls")), 5, "certificate")
        assert_ok(mqpub(*broker.args("tls"), *identity, "-t", "t", "-m", "x", "-q", 1))


def test_http_server_instead_of_a_broker_is_12(tool):
    with FaultServer(faults.http) as server:
        assert_fails(ends(tool, "-L", server.url), 12, "hint: ", "HTTP")


def test_refused_websocket_upgrade_is_4(tool):
    with FaultServer(faults.http_not_found) as server:
        assert_fails(ends(tool, "-L", f"ws://{HOST}:{server.port}/nowhere"), 4, "404")


def test_websocket_to_an_mqtt_port_is_4(tool, broker):
    result = ends(tool, "-L", f"ws://{HOST}:{broker['tcp'].port}/mqtt", "--connect-timeout", "3s")
    assert_fails(result, 4)


# --- CONNACK --------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("5", "311"))
@pytest.mark.parametrize("given", ([], ["-u", "joe", "-P", "wrong"], ["-u", "who", "-P", "right horse"]))
def test_bad_credentials_are_6(tool, locked_broker, version, given):
    assert_fails(ends(tool, *locked_broker.args(), "-V", version, *given), 6, "authori")


def test_good_credentials_are_taken(locked_broker):
    assert_ok(mqpub(*locked_broker.args(), "-u", "joe", "-P", "right horse", "-t", "t", "-m", "x", "-q", 1))


def test_bad_credentials_are_not_retried(tool, locked_broker):
    result = ends(tool, *locked_broker.args(), "-u", "joe", "-P", "wrong", "--reconnect", "--retry-delay", "10s..20s")
    assert_fails(result, 6)
    assert result.seconds < 8, "a retry cannot cure it"


def test_refused_version_falls_back_silently(certs):
    with Aedes(certs, ("tcp",)) as aedes:
        assert_ok(mqpub(*aedes.args(), "-t", "t", "-m", "x", "-q", 1))
        with start("mqsub", *aedes.args(), "-t", "fallback", "-C", 1) as sub:
            aedes.wait_subscribed("fallback")
            assert_ok(mqpub(*aedes.args(), "-t", "fallback", "-m", "hello"))
            assert assert_ok(sub.wait()).out == b"hello\n"
        for tool in TOOLS:
            assert_fails(ends(tool, *aedes.args(), "-V", "5"), 7, "version")


@pytest.mark.parametrize("refusal", [wire.connack(5, 0x84), wire.connack(4, 1)], ids=("v5", "v311"))
def test_either_form_of_version_refusal_falls_back(refusal):
    def script(connection):
        connection.expect(wire.CONNECT)
        connection.send(refusal if connection.version == 5 else wire.connack(4))
        connection.drain()
    with FaultServer(script) as server:
        assert_ok(mqpub("-L", server.url, "-t", "t", "-m", "x"))
        assert [c.version for c in server.connections] == [5, 4]


REFUSALS = [("5", 0x86, 6, "user name or password"), ("5", 0x87, 6, "not authorized"), ("5", 0x8A, 7, "banned"),
            ("5", 0x88, 7, "unavailable"), ("5", 0x97, 7, "quota"), ("5", 0x85, 7, "identifier"),
            ("5", 0x9C, 7, "another server"), ("5", 0x9F, 7, "rate"),
            ("311", 2, 7, "identifier"), ("311", 3, 7, "unavailable"), ("311", 4, 6, "user name or password"),
            ("311", 5, 6, "not authorized")]


@pytest.mark.parametrize("version, code, status, name", REFUSALS)
def test_refusal_in_connack_is_named(tool, version, code, status, name):
    with FaultServer(faults.answer_connect(lambda v: wire.connack(v, code))) as server:
        assert_fails(ends(tool, "-L", server.url, "-V", version), status, name)


def test_reason_string_and_server_reference_are_printed(tool):
    props = {wire.REASON_STRING: "gone fishing", wire.SERVER_REFERENCE: "other.example:1883"}
    with FaultServer(faults.answer_connect(wire.connack(5, 0x9C, props=props))) as server:
        assert_fails(ends(tool, "-L", server.url), 7, "gone fishing", "other.example:1883")


def test_control_characters_of_the_broker_do_not_reach_the_terminal_line(tool):
    props = {wire.REASON_STRING: "a\nmqsub: forged\x1b[2J"}
    with FaultServer(faults.answer_connect(wire.connack(5, 0x88, props=props))) as server:
        result = assert_fails(ends(tool, "-L", server.url), 7)
    assert b"\x1b" not in result.err


# --- during the work ------------------------------------------------------------------------------

def test_close_before_connack_is_8(tool):
    def script(connection):
        connection.expect(wire.CONNECT)
    with FaultServer(script) as server:
        assert_fails(ends(tool, "-L", server.url, "-V", "5"), 8)


@pytest.mark.parametrize("version", ("5", "311"))
def test_taken_over_client_id_is_8(broker, version):
    """Debian's mosquitto closes the older connection without a word, in MQTT 5 too."""
    client_id, topic = unique("id"), unique("open/")
    with start("mqsub", *broker.args(), "-V", version, "-i", client_id, "-t", topic) as sub:
        broker.wait_subscribed(topic)
        other = Paho.client(broker["tcp"], client_id=client_id)
        try:
            assert_fails(sub.wait(), 8)
        finally:
            Paho.leave(other)


def test_trap_33_session_taken_over_is_8_even_with_reconnect():
    bye = wire.disconnect(0x8E, {wire.REASON_STRING: "another you"})
    with FaultServer(faults.subscribed_then(bye)) as server:
        assert_fails(mqsub("-L", server.url, "-t", "t", "--reconnect"), 8, "taken over", "another you")
        assert len(server.connections) == 1, "no ping-pong"


def test_server_disconnect_is_8_with_its_reason(tool):
    bye = wire.disconnect(0x8B, {wire.REASON_STRING: "closing time"})

    def script(connection):
        connection.accept()
        connection.packet()
        connection.send(bye)
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(ends(tool, "-L", server.url, "-q", 1), 8, "shutting down", "closing time")


@pytest.mark.parametrize("qos", (1, 2))
def test_trap_06_close_before_the_acknowledgement_is_8(qos):
    with FaultServer(faults.close_after(wire.PUBLISH)) as server:
        assert_fails(mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", qos), 8)


def test_publish_never_acknowledged_is_10_at_the_deadline():
    with FaultServer(faults.after_connack()) as server:
        result = mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", 1, "-W", "1s")
    assert_fails(result, 10)
    assert result.seconds < 5, result


@pytest.mark.parametrize("version, code", [("5", 0x87), ("5", 0x80), ("5", 0x8F), ("5", 0xA2), ("311", 0x80)])
def test_trap_05_refused_subscription_is_11_and_names_the_filter(version, code):
    name = {0x87: "not authorized", 0x8F: "filter invalid", 0xA2: "wildcard"}.get(code, "")
    with FaultServer(faults.suback_with([code])) as server:
        assert_fails(mqsub("-L", server.url, "-V", version, "-t", "some/filter"), 11, "some/filter", name)


@pytest.mark.parametrize("version", ("5", "311"))
def test_trap_05_partly_refused_subscription_is_11_unless_allowed(version):
    partly, two = faults.suback_with([0, 0x80]), ("-t", "fine", "-t", "refused/one")
    with FaultServer(partly) as server:
        assert_fails(mqsub("-L", server.url, "-V", version, *two), 11, "refused/one")
        allowed = mqsub("-L", server.url, "-V", version, *two, "--allow-partial", "-W", "1s")
    assert allowed.code == 0, allowed
    assert "refused/one" in allowed.err_text, "allowed, but said all the same"


def test_trap_05_subscription_refused_by_a_real_broker_is_11(certs):
    """aedes refuses it; Debian's mosquitto grants every subscription and delivers nothing."""
    with Aedes(certs, ("tcp",)) as aedes:
        assert_fails(mqsub(*aedes.args(), "-t", "forbidden/one"), 11, "forbidden/one")


@pytest.mark.parametrize("codes", ([], [0, 0]), ids=("none (CVE-2024-10525)", "too many"))
@pytest.mark.parametrize("version", ("5", "311"))
def test_suback_with_the_wrong_number_of_codes_is_12(version, codes):
    with FaultServer(faults.suback_with(codes)) as server:
        assert_fails(mqsub("-L", server.url, "-V", version, "-t", "t"), 12, "SUBACK")


REJECTIONS = [(1, wire.PUBACK, 0x87, "not authorized"), (1, wire.PUBACK, 0x97, "quota exceeded"),
              (1, wire.PUBACK, 0x99, "payload format"), (2, wire.PUBREC, 0x87, "not authorized"),
              (2, wire.PUBREC, 0x80, "unspecified")]


@pytest.mark.parametrize("qos, kind, code, name", REJECTIONS)
def test_trap_01_rejected_publish_is_10_with_name_and_reason_string(qos, kind, code, name):
    with FaultServer(faults.answer_publish(kind, code, reason_string="not on my watch")) as server:
        assert_fails(mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", qos), 10, name, "not on my watch")


def test_publish_rejected_by_a_real_broker_is_10(broker):
    assert_fails(mqpub(*broker.args(), "-V", "5", "-t", "forbidden/x", "-m", "x", "-q", 1), 10, "not authorized")


def test_trap_02_a_rejection_on_3_1_1_cannot_be_seen(broker):
    assert mqpub(*broker.args(), "-V", "311", "-t", "forbidden/x", "-m", "x", "-q", 1).code == 0


def test_accepted_without_subscribers_is_not_a_failure():
    with FaultServer(faults.answer_publish(wire.PUBACK, 0x10)) as server:  # No matching subscribers
        assert_ok(mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", 1))


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_trap_07_packet_over_the_maximum_is_refused_before_sending(qos):
    with FaultServer(faults.after_connack(maximum_packet_size=100)) as server:
        result = mqpub("-L", server.url, "-t", "topic", "-m", "x" * 300, "-q", qos)
    # Type, two length bytes, topic, packet identifier, no properties, payload.
    size = 1 + 2 + 2 + len("topic") + (2 if qos else 0) + 1 + 300
    assert_fails(result, 10, "100", str(size))
    assert wire.PUBLISH not in [p.kind for p in server.connections[0].received]


def test_packet_over_the_maximum_of_a_real_broker():
    with MqBroker(options=["--max-packet-size", "2000"]) as broker:
        assert_fails(mqpub(*broker.args(), "-V", "5", "-t", "t", "-q", 1, "-s", stdin=bytes(3000)), 10, "2,000")
        assert_fails(mqpub(*broker.args(), "-V", "311", "-t", "t", "-q", 1, "-s", stdin=bytes(3000)), 8)


@pytest.mark.parametrize("asked, announced", [(("-q", "2"), {"maximum_qos": 0}), (("-r",), {"retain_available": 0})])
def test_trap_38_what_the_broker_cannot_do_is_not_sent(asked, announced):
    with FaultServer(faults.after_connack(**announced)) as server:
        result = mqpub("-L", server.url, "-t", "t", "-m", "x", *asked)
    assert result.code in (0, 10), result
    assert_one_line(result, "mqpub")  # a warning or an error, never silence
    for packet in server.connections[0].received:
        assert packet.kind != wire.PUBLISH or packet.flags == 0, packet


# --- malformed packets from the server --------------------------------------------------------------

MALFORMED = {
    "both QoS bits": (bytes.fromhex("3606 0001 61 0001 00"), "MQTT-3.3.1-4"),
    "wildcard in a topic": (wire.publish("a/#", b"x"), "MQTT-3.3.2-2"),
    "packet identifier zero": (wire.publish("a", b"x", 1, 0), "MQTT-2.2.1-"),
    "DUP at QoS 0": (wire.publish("a", b"x", 0, dup=1), "MQTT-3.3.1-2"),
    "NUL in a topic": (wire.publish("a\0b", b"x"), "MQTT-1.5.4-2"),
    "topic not UTF-8": (wire.publish(b"a\xff", b"x"), "MQTT-1.5.4-1"),
    # These stand in the text without a number of their own, so any name of a rule will do.
    "reserved type": (bytes.fromhex("0000"), ""),
    "topic longer than the packet": (bytes.fromhex("3003 00ff 74"), ""),
    "length of five bytes": (bytes.fromhex("30ffffffff7f"), ""),
    "property twice": (bytes.fromhex("3009 0001 74 04 0101 0100 78"), ""),
    "client's packet": (wire.packet(wire.PINGREQ), ""),
    "second CONNACK": (wire.connack(5), ""),
    "topic of no bytes": (wire.publish("", b"x"), ""),
    "property of another packet": (bytes.fromhex("300a 0001 74 05 1100000001 78"), ""),
    "SUBACK without codes (CVE-2024-10525)": (wire.suback(999, 5, []), ""),
    "length in more bytes than it needs": (bytes.fromhex("d08000"), ""),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_packet_is_12_and_names_the_clause(tool, name):
    data, clause = MALFORMED[name]

    def script(connection):
        connection.accept()
        if tool == "mqpub":
            connection.expect(wire.PUBLISH)
        else:
            connection.accept_subscription()
        connection.send(data)
        connection.drain()
    with FaultServer(script) as server:
        result = assert_fails(ends(tool, "-L", server.url, "-V", "5", *(("-q", 1) if tool == "mqpub" else ())), 12, clause)
    assert re.search(r"MQTT-\d|v5#\d|MQTT \d", result.err_text), f"no clause\n{result}"


def test_malformed_packet_is_answered_with_a_reason():
    """[MQTT-4.13.1-1]: the error is told in a DISCONNECT."""
    with FaultServer(faults.subscribed_then(MALFORMED["both QoS bits"][0])) as server:
        assert_fails(mqsub("-L", server.url, "-V", "5", "-t", "a"), 12)
        last = server.connections[0]
    assert last.received[-1].kind == wire.DISCONNECT and last.received[-1].body[0] == 0x81, last.received


GREETINGS = {
    "publish": wire.publish("a", b"x"),
    "garbage": b"\xde\xad\xbe\xef" * 8,
    "bad flags": bytes.fromhex("2003020000"),
    "cut short": bytes.fromhex("200100"),
    "pingresp": wire.packet(wire.PINGRESP),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_first_packet_not_a_good_connack_is_12(tool, name):
    with FaultServer(faults.answer_connect(GREETINGS[name])) as server:
        assert_fails(ends(tool, "-L", server.url, "-V", "5", "--connect-timeout", "3s"), 12)


# --- the broker dies --------------------------------------------------------------------------------

def test_broker_killed_in_the_middle_is_8():
    with MqBroker(options=["-v"]) as broker:
        with start("mqsub", *broker.args(), "-t", "t") as sub, \
                start("mqpub", *broker.args(), "-t", "t", "-q", 1, "-l", "--retry-max", 2, "--retry-delay", "10ms..20ms",
                      "--quiet", stdin=None) as pub:
            broker.wait_subscribed("t")
            pub.write(b"first\n")
            sub.wait_out(b"first\n")
            broker.stop(first=signal.SIGKILL)
            subscriber, publisher = sub.wait(), pub.wait()
    assert subscriber.code == 8 and subscriber.out == b"first\n", subscriber
    assert_one_line(subscriber, "mqsub")
    assert_fails(publisher, 8)


def test_trap_32_reconnect_survives_a_restart_of_the_broker():
    again = ["--reconnect", "--retry-delay", "20ms..200ms"]
    with Mosquitto(persistence=True) as broker:
        with start("mqsub", *broker.args(), "-i", "s", "-c", "-x", "600", *again, "-t", "t", "-q", 2) as sub, \
                start("mqpub", *broker.args(), "-i", "p", "-c", *again, "-t", "t", "-q", 2, "-l", stdin=None) as pub:
            broker.wait_subscribed("t")
            pub.write(b"before\n")
            sub.wait_out(b"before\n")
            broker.restart()
            pub.write(b"after\n")
            pub.close_stdin()
            assert pub.wait().code == 0
            sub.wait_out(b"after\n")
            assert sub.out == b"before\nafter\n"


def test_retry_max_bounds_the_tries(tool):
    port = free_port()
    result = ends(tool, "-h", HOST, "-p", port, "--reconnect", "--retry-max", 2, "--retry-delay", "10ms..20ms")
    assert result.code == 4 and result.out == b"", result
    assert 1 <= result.err_text.count("refused") <= 3, f"one try and two more\n{result}"


# --- stdout and signals -------------------------------------------------------------------------------

def test_trap_13_closed_stdout_ends_it_at_once_and_quietly(broker):
    read_end, write_end = os.pipe()
    topic = unique("open/")
    with start("mqsub", *broker.args(), "-t", topic, stdout=write_end) as sub:
        os.close(write_end)
        broker.wait_subscribed(topic)
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "only"))
        assert os.read(read_end, 100) == b"only\n"
        os.close(read_end)  # and no further message comes
        assert_ok(sub.wait(5))


def test_trap_13_mqsub_into_head(broker):
    topic = unique("open/")
    pipeline = f'"$0" {" ".join(broker.args())} -t {topic} | head -1; echo "${{PIPESTATUS[0]}}"'
    with Proc(["bash", "-c", pipeline, program("mqsub")]) as shell:
        broker.wait_subscribed(topic)
        assert_ok(mqpub(*broker.args(), "-t", topic, "-l", stdin=b"one\ntwo\nthree\n"))
        result = shell.wait(5)
    assert result.out == b"one\n0\n", result
    assert result.err == b"", result


@pytest.mark.parametrize("qos", (0, 1))
def test_trap_14_full_stdout_is_14_and_nothing_is_acknowledged(qos):
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x" * 100, qos, 1))) as server:
        with open("/dev/full", "wb") as full:
            result = mqsub("-L", server.url, "-t", "t", "-q", qos, stdout=full)
        assert_fails(result, 14, "No space left")
    assert wire.PUBACK not in [p.kind for p in server.connections[0].received]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("version", ("5", "311"))
def test_trap_30_a_signal_disconnects_properly_and_keeps_the_will(broker, version, number, code):
    wills, topic = unique("open/"), unique("open/")
    will = ["--will-topic", wills, "--will-payload", "dead"]
    with Paho().subscribe(broker, "tcp", "5", wills, 1) as observer:
        with start("mqsub", *broker.args(), "-V", version, *will, "-t", topic) as sub:
            broker.wait_subscribed(topic)
            sub.kill(number)
            result = sub.wait(5)
        assert result.code == code and result.out == b"", result
        with start("mqsub", *broker.args(), "-V", version, *will, "-t", topic) as sub:
            broker.wait_subscribed(topic, 2)
            sub.kill(signal.SIGKILL)
        # Only the second one's will: had the first been published, two would be there.
        assert observer.take(1) == [(wills, 0, b"dead")]
        assert_ok(mqpub(*broker.args(), "-t", wills, "-m", "end"))
        assert observer.take(1) == [(wills, 0, b"end")]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_while_publishing(broker, number, code):
    topic = unique("open/")
    with Paho().subscribe(broker, "tcp", "5", topic, 0) as observer:
        with start("mqpub", *broker.args(), "-t", topic, "-l", stdin=None) as pub:
            pub.write(b"one\n")
            observer.take(1)
            pub.kill(number)
            assert pub.wait(5).code == code


def test_signal_while_connecting(tool):
    with FaultServer(faults.silent) as server:
        with start(tool, "-L", server.url, *TOOLS[tool]) as proc:
            wait_until(lambda: server.connections and server.connections[0].received, 5, "a CONNECT")
            proc.kill(signal.SIGINT)
            assert proc.wait(5).code == 130
