"""mqbench: what it counts and measures, against brokers that work and one that fails on cue."""

import json
import re
import signal
import threading
import time

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import JS, Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import HOST, free_port
from support.proc import run
from support.relay import Relay
from support.tools import assert_fails, assert_ok, json_lines, mqbench, start, with_time

STAMP = 32
COUNTS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "retained", "connections_lost")


@pytest.fixture(scope="module")
def mqbroker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws", "unix")) as broker:
        yield broker


@pytest.fixture(scope="module")
def mosquitto(certs):
    with Mosquitto(certs, ("tcp", "tls")) as broker:
        yield broker


@pytest.fixture(params=("mqbroker", "mosquitto"))
def broker(request):
    return request.getfixturevalue(request.param)


def result_of(*args, code=0, seconds=60):
    """The JSON of a run."""
    result = mqbench("run", *args, "--json", "-", "--quiet", seconds=seconds)
    assert result.code == code, result
    return json.loads(result.out)


def sum_of(result, count):
    """Over all seconds."""
    return sum(each[count] for each in result["intervals"])


def faults_of(result):
    return {name: result["counts"][name] for name in COUNTS if result["counts"][name] > 0}


# --- against brokers that work --------------------------------------------------------------------

@pytest.mark.parametrize("qos", ("0", "1", "2", "2:0"))
def test_all_that_is_sent_arrives_and_is_measured(broker, qos):
    result = result_of("quick", *broker["tcp"].mq_args(), "-q", qos, "--count", 500, "--rate", "1000/s")
    counts, latency = result["counts"], result["latency_ns"]
    assert faults_of(result) == {}
    assert (counts["sent"], counts["received"], counts["expected"], counts["unsent"]) == (500, 500, 500, 0)
    assert counts["acked"] == (0 if qos == "0" else 500)
    names = ["due_to_received", "sent_to_received", "lag"] + ([] if qos == "0" else ["ack"])
    assert {name: latency[name]["count"] for name in names} == dict.fromkeys(names, 500)
    assert (latency["connect"]["count"], latency["subscribe"]["count"]) == (20, 10)
    times = result["times_ns"]
    assert 0 <= times["first_due"] <= times["last_sent"] <= times["last_received"], times
    assert result["rates"]["received_per_second"] == pytest.approx(
        500 / ((times["last_received"] - times["first_due"]) / 1e9))
    assert sum_of(result, "sent") == sum_of(result, "received") == 500
    assert latency["due_to_received"]["max"] >= latency["lag"]["max"]
    for each in latency.values():
        assert each["min"] <= each["p50"] <= each["p90"] <= each["p99"] <= each["p99.9"] <= each["max"]
        assert each["negative"] == each["clipped"] == 0


@pytest.mark.parametrize("preset, options, sent, received", (
    ("pairs", ("--publishers", 6, "--subscribers", 3), 300, 300),
    ("pairs", ("--publishers", 3, "--subscribers", 6), 300, 600),
    ("pairs", ("--publishers", 2, "--subscribers", 3), 300, 450),
    ("fan-in", ("--publishers", 40), 300, 300),
    ("fan-out", ("--subscribers", 20, "--rate", "300/s"), 300, 6000),
    ("fan-out", ("--publishers", 4, "--subscribers", 5, "--rate", "300/s"), 300, 1500),
    ("sink", (), 300, 0),
))
def test_who_gets_whose_messages(mqbroker, preset, options, sent, received):
    result = result_of(preset, *mqbroker["tcp"].mq_args(), *options, "--count", sent)
    counts = result["counts"]
    assert (counts["sent"], counts["received"], counts["expected"], faults_of(result)) == (sent, received, received, {})


def test_the_schedule_is_kept_to_the_message(mqbroker):
    result = result_of("quick", *mqbroker["tcp"].mq_args(), "--publishers", 7, "--subscribers", 7, "--rate", "2000/s", "--warmup", "500ms",
                       "--duration", "1500ms")
    assert (result["counts"]["sent"], result["counts"]["unsent"], faults_of(result)) == (4000, 0, {})
    assert result["latency_ns"]["lag"]["count"] == result["latency_ns"]["due_to_received"]["count"] == 3000


@pytest.mark.parametrize("arrival", ("poisson", "burst:25"))
def test_other_arrivals(mqbroker, arrival):
    result = result_of("quick", *mqbroker["tcp"].mq_args(), "--count", 500, "--arrival", arrival)
    assert (result["counts"]["sent"], faults_of(result)) == (500, {})


@pytest.mark.parametrize("threads", (1, 3))
def test_a_closed_loop_has_no_latency_from_a_schedule(broker, threads, scratch):
    log = scratch / "run.hlog"
    result = result_of("pairs", *broker["tcp"].mq_args(), "--publishers", 5, "--subscribers", 5, "-q", 1, "--window", 10,
                       "--count", 3000, "--threads", threads, "--hdr", log)
    assert result["scenario"]["loop"] == "closed"
    assert {"due_to_received", "lag"}.isdisjoint(result["latency_ns"])
    assert set(re.findall(r"^Tag=([^,]*)", log.read_text(), re.MULTILINE)) == {
        "sent-to-received", "ack", "tcp", "connack", "connect", "subscribe"}
    assert result["latency_ns"]["ack"]["count"] == result["latency_ns"]["sent_to_received"]["count"] == 3000
    assert (result["counts"]["received"], faults_of(result), result["tool"]["threads"]) == (3000, {}, threads)


def test_flat_out_ends_with_the_time(mqbroker):
    result = result_of("sink", *mqbroker["tcp"].mq_args(), "--publishers", 2, "--warmup", 0, "--duration", "500ms")
    assert result["counts"]["sent"] > 100 and len(result["intervals"]) <= 5  # of a busy machine


@pytest.mark.parametrize("transport", ("tls", "ws", "unix"))
def test_every_transport(mqbroker, transport):
    result = result_of("quick", *mqbroker[transport].mq_args(), "--count", 200, "-q", 1)
    assert (result["counts"]["received"], faults_of(result)) == (200, {})
    assert ("tls_version" in result["broker"]) == (transport == "tls")
    steps = {"tcp", "connack"} | ({"tls"} if transport == "tls" else {"websocket"} if transport == "ws" else set())
    latency = result["latency_ns"]
    assert {name for name in ("tcp", "tls", "websocket", "connack") if name in latency} == steps
    assert {latency[name]["count"] for name in steps} == {latency["connect"]["count"]} == {20}
    assert sum(latency[name]["mean"] for name in steps) <= latency["connect"]["mean"] * 1.01


@pytest.mark.parametrize("version, name", (("5", "5.0"), ("311", "3.1.1"), ("31", "3.1")))
def test_every_version(broker, version, name):
    result = result_of("quick", *broker["tcp"].mq_args(), "-V", version, "--count", 100, "-q", 1)
    assert (result["broker"]["version"], result["counts"]["received"], faults_of(result)) == (name, 100, {})


def test_a_password_is_asked_for_once_for_all_clients(scratch):
    counted = scratch / "counted"
    with Mosquitto(users={"u": "secret"}) as broker:
        result = result_of("quick", *broker["tcp"].mq_args(), "--count", 50, "--threads", 3, "-u", "u", "--password-cmd",
                           f"echo x >> {counted}; echo secret")
    assert (result["counts"]["received"], counted.read_text()) == (50, "x\n")


def test_several_source_addresses(mqbroker):
    result = result_of("quick", *mqbroker["tcp"].mq_args(), "--count", 100, "--source", "127.0.0.1", "--source", "127.0.0.2")
    assert (result["counts"]["received"], faults_of(result)) == (100, {})


def test_a_range_of_source_addresses(mqbroker):
    result = result_of("sink", *mqbroker["tcp"].mq_args(), "--publishers", 6, "--count", 60, "--rate", "1000/s", "--source",
                       "127.0.0.2-127.0.0.4", "--source", "127.0.0.9")
    assert result["counts"]["sent"] == 60
    assert result["broker"]["peer"].startswith(HOST)


@pytest.mark.parametrize("options", ((), ("--spin",)))
@with_time
def test_seconds_are_those_in_which_messages_were_due(mqbroker, options):
    result = result_of("sink", *mqbroker["tcp"].mq_args(), "--publishers", 5, "--rate", "1000/s", "--warmup", 0,
                       "--duration", "2s", *options)
    seconds = [each["sent"] for each in result["intervals"]]
    assert sum(seconds) == result["counts"]["sent"] == 2000
    assert result["latency_ns"]["lag"]["max"] > 1e6 or seconds[:2] == [1000, 1000]
    assert 0 < result["counts"]["sending_turns"] <= 2000
    assert result["scenario"].get("spin", False) == bool(options)


def test_bytes_that_nobody_took_are_counted_when_publishing_ends():
    over = threading.Event()

    def stalls(connection):
        connection.accept()
        over.wait(30)
    with FaultServer(stalls) as server:
        result = result_of("sink", "-L", server.url, "--publishers", 1, "--rate", "max", "--warmup", 0, "--duration", "1s", "--size",
                           10_000, "--drain", "200ms")
        over.set()
    counts = result["counts"]
    assert 0 < counts["unsent_bytes"] < counts["sent"] * 10_100


# --- against one that fails on cue ----------------------------------------------------------------

def faulty(relay, *options, qos=0, count=200, code=0):
    return result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "-q", f"{qos}:0", "--count", count,
                     "--rate", "400/s", "--drain", "1s", *options, code=code)


@with_time
def test_lost_messages_are_counted():
    with Relay(lambda n, payload: [] if n % 10 == 3 else [payload]) as relay:
        result = faulty(relay)
    assert faults_of(result) == {"lost": 20}
    assert result["counts"]["received"] == 180


def test_duplicated_messages_are_counted():
    with Relay(lambda n, payload: [payload] * (3 if n % 50 == 3 else 1)) as relay:
        result = faulty(relay)
    assert faults_of(result) == {"duplicated": 8}
    assert result["latency_ns"]["due_to_received"]["count"] == 200


@with_time
def test_reordered_messages_are_counted():
    held = []

    def swap(n, payload):
        if n % 20 == 5:
            held.append(payload)
            return []
        return [payload] + ([held.pop()] if held else [])
    with Relay(swap) as relay:
        result = faulty(relay)
    assert faults_of(result) == {"reordered": 10}


@pytest.mark.parametrize("at", (5, 15, 31, STAMP, 99))
def test_corrupted_messages_are_counted_wherever_the_damage_is(at):
    def damage(n, payload):
        return [payload[:at] + bytes([payload[at] ^ 0x20]) + payload[at + 1:] if n % 40 == 7 else payload]
    with Relay(damage) as relay:
        result = faulty(relay)
    assert faults_of(result) == {"corrupted": 5}


def test_a_cut_payload_is_corrupted():
    with Relay(lambda n, payload: [payload[:-1] if n == 9 else payload]) as relay:
        assert faults_of(faulty(relay)) == {"corrupted": 1}


def test_messages_of_others_are_counted_apart():
    def add(n, payload):
        run_id = bytes([payload[1] ^ 1]) + payload[2:4]
        return [payload, b"hello", payload[:1] + run_id + payload[4:]] if n == 20 else [payload]
    with Relay(add) as relay:
        result = faulty(relay)
    assert faults_of(result) == {"foreign": 2}
    assert result["counts"]["received"] == 200


@with_time
def test_retained_messages_are_counted_apart_and_are_no_latency():
    with Relay(retain=1) as relay:
        result = faulty(relay, count=20)
    assert faults_of(result) == {"retained": 20, "lost": 20}
    assert "due_to_received" not in result["latency_ns"]


@with_time
def test_all_faults_at_once():
    def some(n, payload):
        kinds = {1: [], 2: [payload, payload], 3: [payload[:50] + bytes(1) + payload[51:]]}
        return kinds.get(n % 25, [payload])
    with Relay(some) as relay:
        counts = faulty(relay)["counts"]
    assert (counts["lost"], counts["duplicated"], counts["corrupted"], counts["reordered"]) == (8, 8, 8, 0)


@with_time
def test_a_delay_is_measured():
    with Relay(delay=0.3) as relay:
        latency = faulty(relay)["latency_ns"]
    for name in ("due_to_received", "sent_to_received"):
        assert 0.3e9 <= latency[name]["min"] <= latency[name]["p50"] < 0.8e9, latency[name]


@with_time
def test_what_could_not_be_sent_is_counted():
    with Relay(before_ack=lambda n: time.sleep(3.0) if n == 20 else None) as relay:
        result = result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "-q", "1:0", "--window", 1,
                           "--rate", "100/s", "--warmup", 0, "--duration", "1s", "--drain", "500ms", code=10)
    counts = result["counts"]
    assert (counts["sent"] + counts["unsent"], counts["unacked"]) == (100, 1)
    # Of a busy machine the tool, or the network, may be the limit, too.
    assert counts["unsent"] >= 79 and result["verdict"] != "valid", result["reason"]


def test_rejected_messages_are_counted_and_fail_the_run():
    with Relay(deliver=lambda n, payload: [], puback=0x97) as relay:
        result = faulty(relay, qos=1, count=20, code=10)
    assert (result["counts"]["rejected"], result["counts"]["acked"], faults_of(result)) == (20, 0, {})


def test_a_broker_that_cannot_take_the_messages_ends_the_run():
    with FaultServer(faults.after_connack(maximum_qos=0)) as server:
        result = mqbench("run", "sink", "-L", server.url, "-q", 1, "--quiet")
    assert (result.code, "QoS 1 is above" in result.err_text) == (10, True), result


def test_a_lost_connection_is_counted_and_the_result_is_written(scratch):
    def close_at(n):
        if n == 50:
            raise faults.Closed
    path = scratch / "result.json"
    with Relay(before_ack=close_at) as relay:
        result = mqbench("run", "pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 100, "--rate",
                         "400/s", "--drain", "1s", "--json", path, "--quiet")
    # "closed" or "reset": the socket is closed while messages are on their way to it.
    assert (result.code, " lost: " in result.err_text, b"connections lost 1" in result.out) == (8, True, True), result
    written = json.loads(path.read_text())
    assert written["counts"]["connections_lost"] == 1 and written["counts"]["received"] == 50


# --- ends that come early -------------------------------------------------------------------------

def test_ctrl_c_stops_publishing_waits_for_the_rest_and_writes_the_result(mqbroker, scratch):
    path = scratch / "result.json"
    with start("mqbench", "run", *mqbroker["tcp"].mq_args(), "--duration", "1h", "--json", path) as bench:
        bench.wait_err(b"delivered")
        bench.kill(signal.SIGINT)
        result = bench.wait()
    assert result.code == 128 + signal.SIGINT, result
    written = json.loads(path.read_text())
    assert written["interrupted"] is True and faults_of(written) == {}
    assert written["counts"]["sent"] == written["counts"]["received"] > 0
    assert b"delivered" in result.out


def test_ctrl_c_while_connecting_ends_at_once():
    with FaultServer(faults.silent) as server, start("mqbench", "run", "-L", server.url) as bench:
        bench.wait_err(b"0 of 20 clients ready")
        bench.kill(signal.SIGTERM)
        assert bench.wait(8).code == 128 + signal.SIGTERM


def test_no_broker_is_one_line_and_4(scratch):
    path = scratch / "result.json"
    result = mqbench("run", "-h", HOST, "-p", free_port(), "--json", path)
    assert_fails(result, 4, "refused")
    assert not path.exists() and result.out == b""


def test_bad_credentials_are_6():
    with FaultServer(faults.answer_connect(lambda version: wire.connack(version, 0x86))) as server:
        assert_fails(mqbench("run", "-L", server.url), 6, "Bad user name or password")


def test_a_refused_subscription_is_11():
    with Relay(suback=0x87) as relay:
        assert_fails(mqbench("run", "-L", relay.url), 11, "Not authorized")


def test_a_broker_that_never_answers_a_subscription_is_given_up():
    def script(connection):
        connection.accept()
        connection.drain()
    with FaultServer(script) as server:
        result = mqbench("run", "-L", server.url, "--connect-timeout", "1s", "--publishers", 1, "--subscribers", 1)
    assert (result.code, "1 of 2 clients" in result.err_lines[-1]) == (9, True), result


# --- results --------------------------------------------------------------------------------------

def test_the_summary_can_be_read(mqbroker):
    result = mqbench("run", *mqbroker["tcp"].mq_args(), "--count", 200, "-q", 1, "--quiet")
    assert (result.code, result.err) == (0, b""), result
    text = result.out.decode()
    assert re.match(r"quick: 10 publishers, 10 subscribers \(pairs\), QoS 1:1, 100 bytes, 1000/s, 200 messages\n", text)
    for line in (r"(?m)^verdict (valid|tool-bound|broker-bound|network-bound)", r"(?m)^sent +200 +\d+\.\d/s", r"(?m)^delivered +200 ",
                 r"(?m)^lost 0, duplicated 0, reordered 0, corrupted 0", r"(?m)^due to received +200( +\d+\.\d{3}){6}$",
                 r"(?m)^sent to acked +200 ", r"CPU-s per million messages"):
        assert re.search(line, text), (line, text)


def test_the_result_says_how_it_came_to_be(mqbroker):
    result = result_of(*mqbroker["tcp"].mq_args(), "--count", 50, "--seed", 7, "-u", "somebody", "-P", "hidden")
    assert "hidden" not in json.dumps(result)
    assert "--seed 7" in result["tool"]["command_line"] and result["scenario"]["seed"] == 7
    assert result["started"] < result["ended"] and result["format"] == "mqbench/1"
    assert result["machine"]["processors"] > 0 and result["machine"]["kernel"].startswith("Linux ")


def test_the_histogram_log_is_read_by_another_port_with_the_same_percentiles(mqbroker, scratch):
    log, path = scratch / "run.hlog", scratch / "result.json"
    assert mqbench("run", *mqbroker["tcp"].mq_args(), "--count", 300, "--hdr", log, "--json", path).code == 0
    latency = json.loads(path.read_text())["latency_ns"]
    read = run(["node", JS / "hlog.js", "read"], stdin=log.read_bytes())
    intervals = {line["tag"]: line for line in json_lines(read.out)}
    assert set(intervals) == {"due-to-received", "sent-to-received", "lag", "tcp", "connack", "connect", "subscribe"}
    for tag, line in intervals.items():
        ours = latency[tag.replace("-", "_")]
        assert (line["count"], line["percentiles"][3]) == (ours["count"], ours["p50"])
        assert line["mean"] == pytest.approx(ours["mean"])


def test_a_result_file_is_never_half_written(mqbroker, scratch):
    missing = scratch / "missing" / "result.json"
    directory = scratch / "result.json"
    directory.mkdir()
    for path in (missing, directory):
        result = mqbench("run", *mqbroker["tcp"].mq_args(), "--count", 10, "--quiet", "--json", path)
        assert (result.code, len(result.err_lines), str(path) in result.err_text) == (14, 1, True), result
    assert [each.name for each in scratch.iterdir()] == ["result.json"]


@pytest.mark.parametrize("option", ("--json", "--hdr", "--csv"))
def test_results_that_cannot_be_written_are_known_before_the_run(mqbroker, option):
    result = mqbench("run", *mqbroker["tcp"].mq_args(), "--duration", "1h", option, "/nowhere/result")
    assert_fails(result, 14, "/nowhere/result")


def test_presets_are_listed():
    lines = assert_ok(mqbench("list")).out.decode().splitlines()
    assert [line.split()[0] for line in lines][:5] == ["quick", "pairs", "fan-in", "fan-out", "sink"]


# --- what is refused ------------------------------------------------------------------------------

@pytest.mark.parametrize("args, words", (
    ((), "no command"), (("run", "sharde"), "'sharde'"),
    (("run", "quick", "stray"), "stray"), (("run", "--publishers", "0"), "--publishers"),
    (("run", "--size", "x"), "--size"), (("run", "--rate", "0"), "--rate"), (("run", "--rate", "10/m"), "--rate"),
    (("run", "--qos", "3"), "--qos"), (("run", "--qos", "1:x"), "--qos"), (("run", "--arrival", "burst:0"), "--arrival"),
    (("run", "--window", "5"), "--window"), (("run", "--window", "5", "-q", "1", "--arrival", "poisson"), "--arrival"),
    (("run", "--rate", "max", "--arrival", "poisson"), "--arrival"), (("run", "--duration", "0"), "--duration"),
    (("run", "--count", "5", "--duration", "1s"), "--duration"), (("run", "--ramp", "max"), "--ramp"),
    (("run", "--threads", "0"), "--threads"), (("run", "--source", ""), "--source"), (("run", "--source", "nowhere"), "--source"), (("run", "--json", ""), "--json"),
    (("run", "-c", "-i", "x"), "-c"), (("run", "-L", "mqtt://h/topic"), "topic"),
    (("run", "--duration", "9000h"), "year"), (("run", "-d"), "-d"),
    (("run", "--will-topic", "t", "--will-on-exit"), "--will-on-exit"),
), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_usage_errors_are_2_and_one_line(args, words):
    assert_fails(mqbench(*args), 2, words)


def test_too_many_clients_for_the_machine_are_refused_with_the_shortfall():
    assert_fails(mqbench("run", "fan-out", "--subscribers", 9_000_000), 2, "9000001 clients need", "too few")
