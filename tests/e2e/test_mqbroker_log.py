"""What mqbroker does at a signal, and what its log says of that and of clients."""

import fcntl
import os
import re
import signal
import socket
import struct

import pytest

from conformance import wire as w
from conformance.wire import P, V5, V311
from support.malformed import Raw
from support.mqbroker_runs import Running
from support.mqtt_wire import DISCONNECT
from support.ports import HOST
from support.tools import assert_ok, mqpub


# --- signals --------------------------------------------------------------------------------------------

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
            assert direct.bytes_until_close() == b"", "without a header nobody is heard"
