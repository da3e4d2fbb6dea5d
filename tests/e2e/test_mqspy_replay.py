"""mqspy replay: a recorded client once more, against brokers; what they answer now is compared with what was answered."""

import json
import pathlib

import jsonschema
import pytest

from support import mqtt_wire as wire
from support.brokers import Mosquitto
from support.captures import Talk, merged, pcap, pcapng
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.mqspy_proxy import SpyProxy, of_kind
from support.mqtt_wire import ack, connack, packet, publish, string, suback
from support.ports import HOST, free_port
from support.proc import DEADLINE
from support.talks import connect
from support.tools import assert_fails, assert_ok, mqpub, mqspy, start, unique

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "tools/mqspy/mqspy-record.schema.json").read_text())
DISCONNECT, PINGREQ, PINGRESP = packet(14), packet(12), packet(13)


@pytest.fixture(scope="module")
def brokers(certs):
    with MqBroker(certs, ("tcp", "tls", "ws")) as mqbroker, Mosquitto(certs, ("tcp", "tls")) as mosquitto:
        yield {"mqbroker": mqbroker, "mosquitto": mosquitto}


@pytest.fixture(scope="module")
def broker(brokers):
    return brokers["mqbroker"]


def replay(tmp_path, talk, to, *options, code=0, write=pcap):
    """Its records; `talk`: a Talk, or bytes of a file."""
    file = tmp_path / "recording"
    file.write_bytes(talk if isinstance(talk, bytes) else write(talk.packets))
    url = to if isinstance(to, str) else to.url
    if "--answer-timeout" not in options:
        options += ("--answer-timeout", f"{DEADLINE:.0f}s")
    trust = [] if isinstance(to, str) or not to.encrypted else ["--cafile", to.cafile]
    result = mqspy("replay", file, "--to", url, "--speed", "max", "--json", *trust, *options)
    assert result.code == code, result
    return [json.loads(line) for line in result.out.splitlines()], result


def subscribe(topic, qos, packet_id=1, version=5):
    return packet(8, packet_id.to_bytes(2, "big") + (b"\0" if version == 5 else b"") + string(topic) + bytes([qos]), flags=2)


def session(client_id=None, version=5):
    return Talk().open().client(connect(client_id or unique("c"), version=version)).server(
        connack(version))


def differences(records):
    return [(d["type"], d["what"], d["recorded"], d["replayed"]) for d in of_kind(records, "diff")]


@pytest.mark.parametrize("version", ["5", "311"])
@pytest.mark.parametrize("name", ["mqbroker", "mosquitto"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_what_a_client_did_it_does_again_and_the_answers_are_the_same(brokers, tmp_path, name, version, transport):
    broker, topic = brokers[name], unique()
    sub = start("mqsub", *broker.args("tcp"), "-t", topic, "-q", "2", "-d", "-C", "3")
    sub.wait_err(b"SUBACK")
    with SpyProxy(broker["tcp"], "--raw") as proxy:
        for qos in (0, 2):
            assert_ok(mqpub(*proxy.args("tcp"), "-V", version, "-t", topic, "-q", qos, "-m", f"qos {qos}", "-i", f"{topic}{qos}"))
        proxy.proc.kill(15)
        recording = proxy.result(143)
    data = b"".join(json.dumps(record).encode() + b"\n" for record in recording)
    found, result = replay(tmp_path, data, broker[transport], "--filter", f'client_id=="{topic}2"')
    assert not of_kind(found, "diff"), found
    assert [p["type"] for p in of_kind(found, "pkt", dir="s2c")][:3] == ["CONNACK", "PUBREC", "PUBCOMP"], found
    received = sub.wait()
    assert received.code == 0 and received.out.splitlines() == [b"qos 0", b"qos 2", b"qos 2"] and result.err == b""


def test_over_websocket(broker, tmp_path):
    replay(tmp_path, session().client(PINGREQ).server(PINGRESP).client(DISCONNECT).close(), broker["ws"],
           code=13)  # the limits of this broker's CONNACK are not those of the made-up one


@pytest.mark.parametrize("name", ["mqbroker", "mosquitto"])
@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [1, 2])
def test_an_answer_to_a_message_has_the_id_that_it_has_now(brokers, tmp_path, name, version, qos):
    topic, recorded_id = unique(), 4711
    t = Talk().open().client(connect(unique("c"), version=version)).server(connack(version))
    t.client(subscribe(topic, qos, version=version)).server(suback(1, version, [qos]))
    t.client(publish(topic, b"x", qos=0, version=version))
    t.server(publish(topic, b"x", qos=0, version=version))
    t.client(publish(topic, b"m", qos=qos, packet_id=9, version=version))
    if qos == 1:
        t.server(ack(4, 9, version), publish(topic, b"m", qos=1, packet_id=recorded_id, version=version))
        t.client(ack(4, recorded_id, version))
    else:
        t.server(ack(5, 9, version)).client(ack(6, 9, version)).server(ack(7, 9, version))
        t.server(publish(topic, b"m", qos=2, packet_id=recorded_id, version=version))
        t.client(ack(5, recorded_id, version)).server(ack(6, recorded_id, version)).client(ack(7, recorded_id, version))
    t.client(PINGREQ).server(PINGRESP).client(DISCONNECT).close()
    found, _ = replay(tmp_path, t, brokers[name]["tcp"], code=0 if version == 4 else 13)
    assert {d[0] for d in differences(found)} <= {"CONNACK"}, found
    now = of_kind(found, "pkt", type="PUBLISH", dir="s2c", qos=qos)[0]["id"]
    assert now != recorded_id
    answers = [p for p in of_kind(found, "pkt", dir="c2s") if p["type"] in ("PUBACK", "PUBREC", "PUBCOMP")]
    assert [p["id"] for p in answers] == [now] * qos and all("answers" in p for p in answers), found
    assert not of_kind(found, "lint", sev="error"), found


def test_a_message_that_was_not_recorded_is_acknowledged(broker, tmp_path):
    topic = unique()
    assert_ok(mqpub(*broker.args("tcp"), "-t", topic, "-q", "2", "-r", "-m", "kept"))
    t = Talk().open().client(connect(unique("c"), version=4)).server(connack(4))
    t.client(subscribe(topic, 2, version=4)).server(suback(1, 4, [2])).client(PINGREQ).server(PINGRESP)
    t.client(subscribe(unique(), 0, packet_id=2, version=4)).server(suback(2, 4, [0])).client(PINGREQ).server(PINGRESP).close()
    found, result = replay(tmp_path, t, broker["tcp"])
    assert "of 0 messages that the client received, 0 have come again, and 1 others" in result.err_text
    assert of_kind(found, "pkt", type="PUBREC", dir="c2s"), found


def test_other_answers_are_shown_line_by_line(broker, tmp_path):
    t = session().client(subscribe(unique(), 1)).server(suback(1, 5, [0x87])).client(DISCONNECT).close()
    file = tmp_path / "f"
    file.write_bytes(pcapng(t.packets))
    result = mqspy("replay", file, "--to", broker["tcp"].url, "--speed", "max")
    assert result.code == 13 and "not as in the recording: " in result.err_text, result
    assert b" c1 ! DIFF     SUBACK reasons: recorded Not authorized, now Granted QoS 1\n" in result.out, result


def test_session_present_is_compared(broker, tmp_path):
    t = Talk().open().client(connect(unique("c"), version=4)).server(connack(4, session_present=1)).client(DISCONNECT).close()
    found, _ = replay(tmp_path, t, broker["tcp"], code=13)
    assert differences(found) == [("CONNACK", "session_present", "1", "0")]
    for record in found:
        jsonschema.validate(record, SCHEMA)
    assert of_kind(found, "diff")[0]["n"] == 2 and of_kind(found, "diff")[0]["recorded_n"] == 2


def test_the_time_of_the_recording_is_kept(broker, tmp_path):
    t = Talk().open().client(connect(unique("c"), version=4)).server(connack(4))
    t.at += 0.5
    t.client(PINGREQ).server(PINGRESP).client(DISCONNECT).close()
    for speed, least in (("1", 500_000), ("5", 100_000)):
        found, _ = replay(tmp_path, t, broker["tcp"], "--speed", speed)
        at = {p["type"]: p["ts_us"] for p in of_kind(found, "pkt")}
        assert at["PINGREQ"] - at["CONNECT"] >= least, found


def two_clients():
    one = Talk().open().client(connect("plc3")).server(connack(5)).client(DISCONNECT).close()
    other = Talk(client=("10.0.0.8", 999), at=0.0005).open().client(connect("plc4")).server(connack(5)).client(DISCONNECT).close()
    return pcap(merged(one, other))


def test_of_several_clients_one_has_to_be_chosen(broker, tmp_path):
    file = tmp_path / "f"
    file.write_bytes(two_clients())
    to = ("--to", broker["tcp"].url, "--speed", "max", "--json")
    assert_fails(mqspy("replay", file, *to), 2, "2 connections", "--conn", "c1 (plc3, 3 packets), c2 (plc4, 3 packets)")
    assert_fails(mqspy("replay", file, *to, "--conn", "c7"), 2, "no connection 'c7'")
    assert_fails(mqspy("replay", file, *to, "--filter", 'client_id=="plc9"'), 2, "--filter chooses no packet")
    for choice in (("--conn", "c2"), ("--filter", 'client_id=="plc4"')):
        found, _ = replay(tmp_path, two_clients(), broker["tcp"], *choice, code=13)
        assert [p["client_id"] for p in of_kind(found, "pkt", type="CONNECT")] == ["plc4"]


@pytest.mark.parametrize("data,word", [
    (b"", "no connection"), (b"hello", "neither a pcap"),
    (pcap(Talk().client(publish("t", b"x", version=4), PINGREQ).server(PINGRESP).packets), "there is no CONNECT")])
def test_what_cannot_be_replayed(tmp_path, data, word):
    file = tmp_path / "f"
    file.write_bytes(data)
    assert_fails(mqspy("replay", file, "--to", f"{HOST}:{free_port()}"), 2, word)


def test_a_hidden_password_has_to_be_given(broker, tmp_path):
    t = Talk().open().client(connect(unique("c"), user="u", password="s3cret", version=4)).server(connack(4)).client(DISCONNECT).close()
    recording = tmp_path / "in"
    recording.write_bytes(pcap(t.packets))
    hidden = assert_ok(mqspy("read", recording, "--json", "--raw")).out
    assert b"s3cret" not in hidden
    file, secret = tmp_path / "hidden", tmp_path / "password"
    file.write_bytes(hidden)
    secret.write_text("other\n")
    assert_fails(mqspy("replay", file, "--to", broker["tcp"].url), 2, "hides the password", "--password-file")
    found, _ = replay(tmp_path, hidden, broker["tcp"], "--password-file", secret, "--show-secrets")
    assert of_kind(found, "pkt", type="CONNECT")[0]["password"]["data"] == "other"
    found, result = replay(tmp_path, t, broker["tcp"], "--raw")
    assert b"s3cret" not in result.out
    plain = pcap(session().client(DISCONNECT).close().packets)
    file.write_bytes(plain)
    assert_fails(mqspy("replay", file, "--to", broker["tcp"].url, "--password-file", secret), 2, "no place")


def silent(connection):
    while True:
        connection.packet()


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(tmp_path):
    t = session().client(PINGREQ).server(PINGRESP).client(DISCONNECT).close()
    with FaultServer(silent) as server:
        found, _ = replay(tmp_path, t, server.url, "--answer-timeout", "200ms", code=13)
    assert differences(found) == [("CONNACK", "missing", "CONNACK", "nothing"), ("PINGRESP", "missing", "PINGRESP", "nothing")]
    assert len(of_kind(found, "pkt", dir="c2s")) == 3


def test_a_server_that_closes_early(tmp_path):
    t = session().client(publish("t", b"x", qos=1, packet_id=1)).server(ack(4, 1, 5)).client(PINGREQ).server(PINGRESP).close()

    def leaves(connection):
        connection.packet()
        connection.send(connack(5))
        connection.packet()
    with FaultServer(leaves) as server:
        found, _ = replay(tmp_path, t, server.url, code=13)
    assert differences(found) == [("PUBACK", "missing", "PUBACK", "nothing"),
                                  ("CLOSE", "early", "client", "server, before 1 packets of the client")]
    assert of_kind(found, "close")[0]["by"] == "server"


def test_a_server_that_should_close(tmp_path):
    t = session().client(publish("a/+", b"x")).server(wire.disconnect(0x90)).close(side=1)

    with FaultServer(silent) as server:
        found, _ = replay(tmp_path, t, server.url, "--answer-timeout", "200ms", code=13)
    assert differences(found) == [("CONNACK", "missing", "CONNACK", "nothing"), ("DISCONNECT", "missing", "DISCONNECT", "nothing"), ("CLOSE", "by", "server", "nobody")]


def test_nobody_there(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(pcap(session().client(DISCONNECT).close().packets))
    assert_fails(mqspy("replay", file, "--to", f"{HOST}:{free_port()}"), 4, "cannot connect")
    assert_fails(mqspy("replay", file), 2, "'--to' is missing")
    assert_fails(mqspy("replay", file, "--to", f"{HOST}:1", "--fault", "qos>0 do drop"), 2, "'--fault' is for mqspy proxy, not for replay")
    assert_fails(mqspy("read", file, "--conn", "c1"), 2, "'--conn' is for mqspy replay, not for read")
