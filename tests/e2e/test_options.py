"""mqpub's and mqsub's options, and the traps of the field that concern them (by number in the name)."""

import array
import fcntl
import os
import re
import signal
import subprocess
import termios
import threading
import time

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST, free_port, wait_until
from support.subscribed import Subscribed
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, payload_of, start, unique

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp", "tls"), ["-v"]) as broker:
        yield broker


@pytest.fixture(params=("mqpub", "mqsub"))
def tool(request):
    return request.param


class Observer:
    """What a paho client receives on a topic of its own, with all its properties."""

    def __init__(self, broker, qos=2):
        self.topic, self.messages = unique("o"), []
        self._client = Paho.client(broker["tcp"])
        self._client.on_message = lambda client, user, message: self.messages.append(message)
        self._client.subscribe(f"{self.topic}/#", qos)  # the topic itself and all below
        broker.wait_subscribed(f"{self.topic}/#")

    def close(self):
        Paho.leave(self._client)

    def take(self, count):
        """The messages, once there are `count`; more are an error."""
        wait_until(lambda: len(self.messages) >= count, 10 + count / 100, f"{count} messages")
        assert len(self.messages) == count, [m.payload for m in self.messages]
        return self.messages

    def payloads(self, count):
        return [m.payload for m in self.take(count)]


@pytest.fixture
def observer(broker):
    observer = Observer(broker)
    yield observer
    observer.close()


@pytest.fixture
def pub(broker):
    """mqpub on the broker; it must succeed."""
    return lambda *args, **how: assert_ok(mqpub(*broker.args(), *args, **how))


# --- help and usage -------------------------------------------------------------------------------

def test_trap_11_help_and_version_go_to_stdout_and_end_with_0(tool):
    help_text = assert_ok(mqpub("--help") if tool == "mqpub" else mqsub("--help")).out.decode()
    for option in ("--host", "--port", "--topic", "--qos", "--cafile", "--will-topic", "--help", "--version"):
        assert option in help_text
    version = assert_ok(mqpub("--version") if tool == "mqpub" else mqsub("--version")).out.decode()
    assert re.fullmatch(rf"{tool} \d+\.\d+\.\d+.*\n", version, re.S), version


USAGE = {
    "mqpub": [("-m", "x"), ("-t", "t"), ("-t", "a/+", "-m", "x"), ("-t", "a/#", "-m", "x"), ("-t", "", "-m", "x"),
              ("-t", "t", "-m", "x", "-q", "3"), ("-t", "t", "-m", "x", "-n"), ("-t", "t", "-m", "x", "-l"),
              ("-t", "t", "-m", "x", "--repeat", "1x"), ("-t", "t", "-m", "x", "--repeat", "-1"),
              ("-t", "t", "-m", "x", "--no-such-option"), ("-t", "t", "-m", "x", "stray")],
    "mqsub": [(), ("-t", "a#"), ("-t", "a/#/b"), ("-t", "+a"), ("-t", ""), ("-t", "t", "-q", "3"),
              ("-t", "t", "-C", "1x"), ("-t", "t", "-C", "-1"), ("-t", "t", "-W", "1parsec"), ("-t", "$share/g"),
              ("-t", "t", "--no-such-option")],
}
COMMON_USAGE = [("-p", "1883x"), ("-p", "65536"), ("-k", "65536"), ("-V", "4"), ("--connect-timeout", "soon"),
                ("-L", "gopher://x"), ("-L", "mqtt://[::1"), ("--will-payload", "x"), ("--will-topic", "a/#"),
                ("-D", "publish", "no-such-property", "1"), ("-V", "311", "-D", "connect", "receive-maximum", "1"),
                ("--cert", "only-half.pem"), ("--auth-method", "SCRAM-SHA-3"), ("--auth-data", "x"), ("--scram-user", "u"),
                ("--token-lifetime", "1h"), ("--token-cmd", "x", "--token-file", "y")]
PLAIN = {"mqpub": ("-t", "t", "-m", "x"), "mqsub": ("-t", "t")}


@pytest.mark.parametrize("tool, args", [(tool, args) for tool in USAGE for args in USAGE[tool]]
                         + [(tool, PLAIN[tool] + args) for tool in USAGE for args in COMMON_USAGE],
                         ids=lambda value: " ".join(value) if isinstance(value, tuple) else value)
def test_trap_26_usage_errors_are_2_and_one_line(broker, tool, args):
    """Checked before anything is sent: the port given first is one where everything would work."""
    run = mqpub if tool == "mqpub" else mqsub
    assert_fails(run("-h", HOST, "-p", broker["tcp"].port, *args, seconds=5), 2)


def test_a_misspelt_option_gets_a_suggestion(tool):
    run = mqpub if tool == "mqpub" else mqsub
    assert_fails(run("-t", "t", "--cafiel", "x"), 2, "--cafile")


def test_trap_26_missing_files_are_errors(broker):
    assert_fails(mqpub(*broker.args(), "-t", "t", "-f", "/nowhere/file"), 14, "/nowhere/file")


def test_trap_34_nothing_is_changed_silently(broker):
    result = mqpub(*broker.args(), "-V", "311", "-t", "t", "-m", "x", "-D", "publish", "content-type", "a")
    assert_fails(result, 2)


# --- where the payload comes from -----------------------------------------------------------------

def test_message(pub, observer):
    pub("-t", observer.topic, "-m", "héllo wörld")
    assert observer.payloads(1) == ["héllo wörld".encode()]


def test_empty_message(pub, observer):
    pub("-t", observer.topic, "-n")
    pub("-t", observer.topic, "-m", "")
    assert observer.payloads(2) == [b"", b""]


def test_file(pub, observer, scratch):
    data = bytes(range(256)) + b"\r\n\n"
    (scratch / "payload").write_bytes(data)
    pub("-t", observer.topic, "-f", scratch / "payload")
    assert observer.payloads(1) == [data]


def test_several_files_are_several_messages(pub, observer, scratch):
    for name in ("a", "b"):
        (scratch / name).write_text(name)
    pub("-t", observer.topic, "-f", scratch / "a", "-f", scratch / "b", "-q", 1)
    assert observer.payloads(2) == [b"a", b"b"]


def test_trap_27_fifo_is_read_to_its_end(pub, observer, scratch):
    fifo = scratch / "fifo"
    os.mkfifo(fifo)

    def write():
        with open(fifo, "wb") as pipe:
            pipe.write(b"first ")
            pipe.flush()
            pipe.write(bytes(MEBIBYTE))
    writer = threading.Thread(target=write)
    writer.start()
    pub("-t", observer.topic, "-f", fifo)
    writer.join(10)
    assert observer.payloads(1) == [b"first " + bytes(MEBIBYTE)]


@pytest.mark.parametrize("option", (("-s",), ("-f", "-")), ids=" ".join)
@pytest.mark.parametrize("data", (b"", b"\n", b" \r\n two \0 lines\n", bytes(MEBIBYTE)), ids=len)
def test_trap_20_whole_stdin_is_one_untrimmed_message(pub, observer, option, data):
    pub("-t", observer.topic, *option, stdin=data)
    assert observer.payloads(1) == [data]


LINES = {
    "plain": (b"one\ntwo\n", [b"one", b"two"]),
    "last line without newline": (b"one\ntwo", [b"one", b"two"]),
    "empty lines are empty messages": (b"\n\nx\n\n", [b"", b"", b"x", b""]),
    "nothing": (b"", []),
    "trap_19 NUL": (b"a\0b\nc\n\0\n", [b"a\0b", b"c", b"\0"]),
    "trap_19 invalid UTF-8": (b"\xff\xfe\n\xc0\n", [b"\xff\xfe", b"\xc0"]),
    "trap_20 nothing is trimmed": (b"  a \t\r\n\rb\r\n", [b"  a \t\r", b"\rb\r"]),
    "long": (b"x" * 300000 + b"\n" + b"y" * 70000, [b"x" * 300000, b"y" * 70000]),
}


@pytest.mark.parametrize("qos", (0, 1, 2))
@pytest.mark.parametrize("name", LINES)
def test_lines(pub, observer, name, qos):
    data, expected = LINES[name]
    pub("-t", observer.topic, "-q", qos, "-l", stdin=data)
    pub("-t", observer.topic, "-q", qos, "-m", "end")
    assert observer.payloads(len(expected) + 1) == expected + [b"end"]


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_ten_thousand_lines_in_order(pub, observer, qos):
    lines = [b"%d" % number for number in range(10_000)]
    pub("-t", observer.topic, "-q", qos, "-l", stdin=b"\n".join(lines), seconds=60)
    assert observer.payloads(len(lines)) == lines


def test_lines_are_published_as_they_come(broker, observer):
    with start("mqpub", *broker.args(), "-t", observer.topic, "-l", stdin=None) as proc:
        for count, line in enumerate((b"one", b"two", b"three"), 1):
            proc.write(line + b"\n")
            assert observer.payloads(count)[-1] == line  # while stdin is open
        proc.close_stdin()
        assert_ok(proc.wait())


def test_trap_03_lines_before_the_connack_are_not_lost():
    go = threading.Event()

    def slow(connection):
        connection.expect(wire.CONNECT)
        go.wait(10)
        connection.send(wire.connack(connection.version))
        connection.drain()
    with FaultServer(slow) as server, start("mqpub", "-L", server.url, "-t", "t", "-l", stdin=None) as proc:
        proc.write(b"early\n")
        wait_until(lambda: server.connections and server.connections[0].received, 5, "CONNECT")
        proc.write(b"still early\n")
        go.set()
        proc.write(b"late\n")
        proc.close_stdin()
        assert_ok(proc.wait())
    sent = [p.body for p in server.connections[0].received if p.kind == wire.PUBLISH]
    assert sent == [b"\0\1t\0early", b"\0\1t\0still early", b"\0\1t\0late"]


def test_streaming_memory_stays_under_20_mb(broker):
    with start("mqpub", *broker.args(), "-t", unique(), "-q", 1, "-l", stdin=None) as proc:
        block = b"0123456789abcdef" * 63 + b"\n"
        for _ in range(100):
            proc.write(block * 1024)
        peak = proc.peak_memory_bytes()
        proc.close_stdin()
        assert_ok(proc.wait(60))
    assert peak < 20_000_000, peak


# --- how it is published --------------------------------------------------------------------------

@pytest.mark.parametrize("qos", (0, 1, 2))
def test_qos(pub, observer, qos):
    pub("-t", observer.topic, "-m", "x", "-q", qos)
    assert observer.take(1)[0].qos == qos


def test_retain(broker, pub):
    topic = unique("r")
    pub("-t", topic, "-m", "kept", "-r", "-q", 1)
    lines = json_lines(assert_ok(mqsub(*broker.args(), "-t", topic, "-C", 1, "--json")).out)
    assert [(m["payload"], m["retain"]) for m in lines] == [("kept", True)]
    pub("-t", topic, "-n", "-r", "-q", 1)  # empties it
    assert assert_ok(mqsub(*broker.args(), "-t", topic, "-W", "1s")).out == b""


def test_repeat(pub, observer):
    pub("-t", observer.topic, "-m", "x", "--repeat", 3, "-q", 1)
    assert observer.payloads(3) == [b"x"] * 3


def test_repeat_delay(pub, observer):
    result = pub("-t", observer.topic, "-m", "x", "--repeat", 3, "--repeat-delay", "200ms", "-q", 1)
    assert observer.payloads(3) == [b"x"] * 3
    assert 0.4 <= result.seconds < 2, "two delays between three messages"


def test_trap_08_qos_0_before_exit_is_never_lost(pub, observer):
    for number in range(50):
        pub("-t", observer.topic, "-m", number)
    assert observer.payloads(50) == [b"%d" % number for number in range(50)]


def test_trap_35_legal_oddities_of_topics_are_published(pub, observer):
    topics = [f"{observer.topic}/{rest}" for rest in ("a//b", "end/", "/", "with space", "ünïcode", "$x")]
    for topic in topics:
        pub("-t", topic, "-m", "x", "-q", 1)
    assert [m.topic for m in observer.take(len(topics))] == topics


PUBLISH_PROPERTIES = [
    ("payload-format-indicator", "1", "PayloadFormatIndicator", 1),
    ("message-expiry-interval", "60", "MessageExpiryInterval", 60),
    ("content-type", "text/plain", "ContentType", "text/plain"),
    ("response-topic", "answers/here", "ResponseTopic", "answers/here"),
    ("correlation-data", "plain text", "CorrelationData", b"plain text"),
    ("correlation-data", "base64:AAH/", "CorrelationData", b"\0\1\xff"),
]


@pytest.mark.parametrize("name, value, key, expected", PUBLISH_PROPERTIES)
def test_publish_property(pub, observer, name, value, key, expected):
    pub("-t", observer.topic, "-m", "x", "-D", "publish", name, value)
    assert getattr(observer.take(1)[0].properties, key) == expected


def test_binary_property_from_a_file(pub, observer, scratch):
    (scratch / "id").write_bytes(b"\0\n")
    pub("-t", observer.topic, "-m", "x", "-D", "publish", "correlation-data", f"@{scratch / 'id'}")
    assert observer.take(1)[0].properties.CorrelationData == b"\0\n"


def test_user_properties_keep_order_and_repeats(pub, observer):
    pairs = [("k", "v1"), ("a", ""), ("k", "v2")]
    options = [word for pair in pairs for word in ("-D", "publish", "user-property", *pair)]
    pub("-t", observer.topic, "-m", "x", *options)
    assert observer.take(1)[0].properties.UserProperty == pairs


def test_connect_options_reach_the_wire():
    with FaultServer(faults.after_connack()) as server:
        assert_ok(mqpub("-L", server.url, "-t", "t", "-m", "x", "-i", "me", "-k", 77, "-u", "joe", "-P", "secret",
                        "-x", 99, "-c", "--will-topic", "w", "--will-payload", "gone", "--will-qos", 1, "--will-retain",
                        "-D", "connect", "receive-maximum", 7, "-D", "will", "will-delay-interval", 5))
    connect = server.connections[0].received[0].body
    assert connect[:7] == b"\0\4MQTT\5"
    assert connect[7] == 0b11101100, "user, password, will retain, will QoS 1, will, no clean start"
    assert connect[8:10] == b"\0\x4d"
    for part in (b"\x11\0\0\0\x63", b"\x21\0\7", b"\x18\0\0\0\5", b"\0\2me", b"\0\1w", b"\0\4gone"):
        assert part in connect, part
    assert connect.endswith(b"\0\3joe\0\6secret")


def test_default_connect_is_a_clean_start_with_a_random_id(tool):
    run, ids = (mqpub if tool == "mqpub" else mqsub), set()
    with FaultServer(faults.answer_connect(wire.connack(5, 0x88))) as server:
        for _ in range(2):
            assert_fails(run("-L", server.url, *PLAIN[tool]), 7)
    for connection in server.connections:
        connect = connection.received[0].body
        assert connect[7] & 2, "clean start"
        properties = 11 + connect[10]
        ids.add(connect[properties:])
    assert len(ids) == 2 or ids == {b"\0\0"}, "random, or left to the broker"


def test_a_client_id_may_be_given_a_beginning(tool):
    ids = set()
    with FaultServer(faults.answer_connect(wire.connack(5, 0x88))) as server:
        for _ in range(2):
            assert_fails((mqpub if tool == "mqpub" else mqsub)("-L", server.url, *PLAIN[tool], "-I", "pre/"), 7)
    for connection in server.connections:
        ids.add(connection.received[0].body[13:])
    assert len(ids) == 2 and all(name.startswith(b"pre/") and len(name) > 10 for name in ids), ids


@pytest.mark.parametrize("keep_alive, pings", ((1, True), (0, False)))
def test_keepalive_is_the_longest_silence(keep_alive, pings):
    with FaultServer(faults.subscribed_then()) as server:
        assert_ok(mqsub("-L", server.url, "-t", "t", "-k", keep_alive, "-W", "2500ms"))
    received = server.connections[0].received
    assert received[0].body[8:10] == bytes([0, keep_alive])
    assert (wire.PINGREQ in [p.kind for p in received]) == pings


def test_max_inflight_bounds_what_waits_in_each_direction():
    published = []

    def script(connection):
        connection.accept()
        while len(published) < 5:
            published.append(connection.expect(wire.PUBLISH))
            if len(published) % 2 == 0 or len(published) == 5:  # two wait; no third one comes
                connection.expect_silence(0.3)
                for packet in published[-2 if len(published) % 2 == 0 else -1:]:
                    connection.send(wire.ack(wire.PUBACK, packet.packet_id, 5))
        connection.drain()
    with FaultServer(script) as server:
        assert_ok(mqpub("-L", server.url, "-t", "t", "-q", 1, "-M", 2, "-l", stdin=b"1\n2\n3\n4\n5\n"))
    assert b"\x21\0\2" in server.connections[0].received[0].body, "Receive Maximum"
    assert [packet.body[-1:] for packet in published] == [b"1", b"2", b"3", b"4", b"5"]


def test_password_from_file_environment_and_command(scratch):
    (scratch / "password").write_text("s3cret\n")
    with Mosquitto(users={"joe": "s3cret"}) as locked:
        for way in (["--password-file", scratch / "password"], ["--password-env", "MY_SECRET"],
                    ["--password-cmd", "echo s3cret"]):
            assert_ok(mqpub(*locked.args(), "-u", "joe", *way, "-t", "t", "-m", "x", "-q", 1,
                            env={"MY_SECRET": "s3cret"}))


def test_password_is_not_visible_in_the_process_list():
    with FaultServer(faults.silent) as server:
        with start("mqsub", "-L", server.url, "-u", "joe", "-P", "hunter22", "-t", "t") as sub:
            wait_until(lambda: server.connections and server.connections[0].received, 5, "CONNECT")
            with open(f"/proc/{sub.pid}/cmdline", "rb") as cmdline:
                assert b"hunter22" not in cmdline.read()
        assert b"hunter22" in server.connections[0].received[0].body


def test_trap_28_url(observer, pub):
    with Mosquitto(users={"us@er": "p@w/d"}) as locked:
        url = f"mqtt://us%40er:p%40w%2Fd@127.0.0.1:{locked['tcp'].port}"
        assert_ok(mqpub("-L", f"{url}/some/topic", "-m", "x", "-q", 1))
        assert_ok(mqpub("-t", "t", "-m", "x", "-q", 1, env={"MQTT_URL": url}))
        locked.wait_log("Received PUBLISH from .*'some/topic'")


def test_trap_28_ipv6_literal(tool):
    run, port = (mqpub if tool == "mqpub" else mqsub), free_port()
    assert_fails(run("-L", f"mqtt://[::1]:{port}", *PLAIN[tool]), 4, "::1", str(port))


def test_hosts_are_tried_in_order(broker, observer):
    assert_ok(mqpub("-h", f"127.0.0.2,{HOST}", "-p", broker["tcp"].port, "-t", observer.topic, "-m", "x"))
    assert observer.payloads(1) == [b"x"]


# --- mqsub: what is printed -----------------------------------------------------------------------

def test_bare_payloads_one_per_line(broker, pub):
    with Subscribed(broker, "-C", 3) as sub:
        for text in ("one", "", "three"):
            pub("-t", sub.topic, "-m", text)
        assert sub.output() == b"one\n\nthree\n"


def test_trap_22_empty_payload_is_an_empty_record_and_counts(broker, pub):
    with Subscribed(broker, "-C", 2, "-v") as sub:
        pub("-t", sub.topic, "-n")
        pub("-t", sub.topic, "-m", "x")
        assert sub.output() == f"{sub.topic} \n{sub.topic} x\n".encode()


def test_no_end_of_line(broker, pub):
    with Subscribed(broker, "-N", "-C", 2) as sub:
        pub("-t", sub.topic, "-m", "a")
        pub("-t", sub.topic, "-m", "b")
        assert sub.output() == b"ab"


def test_trap_18_trap_19_bytes_are_exact_in_a_pipe(broker, pub):
    data = b"\x1b[31mred\0\xff\r"
    with Subscribed(broker, "-v", "-C", 1) as sub:
        pub("-t", sub.topic, "-s", stdin=data)
        assert sub.output() == sub.topic.encode() + b" " + data + b"\n"


def test_many_topics_in_one_subscribe(broker, pub):
    topics = [unique("a"), unique("b")]
    with start("mqsub", *broker.args(), "-t", topics[0], "-t", f"{topics[1]}/+", "-v", "-C", 2) as sub:
        broker.wait_subscribed(f"{topics[1]}/+")
        pub("-t", topics[0], "-m", "1", "-q", 1)
        pub("-t", f"{topics[1]}/x", "-m", "2", "-q", 1)
        assert assert_ok(sub.wait()).out == f"{topics[0]} 1\n{topics[1]}/x 2\n".encode()


def test_trap_37_all_filters_go_in_one_packet():
    def script(connection):
        connection.accept()
        request = connection.expect(wire.SUBSCRIBE)
        connection.send(wire.suback(request.packet_id, connection.version, [1] * 3))
        connection.drain()
    with FaultServer(script) as server:
        assert_ok(mqsub("-L", server.url, "-t", "a", "-t", "b/#", "-t", "$share/g/c", "-q", 1, "-W", "1s"))
    received = server.connections[0].received
    assert [p.kind for p in received] == [wire.CONNECT, wire.SUBSCRIBE, wire.DISCONNECT]
    assert received[1].body.endswith(b"\0\1a\1\0\3b/#\1\0\12$share/g/c\1"), received[1]


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_subscription_qos_bounds_the_delivery(broker, pub, qos):
    with Subscribed(broker, "-q", qos, "--json", "-C", 1) as sub:
        pub("-t", sub.topic, "-m", "x", "-q", 2)
        assert [m["qos"] for m in json_lines(sub.output())] == [qos]


def test_json_line(broker, pub):
    with Subscribed(broker, "--json", "-C", 1, "-q", 1, "-D", "subscribe", "subscription-identifier", 7) as sub:
        pub("-t", sub.topic, "-m", '{"a":1}', "-q", 1, "-D", "publish", "content-type", "application/json",
            "-D", "publish", "correlation-data", "cd", "-D", "publish", "user-property", "k", "v",
            "-D", "publish", "user-property", "k", "v2")
        message = json_lines(sub.output())[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", message.pop("time"))
    assert message.pop("ts") > 1_600_000_000
    assert message.pop("id") > 0
    assert message == {
        "topic": sub.topic, "qos": 1, "retain": False, "dup": False, "len": 7, "encoding": "utf8", "payload": '{"a":1}',
        "properties": {"content_type": "application/json", "correlation_data": "cd",
                       "subscription_identifiers": [7], "user_properties": [["k", "v"], ["k", "v2"]]}}


def test_binary_property_that_is_no_text_is_base64(broker, pub):
    with Subscribed(broker, "--json", "-C", 1, "-q", 1) as sub:
        pub("-t", sub.topic, "-n", "-q", 1, "-D", "publish", "correlation-data", "base64:/wA=")
        message = json_lines(sub.output())[0]
    assert message["properties"] == {"correlation_data": {"base64": "/wA="}}


AWKWARD = [b"", b"\"quoted\" \\ /", b"\x01\x1f\x7f\t\n\r", b"\0", bytes(range(256)), b"\xed\xa0\x80",
           "\u2028\u2029\ufeff\U0010ffff\ufffd".encode(), b"\xf4\x90\x80\x80", b"\xc3", b"</script>", b"x" * 70000]


def test_trap_19_json_is_valid_for_any_payload(broker, pub):
    """Read by Python and by jq, which are two opinions of what JSON is."""
    with Subscribed(broker, "--json", "-C", len(AWKWARD)) as sub:
        for payload in AWKWARD:
            pub("-t", sub.topic, "-q", 1, "-s", stdin=payload)
        out = sub.output()
    assert [payload_of(m) for m in json_lines(out)] == AWKWARD
    jq = subprocess.run(["jq", "-c", ".len"], input=out, capture_output=True, check=True)
    assert [int(n) for n in jq.stdout.split()] == [len(p) for p in AWKWARD]
    assert [m["encoding"] for m in json_lines(out)][:5] == ["none", "utf8", "utf8", "base64", "base64"]


def test_json_topic_with_awkward_characters(broker, pub):
    base = unique("j")
    topics = [f"{base}/\"\\", f"{base}/ü \U0001f600"]
    with Subscribed(broker, "--json", "-C", len(topics), topic=f"{base}/#") as sub:
        for topic in topics:
            pub("-t", topic, "-m", "x")
        assert [m["topic"] for m in json_lines(sub.output())] == topics


def test_trap_24_retained_messages_can_be_left_out(broker, pub):
    topic = unique("r")
    pub("-t", topic, "-m", "stale", "-r", "-q", 1)
    with Subscribed(broker, "-R", "-C", 1, topic=topic) as sub:
        pub("-t", topic, "-m", "fresh")
        assert sub.output() == b"fresh\n"


def test_trap_36_a_dup_delivery_is_not_dropped_at_qos_1():
    again = [wire.publish("t", b"x", 1, 1), wire.publish("t", b"x", 1, 1, dup=1)]
    with FaultServer(faults.subscribed_then(*again)) as server:
        assert assert_ok(mqsub("-L", server.url, "-t", "t", "-q", 1, "-C", 2)).out == b"x\nx\n"


def test_qos_2_is_printed_once_however_often_it_is_sent():
    again = [wire.publish("t", b"x", 2, 1), wire.publish("t", b"x", 2, 1, dup=1), wire.publish("t", b"end", 0)]
    with FaultServer(faults.subscribed_then(*again)) as server:
        assert assert_ok(mqsub("-L", server.url, "-t", "t", "-q", 2, "-C", 2)).out == b"x\nend\n"


def test_trap_16_a_message_in_a_pipe_is_there_at_once(broker, pub):
    with Subscribed(broker) as sub:
        for text in (b"a", b"b"):
            pub("-t", sub.topic, "-s", stdin=text)
            sub.proc.wait_out(text + b"\n", 2)


def test_trap_17_debugging_stays_off_stdout(broker, pub):
    with Subscribed(broker, "-d", "-C", 1) as sub:
        pub("-t", sub.topic, "-m", "x")
        result = sub.proc.wait()
    assert result.code == 0 and result.out == b"x\n", result
    assert "CONNECT" in result.err_text and "PUBLISH" in result.err_text, result


# --- mqsub: when it ends --------------------------------------------------------------------------

def test_count_stops_exactly(broker, pub):
    with Subscribed(broker, "-C", 2, "-q", 1) as sub:
        pub("-t", sub.topic, "-q", 1, "-l", stdin=b"1\n2\n3\n4\n")
        assert sub.output() == b"1\n2\n"


def test_trap_10_deadline_without_a_goal_is_0(broker, pub):
    with Subscribed(broker, "-W", "2s") as sub:
        pub("-t", sub.topic, "-m", "x")
        result = assert_ok(sub.proc.wait())
    assert result.out == b"x\n" and 1.9 < result.seconds < 8, result


def test_trap_10_deadline_with_an_unmet_goal_is_9(broker, pub):
    with Subscribed(broker, "-W", "2s", "-C", 2) as sub:
        pub("-t", sub.topic, "-m", "x")
        result = sub.proc.wait()
    assert result.code == 9 and result.out == b"x\n" and len(result.err_lines) == 1, result


def test_trap_10_deadline_with_a_met_goal_is_0(broker, pub):
    with Subscribed(broker, "-W", "10s", "-C", 1) as sub:
        pub("-t", sub.topic, "-m", "x")
        result = assert_ok(sub.proc.wait())
    assert result.seconds < 5, "the goal ends it, not the deadline"


def test_bare_number_of_a_deadline_is_seconds(broker):
    result = assert_ok(mqsub(*broker.args(), "-t", unique(), "-W", 1))
    assert 0.9 < result.seconds < 4, result


# --- nothing is acknowledged before it is safe ------------------------------------------------------

def test_trap_15_surplus_is_not_acknowledged_after_the_count(broker, pub):
    """What -C 2 left over is still there for the next run of the same session."""
    session = ["-i", unique("id"), "-c", "-x", 600, "-q", 1]
    with Subscribed(broker, *session, "-C", 2) as sub:
        pub("-t", sub.topic, "-q", 1, "-l", stdin=b"1\n2\n3\n4\n")
        assert sub.output() == b"1\n2\n"
    again = mqsub(*broker.args(), "-t", sub.topic, *session, "-C", 2)
    assert assert_ok(again).out == b"3\n4\n"


def test_trap_15_receive_maximum_is_no_more_than_wanted():
    with FaultServer(faults.subscribed_then()) as server:
        mqsub("-L", server.url, "-V", "5", "-t", "t", "-q", 1, "-C", 3, "-W", "1s")
    assert b"\x21\0\3" in server.connections[0].received[0].body


def bytes_waiting(pipe):
    waiting = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0]


def acknowledged(server, qos):
    kind = wire.PUBACK if qos == 1 else wire.PUBREC
    return sum(p.kind == kind for p in server.connections[0].received)


@pytest.mark.parametrize("qos", (1, 2))
def test_trap_15_blocked_stdout_withholds_acknowledgements(qos):
    """Messages of 64 KiB into a pipe that nobody reads: it takes one, so one may be acknowledged."""
    count, size = 20, 1 << 16
    data = [wire.publish("t", bytes([number]) * size, qos, number + 1) for number in range(count)]
    read_end, write_end = os.pipe()
    with FaultServer(faults.subscribed_then(*data)) as server:
        with start("mqsub", "-L", server.url, "-t", "t", "-q", qos, "-N", stdout=write_end) as sub:
            os.close(write_end)
            wait_until(lambda: bytes_waiting(read_end) == size, 10, "a full pipe")
            time.sleep(0.3)  # for acknowledgements that must not come
            assert acknowledged(server, qos) <= 1
            received = b""
            while len(received) < count * size:
                received += os.read(read_end, size)
            wait_until(lambda: acknowledged(server, qos) == count, 10, "all acknowledged once read")
            sub.kill(signal.SIGTERM)
            assert sub.wait().code == 143
    os.close(read_end)
    assert received == b"".join(bytes([number]) * size for number in range(count))


def split(data, size):
    """Whole records only: a piece at the end counts as not written."""
    return [data[at: at + size] for at in range(0, len(data) - size + 1, size)]


@pytest.mark.parametrize("qos", (1, 2))
def test_trap_15_killed_with_blocked_stdout_nothing_is_lost(broker, pub, qos):
    """kill -9 while stdout is blocked: what was not written is delivered again to the next run."""
    count, size = 30, 20_000
    session = ["-i", unique("id"), "-c", "-x", 600, "-q", qos, "-N"]
    payloads = [b"%04d" % number * (size // 4) for number in range(count)]
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as pipe:
        with Subscribed(broker, *session, stdout=write_end) as sub:
            os.close(write_end)
            pub("-t", sub.topic, "-q", qos, "-l", stdin=b"\n".join(payloads))
            wait_until(lambda: bytes_waiting(pipe) > 2 * size, 10, "something written")
            sub.proc.kill(signal.SIGKILL)
            assert sub.proc.wait().code == 128 + signal.SIGKILL
        written = split(pipe.read(), size)
    with Subscribed(broker, *session, topic=sub.topic) as again:
        wait_until(lambda: again.proc.out.endswith(payloads[-1]), 10, "the last message")
        redelivered = split(again.proc.out, size)
    assert 0 < len(written) < count
    assert set(written) | set(redelivered) == set(payloads), "acknowledged but never written"


def test_confirm_is_a_ping_round_trip(broker):
    result = mqpub(*broker.args(), "-t", unique(), "-m", "x", "--confirm", "-d")
    assert result.code == 0 and "< PINGRESP" in result.err_text, result


def test_a_disconnect_that_cannot_be_sent_loses_no_message(broker, observer):
    """DISCONNECT may not raise a session expiry of 0: the message still goes out, and a plain DISCONNECT."""
    mqpub(*broker.args(), "-t", observer.topic, "-m", "x", "-D", "disconnect", "session-expiry-interval", 60)
    assert observer.payloads(1) == [b"x"]


def test_trap_15_a_publisher_leaves_its_sessions_messages_alone(broker, pub):
    """What a kept session holds is for a subscriber: mqpub with the same client id does not swallow it."""
    client, topic = unique("id"), unique()
    assert_ok(mqsub(*broker.args(), "-i", client, "-c", "-q", 1, "-t", topic, "-W", "1s"))
    pub("-t", topic, "-q", 1, "-m", "precious")
    pub("-i", client, "-c", "-t", unique(), "-q", 1, "-m", "other")
    kept = assert_ok(mqsub(*broker.args(), "-i", client, "-c", "-q", 1, "-t", topic, "-C", 1, "-W", "5s"))
    assert kept.out == b"precious\n"


def test_repeat_is_bounded():
    assert_fails(mqpub("-t", "t", "-m", "x", "--repeat", 2**63), 2, "--repeat")


def test_trap_09_deadline_without_a_connection_is_no_success():
    with FaultServer(faults.silent) as server:
        assert_fails(mqsub("-L", server.url, "-t", "t", "-W", "300ms"), 7, "300ms")
