"""mqsub's live views on a terminal of its own, and what they are where there is none."""

import re
import signal

import pytest

from support.mqbroker import MqBroker
from support.ports import HOST, wait_until
from support.subscribed import Subscribed
from support.terminal import ENTERED, LEFT, Terminal
from support.tools import assert_fails, assert_ok, mqpub, mqsub, unique

@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


def publish(broker, topic, *payloads):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-l", stdin=b"".join(p.encode() + b"\n" for p in payloads)))


def subscribed(broker, topic, *args, **how):
    terminal = Terminal("mqsub", *broker.args(), "-t", topic, *args, **how)
    broker.wait_subscribed(topic)
    return terminal


def test_tree(broker):
    base = unique()
    with subscribed(broker, f"{base}/#", "--tree") as terminal:
        for topic, payload in (("a/x", "1"), ("a/y", "2"), ("b", "x\x1b[2J"), ("a/x", "3")):
            publish(broker, f"{base}/{topic}", payload)
        lines = terminal.wait(lambda lines: lines[:1] == ["3 topics, 4 messages"], "the tree")
    assert lines[1:] == [f"└─ {base}", "   ├─ a", "   │  ├─ x = 3 (2)", "   │  └─ y = 2 (1)", "   └─ b = x\\e[2J (1)"]


def test_tree_is_folded_to_the_height_and_unfolded(broker):
    base = unique()
    with subscribed(broker, f"{base}/#", "--tree", rows=4) as terminal:
        for number in range(6):
            publish(broker, f"{base}/a/{number}", "x")
        terminal.wait(lambda lines: lines[-1].endswith(" … 6 topics, 6 messages"), "a folded tree")
        terminal.resize(60, 200)
        terminal.proc.kill(signal.SIGWINCH)
        lines = terminal.wait(lambda lines: len(lines) == 9, "an unfolded tree")
    assert lines[-1] == "      └─ 5 = x (1)"


def test_stats_by_prefix(broker):
    base = unique()
    with subscribed(broker, f"{base}/#", "--stats=2") as terminal:
        publish(broker, f"{base}/a/1", *"xyz")
        publish(broker, f"{base}/b", "x")
        lines = terminal.wait(lambda lines: len(lines) == 4 and lines[1].split()[2] == "4", "the rates")
    assert lines[0].split() == ["messages/s", "bytes/s", "messages", "topics"]
    assert {tuple(line.split()[2:]) for line in lines[1:]} == {("4", "#"), ("3", f"{base}/a/#"), ("1", f"{base}/b")}


def test_watch_keeps_a_line_per_topic(broker):
    base = unique()
    with subscribed(broker, f"{base}/#", "--watch", "-v") as terminal:
        for topic, payload in (("a", "1"), ("b", "1"), ("a", "2")):
            publish(broker, f"{base}/{topic}", payload)
        lines = terminal.wait(lambda lines: lines[:1] == ["2 topics, 3 messages"], "three messages")
    assert lines[1:] == [f"{base}/a 2", f"{base}/b 1"]


@pytest.mark.parametrize("character, fits", (("ü", 20), ("水", 10), ("🦀", 10), ("e\u0301", 20)))
def test_long_lines_are_cut_to_the_width(broker, character, fits):
    topic = unique()
    with subscribed(broker, topic, "--watch", rows=5, columns=20) as terminal:
        publish(broker, topic, character * 100)
        lines = terminal.wait(lambda lines: len(lines) == 2, "a line")
    assert lines[1] == character * fits


def test_a_colour_that_is_cut_off_does_not_run_on(broker):
    topic = unique("t" * 30)
    with subscribed(broker, topic, "--watch", "-v", columns=20, env={"TERM": "xterm"}) as terminal:
        publish(broker, topic, "x")
        terminal.wait(lambda lines: len(lines) == 2, "a line")
        assert b"\x1b[36m" + b"t" * 20 + b"\x1b[0m\x1b[K" in terminal.data


@pytest.mark.parametrize("view", ("--tree", "--stats", "--watch"))
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=("SIGINT", "SIGTERM"))
def test_a_signal_leaves_the_terminal_clean(broker, view, number, code):
    topic = unique()
    with subscribed(broker, topic, view) as terminal:
        terminal.proc.kill(number)
        result = terminal.proc.wait(5)
        wait_until(lambda: terminal.data.endswith(LEFT), 5, "the first screen")
    assert result.code == code and terminal.data.count(ENTERED) == terminal.data.count(LEFT) == 1


def test_an_error_is_on_stderr_after_the_screen_was_given_back(broker):
    with MqBroker(options=["-v"]) as short_lived:
        with subscribed(short_lived, "t", "--tree") as terminal:
            short_lived.stop()
            result = terminal.proc.wait(10)
            wait_until(lambda: terminal.data.endswith(LEFT), 5, "the first screen")
    assert result.code == 8 and len(result.err_lines) == 1, result


@pytest.mark.parametrize("args, env, colored", [((), {}, True), ((), {"NO_COLOR": "1"}, False), ((), {"TERM": "dumb"}, False),
                                                (("--color", "never"), {}, False),
                                                (("--color", "always"), {"NO_COLOR": "1"}, True)])
def test_topics_are_in_colour_on_a_terminal(broker, args, env, colored):
    topic = unique()
    with subscribed(broker, topic, "-v", *args, env={"TERM": "xterm", **env}) as terminal:
        publish(broker, topic, "x\x1b[2J")
        wait_until(lambda: b"[2J" in terminal.data, 10, "the message")
    name = b"\x1b[36m" + topic.encode() + b"\x1b[0m" if colored else topic.encode()
    assert terminal.data.startswith(name + b" x\\e[2J"), terminal.data


@pytest.mark.parametrize("args", ((), ("-v",), ("-F", "%t %p"), ("--watch", "-v"), ("--tree",), ("--json",), ("--csv",)),
                         ids=" ".join)
def test_trap_23_no_control_character_of_a_message_reaches_a_terminal(broker, args):
    """Escape sequences, also those of one byte (C1), NUL, and a line feed that would forge a line."""
    base = unique()
    with subscribed(broker, f"{base}/+", *args, env={"NO_COLOR": "1"}) as terminal:
        topic = f"{base}/x\x1b]0;forged\x07\u009b2J"
        for payload in (b"\xff\x9b\0", "\x1b[2J\x7f\u009b1m\r\nend".encode()):
            assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-s", stdin=payload))
        wait_until(lambda: b"end" in terminal.data, 10, "the message")
        terminal.proc.kill(signal.SIGTERM)
        terminal.proc.wait(5)
        shown = terminal.data
    for sequence in (ENTERED, LEFT, b"\x1b[H", b"\x1b[7m", b"\x1b[0m", b"\x1b[K", b"\x1b[J", b"\r", b"\n"):
        shown = shown.replace(sequence, b"")
    left = [c for c in shown.decode() if c < " " or "\x7f" <= c < "\xa0"]
    assert not left, shown


def test_colour_in_a_pipe_is_only_by_request(broker):
    with Subscribed(broker, "-v", "--color", "always", "-C", 1) as sub:
        publish(broker, sub.topic, "x")
        assert sub.output() == b"\x1b[36m" + sub.topic.encode() + b"\x1b[0m x\n"


# --- no terminal ----------------------------------------------------------------------------------------

def test_trap_18_watch_in_a_pipe_writes_the_messages(broker):
    with Subscribed(broker, "--watch", "-v", "-C", 2) as sub:
        publish(broker, sub.topic, "1", "2")
        assert sub.output().decode() == f"{sub.topic} 1\n{sub.topic} 2\n"


def test_trap_18_tree_in_a_pipe_is_the_tree_at_the_end(broker):
    base = unique()
    with Subscribed(broker, "--tree", "-C", 2, topic=f"{base}/#") as sub:
        publish(broker, f"{base}/a", "1")
        publish(broker, f"{base}/b/c", "2")
        assert sub.output().decode() == f"└─ {base}\n   ├─ a = 1 (1)\n   └─ b\n      └─ c = 2 (1)\n"


def test_trap_18_stats_in_a_pipe_are_lines(broker):
    base = unique()
    with Subscribed(broker, "--stats=2", "-W", "3500ms", topic=f"{base}/#") as sub:
        publish(broker, f"{base}/a/b", "xx", "yy")
        rows = [line.split("\t") for line in sub.output().decode().splitlines()]
    assert [row[1:] for row in rows if row[3] != "0"] == [["#", "2", "2", "4"], [f"{base}/a/#", "2", "2", "4"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", row[0]) for row in rows)


def test_stats_of_less_than_a_second_are_lines_too(broker):
    base = unique()
    with Subscribed(broker, "--stats=3", "-C", "3", topic=f"{base}/#") as sub:
        publish(broker, f"{base}/a/b", "xx", "yy", "z")
        rows = [line.split("\t")[1:] for line in sub.output().decode().splitlines()]
    assert [row[1] for row in rows if row[0] == "#"][-1] == "3", rows
    for topics in ("#", f"{base}/a/b"):
        assert [sum(int(row[n]) for row in rows if row[0] == topics) for n in (2, 3)] == [3, 5], rows


WRONG = [(("--stats=0",), "0"), (("--stats=x",), "x"), (("--tree", "--stats"), "--stats"), (("--tree", "-v"), "-v"),
         (("--watch", "--csv"), "--csv"), (("--watch=1",), "no value"), (("--tree", "--json"), "--json")]


@pytest.mark.parametrize("args, word", WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(broker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", *args, seconds=5), 2, word)
