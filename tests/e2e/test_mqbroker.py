"""mqbroker as a program: options, configuration file, listeners, readiness, signals, logs."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess

import pytest

from conformance import wire as w
from conformance.wire import P, V5, V31, V311
from support import procfs
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import DISCONNECT, PUBACK
from support.peers import Paho
from support.ports import HOST, can_connect, wait_until
from support.proc import Proc, run
from support.tools import assert_fails, assert_ok, mqpub, program, start, unique

UNITS = pathlib.Path(__file__).parents[2] / "tools/mqbroker"
VALID = "mqbroker: the configuration can be used\n"


def mqbroker(*args, before=(), **how):
    """Runs it to its end, by the command `before` if that is given."""
    result = run([*before, program("mqbroker"), *map(str, args)], seconds=10, **how)
    result.argv = result.argv[len(before):]  # its messages begin with its own name
    return result


def assert_usable(*args):
    result = mqbroker("--check-config", *args)
    assert (result.code, result.out, result.err_text) == (0, b"", VALID), result


def assert_unusable(*args, words=()):
    for check in ((), ("--check-config",)):
        assert_fails(mqbroker(*check, *args), 2, *words)


@pytest.fixture
def config(scratch):
    """Writes a configuration file and gives its path."""
    def write(text):
        path = scratch / "mq.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write


class Running:
    """A running mqbroker with the arguments given, and the URLs that it prints."""

    def __init__(self, *args, count=1, before=(), **how):
        self.proc = Proc([*before, program("mqbroker"), "--print-address", *map(str, args)], **how)
        try:
            wait_until(lambda: self.proc.out.count(b"\n") >= count or not self.proc.running, 15, "its addresses")
            assert self.proc.running, self.proc.err.decode()
        except BaseException:
            self.proc.stop()
            raise
        self.urls = self.proc.out.decode().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()

    @property
    def address(self):
        return address_of(self.urls[0])

    def lines(self):
        """The log as objects, for --log-format json."""
        return [json.loads(line) for line in self.proc.err.decode("utf-8").splitlines()]

    def events(self, name):
        return [line for line in self.lines() if line.get("event") == name]

    def wait_event(self, name, count=1):
        wait_until(lambda: self.proc.err.endswith(b"\n") and len(self.events(name)) >= count, 15, f"the event {name}")
        return self.events(name)


def address_of(url):
    if url.startswith("unix://"):
        return url.removeprefix("unix://")
    host, port = re.fullmatch(r"\w+://(.+):(\d+)(?:/.*)?", url).groups()
    return host, int(port)


# --- options ------------------------------------------------------------------------------------------

BRIDGE = ("--bridge", "mqtt://h")
BRIDGED = (*BRIDGE, "--bridge-topic", "#")
NO_UTF_8 = b"\xff".decode("utf-8", "surrogateescape")

# Each option: a use that is right, and one that is wrong with a word of the complaint.
OPTIONS = {
    "--listen": (("ws://127.0.0.1:0/mqtt",), ("gopher://h",), "gopher"),
    "--host": (("::1",), ("broker.example",), "broker.example"),
    "--bind": (("127.0.0.1",), ("*",), "'*'"),
    "-h": (("localhost",), ("",), "not an IP address"),
    "--port": (("0",), ("65536",), "65535"),
    "-p": (("1884",), ("1x",), "'1x'"),
    "--ready-fd": (("2",), ("99",), "99 is not an open descriptor"),
    "--unix-mode": (("0600",), ("0800",), "'0800'"),
    "--password-file": (("/dev/null",), ("/nowhere/users",), "/nowhere/users"),
    "--max-login-delay": (("0",), ("soon",), "duration"),
    "--acl-file": (("/dev/null",), ("/nowhere/rules",), "/nowhere/rules"),
    "--client-certs": (("none",), ("some",), "none, optional, required"),
    "--tls-version": (("1.3",), ("1.1",), "'1.1'"),
    "--receive-maximum": (("10",), ("0",), "from 1 to 65535"),
    "--receive-maximum-policy": (("tolerant",), ("lenient",), "strict, tolerant"),
    "--max-packet-size": (("64KiB",), ("1",), "from 128"),
    "--topic-alias-maximum": (("0",), ("65536",), "65535"),
    "--max-keepalive": (("60",), ("0",), "from 1 to 65535"),
    "--max-qos": (("1",), ("3",), "'3'"),
    "--max-session-expiry": (("never",), ("1.5",), "whole number of seconds"),
    "--max-inflight": (("1",), ("0",), "from 1 to 65535"),
    "--max-queued-messages": (("1",), ("-1",), "'-1'"),
    "--max-queued-bytes": (("1MiB",), ("1furlong",), "'1furlong'"),
    "--max-memory": (("1GiB",), ("0",), "'0'"),
    "--write-backlog": (("64K",), ("2G",), "'2G'"),
    "--slow-consumer": (("stall",), ("wait",), "drop, stall, disconnect"),
    "--slow-consumer-grace": (("500ms",), ("soon",), "duration"),
    "--db": (("/tmp/mqbroker-that-is-not-made.db",), ("",), "name of a file"),
    "--durability": (("relaxed", "--db", "/tmp/mqbroker-that-is-not-made.db"), ("some", "--db", "x"), "full, relaxed"),
    "--return-grace": (("10s", "--db", "/tmp/mqbroker-that-is-not-made.db"), ("soon", "--db", "x"), "duration"),
    "--max-connections": (("10",), ("many",), "'many'"),
    "--threads": (("4",), ("0",), "from 1 to 64"),
    "--max-sessions": (("10",), ("0",), "'0'"),
    "--connect-timeout": (("1s",), ("0",), "lets nobody in"),
    "--max-connect-packet-size": (("1KiB",), ("1",), "from 128"),
    "--max-retained": (("0",), ("-1",), "'-1'"),
    "--max-retained-bytes": (("0",), ("x",), "'x'"),
    "--max-subscriptions": (("1",), ("0",), "'0'"),
    "--max-subscriptions-total": (("1",), ("0",), "'0'"),
    "--max-topic-levels": (("1",), ("0",), "'0'"),
    "--max-topic-length": (("1",), ("65536",), "65535"),
    "--refused-publish": (("disconnect",), ("ignore",), "drop, disconnect"),
    "--sys-interval": (("0",), ("5ms",), "at least 100ms"),
    "--trace": (("a/+",), ("",), "empty"),
    "--metrics": (("127.0.0.1:0",), ("localhost:9400",), "IP address"),
    "--bridge": (("mqtt://u:p@127.0.0.1", "--bridge-topic", "#"), ("mqtt://h/topic", "--bridge-topic", "#"), "has no topic"),
    "--bridge-topic": (("a/# both 2 x/ y/", *BRIDGE), ("a up", *BRIDGE), "out, in and both"),
    "--bridge-id": (("b", *BRIDGED), (NO_UTF_8, *BRIDGED), "UTF-8"),
    "--bridge-address": (("other.example:1884", *BRIDGED), ("u@h", *BRIDGED), "HOST:PORT"),
    "--bridge-protocol-version": (("311", *BRIDGED), ("4", *BRIDGED), "5, 311"),
    "--bridge-retry-delay": (("1s..2s", *BRIDGED), ("2s..1s", *BRIDGED), "500ms..30s"),
    "--log-format": (("json",), ("xml",), "text, json"),
}
FLAGS = ("--no-retain", "--no-wildcard", "--no-shared", "--allow-anonymous", "--proxy-protocol", "--print-address",
         "-v", "--verbose", "-d", "--debug")


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_typed_right_and_wrong(option):
    right, wrong, word = OPTIONS[option]
    result = mqbroker("--check-config", option, *right)
    assert result.code == 0 and VALID.strip().removeprefix("mqbroker: ") in result.err_text, result
    assert_unusable(option, *wrong, words=[word])


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_taken(flag):
    assert_usable(flag)


def test_help_and_version_are_on_stdout():
    text = assert_ok(mqbroker("--help")).out.decode()
    for option in (*OPTIONS, *FLAGS, "--config", "--check-config", "--cert", "--cert-as-user", "--keypass-file",
                   "--bridge-cafile", "--bridge-cert", "--bridge-key", "--bridge-keypass-file", "--bridge-password-file",
                   "--jwt-audience", "--jwt-issuer"):
        assert re.search(rf"(^|[ ,]){re.escape(option)}[ ,\n]", text, re.M), option
    assert re.fullmatch(r"mqbroker \d+\.\d+\.\d+.*\n", assert_ok(mqbroker("--version")).out.decode(), re.S)


def test_quiet_says_nothing_when_the_configuration_is_good():
    assert_ok(mqbroker("--check-config", "--quiet"))


WRONG_TOGETHER = {
    "user in a listener's URL": (("--listen", "mqtt://me@127.0.0.1:0"), "user name"),
    "topic in a listener's URL": (("--listen", "mqtt://127.0.0.1:0/topic"), "topic"),
    "query in a listener's URL": (("--listen", "ws://127.0.0.1:0/mqtt?x"), "query"),
    "name in a listener's URL": (("--listen", "mqtt://broker.example:0"), "broker.example"),
    "TLS without a certificate": (("--listen", "mqtts://127.0.0.1:0"), "--cert"),
    "a certificate without TLS": (("-p", "0", "--cert", "c", "--key", "k"), "mqtts://"),
    "a certificate without its key": (("--cert", "c"), "--key"),
    "certificates that are not there": (("--listen", "mqtts://127.0.0.1:0", "--cert", "/nowhere/c", "--key", "k"),
                                        "/nowhere/c"),
    "metrics for whoever reaches them": (("--metrics", "0.0.0.0:0"), "--metrics-public"),
    "public metrics without metrics": (("--metrics-public",), "--metrics"),
    "a bridge without topics": (("--bridge", "mqtt://h"), "--bridge-topic"),
    "topics without a bridge": (("--bridge-topic", "#"), "--bridge"),
    "a bridge's certificate without TLS": (("--bridge", "mqtt://h", "--bridge-topic", "#", "--bridge-cafile", "f"), "mqtts://"),
    "a bridge's certificate without its key": (("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-cert", "f"), "--bridge-key"),
    "a bridge's key without its certificate": (("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-key", "f"), "--bridge-cert"),
    "an unknown option": (("--prot", "1"), "--port"),
    "a stray word": (("start",), "start"),
}


@pytest.mark.parametrize("name", WRONG_TOGETHER)
def test_what_does_not_go_together_is_one_line(name):
    args, word = WRONG_TOGETHER[name]
    assert_unusable(*args, words=[word])


def test_client_certificates_need_a_ca_and_names_need_certificates(certs):
    tls = ("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", certs.server_key)
    assert_unusable(*tls, "--client-certs", "required", words=["--cafile"])
    assert_unusable(*tls, "--cert-as-user", words=["--client-certs"])
    assert_unusable(*tls, "--client-certs", "required", "--cafile", certs.server_key, words=[str(certs.server_key)])
    assert_unusable("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", certs.client_key,
                    words=["does not match"])
    assert_usable(*tls, "--client-certs", "required", "--cafile", certs.ca, "--cert-as-user")


def test_what_a_bridge_needs_is_read_at_the_start(certs, tmp_path):
    tls = ("--bridge", "mqtts://joe@h", "--bridge-topic", "#")
    assert_unusable(*tls, "--bridge-cafile", "/nowhere/ca", words=["bridge to h:8883", "/nowhere/ca"])
    assert_unusable(*tls, "--bridge-password-file", "/nowhere/p", words=["/nowhere/p"])
    assert_unusable(*tls, "--bridge-cert", certs.server, "--bridge-key", certs.client_key, words=["does not match"])
    assert_unusable(*BRIDGED, "--bridge-password-file", "/nowhere/p", words=["user name"])
    for user in ("j%FFoe", "j%00oe", "j" * 65536):
        assert_unusable("--bridge", f"mqtt://{user}@h", "--bridge-topic", "#", words=["user name"])
    (tmp_path / "long").write_bytes(b"x" * 65536)
    assert_unusable(*tls, "--bridge-password-file", tmp_path / "long", words=["longer than 65535"])
    for name in ("id", "cafile", "cert", "key", "keypass-file", "password-file"):  # a variable that is not set must not mean "without"
        assert_unusable(*tls, f"--bridge-{name}", "", words=[f"--bridge-{name}", "empty"])
    (tmp_path / "password").write_text("x")
    assert_usable(*tls, "--bridge-cafile", certs.ca, "--bridge-cert", certs.client, "--bridge-key", certs.client_key,
                  "--bridge-password-file", tmp_path / "password")


# --- nobody from elsewhere, unless that is meant --------------------------------------------------------

ELSEWHERE = (("-h", "0.0.0.0"), ("-h", "::"), ("-h", "192.0.2.1"), ("--listen", "mqtt://[2001:db8::1]:1883"),
             ("--listen", "ws://0.0.0.0:8080/mqtt"))


@pytest.mark.parametrize("args", ELSEWHERE, ids=" ".join)
def test_beyond_loopback_needs_words(args):
    assert_unusable(*args, words=["--allow-anonymous", args[1].split("/")[2] if "//" in args[1] else args[1]])
    assert_usable(*args, "--allow-anonymous")


@pytest.mark.parametrize("args", (("-h", "127.0.0.2"), ("-h", "::1"), ("--listen", "unix:///nowhere/socket"), ()),
                         ids=" ".join)
def test_this_machine_needs_none(args):
    assert_usable(*args)


def test_beyond_loopback_required_client_certificates_do(certs):
    tls = ("--listen", "mqtts://0.0.0.0:0", "--cert", certs.server, "--key", certs.server_key, "--cafile", certs.ca)
    assert_unusable(*tls, words=["--client-certs required"])
    assert_unusable(*tls, "--client-certs", "optional", words=["--client-certs required"])
    assert_usable(*tls, "--client-certs", "required")


# --- the configuration file -----------------------------------------------------------------------------

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
    "not TOML": ("listener 1883\n", 1, ""),
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


# --- listening, and saying so ---------------------------------------------------------------------------

def test_without_an_address_it_is_this_machine_by_ipv4_and_ipv6():
    with Running("-p", 0) as broker:
        broker.proc.wait_err(b"ready for")
        urls = broker.proc.out.decode().splitlines()
    port = address_of(urls[0])[1]
    assert urls[0] == f"mqtt://127.0.0.1:{port}"
    assert urls[1:] in ([], [f"mqtt://[::1]:{port}"]), "the same port, unless the machine has no IPv6"


def test_a_port_in_use_is_4_and_named():
    with Running("-h", HOST, "-p", 0) as broker:
        assert_fails(mqbroker("-h", HOST, "-p", broker.address[1]), 4, f"127.0.0.1:{broker.address[1]}", "in use")


def test_addresses_that_cannot_be_printed_are_14():
    with open("/dev/full", "wb") as full:
        result = mqbroker("-p", 0, "--print-address", stdout=full)
    assert result.code == 14 and "standard output" in result.err_text, result


def test_ready_fd_gets_a_newline_and_is_closed():
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        with start("mqbroker", "-h", HOST, "-p", 0, "--print-address", "--ready-fd", writing,
                   pass_fds=[writing]) as proc:
            os.close(writing)
            assert pipe.read() == b"\n"  # to its end
            line = wait_until(lambda: proc.out.decode().splitlines(), 15, "the address")[0]
            assert can_connect(address_of(line))


def test_ready_fd_that_cannot_be_written_is_2():
    with open("/dev/null", "rb") as null:
        assert_fails(mqbroker("-p", 0, "--ready-fd", null.fileno(), pass_fds=[null.fileno()]), 2, "cannot be written")


def test_a_service_manager_is_told(scratch):
    path = scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(15)
        with start("mqbroker", "-p", 0, env={"NOTIFY_SOCKET": str(path)}) as proc:
            assert manager.recv(100) == b"READY=1"
            proc.kill(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"


def test_unix_socket_has_its_mode_and_goes_with_the_broker(scratch):
    path = scratch / "socket"
    with Running("--listen", f"unix://{path}", "--unix-mode", "0600") as broker:
        assert broker.urls == [f"unix://{path}"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert_ok(mqpub("-L", broker.urls[0], "-t", "t", "-m", "x", "-q", 2))
        broker.proc.kill(signal.SIGTERM)
        assert broker.proc.wait(10).code == 143
    assert not path.exists()


@pytest.mark.parametrize("threads, apart", ((1, False), (2, True), (3, True)))
def test_connections_without_tls_have_other_threads_than_those_with_tls(certs, threads, apart):
    def watching(connect):
        """The loop that watches this connection."""
        before = set(os.listdir(f"/proc/{broker.proc.pid}/fd"))

        def found():
            return [fd for fd, watched in procfs.epoll_watches(broker.proc.pid).items() if watched - before]
        kept.enter_context(contextlib.closing(connect()))
        wait_until(found, 15, "a thread that watches it")
        return found()

    def connect_tls():
        return ssl.create_default_context(cafile=certs.ca).wrap_socket(
            socket.create_connection(address_of(broker.urls[1])), server_hostname=HOST)

    with contextlib.ExitStack() as kept, Running(
            "--threads", threads, "--cert", certs.server, "--key", certs.server_key, "--listen", f"mqtt://{HOST}:0",
            "--listen", f"mqtts://{HOST}:0", count=2) as broker:
        plain = watching(lambda: socket.create_connection(address_of(broker.urls[0])))
        for _ in range(3):
            assert (watching(connect_tls) != plain) == apart


# --- sockets of a service manager -----------------------------------------------------------------------

@contextlib.contextmanager
def activation(*sockets, names="", pid="$$", count=None):
    """How to start mqbroker with these sockets, as systemd does: from descriptor 3 on, and told of them."""
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 100) for one in sockets]
    moves = " ".join(f"{3 + n}<&{fd} {fd}<&-" for n, fd in enumerate(high))
    variables = f"LISTEN_PID={pid} LISTEN_FDS={len(high) if count is None else count} LISTEN_FDNAMES={names}"
    try:
        yield {"before": ("bash", "-c", f'exec {moves}; {variables} exec "$@"', "bash"), "pass_fds": high}
    finally:
        for fd in high:
            os.close(fd)


def listening(place=(HOST, 0)):
    one = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
    one.bind(place)
    one.listen()
    return one


def url_of(one, scheme="mqtt"):
    return f"{scheme}://{HOST}:{one.getsockname()[1]}"


def say(url, *options):
    assert_ok(mqpub("-L", url, "-t", "t", "-m", "x", "-q", 1, *options))


@pytest.mark.parametrize("threads", (1, 3))
def test_an_inherited_socket_replaces_the_default(threads):
    with listening() as one, activation(one) as how, Running("--threads", threads, **how) as broker:
        broker.proc.wait_err(b"ready for")
        assert broker.proc.out.decode().splitlines() == [url_of(one)]
        say(url_of(one))


@pytest.mark.parametrize("where", ("typed", "file"))
def test_what_else_is_said_comes_in_addition(config, where):
    typed = ("-h", HOST, "-p", 0)
    args = typed if where == "typed" else ("-c", config("[[listener]]\nurl = \"mqtt://127.0.0.1:0\"\n"))
    with listening() as one, activation(one) as how, Running(*args, count=2, **how) as broker:
        assert broker.urls[0] == url_of(one) and address_of(broker.urls[1])[1] not in (0, address_of(broker.urls[0])[1])
        for url in broker.urls:
            say(url)


def test_names_of_inherited_sockets_say_what_is_spoken(certs, scratch):
    path = scratch / "inherited"
    tls = ("--cert", certs.server, "--key", certs.server_key)
    with (listening() as ws, listening() as mqtts, listening() as other, listening() as wss,
          listening(str(path)) as local,
          activation(ws, mqtts, other, wss, local, names="ws:mqtts:mq.socket:wss") as how,
          Running(*tls, count=5, **how) as broker):
        say(url_of(ws, "ws"))
        say(url_of(mqtts, "mqtts"), "--cafile", certs.ca)
        say(url_of(other))
        say(url_of(wss, "wss"), "--cafile", certs.ca)
        say(f"unix://{path}")
        assert broker.urls[4] == f"unix://{path}"
        broker.proc.kill(signal.SIGTERM)
        assert broker.proc.wait(10).code == 143
    assert path.exists(), "it is the service manager's"


def test_an_inherited_socket_beyond_loopback_needs_words(certs):
    tls = ("--cert", certs.server, "--key", certs.server_key, "--cafile", certs.ca)
    with listening(("0.0.0.0", 0)) as one:
        with activation(one) as how:
            for check in ((), ("--check-config",)):
                assert_fails(mqbroker(*check, **how), 2, "0.0.0.0", "--allow-anonymous")
            assert mqbroker("--check-config", "--allow-anonymous", **how).err_text == VALID
        with activation(one, names="mqtts") as how:
            assert_fails(mqbroker("--check-config", *tls, **how), 2, "--client-certs required")
            assert mqbroker("--check-config", *tls, "--client-certs", "required", **how).err_text == VALID


def test_sockets_for_another_process_are_not_touched():
    with listening() as one, activation(one, pid=1) as how, Running("-h", HOST, "-p", 0, **how) as broker:
        broker.proc.wait_err(b"ready for")
        assert broker.proc.err.count(b"listening on") == 1 and broker.urls != [url_of(one)]


def test_programs_that_it_starts_see_nothing_of_inherited_sockets(certs, scratch):
    key, seen = scratch / "encrypted.key", scratch / "seen"
    subprocess.run(["openssl", "pkey", "-in", certs.server_key, "-aes256", "-passout", "pass:word", "-out", key],
                   check=True, capture_output=True)
    command = f"{{ env; ls -l /proc/$$/fd; }} > {seen}; echo word"
    with listening() as one, activation(one, names="mqtts") as how:
        result = mqbroker("--check-config", "--cert", certs.server, "--key", key, "--keypass-cmd", command, **how)
    assert result.err_text == VALID, result
    assert "PATH=" in seen.read_text() and "LISTEN_" not in seen.read_text() and "socket:" not in seen.read_text()


def test_inherited_descriptors_that_cannot_be_used_are_2():
    with listening() as one, socket.socket() as idle, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for sockets, count, word in (((one,), "x", "'x' is not a number"), ((one,), "-1", "'-1'"), ((one,), "", "''"),
                                     ((one,), 2, "descriptor 4"), ((one, idle), 2, "descriptor 4"),
                                     ((udp,), 1, "descriptor 3"), ((), 65535, "descriptor 3")):
            with activation(*sockets, count=count) as how:
                assert_fails(mqbroker("--check-config", **how), 2, "LISTEN_FDS", word)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_takes_the_units(scratch):
    (scratch / "mqbroker").symlink_to(program("mqbroker"))  # whose path may have spaces
    service = (UNITS / "mqbroker.service.in").read_text()
    (scratch / "mqbroker.service").write_text(service.replace("@MQ_BINDIR@", str(scratch)))
    (scratch / "mqbroker.socket").write_text((UNITS / "mqbroker.socket").read_text())
    result = run(["systemd-analyze", "verify", "./mqbroker.service", "./mqbroker.socket"], cwd=scratch)
    assert (result.code, result.err) == (0, b""), result


# --- signals ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number, code", ((signal.SIGTERM, 143), (signal.SIGINT, 130)))
def test_a_signal_ends_it_cleanly(number, code):
    with Running("-h", HOST, "-p", 0) as broker, Raw(broker.address) as new, Raw(broker.address) as old:
        new.connect(V5)
        old.connect(V311)
        broker.proc.kill(number)
        goodbye = new.expect(DISCONNECT)
        assert goodbye.body[0] == 0x8B
        assert new.packet() is None and old.packet() is None, "closed"
        new.socket.close()
        old.socket.close()
        assert broker.proc.wait(10).code == code


def test_a_second_signal_does_not_wait():
    with Running("-h", HOST, "-p", 0) as broker, Raw(broker.address) as client:
        client.connect()  # and never closes its end
        broker.proc.kill(signal.SIGTERM)
        broker.proc.wait_err(b"SIGTERM")
        broker.proc.kill(signal.SIGINT)
        assert broker.proc.wait(10).code == 130


def test_hangup_and_statistics_are_lines_in_the_log():
    with Running("-h", HOST, "-p", 0) as broker:
        broker.proc.kill(signal.SIGHUP)
        broker.proc.wait_err(b"SIGHUP: ")
        assert_ok(mqpub("-L", broker.urls[0], "-t", "t", "-m", "x", "-q", 1))
        broker.proc.kill(signal.SIGUSR1)
        broker.proc.wait_err(b"1 messages received, 0 sent, 0 dropped, 0 queued")


# --- logs -------------------------------------------------------------------------------------------------

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def test_text_lines_have_time_and_program():
    with Running("-h", HOST, "-p", 0, "-v") as broker:
        assert_ok(mqpub("-L", broker.urls[0], "-i", "the client", "-t", "t", "-m", "x"))
        broker.proc.wait_err(b"session of client 'the client' ended")
        lines = broker.proc.err.decode().splitlines()
    assert all(re.match(rf"{TIME} mqbroker: ", line) for line in lines), lines
    assert any(f"listening on {broker.urls[0]}" in line for line in lines)


def test_without_v_connections_are_not_logged():
    with Running("-h", HOST, "-p", 0) as broker:
        assert_ok(mqpub("-L", broker.urls[0], "-i", "quiet-one", "-t", "t", "-m", "x", "-q", 1))
        broker.proc.kill(signal.SIGTERM)
        assert b"quiet-one" not in broker.proc.wait(10).err


def test_json_lines_are_objects_with_time_level_and_event():
    with Running("-h", HOST, "-p", 0, "-v", "--log-format", "json") as broker:
        with Raw(broker.address) as client:
            client.connect(V5, "c\x1b[2J\"1", username="us\ner", password=b"pw")
            client.send(w.subscribe(V5, 1, [("a/\x9b/#", 0), ("b/+", 1)]))
            broker.wait_event("subscribed", 2)
        broker.wait_event("disconnected")
        with Raw(broker.address) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            broker.wait_event("refused")
        broker.proc.kill(signal.SIGTERM)
        broker.wait_event("stopping")
        lines = broker.lines()
        raw = broker.proc.err
    assert all(re.fullmatch(TIME, line["time"]) and line["level"] and line["msg"] and line["event"] for line in lines)
    [connected] = [line for line in lines if line["event"] == "connected"]
    assert connected["client_id"] == "c\x1b[2J\"1" and connected["user"] == "us\ner"
    assert connected["version"] == "5.0" and connected["session_present"] is False
    assert re.fullmatch(r"127\.0\.0\.1:\d+", connected["address"])
    assert [line["filter"] for line in lines if line["event"] == "subscribed"][1] == "b/+"
    assert b"\x1b" not in raw


def test_what_clients_say_cannot_forge_lines_or_move_the_cursor():
    with Running("-h", HOST, "-p", 0, "-d") as broker:
        with Raw(broker.address) as client:
            client.connect(V5, "a\n2026-01-01T00:00:00.000000Z mqbroker: forged\x1b[2J", username="u\x9b\r")
            client.send(w.publish(V5, "t\x1b]0;title\x07", b"\x1b[31m\xff", 0))
            client.send(w.disconnect(V5, 0, {P.REASON_STRING: "bye\x1bc\n"}))
            client.rest()
        broker.proc.wait_err(b"session of client")
        text = broker.proc.err.decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text)
    assert all(re.match(rf"{TIME} mqbroker: (?!forged)", line) for line in text.splitlines()), text


def test_no_secret_is_logged():
    with Running("-h", HOST, "-p", 0, "-d") as broker:
        with Raw(broker.address) as client:
            client.connect(V5, "c", username="u", password=b"S3cretWord")
        broker.proc.wait_err(b"disconnected")
        assert b"CONNECT " in broker.proc.err and b"S3cretWord" not in broker.proc.err


def test_packets_are_one_liners_in_both_directions():
    with Running("-h", HOST, "-p", 0, "-d") as broker:
        assert_ok(mqpub("-L", broker.urls[0], "-i", "c", "-t", "a/b", "-m", "hello", "-q", 2))
        broker.proc.wait_err(b"'c' > PUBCOMP ")
        text = broker.proc.err.decode()
    assert re.search(r"< CONNECT .* id=c", text) and "'c' > CONNACK" in text and "'c' < PUBLISH  q2 #1 a/b 5B hello" in text


def test_a_log_that_nobody_reads_does_not_stop_the_broker():
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    with open(reading, "rb", buffering=0) as pipe:
        with Running("-h", HOST, "-p", 0, "-d", preexec=lambda: os.dup2(writing, 2)) as broker:
            os.close(writing)
            lines = b"".join(b"%d\n" % number for number in range(1000))
            assert_ok(mqpub("-L", broker.urls[0], "-t", "t", "-q", 1, "-l", stdin=lines))
            seen = pipe.read(1 << 16)  # there is room again
            with Raw(broker.address) as client:
                client.connect()
                while b"lost" not in seen:
                    seen += pipe.read(1 << 16)
    text = seen.decode()
    assert re.search(rf"{TIME} mqbroker: \d+ lines of the log were lost\n", text), text[-500:]
    complete = text[:text.rindex("\n")].split("\n")
    assert all(re.match(rf"{TIME} mqbroker: ", line) for line in complete), "no line is broken"


# --- who is there -----------------------------------------------------------------------------------------

HEADERS = {
    "v1": b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 1883\r\n",
    "v2": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + socket.inet_aton("203.0.113.7")
           + socket.inet_aton(HOST) + struct.pack(">HH", 4711, 1883)),
}


@pytest.mark.parametrize("version", HEADERS)
def test_behind_a_proxy_the_log_has_the_clients_address(version):
    with Running("-h", HOST, "-p", 0, "-v", "--proxy-protocol") as broker:
        with Raw(broker.address) as client:
            client.send(HEADERS[version])
            client.connect(V5, "far")
            broker.proc.wait_err(b"client 'far' (203.0.113.7:4711) connected")
        with Raw(broker.address) as direct:
            direct.send(w.connect(V5, "near"))
            assert direct.octets_until_close() == b"", "without a header nobody is heard"


def test_required_client_certificates(certs):
    tls = ("--cafile", certs.ca, "-t", "t", "-m", "x", "-q", 1)
    with MqBroker(certs, ("tls",), ["-v", "--client-certs", "required", "--cafile", certs.ca]) as broker:
        url = broker["tls"].url
        assert_fails(mqpub("-L", url, *tls), 5)
        assert_ok(mqpub("-L", url, *tls, "--cert", certs.client, "--key", certs.client_key))
        broker.proc.wait_err(b"no connection through mqtts:0: ")


def test_optional_client_certificates_and_their_names_as_users(certs):
    tls = ("--cafile", certs.ca, "-t", "t", "-m", "x", "-q", 1)
    options = ["-v", "--log-format", "json", "--client-certs", "optional", "--cafile", certs.ca, "--cert-as-user"]
    with MqBroker(certs, ("tls",), options) as broker:
        url = broker["tls"].url
        assert_ok(mqpub("-L", url, *tls, "-i", "with", "-u", "root", "--cert", certs.client, "--key", certs.client_key))
        assert_ok(mqpub("-L", url, *tls, "-i", "without", "-u", "root"))
        broker.wait_log('"event":"connected"', 2)
        events = [json.loads(line) for line in broker.proc.err.decode().splitlines()]
    users = {e["client_id"]: e.get("user") for e in events if e["event"] == "connected"}
    assert users == {"with": "test client", "without": None}, "nobody names himself"


def test_a_key_with_its_password(certs, scratch):
    key = scratch / "encrypted.key"
    subprocess.run(["openssl", "pkey", "-in", certs.server_key, "-aes256", "-passout", "pass:open sesame", "-out", key],
                   check=True, capture_output=True)
    tls = ("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", key)
    (scratch / "password").write_text("open sesame\n")
    assert_unusable(*tls, words=["password"])
    assert_usable(*tls, "--keypass-file", scratch / "password")
    bridge = ("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-cert", certs.server, "--bridge-key", key)
    assert_unusable(*bridge, words=["password"])
    assert_usable(*bridge, "--bridge-keypass-file", scratch / "password")
    assert_unusable(*bridge[:4], "--bridge-keypass-file", scratch / "password", words=["--bridge-key"])


# --- a client of others that is not in the matrix -------------------------------------------------------------

@pytest.mark.parametrize("version", ("5", "311", "31"))
@pytest.mark.parametrize("transport", ("tcp", "tls", "unix"))
def test_mosquitto_rr(certs, transport, version):
    topic = unique("rr/")
    with MqBroker(certs, ("tcp", transport) if transport != "tcp" else ("tcp",), ["-v"]) as broker:
        responder = Paho.client(broker["tcp"])
        try:
            responder.on_message = lambda client, user, m: client.publish(
                # Before 5.0 both sides have to know it.
                m.properties.ResponseTopic if version == "5" else f"{topic}/answer",
                b"re: " + m.payload, 1, properties=reply_to(m))
            responder.subscribe(topic, 1)
            broker.wait_subscribed(topic)
            result = run(["mosquitto_rr", *broker[transport].mosquitto_args(), "-V", f"mqttv{version}", "-i", "rr",
                          "-q", "1", "-t", topic, "-e", f"{topic}/answer", "-m", "ping", "-W", "10"])
            assert (result.code, result.out) == (0, b"re: ping\n"), result
            name = {"5": "5.0", "311": "3.1.1", "31": "3.1"}[version]
            broker.wait_log(rf"'rr' \([^)]*\) connected: MQTT {re.escape(name)}\n")
        finally:
            Paho.leave(responder)


def reply_to(message):
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    properties = Properties(PacketTypes.PUBLISH)
    if hasattr(message.properties, "CorrelationData"):
        properties.CorrelationData = message.properties.CorrelationData
    return properties
