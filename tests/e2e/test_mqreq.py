"""mqreq: requests and replies, with responders of others and servers that misbehave."""

import json
import os
import signal
import struct
import threading
import time

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import wait_until
from support.proc import run
from support.subscribed import retain
from support.mosquitto_options import ABSENT, options_named_by, options_shown_by
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqreq, start, unique


@pytest.fixture(scope="module", params=("mqbroker", "mosquitto"))
def broker(request):
    made = MqBroker(options=["-v"]) if request.param == "mqbroker" else Mosquitto()
    with made as broker:
        yield broker


@pytest.fixture(scope="module")
def mqbroker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


class Responder:
    """A paho client that answers on a topic of its own. `answer(request)` gives the replies, each as
    (payload, correlation data or None); without, it is the payload in capitals. `topic`, `reply_to`: fixed
    topics, as they must be before MQTT 5. `others`: how many subscribe to the topic already."""

    def __init__(self, broker, answer=None, version="5", topic=None, reply_to=None, others=0):
        self.topic, self.requests = topic or unique("q"), []
        self._answer = answer or (lambda request: [(request.payload.upper(), correlation(request))])
        self._reply_to, self._v5 = reply_to, version == "5"
        self._client = Paho.client(broker["tcp"], version, unique("responder"))
        self._client.on_message = self._respond
        self._client.subscribe(self.topic, 2)
        broker.wait_subscribed(self.topic, others + 1)

    def _respond(self, client, user, request):
        self.requests.append(request)
        for payload, data in self._answer(request):
            properties = None
            if self._v5:
                properties = Properties(PacketTypes.PUBLISH)
                if data is not None:
                    properties.CorrelationData = data
            client.publish(self._reply_to or request.properties.ResponseTopic, payload, 2,
                           properties=properties)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Paho.leave(self._client)


def correlation(request):
    return getattr(getattr(request, "properties", None), "CorrelationData", None)


# --- a request and its reply ----------------------------------------------------------------------------

@pytest.mark.parametrize("qos", (0, 1, 2))
def test_a_reply_is_written_and_that_is_the_end(broker, qos):
    with Responder(broker) as responder:
        result = assert_ok(mqreq(*broker.args(), "-t", responder.topic, "-m", "ping", "-q", qos))
    assert result.out == b"PING\n"
    assert [r.qos for r in responder.requests] == [qos]


def test_each_request_has_its_own_correlation_and_response_topic(broker):
    with Responder(broker) as responder:
        for _ in range(2):
            assert_ok(mqreq(*broker.args(), "-t", responder.topic, "-n"))
    first, second = (r.properties for r in responder.requests)
    assert len(first.CorrelationData) == len(second.CorrelationData) == 16
    assert first.CorrelationData != second.CorrelationData and first.ResponseTopic != second.ResponseTopic
    assert first.ResponseTopic.startswith("mq/reply/mqreq-" if broker.name == "mosquitto" else "response/")


def test_what_e_and_D_say_is_used(broker):
    reply_to = unique("r")
    with Responder(broker) as responder:
        for how in (["-e", reply_to], ["-D", "publish", "response-topic", reply_to]):
            result = assert_ok(mqreq(*broker.args(), "-t", responder.topic, "-m", "x", "-v", *how, "-D", "publish",
                                     "correlation-data", "base64:AAEC/w=="))
            assert result.out == reply_to.encode() + b" X\n"
    assert [r.properties.CorrelationData for r in responder.requests] == [b"\0\1\2\xff"] * 2


@pytest.mark.parametrize("how", (["-m", "\u00e9"], ["-f", "FILE"], ["-f", "-"], ["-s"], ["-n"], ["-f", "FIFO"]), ids=" ".join)
def test_the_payload_comes_from_where_the_option_says(mqbroker, scratch, how):
    data = {"-m": "\u00e9".encode(), "-n": b""}.get(how[0], b"a\0b\xff\r\n")
    (scratch / "FILE").write_bytes(data)
    if "FIFO" in how:
        os.mkfifo(scratch / "FIFO")
        threading.Thread(target=(scratch / "FIFO").write_bytes, args=(data,), daemon=True).start()
    with Responder(mqbroker, lambda request: [(request.payload, correlation(request))]) as responder:
        result = assert_ok(mqreq(*mqbroker.args(), "-t", responder.topic, "-N", *how, stdin=data, cwd=scratch))
    assert result.out == data


@pytest.mark.parametrize("version", ("5", "311"))
@pytest.mark.parametrize("options", ([], ["-v"], ["-N"], ["-q", "2"], ["-F", "%t|%q|%p|%l"], ["-R", "-k", "20", "-i", "ID"]),
                         ids=" ".join)
def test_command_lines_of_mosquitto_rr_do_the_same(broker, version, options):
    reply_to, seen = unique("r"), []
    options = [unique("id") if word == "ID" else word for word in options]
    with Responder(broker, version=version, reply_to=reply_to) as responder:
        line = [*broker["tcp"].mosquitto_args(), "-V", version, "-t", responder.topic, "-e", reply_to, "-m", "hello",
                "-W", "10", *options]
        for program in (lambda *a: run(["mosquitto_rr", *a]), mqreq):
            seen.append(assert_ok(program(*line)).out)
    assert seen[0] == seen[1] and b"HELLO" in seen[0]


def test_the_options_file_of_mosquitto_rr_is_read(mqbroker, scratch):
    (scratch / "mosquitto_rr").write_text("-v\n")
    reply_to = unique("r")
    with Responder(mqbroker) as responder:
        result = assert_ok(mqreq(*mqbroker.args(), "-t", responder.topic, "-e", reply_to, "-n",
                                 env={"XDG_CONFIG_HOME": str(scratch)}))
    assert result.out == reply_to.encode() + b" \n"


# --- which messages are replies -------------------------------------------------------------------------

def test_only_what_has_the_correlation_data_is_a_reply(broker):
    def answer(request):
        own = correlation(request)
        return [(b"other", own[:-1] + bytes([own[-1] ^ 1])), (b"none", None), (b"empty", b""), (b"mine", own)]
    with Responder(broker, answer) as responder:
        result = mqreq(*broker.args(), "-t", responder.topic, "-m", "x", "-q", 1)
        assert (result.code, result.out) == (0, b"mine\n"), result
        assert result.err_lines == ["mqreq: 1 of 1 replies received, 3 other messages left out"]
        told = mqreq(*broker.args(), "-t", responder.topic, "-m", "x", "-d")
    assert b"its Correlation Data are not the request's" in told.err and b"it has no Correlation Data" in told.err, told


def test_a_responder_without_correlation_data_is_told_at_the_deadline(broker):
    with Responder(broker, lambda request: [(b"x", None)]) as responder:
        assert_fails(mqreq(*broker.args(), "-t", responder.topic, "-m", "x", "-W", "2s"), 9,
                     "0 of 1 replies received, 1 other message left out", "must copy the Correlation Data")


@pytest.mark.parametrize("version", ("5", "311"))
def test_trap_31_a_retained_message_is_never_a_reply(broker, version):
    reply_to = unique("r")
    retain(broker, {reply_to: "stale"})
    with Responder(broker, version=version, reply_to=reply_to) as responder:
        result = mqreq(*broker.args(), "-V", version, "-t", responder.topic, "-e", reply_to, "-m", "live")
    assert (result.code, result.out) == (0, b"LIVE\n"), result


def test_a_live_reply_may_keep_its_retain_flag(broker):
    """[MQTT-3.3.1-13]: with Retain As Published, live messages keep it."""
    reply_to, topic = unique("r"), unique("q")
    args = [*broker.args(), "-t", topic, "-e", reply_to, "-n", "--retain-as-published", "-F", "%r %p",
            "-D", "publish", "correlation-data", "c"]
    with start("mqreq", *args) as asking:
        broker.wait_subscribed(reply_to)
        retain_args = ["-t", reply_to, "-m", "kept", "-r", "-q", 1, "-D", "publish", "correlation-data", "c"]
        wait_until(lambda: not asking.running or not mqpub(*broker.args(), *retain_args).code and not asking.running,
                   10, "the reply to be taken")  # again, should the first come before the request was sent
        assert assert_ok_but_told(asking.wait()).out == b"1 kept\n"


def assert_ok_but_told(result):
    """Messages that came before the request are told of."""
    assert result.code == 0 and all("left out" in line for line in result.err_lines), result
    return result


def test_what_we_publish_ourselves_does_not_come_back(mqbroker):
    """Somebody who asks on the topic that they listen on, with MQTT 5: No Local."""
    topic = unique("t")
    assert_fails(mqreq(*mqbroker.args(), "-t", topic, "-e", topic, "-m", "me", "-W", "1s"), 9, "0 of 1 replies received")


def test_several_responders(broker):
    topic = unique("q")
    names = [b"a", b"b", b"c"]
    responders = [Responder(broker, lambda request, name=name: [(name, correlation(request))],
                            topic=topic, others=others) for others, name in enumerate(names)]
    try:
        result = assert_ok(mqreq(*broker.args(), "-t", topic, "-n", "--replies", 3, "-q", 1))
        assert sorted(result.out.split()) == names
        few = mqreq(*broker.args(), "-t", topic, "-n", "--replies", 4, "-q", 1, "-W", "2s")
        assert few.code == 9 and sorted(few.out.split()) == names and "3 of 4 replies" in few.err_text, few
    finally:
        for responder in responders:
            responder.__exit__()


def test_a_surplus_reply_is_not_written(broker):
    with Responder(broker, lambda request: [(b"one", correlation(request)), (b"two", correlation(request))]) as responder:
        assert assert_ok(mqreq(*broker.args(), "-t", responder.topic, "-n", "-q", 1)).out == b"one\n"


# --- no reply -------------------------------------------------------------------------------------------

def test_nobody_answers(broker):
    result = assert_fails(mqreq(*broker.args(), "-t", unique("q"), "-m", "x", "-W", "1s"), 9, "deadline of 1s",
                          "0 of 1 replies")
    assert result.seconds >= 1


def test_nobody_listens(broker):
    """With QoS 1 the broker says so: 0x10 is no error, but a hint."""
    topic = unique("q")
    result = mqreq(*broker.args(), "-t", topic, "-m", "x", "-q", 1, "-W", "1s")
    assert result.code == 9 and result.err_lines[0] == f"mqreq: warning: nobody subscribes to '{topic}' (0x10)", result


def test_a_late_reply_is_not_written(mqbroker):
    def answer(request):
        time.sleep(2)
        return [(b"late", correlation(request))]
    with Responder(mqbroker, answer) as responder:
        assert_fails(mqreq(*mqbroker.args(), "-t", responder.topic, "-n", "-W", "1s"), 9, "0 of 1 replies")
        assert assert_ok(mqreq(*mqbroker.args(), "-t", responder.topic, "-n", "-W", "0")).out == b"late\n"


# --- servers that misbehave -----------------------------------------------------------------------------

def request_of(publish):
    """{property: value} of a PUBLISH of mqreq: it has a response topic and correlation data alone."""
    body = publish.body[2 + struct.unpack_from(">H", publish.body)[0] + (2 if publish.qos else 0):]
    length, body, found = body[0], body[1:], {}
    assert length < 128
    body = body[:length]
    while body:
        size = struct.unpack_from(">H", body, 1)[0]
        found[body[0]] = body[3:3 + size]
        body = body[3 + size:]
    return found


def reply_to(request, payload, qos=0, packet_id=0, **how):
    asked = request_of(request)
    return wire.publish(asked[wire.RESPONSE_TOPIC].decode(), payload, qos, packet_id,
                        props={wire.CORRELATION_DATA: asked[wire.CORRELATION_DATA]}, **how)


def ask(server, *args, **how):
    return mqreq("-L", server.url, "-t", "q", *([] if {"-n", "-f"} & set(args) else ["-m", "x"]), *args, **how)


def subscription_of(connection):
    """(filter, options) of its SUBSCRIBE."""
    body = next(p.body for p in connection.received if p.kind == wire.SUBSCRIBE)[2:]
    body = body[1 + body[0]:]
    size = struct.unpack_from(">H", body)[0]
    return body[2:2 + size].decode(), body[2 + size]


@pytest.mark.parametrize("information, begin", (("cloud/me", "cloud/me/"), ("cloud/", "cloud/"), ("a/#", "mq/reply/"),
                                                (None, "mq/reply/mqreq-")))
def test_the_response_topic_is_below_the_response_information(information, begin):
    def script(connection):
        connection.accept(**({"response_information": information} if information else {}))
        connection.accept_subscription()
        connection.send(reply_to(connection.expect(wire.PUBLISH), b"y"))
        connection.drain()
    with FaultServer(script) as server:
        assert assert_ok(ask(server, "-q", 0)).out == b"y\n"
    topic, options = subscription_of(server.connections[0])
    assert topic.startswith(begin) and len(topic.split("/")[-1]) == 16
    assert options == 0b10_0_1_00, "Retain Handling 2, No Local"
    connect = server.connections[0].received[0]
    assert b"\x19\x01" in connect.body, "Request Response Information"


def test_with_e_no_response_information_is_asked_for():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(reply_to(connection.expect(wire.PUBLISH), b"y"))
        connection.drain()
    with FaultServer(script) as server:
        assert_ok(ask(server, "-e", "r"))
    assert b"\x19" not in server.connections[0].received[0].body[10:].split(b"mqreq")[0]


def test_a_refused_subscription_is_11_and_nothing_is_asked():
    def script(connection):
        connection.accept()
        connection.accept_subscription(code=0x87)
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(ask(server, "-e", "r"), 11, "subscription to 'r' refused", "Not authorized (0x87)")
    assert [p.kind for p in server.connections[0].received] == [wire.CONNECT, wire.SUBSCRIBE, wire.DISCONNECT]


@pytest.mark.parametrize("qos, answer", ((1, wire.PUBACK), (2, wire.PUBREC)))
def test_a_rejected_request_is_10(qos, answer):
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        request = connection.expect(wire.PUBLISH)
        connection.send(wire.ack(answer, request.packet_id, 5, 0x97, {wire.REASON_STRING: "too much"}))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(ask(server, "-q", qos), 10, "'q'", "Quota exceeded (0x97)", "too much")


def test_a_request_that_the_server_could_not_take_is_10_and_not_sent():
    def script(connection):
        connection.accept(maximum_packet_size=100)
        connection.accept_subscription()
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(ask(server, "-e", "r", "-f", "-", stdin=b"x" * 100), 10, "cannot publish to 'q'")
    assert wire.PUBLISH not in [p.kind for p in server.connections[0].received]


def test_a_deadline_before_the_connection_is_7():
    with FaultServer(faults.silent) as server:
        assert_fails(ask(server, "-W", "300ms"), 7, "deadline of 300ms reached", "the request was not sent")


def test_a_lost_connection_is_8():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.expect(wire.PUBLISH)
    with FaultServer(script) as server:
        assert_fails(ask(server), 8, "lost")


def test_a_server_that_hangs_up_behind_the_reply_is_no_failure():
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(reply_to(connection.expect(wire.PUBLISH), b"y"))
    with FaultServer(script) as server:
        assert assert_ok(ask(server)).out == b"y\n"


def falls_back(connection):
    """A server of MQTT 3.1.1."""
    connection.expect(wire.CONNECT)
    if connection.version == 5:
        return connection.send(wire.connack(3, 1))
    connection.send(wire.connack(4))
    connection.accept_subscription()
    connection.expect(wire.PUBLISH)
    connection.send(wire.publish("r", b"y", version=4))
    connection.drain()


def test_a_server_before_mqtt_5_is_told_of():
    with FaultServer(falls_back) as server:
        result = ask(server, "-e", "r")
    assert (result.code, result.out) == (0, b"y\n"), result
    assert len(result.err_lines) == 1 and "any message on 'r' is taken for the reply" in result.err_text, result
    with FaultServer(falls_back) as server:
        assert_ok(ask(server, "-e", "r", "-V", "311"))


def test_without_e_there_is_no_falling_back():
    with FaultServer(falls_back) as server:
        assert_fails(ask(server), 7)
    assert len(server.connections) == 1


# --- connections that are lost and come back ------------------------------------------------------------

RECONNECT = ("--reconnect", "--retry-delay", "10ms..20ms")


class Twice:
    """A script for a first and a second connection."""

    def __init__(self, first, second):
        self._scripts = iter((first, second))

    def __call__(self, connection):
        next(self._scripts)(connection)


@pytest.mark.parametrize("session_kept", (True, False))
def test_an_unacknowledged_request_is_sent_again(session_kept):
    def first(connection):
        connection.accept()
        connection.accept_subscription()
        connection.expect(wire.PUBLISH)

    def second(connection):
        connection.expect(wire.CONNECT)
        connection.send(wire.connack(5, session_present=int(session_kept)))
        request = connection.expect(wire.PUBLISH)
        assert request.flags >> 3 == int(session_kept), "DUP only where the server may know it"
        if not session_kept:
            connection.accept_subscription()
        connection.send(wire.ack(wire.PUBACK, request.packet_id, 5))
        connection.send(reply_to(request, b"y"))
        connection.drain()
    with FaultServer(Twice(first, second)) as server:
        result = ask(server, "-q", 1, *RECONNECT)
    assert (result.code, result.out) == (0, b"y\n") and "next attempt" in result.err_text, result


def test_a_reply_that_is_delivered_again_after_a_reconnect_counts_once():
    asked = []

    def first(connection):
        connection.accept()
        connection.accept_subscription()
        asked.append(connection.expect(wire.PUBLISH))
        connection.send(wire.ack(wire.PUBACK, asked[0].packet_id, 5) + reply_to(asked[0], b"one", qos=1, packet_id=7))
        connection.expect(wire.PUBACK)  # which is lost

    def second(connection):
        connection.expect(wire.CONNECT)
        connection.send(wire.connack(5, session_present=1) + reply_to(asked[0], b"one", qos=1, packet_id=7, dup=1)
                        + reply_to(asked[0], b"two", qos=1, packet_id=8))
        assert connection.expect(wire.PUBACK).packet_id == 7, "once more"
        connection.drain()
    with FaultServer(Twice(first, second)) as server:
        result = ask(server, "-q", 1, "--replies", 2, *RECONNECT)
    assert (result.code, result.out) == (0, b"one\ntwo\n"), result


def test_receive_maximum_is_no_more_than_the_replies_wanted():
    with FaultServer(faults.after_connack()) as server:
        ask(server, "-q", 1, "--replies", 3, "-W", "1s")
    assert b"\x21\0\3" in server.connections[0].received[0].body


def test_an_acknowledged_request_is_not_sent_again():
    asked = []

    def first(connection):
        connection.accept()
        connection.accept_subscription()
        asked.append(connection.expect(wire.PUBLISH))
        connection.send(wire.ack(wire.PUBACK, asked[0].packet_id, 5))
        connection.finish()

    def second(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(reply_to(asked[0], b"y"))
        connection.drain()
    with FaultServer(Twice(first, second)) as server:
        result = ask(server, "-q", 1, *RECONNECT)
    assert (result.code, result.out) == (0, b"y\n"), result
    assert wire.PUBLISH not in [p.kind for p in server.connections[1].received]


def test_a_request_of_qos_0_is_not_sent_again_and_that_is_said():
    asked = []

    def first(connection):
        connection.accept()
        connection.accept_subscription()
        asked.append(connection.expect(wire.PUBLISH))

    def second(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(reply_to(asked[0], b"y"))
        connection.drain()
    with FaultServer(Twice(first, second)) as server:
        result = ask(server, *RECONNECT)
    assert (result.code, result.out) == (0, b"y\n") and "the request is not sent again" in result.err_text, result
    assert wire.PUBLISH not in [p.kind for p in server.connections[1].received]


# --- output and endings ---------------------------------------------------------------------------------

def answering(payload, qos=1):
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(reply_to(connection.expect(wire.PUBLISH), payload, qos, 1))
        connection.drain()
    return script


def acks(server):
    return [p.packet_id for p in server.connections[0].received if p.kind == wire.PUBACK]


def test_a_reply_is_acknowledged():
    with FaultServer(answering(b"y")) as server:
        assert_ok(ask(server, "-D", "connect", "user-property", "k", "v"))
    assert acks(server) == [1]


def test_trap_14_a_reply_that_cannot_be_written_is_14_and_stays_unacknowledged():
    with FaultServer(answering(b"y")) as server, open("/dev/full", "wb") as full:
        result = ask(server, stdout=full.fileno())
    assert result.code == 14 and "No space left on device" in result.err_text, result
    assert acks(server) == []


def test_a_reply_is_acknowledged_after_the_reader_has_taken_it():
    size = 1 << 20  # more than a pipe holds
    read_end, write_end = os.pipe()
    with FaultServer(answering(b"z" * size)) as server:
        with start("mqreq", "-L", server.url, "-t", "q", "-m", "x", "-N", stdout=write_end) as asking:
            os.close(write_end)
            got = os.read(read_end, 1)
            assert acks(server) == []
            while chunk := os.read(read_end, 1 << 16):
                got += chunk
            assert asking.wait().code == 0
        os.close(read_end)
    assert got == b"z" * size and acks(server) == [1]


def test_trap_13_a_closed_stdout_ends_it_quietly(mqbroker):
    read_end, write_end = os.pipe()
    reply_to = unique("r")
    with start("mqreq", *mqbroker.args(), "-t", unique("q"), "-e", reply_to, "-n", stdout=write_end) as asking:
        os.close(write_end)
        mqbroker.wait_subscribed(reply_to)
        os.close(read_end)
        result = asking.wait(5)
    assert result.code == 0 and result.err == b"", result


@pytest.mark.parametrize("number, code", ((signal.SIGINT, 130), (signal.SIGTERM, 143)))
def test_a_signal_ends_it_with_a_disconnect(number, code):
    asked = threading.Event()

    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.expect(wire.PUBLISH)
        asked.set()
        connection.drain()
    with FaultServer(script) as server:
        with start("mqreq", "-L", server.url, "-t", "q", "-n") as asking:
            assert asked.wait(10)
            asking.kill(signal.SIGUSR1)
            asking.wait_err(b"0 of 1 replies received")
            asking.kill(number)
            assert asking.wait().code == code
    assert server.connections[0].received[-1].kind == wire.DISCONNECT


def test_json_has_the_latency(broker):
    def answer(request):
        time.sleep(0.25)
        return [(b"\xff", correlation(request))]
    with Responder(broker, answer) as responder:
        result = assert_ok(mqreq(*broker.args(), "-t", responder.topic, "-n", "--json"))
        again = Responder(broker, lambda request: [], topic=unique("copy"))
        with again:
            assert_ok(mqpub(*broker.args(), "--json", "-q", 1, "-t", again.topic,
                            stdin=result.out.replace(b'"topic":', b'"was":', 1)))
            wait_until(lambda: again.requests, 5, "the line to come back")
    message = json_lines(result.out)[0]
    assert 0.25 <= message["latency"] < 5 and message["encoding"] == "base64"
    assert result.out.split(b'"latency":')[1].split(b",")[0].split(b".")[1].isdigit()
    assert again.requests[0].payload == b"\xff"


def test_a_format_has_the_latency(mqbroker):
    with Responder(mqbroker) as responder:
        args = [*mqbroker.args(), "-t", responder.topic, "-m", "x", "-F"]
        plain = assert_ok(mqreq(*args, "%{latency} %p")).out.split()
        as_json = json.loads(assert_ok(mqreq(*args, "[%{latency:json},%{json}]")).out)
    assert 0 < float(plain[0]) < 5 and len(plain[0].split(b".")[1]) == 6 and plain[1] == b"X"
    assert as_json[0] == as_json[1]["latency"]


def test_decoders_are_there(mqbroker):
    with Responder(mqbroker, lambda request: [(request.payload, correlation(request))]) as responder:
        args = [*mqbroker.args(), "-t", responder.topic, "-m", "\x18", "--decode"]
        assert assert_ok(mqreq(*args, "#=uint8")).out == b"24\n"
        told = mqreq(*args, "#=cbor")
    assert told.out == b"\x18\n" and "cannot be decoded as cbor" in told.err_text, told


def test_the_topic_is_in_colour_when_that_is_asked_for(mqbroker):
    reply_to = unique("r")
    with Responder(mqbroker) as responder:
        result = assert_ok(mqreq(*mqbroker.args(), "-t", responder.topic, "-e", reply_to, "-m", "x", "-v", "--color", "always"))
    assert result.out == b"\x1b[36m" + reply_to.encode() + b"\x1b[0m X\n"


def test_log_lines_as_json_say_what_happened(mqbroker):
    with Responder(mqbroker) as responder:
        result = mqreq(*mqbroker.args(), "-t", responder.topic, "-m", "x", "--log-format", "json")
    events = [json.loads(line) for line in result.err_lines]
    assert [e["event"] for e in events] == ["connected", "subscribed", "summary"], result
    assert (events[-1]["received"], events[-1]["left_out"], events[-1]["exit_code"]) == (1, 0, 0)


# --- options of mosquitto_rr ----------------------------------------------------------------------------

# Its options, 2.0 (its manual and --help).
OPTIONS = """
    -A -c --disable-clean-session --cafile --capath --cert --ciphers -D --property -d --debug -e -F -f --file --help -h
    --host -I --id-prefix -i --id --insecure -k --keepalive --key -L --url -m --message -N -n --null-message --nodelay
    -P --pw --pretty -p --port --proxy --psk --psk-identity -q --qos --quiet -R --retain-as-published -S -s --stdin-file
    -t --topic --tls-alpn --tls-use-os-certs --tls-version -u --username --unix -V --protocol-version -v --verbose -W
    --will-payload --will-qos --will-retain --will-topic -x --keyform --tls-engine --tls-engine-kpass-sha1""".split()


def test_every_option_of_mosquitto_rr_is_there():
    assert set(OPTIONS) - options_shown_by("mqreq") == set(OPTIONS) & set(ABSENT)


def test_mosquitto_rrs_own_help_names_nothing_else():
    named = options_named_by("mosquitto_rr")
    assert len(named) > 35 and named <= set(OPTIONS), named - set(OPTIONS)


# --- options --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("args, words", (
    (["-t", "a"], "there is no payload"),
    (["-t", "a", "-m", "x", "-n"], "only one of -m, -f, -s and -n"),
    (["-m", "x"], "there is no topic"),
    (["-t", "a/#", "-m", "x"], "cannot publish to 'a/#'"),
    (["-t", "a", "-m", "x", "-e", "a/+"], "cannot wait for replies on 'a/+'"),
    (["-t", "a", "-m", "x", "-e", "$share/g/a"], "others would get them"),
    (["-t", "a", "-m", "x", "-e", "r", "-D", "publish", "response-topic", "r"], "the Response Topic is given twice"),
    (["-t", "a", "-m", "x", "-V", "311"], "there is no Response Topic"),
    (["-t", "a", "-m", "x", "-V", "311", "-e", "r", "--retain-as-published"], "needs MQTT 5"),
    (["-t", "a", "-L", "mqtt://localhost/b", "-m", "x"], "the topic is given twice"),
    (["-t", "a", "-m", "x", "--replies", "0"], "--replies"),
    (["-t", "a", "-m", "x", "--replies", "1x"], "--replies"),
    (["-t", "a", "-m", "x", "-W", "soon"], "-W"),
    (["-t", "a", "-m", "x", "-q", "3"], "-q"),
    (["-t", "a", "-m", "x", "-F", "%{no}"], "-F"),
    (["-t", "a", "-m", "x", "-D", "unsubscribe", "user-property", "k", "v"], "unsubscribe"),
    (["-t", "a", "-m", "x", "-l"], "-l"),
), ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_wrong_use_is_one_line_and_2(args, words):
    assert_fails(mqreq(*args), 2, words)


def test_a_payload_that_cannot_be_read_is_14():
    assert_fails(mqreq("-t", "a", "-f", "/nonexistent"), 14, "/nonexistent")


def test_the_topic_of_the_url_is_the_requests(mqbroker):
    with Responder(mqbroker) as responder:
        result = assert_ok(mqreq("-L", f"{mqbroker['tcp'].url}/{responder.topic}", "-m", "x"))
    assert result.out == b"X\n"


def test_help_version_and_settings():
    assert b"Usage: mqreq" in assert_ok(mqreq("--help")).out
    assert b"mqreq" in assert_ok(mqreq("--version")).out
    shown = assert_ok(mqreq("-t", "a", "-n", "-P", "secret", "-u", "me", "--replies", 3, "--show-config")).out
    assert b"replies = 3" in shown and b"secret" not in shown, shown
