"""mqbroker's configuration file: what is wrong with one, what beats it, and that its limits and listeners hold."""

import socket

import pytest

from conformance import wire as w
from conformance.wire import P, V5, V31, V311
from support.malformed import Raw
from support.mqbroker_runs import Running, address_of, assert_unusable, assert_usable, mqbroker
from support.mqtt_wire import PUBACK
from support.ports import HOST
from support.tools import assert_fails, assert_ok, mqpub


@pytest.fixture
def config(scratch):
    """Writes a configuration file and gives its path."""
    def write(text):
        path = scratch / "mq.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write


BAD_FILES = {
    "unknown key": ("port = 1\nprot = 2\n", 2, "did you mean 'port'"),
    "unknown table": ("port = 1\n\n[limits]\nmax-qos = 1\n", 3, "limits"),
    "unknown array of tables": ("[[brige]]\nurl = \"x\"\n", 1, "brige"),
    "bridge without url": ("\n[[bridge]]\ntopic = [\"#\"]\n", 2, "no url"),
    "rule of a bridge": ("[[bridge]]\nurl = \"mqtt://h\"\ntopic = [\"a up\"]\n", 3, "out, in and both"),
    "listener with one bracket": ("\n[listener]\nurl = \"mqtt://127.0.0.1\"\n", 2, "[[listener]]"),
    "wrong type": ("max-qos = true\n", 1, "max-qos"),
    "number as text": ("port = \"1883\"\n", 1, "whole number"),
    "out of range": ("\n\nport = 65536\n", 3, "65535"),
    "negative": ("max-retained = -1\n", 1, "'-1'"),
    "bad size": ("max-memory = \"lots\"\n", 1, "lots"),
    "bad duration": ("connect-timeout = \"soon\"\n", 1, "soon"),
    "another bad word": ("refused-publish = true\n", 1, "refused-publish"),
    "bad word": ("slow-consumer = \"wait\"\n", 1, "drop, stall, disconnect"),
    "duplicate key": ("port = 1\nport = 2\n", 2, "port"),
    "mosquitto's": ("# mine\nlistener 1883\n", 2, "not that of mosquitto"),
    "text that does not end": ("host = \"127.0.0.1\n", 1, ""),
    "NUL": (b"port = 1\n\0\n", 2, ""),
    "not UTF-8": (b"port = 1\nhost = \"\xff\"\n", 2, ""),
    "for the command line only": ("check-config = true\n", 1, "command line only"),
    "another file": ("config = \"other.toml\"\n", 1, "command line only"),
    "url of a listener": ("[[listener]]\nurl = \"gopher://h\"\n", 2, "gopher"),
    "listener without url": ("\n[[listener]]\nproxy-protocol = true\n", 2, "no url"),
    "unknown key of a listener": ("[[listener]]\nurl = \"mqtt://127.0.0.1\"\nmax-qos = 1\n", 3, "max-qos"),
    "key of a listener without TLS": ("[[listener]]\nurl = \"mqtt://127.0.0.1\"\ncert = \"c\"\nkey = \"k\"\n", 1,
                                      "mqtts://"),
    "listener beyond loopback": ("[[listener]]\nurl = \"mqtt://127.0.0.1\"\n[[listener]]\nurl = \"mqtt://0.0.0.0\"\n", 3,
                                 "allow-anonymous"),
    "certificate of a listener": ("[[listener]]\nurl = \"mqtts://127.0.0.1\"\ncert = \"/nowhere/c\"\nkey = \"k\"\n", 1,
                                  "/nowhere/c"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_2_and_one_line_with_its_line(config, name):
    text, line, word = BAD_FILES[name]
    path = config(text)
    for check in ((), ("--check-config",)):
        result = assert_fails(mqbroker(*check, "-c", path), 2, word)
        assert result.err_text.startswith(f"mqbroker: {path}:{line}: "), result


def test_files_that_are_none(config, scratch):
    assert_unusable("-c", scratch / "missing", words=["missing", "No such file"])
    assert_unusable("-c", scratch, words=["Is a directory"])
    assert_unusable("-c", config(""), words=["is empty"])
    assert_unusable("-c", config(b"#" * (2 << 20)), words=["mq.toml"])
    assert_unusable("-c", "/dev/zero", words=["/dev/zero"])
    assert_usable("-c", config("# nothing but comments\n"))


def test_standard_input_is_never_read(scratch):
    (scratch / "-").write_text("port = 0\n")
    result = mqbroker("--check-config", "-c", "-", cwd=scratch, stdin=None)  # an open pipe that says nothing
    assert result.code == 0, result


ANNOUNCED = """
receive-maximum = 7
max-packet-size = "64KiB"
topic-alias-maximum = 3
max-keepalive = 100
max-qos = 1
no-retain = true
no-wildcard = true
no-shared = true
max-session-expiry = "1m"
"""


PROMISES = {P.RECEIVE_MAXIMUM: 7, P.MAXIMUM_PACKET_SIZE: 65536, P.TOPIC_ALIAS_MAXIMUM: 3, P.SERVER_KEEP_ALIVE: 100,
            P.MAXIMUM_QOS: 1, P.RETAIN_AVAILABLE: 0, P.WILDCARD_AVAILABLE: 0, P.SHARED_AVAILABLE: 0,
            P.SESSION_EXPIRY: 60}


def announced(address):
    """The body of the CONNACK for a client that asks for much."""
    with Raw(address) as client:
        return client.connect(V5, "asks", keep_alive=1000, props={P.SESSION_EXPIRY: 1000}).body


def as_arguments(text):
    """The lines of a file as options."""
    for line in text.strip().splitlines():
        key, value = line.split(" = ")
        yield from (["--" + key] if value == "true" else ["--" + key, value.strip('"')])


@pytest.mark.parametrize("where", ("file", "command line"))
def test_limits_are_announced_as_they_were_set(config, where):
    args = ["-c", config(ANNOUNCED)] if where == "file" else list(as_arguments(ANNOUNCED))
    with Running("-h", HOST, "-p", 0, *args) as broker:
        body = announced(broker.address)
    for name, value in PROMISES.items():
        assert w.prop(name, value) in body, (name, body.hex())


def test_what_is_typed_beats_the_file(config):
    path = config("host = \"::1\"\nport = 1\nreceive-maximum = 7\n")
    with Running("-c", path, "-p", 0, "-h", HOST, "--receive-maximum", 9) as broker:
        assert broker.address[0] == HOST and broker.address[1] > 1
        assert w.prop(P.RECEIVE_MAXIMUM, 9) in announced(broker.address)


@pytest.mark.parametrize("version", (V31, V311))
def test_a_publisher_that_is_refused_is_not_told_or_goes(config, version):
    """[MQTT-3.3.5-2]"""
    refused = w.publish(version, "$SYS/mine", b"x", 1, 7)
    with Running("-h", HOST, "-p", 0) as broker, Raw(broker.address) as client:
        client.connect(version)
        client.send(refused)
        assert client.expect(PUBACK).body == b"\0\7" and client.alive()
    path = config("refused-publish = \"disconnect\"\n")
    with Running("-c", path, "-h", HOST, "-p", 0) as broker, Raw(broker.address) as client:
        client.connect(version)
        client.send(refused)
        assert client.rest() == []


def test_a_publisher_that_can_be_told_stays():
    with Running("-h", HOST, "-p", 0, "--refused-publish", "disconnect") as broker, Raw(broker.address) as client:
        client.connect(V5)
        client.send(w.publish(V5, "$SYS/mine", b"x", 1, 7))
        assert client.expect(PUBACK).body[2] == 0x87 and client.alive()


LISTENERS = """
[[listener]]
url = "mqtt://127.0.0.1:0"
max-connections = 1

[[listener]]
url = "mqtts://127.0.0.1:0"
cert = "{certs.server}"
key = "{certs.server_key}"

[[listener]]
url = "ws://127.0.0.1:0/mqtt"
"""


def is_turned_away(address):
    """Whether a new connection is closed before it has said anything."""
    try:
        with socket.create_connection(address, 15) as probe:
            return probe.recv(1) == b""
    except ConnectionResetError:
        return True


def test_tables_of_listeners(config, certs):
    with Running("-c", config(LISTENERS.format(certs=certs)), "-v", count=3) as broker:
        assert [url.split(":")[0] for url in broker.urls] == ["mqtt", "mqtts", "ws"]
        port = address_of(broker.urls[1])[1]
        assert_ok(mqpub("-L", f"mqtts://localhost:{port}", "--cafile", certs.ca, "-t", "t", "-m", "x", "-q", 1))
        assert_ok(mqpub("-L", broker.urls[2], "-t", "t", "-m", "x", "-q", 1))
        with Raw(broker.address) as first:
            first.connect()
            assert is_turned_away(broker.address), "one connection is all that this listener takes"
        broker.proc.wait_err(b"too many connections")


def test_typed_places_replace_those_of_the_file(config, certs):
    path = config(LISTENERS.format(certs=certs))
    with Running("-c", path, "-h", HOST, "-p", 0) as broker:
        assert [url.split(":")[0] for url in broker.urls] == ["mqtt"]
        broker.proc.wait_err(b"ready for")
        assert broker.proc.err.count(b"listening on") == 1


def test_connection_limit_of_all(scratch):
    with Running("-h", HOST, "-p", 0, "--max-connections", 1) as broker:
        with Raw(broker.address) as first:
            first.connect()
            assert is_turned_away(broker.address)
