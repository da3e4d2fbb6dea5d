"""mqbench run --progress: what is said while a run lasts."""

import json
import re
import signal

import pytest

from support.mqbroker import MqBroker
from support.relay import Relay
from support.terminal import ENTERED, LEFT, Terminal
from support.tools import assert_fails, mqbench, with_time


@pytest.fixture(scope="module")
def mqbroker():
    with MqBroker() as broker:
        yield broker


def bench_args(broker, *args):
    return ("run", "quick", *broker["tcp"].mq_args(), "--rate", "200/s", *args)


def display(broker, *args, env=None, **size):
    return Terminal("mqbench", *bench_args(broker, *args), env={"TERM": "xterm", **(env or {})}, stderr_too=True, **size)


def shows(word):
    return lambda lines: any(line.startswith(word) for line in lines)


# --- lines ----------------------------------------------------------------------------------------

@with_time
def test_json_is_an_object_per_second_and_a_last_one_that_agrees_with_the_result(mqbroker):
    run = mqbench(*bench_args(mqbroker, "--count", 500, "--progress", "json", "--json", "-"))
    assert run.code == 0, run
    lines = [json.loads(line) for line in run.err_lines]
    counts = json.loads(run.out)["counts"]
    last = lines[-1]
    assert len(lines) >= 3 and {each["event"] for each in lines} == {"progress"}
    assert (last["sent"], last["received"], last["under_way"], last["errors"]) == (counts["sent"], 500, 0, [])
    assert [each["sent"] for each in lines] == sorted(each["sent"] for each in lines)
    assert any(each["phase"] == "running" and each["sent_per_s"] > 0 and each["left_s"] <= 2.5 for each in lines)
    known = [each["latency_ns_last_second"] for each in lines if "latency_ns_last_second" in each]
    assert known and all(0 < each["p50"] <= each["p99"] <= each["p99.9"] <= each["max"] for each in known)


@pytest.mark.parametrize("args, lines", ((("--progress", "none"), False), (("--progress", "text"), True), ((), True),
                                         (("--progress", "text", "--quiet"), False)))
def test_elsewhere_it_is_lines_or_nothing(mqbroker, args, lines):
    run = mqbench(*bench_args(mqbroker, "--count", 250, *args))  # longer than a second
    assert run.code == 0 and "\x1b" not in run.err_text, run
    assert (" under way" in run.err_text) == lines, run
    assert lines or not run.err, run


def test_a_search_says_its_own_progress():
    assert_fails(mqbench("search", "--progress", "json"), 2, "option '--progress' is for mqbench run, not for search")


# --- the display ----------------------------------------------------------------------------------

def test_a_terminal_shows_the_run_and_is_given_back_before_the_result(mqbroker):
    with display(mqbroker, "--count", 600) as terminal:
        terminal.wait(shows("last second"), "latencies")
        lines = terminal.lines()
        assert lines[0].startswith("quick: running") and lines[0].endswith(" left")
        for word in ("sent", "received", "under way", "connections", "errors", "so far", "received/s"):
            assert shows(word)(lines), (word, lines)
        assert terminal.proc.wait(30).code == 0
        terminal.wait_data(b"verdict")
        before, after = terminal.data.split(LEFT)
        assert before.startswith(ENTERED) and b"verdict" in after and b"\x1b" not in after.replace(b"\x1b[1m", b"").replace(b"\x1b[0m", b"")


def test_a_display_follows_the_size_of_its_terminal(mqbroker):
    with display(mqbroker, "--duration", "60s", rows=5, columns=20) as terminal:
        terminal.wait(shows("received"), "the display")
        assert len(terminal.lines()) <= 5 and max(map(len, terminal.lines())) <= 20
        terminal.resize(60, 200)
        terminal.proc.kill(signal.SIGWINCH)
        terminal.wait(shows("received/s"), "the lines that had no room")


def test_the_first_interrupt_gives_the_terminal_back_and_the_result_follows(mqbroker):
    with display(mqbroker, "--duration", "60s") as terminal:
        terminal.wait(shows("last second"), "latencies: it has begun")
        terminal.proc.kill(signal.SIGINT)
        terminal.wait_data(b"verdict")
        assert terminal.data.count(LEFT) == 1 and b"second signal" in terminal.data.split(LEFT)[1]


def test_a_second_interrupt_finds_nothing_to_restore(mqbroker):
    """The relay keeps what comes, so that the drain lasts."""
    with Relay(lambda n, payload: []) as relay, Terminal(
            "mqbench", "run", "quick", "-L", relay.url, "--rate", "200/s", "--duration", "60s", "--drain", "60s",
            env={"TERM": "xterm"}, stderr_too=True) as terminal:
        terminal.wait(lambda lines: any(re.match("sent +[1-9]", line) for line in lines), "messages that were sent")
        terminal.proc.kill(signal.SIGINT)
        terminal.wait_data(b"second signal")
        terminal.proc.kill(signal.SIGINT)
        assert terminal.proc.wait(20).code in (-signal.SIGINT, 130)
        assert terminal.data.count(ENTERED) == terminal.data.count(LEFT) == 1
        assert b"\x1b[H" not in terminal.data.split(LEFT)[1]


@pytest.mark.parametrize("args, env", (((), {"TERM": "dumb"}), (("--progress", "text"), {}), (("--progress", "none"), {}),
                                       (("--log-format", "json"), {}), (("--quiet",), {})))
def test_no_display_where_it_is_not_wanted(mqbroker, args, env):
    with display(mqbroker, "--count", 20, *args, env=env) as terminal:  # one would be there from the beginning
        terminal.wait_data(b"verdict")
        assert ENTERED not in terminal.data
