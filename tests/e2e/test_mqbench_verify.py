"""mqbench verify: planted faults are found in the right number and named; brokers that keep their promises are green, whatever
happens to the connections meanwhile."""

import json
import pathlib
import re
import signal
import socket
import time

import jsonschema
import pytest

from support import mqtt_wire as wire
from support.brokers import Aedes, Mosquitto
from support.durable import DurableBroker
from support.fault_server import Closed
from support.mqbroker import MqBroker
from support.ports import HOST, free_port
from support.relay import Relay
from support.tools import assert_fails, mqbench, start, with_time

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
FAULTS = ("lost", "lost_at_faults", "duplicated", "reordered", "corrupted", "late", "foreign", "refused", "unacked",
          "acked_late", "connections_lost", "sessions_lost", "half_closes_ignored", "sessions_left")


@pytest.fixture(scope="module")
def mqbroker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws", "unix")) as broker:
        yield broker


@pytest.fixture(scope="module")
def mosquitto(certs):
    with Mosquitto(certs, ("tcp",)) as broker:
        yield broker


@pytest.fixture(params=("mqbroker", "mosquitto"))
def broker(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def schema():
    text = (TOOLS / "mqbench" / "mqbench-verify.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    return jsonschema.validators.validator_for(schema)(schema)


def verified(*args, code=0, seconds=90):
    result = mqbench("verify", *args, "--json", "-", "--quiet", seconds=seconds)
    assert result.code == code, result
    return json.loads(result.out)


def faults_of(result):
    return {name: result["counts"][name] for name in FAULTS if result["counts"][name] > 0}


# --- planted faults -------------------------------------------------------------------------------

def planted(relay, qos, code, *options, publishers=1, count=200):
    """One subscriber, so that the relay's n-th message is its n-th delivery."""
    return verified("-L", relay.url, "-q", qos, "--publishers", publishers, "--subscribers", 1, "--count", count, "--rate",
                    "1000/s", "--drain", "700ms", *options, code=code)


@pytest.mark.parametrize("qos", (0, 1, 2))
@with_time
def test_lost_messages_break_every_qos_and_are_named(qos):
    with Relay(lambda n, payload: [] if n in (3, 50, 120) else [payload]) as relay:
        result = planted(relay, qos, 13)
    assert (faults_of(result), result["counts"]["received"], result["passed"]) == ({"lost": 3}, 197, False)
    assert result["broken"] == [f"QoS {qos}, p0 to s0: 3 lost (messages 3, 50, 120)"]
    assert result["streams"][0]["examples"] == {"lost": [3, 50, 120]}


@pytest.mark.parametrize("qos, code", ((0, 13), (1, 0), (2, 13)))
def test_duplicates_are_legal_at_qos_1_alone(qos, code):
    with Relay(lambda n, payload: [payload] * (3 if n in (7, 199) else 1)) as relay:
        result = planted(relay, qos, code)
    assert (faults_of(result), result["passed"]) == ({"duplicated": 4}, code == 0)
    assert len(result["broken"]) == (code != 0)


def test_a_broker_that_grants_less_is_judged_by_that_and_it_is_said(schema):
    """It grants QoS 1 where 2 was asked for, which it may; and delivers a message twice."""
    with Relay(lambda n, payload: [payload] * (2 if n == 7 else 1), suback=1) as relay:
        result = planted(relay, 2, 0, count=20)
        schema.validate(result)
        assert (faults_of(result), [(each["asked_qos"], each["qos"]) for each in result["streams"]]) == ({"duplicated": 1}, [(2, 1)])
        text = mqbench("verify", "-L", relay.url, "-q", 2, "--subscribers", 2, "--count", 20, "--quiet").out.decode()
    assert "QoS 2 was asked for and QoS 1 granted to 2 subscribers, judged by that\n" in text, text


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_messages_out_of_order_break_every_qos(qos):
    held = []

    def swap(n, payload):
        if n % 50 == 5:
            held.append(payload)
            return []
        return [payload] + ([held.pop()] if held else [])
    with Relay(swap) as relay:
        result = planted(relay, qos, 13)
    assert faults_of(result) == {"reordered": 4}
    assert result["streams"][0]["examples"] == {"reordered": [5, 55, 105, 155]}


@pytest.mark.parametrize("at", (0, 2, 6, 13, 20, 30, 32, 99))
def test_damage_is_found_wherever_it_is_and_is_no_loss(at):
    def damage(n, payload):
        return [payload[:at] + bytes([payload[at] ^ 0x40]) + payload[at + 1:] if n % 50 == 7 else payload]
    with Relay(damage) as relay:
        result = planted(relay, 1, 13)
    assert faults_of(result) == {"corrupted": 4}


def test_a_body_of_another_message_is_damage():
    """Its stamp is right, and its length."""
    former = []

    def mix(n, payload):
        former.append(payload)
        return [payload[:32] + former[0][32:] if n == 60 else payload]
    with Relay(mix) as relay:
        result = planted(relay, 2, 13)
    assert faults_of(result) == {"corrupted": 1}
    assert result["streams"][0]["examples"] == {"corrupted": [60]}


@with_time
def test_late_deliveries_and_acknowledgements_are_counted_and_break_nothing():
    with Relay(delay=lambda n: 1.2 if n >= 190 else 0.0, ack_delay=lambda n: 1.2 if n >= 195 else 0.0) as relay:
        result = planted(relay, 1, 0, "--late", "1s", "--drain", "10s")
    assert faults_of(result) == {"late": 10, "acked_late": 5}


@with_time
def test_a_stall_of_two_seconds_is_late_for_all_that_were_under_way():
    """In the middle of the stream nothing is read for 2 s: 1,000/s go on meanwhile."""
    with Relay(before_ack=lambda n: time.sleep(2.0) if n == 100 else None) as relay:
        result = planted(relay, 0, 0, "--late", "1900ms", "--drain", "10s")
    assert set(faults_of(result)) == {"late"} and 1 <= result["counts"]["late"] <= 100


@with_time
def test_what_is_never_acknowledged_is_found():
    with Relay(ack_delay=lambda n: 3600 if n == 17 else 0.0) as relay:
        result = planted(relay, 1, 13)
    assert faults_of(result) == {"unacked": 1}
    assert result["broken"] == ["QoS 1, p0: 1 never acknowledged"]


@with_time
def test_the_guilty_are_named_among_others():
    """Of three publishers only the messages of the second are lost."""
    with Relay(lambda n, payload: [] if payload[4:8] == bytes([0, 0, 0, 1]) and payload[15] == 9 else [payload]) as relay:
        result = planted(relay, 1, 13, publishers=3, count=90)
    assert result["broken"] == ["QoS 1, p1 to s0: 1 lost (message 9)"]
    assert [each["lost"] for each in result["streams"]] == [0, 1, 0]


@with_time
def test_at_qos_0_a_loss_at_a_broken_connection_is_told_from_one_without():
    """The relay cuts the publisher's connection with message 60, which it has not delivered, and drops message 120. It keeps
    no sessions, and says so."""
    def close(n):
        if n == 60:
            raise Closed
    with Relay(lambda n, payload: [] if n == 120 else [payload], before_ack=close) as relay:
        result = planted(relay, 0, 13)
    counts = result["counts"]
    assert (counts["lost"], counts["connections_lost"], counts["sessions_lost"]) == (1, 1, 1)
    assert counts["lost_at_faults"] >= 1 and counts["received"] + counts["lost"] + counts["lost_at_faults"] == 200
    assert result["streams"][0]["examples"]["lost"][0] > 60


@with_time
def test_all_faults_at_once_and_the_summary_names_them():
    def some(n, payload):
        kinds = {1: [], 2: [payload, payload], 3: [payload[:50] + b"\0" + payload[51:]]}
        return kinds.get(n % 50, [payload])
    with Relay(some) as relay:
        result = mqbench("verify", "-L", relay.url, "-q", 2, "--publishers", 1, "--subscribers", 1, "--count", 200, "--rate",
                         "500/s", "--drain", "1s", "--quiet")
    text = result.out.decode()
    assert result.code == 13 and result.err == b"", result
    assert "BROKEN: 1 promise\n  QoS 2, p0 to s0: 4 lost (messages 1, 51, 101, 151); 4 duplicated (messages 2" in text
    assert re.search(r"(?m)^QoS 2 +200 +196 +4 +0 +4 +0 +4 +0$", text), text
    assert len(text.splitlines()) < 15


# --- brokers that keep their promises -------------------------------------------------------------

@pytest.mark.parametrize("version, name", (("5", "5.0"), ("311", "3.1.1"), ("31", "3.1")))
def test_without_faults_all_is_well(broker, version, name, schema):
    result = verified(*broker["tcp"].mq_args(), "-V", version, "--duration", "1s", "--publishers", 3)
    assert (faults_of(result), result["passed"], result["broken"]) == ({}, True, [])
    assert (result["counts"]["sent"], result["counts"]["received"]) == (600, 1200)
    assert (result["broker"]["version"], len(result["streams"])) == (name, 18)
    schema.validate(result)


@pytest.mark.parametrize("version", ("5", "311"))
@pytest.mark.parametrize("faults", ("cut", "half-close", "stall", "resume", "all"))
def test_with_faults_the_promises_are_kept(broker, faults, version):
    tenths = 12 if faults == "all" else 6
    result = verified(*broker["tcp"].mq_args(), "-V", version, "--duration", f"{tenths}00ms", "--faults", faults, "--fault-rate",
                      "20/s", "--fault-time", "200ms", "--seed", 3)
    assert result["passed"] and not result["broken"], result["broken"]
    assert {"lost_at_faults", "duplicated", "late", "acked_late"}.issuperset(faults_of(result)), faults_of(result)
    done = {name for name, count in result["faults"].items() if count > 0}
    assert done == ({"cut", "half-close", "stall", "resume"} if faults == "all" else {faults})
    assert result["counts"]["acked"] == 40 * tenths and sum(each["received"] for each in result["streams"] if each["qos"]) == 80 * tenths


@pytest.mark.parametrize("transport", ("tls", "ws", "unix"))
def test_faults_over_every_transport(mqbroker, transport):
    result = verified(*mqbroker[transport].mq_args(), "--count", 600, "--faults", "all", "--fault-rate", 20)
    assert result["passed"] and sum(result["faults"].values()) > 0, result["broken"]


def test_a_broker_without_5_is_verified_with_311(certs):
    with Aedes(certs, ("tcp",)) as aedes:
        result = verified(*aedes["tcp"].mq_args(), "--count", 300)
    assert (result["broker"]["version"], result["passed"]) == ("3.1.1", True), result["broken"]


@pytest.mark.parametrize("version", ("5", "311"))
def test_mqbroker_killed_and_started_again_loses_nothing_at_qos_1_and_2(version):
    with DurableBroker() as broker:
        with start("mqbench", "verify", *broker["tcp"].mq_args(), "-V", version, "--duration", "3s", "--faults", "cut,stall",
                   "--drain", "20s", "--json", "-") as bench:
            for _ in range(2):
                bench.wait_err(rb"faults", 30)
                broker.restart()
            result = bench.wait(60)
    outcome = json.loads(result.out)
    assert (result.code, outcome["broken"]) == (0, []), result
    assert outcome["counts"]["connections_lost"] > 0 and outcome["counts"]["acked"] == 1200


@with_time
def test_a_broker_that_forgets_its_sessions_is_found_out():
    """mosquitto without persistence, killed in the middle."""
    with Mosquitto(transports=("tcp",)) as broker:
        with start("mqbench", "verify", *broker["tcp"].mq_args(), "-q", 1, "--duration", "2s", "--drain", "3s", "--json",
                   "-") as bench:
            bench.wait_err(rb"faults", 30)
            broker.restart(first=signal.SIGKILL)
            result = bench.wait(60)
    outcome = json.loads(result.out)
    assert (result.code, outcome["counts"]["sessions_lost"]) == (13, 4), result
    assert any("its session was gone 1 time when it came back" in each for each in outcome["broken"])


@pytest.mark.parametrize("version", ("5", "311"))
def test_its_sessions_are_ended(broker, version):
    result = verified(*broker["tcp"].mq_args(), "-V", version, "--count", 120, "--faults", "cut,resume", "--fault-rate", 20)
    names = [each["name"] for each in result["clients"]]
    assert len(names) == 12
    kept = f"mqbench-{result['run']:06x}-x"
    assert [has_session(broker, kept), has_session(broker, kept)] == [False, True], "the test itself sees sessions"
    assert [name for name in names if has_session(broker, f"mqbench-{result['run']:06x}-{name}")] == []


def has_session(broker, client_id):
    """Whether the broker has kept one for it."""
    with socket.create_connection(broker["tcp"].address, 20) as connection:
        connection.sendall(wire.connect_v311(client_id, clean=False))
        return connection.recv(4) == wire.connack(4, session_present=1)


# --- ends -----------------------------------------------------------------------------------------

def test_ctrl_c_judges_what_was_sent(mqbroker):
    with start("mqbench", "verify", *mqbroker["tcp"].mq_args(), "--duration", "1h", "--faults", "all", "--json", "-") as bench:
        bench.wait_err(b"delivered")
        bench.kill(signal.SIGINT)
        result = bench.wait(30)
    outcome = json.loads(result.out)
    assert (result.code, outcome["interrupted"], outcome["broken"]) == (128 + signal.SIGINT, True, []), result
    assert 0 < outcome["counts"]["sent"] < 100_000


def test_no_broker_is_one_line_and_4():
    assert_fails(mqbench("verify", "-h", HOST, "-p", free_port(), "--quiet"), 4, "refused")


def test_a_refused_subscription_is_11():
    with Relay(suback=0x87) as relay:
        assert_fails(mqbench("verify", "-L", relay.url, "--quiet"), 11, "Not authorized")


def test_the_same_seed_gives_the_same_faults(mqbroker):
    results = [verified(*mqbroker["tcp"].mq_args(), "--count", 60, "--faults", "stall", "--fault-rate", "1/s", "--seed", 5)
               for _ in range(2)]
    assert results[0]["scenario"] == results[1]["scenario"] and results[0]["run"] != results[1]["run"]


@pytest.mark.parametrize("args, words", (
    (("--faults", "flood"), "--faults"), (("--faults", ""), "--faults"), (("--fault-rate", "0"), "--fault-rate"),
    (("--fault-time", "x"), "--fault-time"), (("--late", "x"), "--late"), (("quick",), "scenario"), (("--rate", "max"), "--rate"),
    (("--window", "5"), "--window"), (("--hdr", "x"), "--hdr"), (("--topics", "x/{n}"), "--topics"), (("--warmup", "1s"), "--warmup"),
    (("--size", "31"), "--size"), (("--count", "5"), "less than"), (("--subscribers", "0"), "--subscribers"),
    (("--publishers", "1001"), "1000"), (("--count", "900000000"), "account"), (("-c", "-i", "x"), "-c"),
    (("-D", "publish", "user-property", "a", "b"), "-D"),
), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_usage_errors_are_2_and_one_line(args, words):
    assert_fails(mqbench("verify", *args), 2, words)


@pytest.mark.parametrize("option", ("--faults", "--fault-rate", "--fault-time", "--late"))
def test_its_options_are_not_those_of_run(option):
    value = {"--faults": "cut", "--fault-rate": "5"}.get(option, "1s")
    assert_fails(mqbench("run", option, value), 2, option, "verify")
