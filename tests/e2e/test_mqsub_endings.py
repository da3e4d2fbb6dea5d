"""When mqsub ends, and with which code: counts, deadlines, silence, expectations, lost connections, closed output."""

import os
import subprocess

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import HOST
from support.subscribed import Subscribed
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


def say(broker, topic, *payloads):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-l", stdin=b"".join(p.encode() + b"\n" for p in payloads)))


# --- deadlines ------------------------------------------------------------------------------------------

def test_trap_10_fail_on_timeout_makes_any_deadline_a_failure(broker):
    assert_fails(mqsub(*broker.args(), "-t", unique(), "-W", "1s", "--fail-on-timeout"), 9, "1s")


def test_idle_timeout_ends_after_silence(broker):
    with Subscribed(broker, "--idle-timeout", "2s") as sub:
        say(broker, sub.topic, "a", "b")
        result = assert_ok(sub.proc.wait())
    assert result.out == b"a\nb\n" and 2 <= result.seconds < 10, result


@pytest.mark.parametrize("args, code", [(("-C", 2), 9), (("--fail-on-timeout",), 9), (("--expect", "payload=b"), 13)],
                         ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "")
def test_idle_timeout_with_an_unmet_goal(broker, args, code):
    with Subscribed(broker, "--idle-timeout", "2s", *args) as sub:
        say(broker, sub.topic, "a")
        result = sub.proc.wait()
    assert result.code == code and result.out == b"a\n" and "2s" in result.err_text, result
    assert len(result.err_lines) == 1, result


def test_idle_timeout_counts_what_is_shown(broker):
    with Subscribed(broker, "--idle-timeout", "2s", "--changes") as sub:
        say(broker, sub.topic, *["same"] * 3)
        assert sub.output() == b"same\n"


# --- expectations ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("expression", ["payload=yes", "payload~^y", "/level>=3 && topic=+", 'payload="{\\"level\\":4}"'])
def test_expect_ends_with_0_at_the_match(broker, expression):
    with Subscribed(broker, "--expect", expression, "-W", "20s") as sub:
        say(broker, sub.topic, "no", '{"level":2}', "yes" if "y" in expression[:10] and "level" not in expression
            else '{"level":4}', "late")
        result = assert_ok(sub.proc.wait())
    assert result.out.count(b"\n") == 3 and b"late" not in result.out, result


def test_expect_is_13_at_the_deadline(broker):
    with Subscribed(broker, "--expect", "payload=never", "-W", "2s") as sub:
        say(broker, sub.topic, "x")
        result = sub.proc.wait()
    assert result.code == 13 and result.out == b"x\n" and "none as expected" in result.err_text, result


def test_expect_is_13_after_the_count(broker):
    with Subscribed(broker, "--expect", "payload=3", "-C", 2) as sub:
        say(broker, sub.topic, "1", "2", "3")
        result = sub.proc.wait()
    assert result.code == 13 and result.out == b"1\n2\n", result


def test_what_comes_after_the_expected_is_not_acknowledged():
    messages = [wire.publish("t", b"%d" % n, 1, n) for n in (1, 2, 3)]
    with FaultServer(faults.subscribed_then(*messages)) as server:
        assert assert_ok(mqsub("-L", server.url, "-q", 1, "-t", "t", "--expect", "payload=2")).out == b"1\n2\n"
    assert [p.packet_id for p in server.connections[0].received if p.kind == wire.PUBACK] == [1, 2]


# --- traps ----------------------------------------------------------------------------------------------

def test_trap_06_a_lost_connection_without_a_met_goal_is_8():
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x"), close=True)) as server:
        result = mqsub("-L", server.url, "-t", "t", "--expect", "payload=y", "-W", "20s")
    assert result.code == 8 and result.out == b"x\n" and len(result.err_lines) == 1, result


def test_trap_09_the_connect_timeout_is_7():
    with FaultServer(faults.silent) as server:
        assert_fails(mqsub("-L", server.url, "-t", "t", "--connect-timeout", "300ms"), 7, "CONNECT")


def test_trap_13_a_closed_pipe_ends_it_at_once_and_quietly(broker):
    """While no message comes: head is gone, and so is mqsub."""
    read_end, write_end = os.pipe()
    with Subscribed(broker, stdout=write_end) as sub:
        os.close(write_end)
        say(broker, sub.topic, "one")
        assert os.read(read_end, 100) == b"one\n"
        os.close(read_end)
        result = sub.proc.wait(5)
    assert result.code == 0 and result.err == b"", result


def test_trap_14_a_full_disk_is_14_and_nothing_is_acknowledged():
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x", 1, 1))) as server, open("/dev/full", "wb") as full:
        result = mqsub("-L", server.url, "-q", 1, "-t", "t", stdout=full.fileno())
    assert result.code == 14 and "No space left on device" in result.err_text, result
    assert not [p for p in server.connections[0].received if p.kind == wire.PUBACK]


def test_trap_18_nothing_is_decorated_in_a_pipe(broker):
    for option in ((), ("-v",), ("--json",), ("--message-rate", "-W", "1500ms")):
        with Subscribed(broker, *option, *(() if "-W" in option else ("-C", 1))) as sub:
            say(broker, sub.topic, "x")
            assert b"\x1b" not in sub.output()


def test_message_rate_is_a_number_per_second(broker):
    with Subscribed(broker, "--message-rate", "-W", "2500ms") as sub:
        say(broker, sub.topic, *"abcde")
        lines = sub.output().decode().splitlines()
    assert len(lines) == 2 and sum(map(int, lines)) == 5, lines


def test_events_are_among_the_lines(broker):
    with Subscribed(broker, "--json", "--events", "-C", 1, "-q", 1) as sub:
        say(broker, sub.topic, "x")
        lines = json_lines(sub.output())
    assert [line.get("event") for line in lines] == ["connected", "subscribed", None, "summary"]
    connected, subscribed, message, summary = lines
    assert connected["version"] == "5.0" and connected["session_present"] is False and connected["client_id"]
    assert subscribed["subscriptions"] == [{"filter": sub.topic, "code": 1}]
    assert message["payload"] == "x" and summary["received"] == 1 and summary["exit_code"] == 0
    assert all(line["time"].endswith("Z") for line in lines)


def test_the_same_events_are_on_stderr_as_json(broker):
    with Subscribed(broker, "--log-format", "json", "-C", 1) as sub:
        say(broker, sub.topic, "x")
        result = sub.proc.wait()
    assert result.code == 0 and result.out == b"x\n", result
    events = [line["event"] for line in json_lines(result.err)]
    assert events == ["connected", "subscribed", "summary"]


def test_a_lost_connection_is_an_event():
    with FaultServer(faults.subscribed_then(close=True)) as server:
        result = mqsub("-L", server.url, "-t", "t", "--json", "--events")
    lines = json_lines(result.out)
    assert result.code == 8 and [line["event"] for line in lines] == ["connected", "subscribed", "disconnected", "summary"]
    assert lines[-1]["exit"] == "connection-lost", lines


WRONG = [(("--idle-timeout", "soon"), "soon"), (("--expect", ""), "missing"),
         (("--expect", "a=b"), "'a'"), (("--expect", "payload~("), "regular expression"), (("--expect", "qos=3"), "qos"),
         (("--expect", "topic=a#"), "a#"), (("--expect", "payload>x"), "number"), (("--expect", "payload=x &&"), "missing"),
         (("--events",), "--json"), (("--message-rate", "-v"), "-v")]


@pytest.mark.parametrize("args, word", WRONG,
                         ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(broker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", *args, seconds=5), 2, word)


def test_null_separators_are_for_xargs(broker):
    with Subscribed(broker, "-0", "-C", 2) as sub:
        say(broker, sub.topic, "a b", "c")
        out = sub.output()
    assert out == b"a b\0c\0"
    xargs = subprocess.run(["xargs", "-0", "-n1", "echo"], input=out, capture_output=True, check=True)
    assert xargs.stdout == b"a b\nc\n"
